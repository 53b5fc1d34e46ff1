"""Owns the raw gate's fast path: waves through the lines that cannot fail, and leaves all others to the judge.

What holds is said by pandera (validation/judge.py), with every reason. The doorkeeper knows no reasons: it compiles
the same contract into types and checks that refuse when in doubt. A property test holds that it never lets through
what the judge or the envelope would refuse or warn of.
"""

from collections.abc import Callable, Sequence
from functools import reduce
from operator import attrgetter
from typing import Any, Final

import msgspec
import orjson

from contracts.model import ACROSS_FIELDS, Contract, LogicalType, RuleKind
from validation.compiled_comparisons import compiled
from validation.compiled_types import CompiledTypes, Order, attribute
from validation.envelope import LINE_LIMIT_BYTES
from validation.faithful import why_not_faithful
from validation.lines import LandedLine, OverlongLine
from validation.set_checks import unique_names
from validation.uniqueness import Identity, identity

_NOT_OF_THE_TYPE: Final = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
_MOST_ORDERS: Final = 20  # a source writes the fields of all records in one order, or in few


class Doorkeeper:
    """Opens for lines that break no rule of the contract, of any severity.

    Made once per contract; raises ContractInvalid for a rule that it does not know.
    """

    def __init__(self, contract: Contract) -> None:
        self._properties = contract.properties
        self._rules = [rule for rule in contract.record_rules if rule.kind not in ACROSS_FIELDS]
        self._comparisons = [compiled(rule.argument) for rule in contract.record_rules if rule.kind in ACROSS_FIELDS]
        self._identity = _identifier(contract)
        self._order: Order = {}
        self._orders_left = _MOST_ORDERS
        self._buffer = bytearray()
        self._write_into = msgspec.json.Encoder().encode_into
        self._compile()

    def _compile(self) -> None:
        self._types = CompiledTypes(self._properties, self._rules, self._order)
        self._read = msgspec.json.Decoder(self._types.envelope).decode

    def opens_for(self, lines: Sequence[LandedLine]) -> list[Identity | None]:
        """Of each line without its end, its record's identity if it breaks no rule, None if the judge must see it.

        Never raises, whatever the bytes. Some dozens of lines at once are fastest.
        """
        found = [None if isinstance(line, OverlongLine) else self._opened(line) for line in lines]
        if not self._holds_for([envelope for envelope in found if envelope is not None]):
            found = [envelope if envelope is not None and self._holds_for([envelope]) else None for envelope in found]
        return [None if envelope is None else self._identity(envelope.f__airbyte_data) for envelope in found]

    def _opened(self, line: bytes) -> Any | None:
        """A line that was read as it is written, of which every value has the contract's type and limits."""
        if len(line) > LINE_LIMIT_BYTES:
            return None
        try:
            envelope = self._read(line)
        except _NOT_OF_THE_TYPE:
            return None
        # Written again to the same bytes, a line has no equal keys and no rounded number; and where the types are
        # closed, nothing lies so deep or is so large that only a search of it all would find it.
        self._write_into(envelope, self._buffer)
        if self._types.is_closed and self._buffer == line and not _may_hold_nul(line):
            return envelope
        return envelope if self._is_faithful(line) else None

    def _is_faithful(self, line: bytes) -> bool:
        try:
            value = orjson.loads(line)
        except orjson.JSONDecodeError:
            return False
        if self._types.is_closed and orjson.dumps(value) == line and not _may_hold_nul(line):
            self._learn(value)
            return True
        return why_not_faithful(value, line) is None

    def _learn(self, value: Any) -> None:
        """From now on, lines are written again in the order of this one: decoding it for that costs twice as much."""
        if self._orders_left:
            self._orders_left -= 1
            self._order = _joined(self._order, _order_of(value))
            self._compile()

    def _holds_for(self, envelopes: list[Any]) -> bool:
        records = [envelope.f__airbyte_data for envelope in envelopes]
        return self._types.holds_for(envelopes) and all(holds(records) for holds in self._comparisons)


def _identifier(contract: Contract) -> Callable[[Any], Identity]:
    names = [contract.key.name, *unique_names(contract)]
    required = {rule.path for rule in contract.record_rules if rule.kind is RuleKind.REQUIRED}
    if len(names) > 1 and required.issuperset(names) and contract.key.logical_type is LogicalType.STRING:
        return attrgetter(*map(attribute, names))
    key, *values = [attrgetter(attribute(name)) for name in names]
    return lambda record: identity(
        key(record), [None if (value := get(record)) is msgspec.UNSET else value for get in values]
    )


def _may_hold_nul(line: bytes) -> bool:
    return b"\\" in line and b"\\u0000" in line  # most lines have no backslash, and one byte is found faster


def _order_of(value: Any) -> Order:
    if isinstance(value, dict):
        return {name: _order_of(child) for name, child in value.items()}
    return reduce(_joined, map(_order_of, value), {}) if isinstance(value, list) else {}


def _joined(known: Order, seen: Order) -> Order:
    """What was seen, in its order; what was only known before stands behind what it stood behind."""
    names, before = list(seen), -1
    for name in known:
        if name not in seen:
            names.insert(before + 1, name)
        before = names.index(name)
    return {name: _joined(known.get(name, {}), seen.get(name, {})) for name in names}
