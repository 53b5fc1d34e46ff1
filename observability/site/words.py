"""Owns how the data docs write times, durations, counts and nouns. Which of them are told is the pages' choice."""

from datetime import UTC, datetime

_MINUTE, _HOUR, _DAY = 60, 3600, 86400


def instant(moment: datetime) -> str:
    """A moment in UTC: `22 Nov 2026, 11:57 UTC`."""
    at = moment.astimezone(UTC)
    return f"{at.day} {at:%b %Y, %H:%M} UTC"


def ago(moment: datetime, now: datetime) -> str:
    """How long ago a moment was, seen from `now`."""
    seconds = (now - moment).total_seconds()
    if seconds < _MINUTE:
        return "just now"
    if seconds < _HOUR:
        return f"{plural(int(seconds // _MINUTE), 'minute')} ago"
    if seconds < _DAY:
        return f"{plural(int(seconds // _HOUR), 'hour')} ago"
    days = int(seconds // _DAY)
    return "yesterday" if days == 1 else f"{days} days ago"


def duration(seconds: float) -> str:
    """A duration with as much precision as it deserves: `0.42 s`, `12.3 s`, `3 min 05 s`."""
    if seconds < 10:
        return f"{seconds:.2f} s"
    if seconds < _MINUTE:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    return f"{whole // 60} min {whole % 60:02} s"


def count(number: int | None) -> str:
    """A count with thousands set apart; a dash where the run did not get that far."""
    return "–" if number is None else f"{number:,}"


def plural(number: int, noun: str) -> str:
    """A count and its noun: `1 minute`, `2 minutes`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def records(dataset: str, number: int) -> str:
    """A count of a dataset's records in its own noun: `1 launch`, `205 launches`."""
    plural_noun = dataset.replace("_", " ")
    singular = plural_noun.removesuffix("es") if plural_noun.endswith("ches") else plural_noun.removesuffix("s")
    return f"{number:,} {singular if number == 1 else plural_noun}"


def hours(number: float) -> str:
    """A promise in hours: `24 hours`, `1 hour`."""
    return f"{number:g} hour{'' if number == 1 else 's'}"
