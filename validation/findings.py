"""Owns what was found in landed objects and how it adds up: an object's findings, a shard's, a batch's are of one kind.

Finding it is validation/tally.py's job, taking the verdict from it validation/set_checks.py's.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import reduce
from itertools import chain
from typing import Final

#: More keys of rejected records are not told: the load step then deletes nothing (loader/load.py).
MOST_KEYS: Final = 30_001
MOST_WARNED_KEYS: Final = 20  # per rule: enough to look at, however many records there are


@dataclass(frozen=True, slots=True)
class Findings:
    """What was found in lines, besides their counts. Bounded, whatever the number of lines."""

    violations_by_rule: Mapping[str, int] = field(default_factory=dict)  # rejected records that broke the rule
    warnings_by_rule: Mapping[str, int] = field(default_factory=dict)  # accepted records that broke the rule
    warned_keys: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # the first records behind each warning
    rejected_keys: tuple[str, ...] = ()  # the first MOST_KEYS, sorted, each once
    unkeyed_rejection_count: int = 0  # rejected records whose key could not be read
    conflicting_keys: tuple[str, ...] = ()  # keys with more than one content: the first MOST_KEYS, sorted, each once
    repeated_values: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # by path, of those that must not be
    damaged: tuple[str, ...] = ()  # objects that could not be read to their end
    first_rejection: str | None = None  # one line for people: path, message and rule
    first_rejected_line: int | None = None  # where that was, in its object


def merged(parts: Iterable[Findings]) -> Findings:
    """The findings of all parts, which are given in the batch's order of objects. Associative."""
    return reduce(_both, parts, Findings())


def _both(first: Findings, second: Findings) -> Findings:
    is_first = first.first_rejection is not None
    return Findings(
        violations_by_rule=added(first.violations_by_rule, second.violations_by_rule),
        warnings_by_rule=added(first.warnings_by_rule, second.warnings_by_rule),
        warned_keys=_joined(first.warned_keys, second.warned_keys),
        rejected_keys=keys_of(first.rejected_keys, second.rejected_keys),
        unkeyed_rejection_count=first.unkeyed_rejection_count + second.unkeyed_rejection_count,
        conflicting_keys=keys_of(first.conflicting_keys, second.conflicting_keys),
        repeated_values={
            path: keys_of(first.repeated_values.get(path, ()), second.repeated_values.get(path, ()))
            for path in sorted(first.repeated_values.keys() | second.repeated_values.keys())
        },
        damaged=(*first.damaged, *second.damaged),
        first_rejection=first.first_rejection if is_first else second.first_rejection,
        first_rejected_line=first.first_rejected_line if is_first else second.first_rejected_line,
    )


def added(first: Mapping[str, int], second: Mapping[str, int]) -> dict[str, int]:
    """Counts by rule, added; sorted, and without those that come to nothing."""
    total = Counter(first)
    total.update(second)
    return {rule_id: count for rule_id, count in sorted(total.items()) if count}


def keys_of(*keys: Iterable[str]) -> tuple[str, ...]:
    """The first MOST_KEYS of all these, sorted, each once."""
    return tuple(sorted(set(chain(*keys)))[:MOST_KEYS])


def _joined(first: Mapping[str, tuple[str, ...]], second: Mapping[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    return {
        rule_id: (*first.get(rule_id, ()), *second.get(rule_id, ()))[:MOST_WARNED_KEYS]
        for rule_id in sorted(first.keys() | second.keys())
    }


class KeySet:
    """Collects keys of which only the first MOST_KEYS in sorted order are wanted, and holds few more than those."""

    def __init__(self) -> None:
        self._keys: set[str] = set()

    def add(self, key: str) -> None:
        """Takes a key in."""
        self._keys.add(key)
        if len(self._keys) >= 2 * MOST_KEYS:
            self._keys = set(self.first())

    def first(self) -> tuple[str, ...]:
        """The first MOST_KEYS, sorted."""
        return keys_of(self._keys)
