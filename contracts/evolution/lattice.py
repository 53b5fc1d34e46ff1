"""Owns the order among types and limits: which of two accepts more. What that means to whom is changes.py's job."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from contracts import patterns
from contracts.evolution.changes import Direction, combined
from contracts.model import Severity

Compare = Callable[[Any, Any], Direction]

_INTEGERS = ("SMALLINT", "INTEGER", "BIGINT")
_VARCHAR = re.compile(r"VARCHAR\((\d+)\)")


@dataclass(frozen=True, slots=True)
class Limit:
    """What is demanded, None for nothing, and how bad a breach is. Only an error refuses a record."""

    value: Any
    severity: Severity = Severity.ERROR

    @property
    def refuses(self) -> Any:
        """What records are refused by; None when none is."""
        return self.value if self.severity is Severity.ERROR else None


def compare_limits(old: Limit, new: Limit, compare: Compare) -> Direction:
    """How a limit moved, by what it refuses."""
    if old.refuses is not None and new.refuses is not None:
        return compare(old.refuses, new.refuses)
    if old.refuses is not None:
        return Direction.LOOSENED
    if new.refuses is not None:
        return Direction.TIGHTENED
    if old.value is None and new.value is None:
        return Direction.SAME
    return Direction.SAME if old == new else Direction.TOLD


def more_is_tighter(old: Any, new: Any) -> Direction:
    """For a least value."""
    if old == new:
        return Direction.SAME
    return Direction.TIGHTENED if new > old else Direction.LOOSENED


def less_is_tighter(old: Any, new: Any) -> Direction:
    """For a greatest value."""
    return more_is_tighter(new, old)


def undecided(old: Any, new: Any) -> Direction:
    """For what nobody can order: any difference counts as breaking."""
    return Direction.SAME if old == new else Direction.CHANGED


def compare_sets(old: Iterable[Any], new: Iterable[Any]) -> Direction:
    """For a closed set of values: losing one tightens it, gaining one loosens it."""
    before, after = set(map(_member, old)), set(map(_member, new))
    lost = Direction.TIGHTENED if before - after else Direction.SAME
    gained = Direction.LOOSENED if after - before else Direction.SAME
    return combined((lost, gained))


def _member(value: Any) -> tuple[bool, Any]:
    return isinstance(value, bool), value  # Python holds True to be 1


def compare_patterns(old: str, new: str) -> Direction:
    """Two patterns that differ in more than their anchors and spelling count as undecided."""
    return undecided(_normal_form(old), _normal_form(new))


def _normal_form(pattern: str) -> str:
    try:
        return patterns.parse(pattern).posix
    except patterns.PatternInvalid:
        return pattern  # an older contract may hold what today's reader refuses


def compare_logical_types(old: str, new: str) -> Direction:
    """Every integer is a number; no other type holds another's values."""
    if old == new:
        return Direction.SAME
    if (old, new) == ("integer", "number"):
        return Direction.LOOSENED
    return Direction.TIGHTENED if (old, new) == ("number", "integer") else Direction.CHANGED


def is_same_column(old: str | None, new: str | None) -> bool:
    """Whether two spellings name one column type."""
    return _squeezed(old) == _squeezed(new)


def is_lossless(old: str | None, new: str | None) -> bool:
    """Whether a column of the type `new` holds each value of one of the type `old`, unchanged and of the same kind.

    SMALLINT → INTEGER → BIGINT and VARCHAR(n) → VARCHAR(n + k). A type is lossless to itself, and the relation is
    transitive.
    """
    before, after = _squeezed(old), _squeezed(new)
    if before == after:
        return True
    if before in _INTEGERS and after in _INTEGERS:
        return _INTEGERS.index(before) <= _INTEGERS.index(after)
    lengths = _VARCHAR.fullmatch(before), _VARCHAR.fullmatch(after)
    return lengths[0] is not None and lengths[1] is not None and int(lengths[0][1]) <= int(lengths[1][1])


def _squeezed(text: str | None) -> str:
    return re.sub(r"\s+", " ", text or "").strip().upper().replace(", ", ",")


#: Numbers in a check whose sense is known. A tolerance that is not given is none.
_SENSES: dict[str, Compare] = {
    "toleranceS": less_is_tighter,
    "tolerance.absolute": less_is_tighter,
    "tolerance.ratio": less_is_tighter,
    "maxRatio": less_is_tighter,
    "floorCount": less_is_tighter,
    "ratio": less_is_tighter,
    "least": more_is_tighter,
}


def compare_arguments(old: Mapping[str, Any], new: Mapping[str, Any]) -> Direction:
    """For a check with several arguments: those of known sense are ordered, any other difference is undecided."""
    before, after = _flat(old), _flat(new)
    return combined(_compare_argument(name, before.get(name), after.get(name)) for name in before.keys() | after.keys())


def _compare_argument(name: str, old: Any, new: Any) -> Direction:
    sense = _SENSES.get(name, undecided)
    if sense is undecided:
        return undecided(old, new)
    numbers = [value for value in (old, new) if value is not None]
    if not all(isinstance(value, int | float) for value in numbers):
        return undecided(old, new)
    return sense(old or 0, new or 0)


def _flat(values: Mapping[str, Any], parent: str = "") -> dict[str, Any]:
    """Nested mappings as one, its names joined by dots; lists stay whole."""
    found: dict[str, Any] = {}
    for name, value in values.items():
        path = f"{parent}.{name}" if parent else name
        found |= _flat(value, path) if isinstance(value, Mapping) else {path: value}
    return found
