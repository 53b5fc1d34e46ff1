"""Owns making the fields of a record agree with each other, as the rules across fields demand."""

import copy
from collections.abc import Collection
from typing import Any

from contracts.comparisons import Agrees, AtMost, SameInstant, Together, fields_of
from contracts.model import ACROSS_FIELDS, Contract, LogicalType, Property, Rule, frame_path
from contracts.plain_judge import (
    Absent,
    Record,
    comparable,
    instances,
    is_absent,
    look_up,
    seconds_of,
    steps_of,
    within,
)
from contracts.sample_values import moment_of, spelt

# What is known of a value first, so that the rest can follow it.
_ORDER: tuple[type, ...] = (Together, SameInstant, Agrees, AtMost)


def repaired(contract: Contract, record: Record, fixed: Collection[str] = ()) -> Record:
    """The record with its fields changed so that the rules across fields hold, as far as the `fixed` places let."""
    fresh: Record = copy.deepcopy(record)
    properties = {prop.path: prop for prop in contract.walk()}
    rules = [rule for rule in contract.rules if rule.kind in ACROSS_FIELDS]
    rules.sort(key=lambda rule: _ORDER.index(type(rule.argument)))
    settled = set(fixed)
    for rule in rules:
        frame = frame_path(rule.path)
        for place, _ in list(instances(fresh, frame)):
            _Frame(fresh, properties, frame, place, settled).settle(rule)
    return fresh


class _Frame:
    """One place at which the fields of a rule stand side by side."""

    def __init__(
        self, record: Record, properties: dict[str, Property], frame: str, place: str, settled: set[str]
    ) -> None:
        self._record = record
        self._properties = properties
        self._frame = frame
        self._place = place
        self._settled = settled

    def settle(self, rule: Rule) -> None:
        """Changes one field, or several to null, so that the rule holds. The changed ones stay as they are then."""
        values = [self._get(field) for field in fields_of(rule.argument)]
        match rule.argument:
            case Together(fields):
                self._together(fields, values)
            case _ if any(map(is_absent, values)):
                return
            case SameInstant(seconds, instant):
                self._same_instant(seconds, instant)
            case Agrees() as agrees:
                self._agrees(agrees)
            case AtMost(field, of):
                self._at_most(field, of)

    def _at(self, field: str) -> str:
        return within(field, self._frame, self._place)

    def _get(self, field: str) -> Any:
        return look_up(self._record, self._at(field))

    def _is_free(self, field: str) -> bool:
        return self._at(field) not in self._settled

    def _set(self, field: str, value: Any) -> None:
        set_at(self._record, self._at(field), value)
        self._settled.add(self._at(field))

    def _together(self, fields: tuple[str, ...], values: list[Any]) -> None:
        absent = [is_absent(value) for value in values]
        if not any(absent) or all(absent):
            return
        for field in fields:
            if self._is_free(field):
                self._set(field, None)

    def _same_instant(self, seconds: str, instant: str) -> None:
        known = seconds_of(self._get(instant))
        if known is None:
            return
        if self._is_free(seconds):
            self._set(seconds, int(known))
        elif self._is_free(instant) and (moment := moment_of(self._get(seconds))) is not None:
            self._set(instant, spelt(moment, self._properties[instant].example))

    def _agrees(self, agrees: Agrees) -> None:
        numbers = [self._get(field) for field in fields_of(agrees)]
        if not all(type(number) in {int, float} for number in numbers):
            return
        if self._is_free(agrees.field):
            total = sum(self._get(term.field) * term.times for term in agrees.terms)
            self._set(agrees.field, self._rounded(agrees.field, total))
            return
        free = next((term for term in agrees.terms if self._is_free(term.field)), None)
        if free is not None:
            others = sum(self._get(term.field) * term.times for term in agrees.terms if term is not free)
            self._set(free.field, self._rounded(free.field, (self._get(agrees.field) - others) / free.times))

    def _rounded(self, field: str, value: float) -> int | float:
        is_whole = self._properties[field].logical_type is LogicalType.INTEGER
        return round(value) if is_whole else round(value, 6)

    def _at_most(self, field: str, of: str) -> None:
        left, right = self._get(field), self._get(of)
        lower, upper = comparable(left), comparable(right)
        if lower is None or upper is None or lower <= upper:
            return
        if self._is_free(field) and self._is_free(of):
            self._set(field, right)
            self._set(of, left)
            self._settled -= {self._at(field), self._at(of)}
        elif self._is_free(field):
            self._set(field, right)
        elif self._is_free(of):
            self._set(of, left)


def set_at(record: Record, place: str, value: Any) -> None:
    """Puts a value at a place whose surroundings are there. Absent.FIELD takes the field away."""
    *parents, last = steps_of(place)
    around: Any = record
    for step in parents:
        around = around[step]
    if value is Absent.FIELD:
        around.pop(last, None)
    else:
        around[last] = value
