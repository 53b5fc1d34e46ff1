"""Owns making up single values that keep a property's rules. Whole records are contracts/sample.py's job."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any

from contracts.model import LogicalType, Property, Rule, RuleKind
from contracts.pattern_texts import matching_text
from contracts.plain_judge import breaks

_FIRST_DAY = date(2006, 3, 24)
_DAYS = 6000
_MORE_ITEMS = 3
_TRIES = 40
_WORDS = ("orbital", "Kestrel", "northern pad", "B", "second stage of the mission", "übergabe", "x1", "long exposure")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a value must be: its property and the rules about its path."""

    prop: Property
    rules: tuple[Rule, ...]

    @property
    def by_kind(self) -> Mapping[RuleKind, Any]:
        """What each rule compares with, by its kind."""
        return {rule.kind: rule.argument for rule in self.rules}

    def is_kept_by(self, value: Any) -> bool:
        """Whether the value breaks none of the rules about single values."""
        return not any(breaks(rule, value) for rule in self.rules if rule.kind is not RuleKind.UNKNOWN_FIELD)


def scalar(wanted: Wanted, random: Random) -> Any:
    """A value within the rules, varied; the contract's example when nothing else that comes to mind keeps them."""
    for _ in range(_TRIES):
        value = _attempt(wanted, random)
        if wanted.is_kept_by(value):
            return value
    return wanted.prop.example


def item_count(wanted: Wanted, random: Random) -> int:
    """How many items an array has."""
    by_kind = wanted.by_kind
    least = by_kind.get(RuleKind.MIN_ITEMS, 0)
    return random.randint(least, min(by_kind.get(RuleKind.MAX_ITEMS, math.inf), least + _MORE_ITEMS))


def _attempt(wanted: Wanted, random: Random) -> Any:
    allowed = wanted.by_kind.get(RuleKind.ENUM)
    return random.choice(allowed) if allowed else _MAKERS[wanted.prop.logical_type](wanted, random)


def _whole_number(wanted: Wanted, random: Random) -> int:
    low, high = _range(wanted)
    return random.randint(math.ceil(low), math.floor(high))


def _number(wanted: Wanted, random: Random) -> float:
    return round(random.uniform(*_range(wanted)), 2)


def _instant(wanted: Wanted, random: Random) -> str:
    moment = datetime.combine(_day(random), datetime.min.time(), UTC)
    return spelt(moment + timedelta(seconds=random.randrange(86_400)), wanted.prop.example)


def _day(random: Random) -> date:
    return _FIRST_DAY + timedelta(days=random.randrange(_DAYS))


def spelt(moment: datetime, like: Any) -> str:
    """An instant written as the example is: with its offset, with or without a fraction."""
    example = str(like)
    form = "milliseconds" if "." in example else "seconds"
    if example.endswith("Z") or not _is_instant(example):
        return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec=form) + "Z"
    return moment.astimezone(datetime.fromisoformat(example).tzinfo).isoformat(timespec=form)


def moment_of(seconds: Any) -> datetime | None:
    """The instant so many seconds after 1970; None for what is no number, or too big to be a day in the calendar."""
    if type(seconds) not in {int, float}:
        return None
    try:
        return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
    except OverflowError:
        return None


def _is_instant(text: str) -> bool:
    try:
        return datetime.fromisoformat(text).tzinfo is not None
    except ValueError:
        return False


def _range(wanted: Wanted) -> tuple[float, float]:
    """From where to where: the rules' bounds, brought near the example where they are those of a column's type."""
    example = wanted.prop.example if isinstance(wanted.prop.example, int | float) else 10
    near = max(10, 2 * abs(example))
    least, most = wanted.by_kind.get(RuleKind.MINIMUM), wanted.by_kind.get(RuleKind.MAXIMUM)
    low = -near if example < 0 else 0
    if least is not None:
        low = max(least, low) if least < -near or least >= 0 else least
    high = near if most is None else min(most, max(near, low))
    return low, max(low, high)


def _text(wanted: Wanted, random: Random) -> str:
    by_kind = wanted.by_kind
    if _is_instant(str(wanted.prop.example)):
        return _instant(wanted, random)
    if RuleKind.PATTERN in by_kind:
        return matching_text(by_kind[RuleKind.PATTERN], random)
    words = random.choice([str(wanted.prop.example or ""), *_WORDS]).split()
    number = [str(random.randrange(10_000))] if random.random() < 0.5 else []
    return " ".join([*number, *words])[: by_kind.get(RuleKind.MAX_LENGTH)]


_MAKERS: Mapping[LogicalType, Callable[[Wanted, Random], Any]] = {
    LogicalType.BOOLEAN: lambda _, random: random.random() < 0.5,
    LogicalType.INTEGER: _whole_number,
    LogicalType.NUMBER: _number,
    LogicalType.DATE: lambda _, random: _day(random).isoformat(),
    LogicalType.TIMESTAMP: _instant,
    LogicalType.STRING: _text,
}
