"""Writes one instant in the API's three notations. Which instants there are is the history's job (history.py)."""

from datetime import UTC, datetime
from functools import cache
from zoneinfo import ZoneInfo


def utc(at: int) -> str:
    """`2006-03-24T22:30:00.000Z`, with milliseconds as a JavaScript server writes them."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")


def local(at: int, zone: str) -> str:
    """`2006-03-25T10:30:00+12:00`, with the offset of that zone on that day."""
    return datetime.fromtimestamp(at, _zone(zone)).isoformat(timespec="seconds")


def epoch(text: str) -> int:
    """Seconds of an instant written as `2006-03-24T22:30:00`, taken as UTC."""
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())


def year(at: int) -> int:
    """The year, UTC."""
    return datetime.fromtimestamp(at, UTC).year


@cache
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)
