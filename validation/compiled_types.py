"""Owns a contract as msgspec types: a line that decodes into them has the contract's fields, types and limits.

What types cannot say of texts (patterns, days that exist, widths in bytes) is said by checks over many texts at once.
Both say yes only where the rules surely hold; what the rules mean is said by validation/row_rules.py.
"""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from operator import attrgetter
from typing import Annotated, Any, Final, Literal

import jsonschema_rs
from msgspec import UNSET, Meta, UnsetType, defstruct

from contracts import patterns
from contracts.derive.json_schema import TIME
from contracts.errors import ContractInvalid
from contracts.model import LogicalType, Property, Rule, RuleKind

#: The fields of an object as they lie in a line, each with those below it; below an array lie those of its items.
Order = Mapping[str, "Order"]

_Visit = Callable[[list[Any], list[list[str]]], None]  # puts the texts at and below some values where they are checked

_INT64: Final = (-(2**63), 2**63 - 1)
_RAW_ID_BYTES: Final = 36
_NO_VALUE: Final = Literal["\0"]  # a line with a NUL is refused
_END: Final = "\0"  # of each of several texts in one

# Days that exist. 29 February only in years whose last two digits tell that they are leap years: 2000 is left out.
REAL_DAY: Final = (
    "(?:(?:[1-9][0-9]{3}|0[1-9][0-9]{2}|00[1-9][0-9]|000[1-9])-(?:"
    "(?:0[1-9]|1[0-2])-(?:0[1-9]|1[0-9]|2[0-8])|(?:0[13-9]|1[0-2])-(?:29|30)|(?:0[13578]|1[02])-31)"
    "|[0-9]{2}(?:0[48]|[2468][048]|[13579][26])-02-29)"
)


def attribute(name: str) -> str:
    """What a field is called in its struct: its name may be a word of Python's."""
    return f"f_{name}"


@dataclass(frozen=True, slots=True)
class _Typed:
    """A type, and how the texts in values of it are reached, if any of them are checked."""

    type: Any
    visit: _Visit | None = None


@dataclass(frozen=True, slots=True)
class _Check:
    """What is asked of texts, as many as there are. Checks of one name ask the same."""

    name: str
    holds: Callable[[list[str]], bool] = field(compare=False)


class CompiledTypes:
    """The types of the lines of one contract, and the checks that go with them.

    Raises ContractInvalid for a rule that it does not know. `order` changes only how a struct is written again.
    """

    def __init__(self, properties: Sequence[Property], rules: Iterable[Rule], order: Order) -> None:
        self.is_closed = True  # whether the types say what every value is, wherever it lies
        self._rules: dict[tuple[str, RuleKind], list[Rule]] = {}
        for rule in rules:
            self._rules.setdefault((rule.path, rule.kind), []).append(rule)
        self._checks: list[_Check] = []
        record = self._object("", properties, order.get("_airbyte_data", {}))
        self.envelope, self._visit = self._envelope(record, order)
        for unknown in chain.from_iterable(self._rules.values()):
            raise ContractInvalid(f"rule {unknown.rule_id}: the raw gate's fast path does not know {unknown.kind}")

    def holds_for(self, envelopes: list[Any]) -> bool:
        """Whether the rules of texts surely hold for all of these, which are of the type `envelope`."""
        texts: list[list[str]] = [[] for _ in self._checks]
        self._visit(envelopes, texts)
        return all(check.holds(found) for check, found in zip(self._checks, texts, strict=True) if found)

    def _envelope(self, record: _Typed, order: Order) -> tuple[Any, _Visit]:
        """A line in Airbyte's v2 envelope, with nothing changed on the way."""
        nothing = _Typed(Annotated[list[Any], Meta(max_length=0)])
        number = _Typed(_whole_number([], []))
        meta = _struct({}, {"changes": nothing, "sync_id": number}, order.get("_airbyte_meta", {}))
        required = {
            "_airbyte_raw_id": self._text(1, _RAW_ID_BYTES, [_fits(_RAW_ID_BYTES)]),
            "_airbyte_extracted_at": number,
            "_airbyte_generation_id": number,
            "_airbyte_data": record,
        }
        made = _struct(required, {"_airbyte_meta": meta}, order)
        assert made.visit  # noqa: S101 - the raw id is a text
        return made.type, made.visit

    def _arguments(self, path: str, kind: RuleKind) -> list[Any]:
        return [rule.argument for rule in self._rules.pop((path, kind), ())]

    def _object(self, path: str, children: Sequence[Property], order: Order) -> _Typed:
        is_closed = bool(self._arguments(path, RuleKind.UNKNOWN_FIELD))
        self.is_closed &= is_closed
        required: dict[str, _Typed] = {}
        optional: dict[str, _Typed] = {}
        for child in children:
            is_required = (child.path, RuleKind.REQUIRED) in self._rules
            fields = required if is_required else optional
            fields[child.name] = self._value(child, order.get(child.name, {}))
        return _struct(required, optional, order, is_closed=is_closed)

    def _value(self, prop: Property, order: Order) -> _Typed:
        self._arguments(prop.path, RuleKind.TYPE)
        is_required = bool(self._arguments(prop.path, RuleKind.REQUIRED))
        made = self._of_type(prop, order)
        return made if is_required else _Typed(made.type | None, made.visit)

    def _of_type(self, prop: Property, order: Order) -> _Typed:
        match prop.logical_type:
            case LogicalType.OBJECT:
                return self._object(prop.path, prop.children, order)
            case LogicalType.ARRAY:
                return self._array(prop, order)
            case LogicalType.INTEGER:
                return _Typed(self._integer(prop.path))
            case LogicalType.NUMBER:
                return _Typed(self._number(prop.path))
            case LogicalType.BOOLEAN:
                return _Typed(_NO_VALUE if self._arguments(prop.path, RuleKind.ENUM) else bool)
        return self._string(prop)

    def _array(self, prop: Property, order: Order) -> _Typed:
        least = max(self._arguments(prop.path, RuleKind.MIN_ITEMS), default=None)
        most = min(self._arguments(prop.path, RuleKind.MAX_ITEMS), default=None)
        self.is_closed &= bool(prop.children)
        item = self._value(prop.children[0], order) if prop.children else _Typed(Any)
        made = Annotated[list[item.type], Meta(min_length=least, max_length=most)]  # type: ignore[name-defined]
        return _Typed(made, _visit_items(item.visit) if item.visit else None)

    def _integer(self, path: str) -> Any:
        minima, maxima = self._arguments(path, RuleKind.MINIMUM), self._arguments(path, RuleKind.MAXIMUM)
        listed = self._arguments(path, RuleKind.ENUM)
        if not listed:
            return _whole_number(minima, maxima)
        return _one_of(
            int, listed, lambda one: all(one >= bound for bound in minima) and all(one <= bound for bound in maxima)
        )

    def _number(self, path: str) -> Any:
        minima, maxima = self._arguments(path, RuleKind.MINIMUM), self._arguments(path, RuleKind.MAXIMUM)
        if self._arguments(path, RuleKind.ENUM):
            return _NO_VALUE  # msgspec lists no fractions
        least, most = max(map(float, minima), default=None), min(map(float, maxima), default=None)
        return _whole_number(minima, maxima) | Annotated[float, Meta(ge=least, le=most)]

    def _string(self, prop: Property) -> _Typed:
        widths = self._arguments(prop.path, RuleKind.MAX_BYTES)
        least = max(self._arguments(prop.path, RuleKind.MIN_LENGTH), default=0)
        most = min([*self._arguments(prop.path, RuleKind.MAX_LENGTH), *widths], default=None)
        checks = [_matches(pattern) for pattern in self._arguments(prop.path, RuleKind.PATTERN)]
        checks += [_exists(form) for form in self._arguments(prop.path, RuleKind.FORMAT)]
        checks += [_fits(width) for width in widths]
        text = self._text(least, most, checks)
        listed = self._arguments(prop.path, RuleKind.ENUM)
        if not listed:
            return text
        allowed = _one_of(str, listed, lambda one: len(one) >= least and (most is None or len(one) <= most))
        return _Typed(allowed, text.visit)

    def _text(self, least: int, most: int | None, checks: Sequence[_Check]) -> _Typed:
        if not all(check.holds([""]) for check in checks):
            least = max(least, 1)  # an empty text is not put where texts are checked
        made = Annotated[str, Meta(min_length=least, max_length=most)]
        self._checks += [check for check in dict.fromkeys(checks) if check not in self._checks]
        return _Typed(made, _visit_texts([self._checks.index(check) for check in checks]) if checks else None)


def _struct(
    required: Mapping[str, _Typed], optional: Mapping[str, _Typed], order: Order, *, is_closed: bool = True
) -> _Typed:
    """An object of these fields, which it writes in that order; those that are not in it come last."""
    fields: dict[str, Any] = {name: (attribute(name), one.type) for name, one in required.items()}
    fields |= {name: (attribute(name), one.type | UnsetType, UNSET) for name, one in optional.items()}
    places = {name: place for place, name in enumerate(order)}
    made = defstruct(
        "Object",
        [fields[name] for name in sorted(fields, key=lambda name: places.get(name, len(places)))],
        rename={attribute(name): name for name in fields},
        kw_only=True,
        gc=False,  # JSON has no cycles
        forbid_unknown_fields=is_closed,
    )
    inside = [(attrgetter(attribute(name)), one.visit) for name, one in {**required, **optional}.items() if one.visit]

    def visit(objects: list[Any], texts: list[list[str]]) -> None:
        for get, visit_field in inside:
            visit_field([value for value in map(get, objects) if value], texts)

    return _Typed(made, visit if inside else None)


def _visit_items(visit_item: _Visit) -> _Visit:
    return lambda arrays, texts: visit_item([item for item in chain.from_iterable(arrays) if item], texts)


def _visit_texts(places: list[int]) -> _Visit:
    def visit(found: list[Any], texts: list[list[str]]) -> None:
        for place in places:
            texts[place] += found

    return visit


def _whole_number(minima: Iterable[float], maxima: Iterable[float]) -> Any:
    least = max([_INT64[0], *map(math.ceil, minima)])
    most = min([_INT64[1], *map(math.floor, maxima)])
    return Annotated[int, Meta(ge=least, le=most)] if least <= most else _NO_VALUE


def _one_of(kind: type, listed: Sequence[Sequence[Any]], is_within: Callable[[Any], bool]) -> Any:
    """One of the values that are in all these lists and within the other limits."""
    first, *others = listed
    allowed = [one for one in first if type(one) is kind and is_within(one) and all(one in other for other in others)]
    return Literal[tuple(allowed)] if allowed else _NO_VALUE


def _fits(width: int) -> _Check:
    """Texts of at most that many characters have at most as many bytes."""
    return _Check(
        f"fits {width}", lambda texts: "".join(texts).isascii() or all(len(one.encode()) <= width for one in texts)
    )


def _exists(form: LogicalType) -> _Check:
    return _matches(REAL_DAY if form is LogicalType.DATE else REAL_DAY + TIME)


def _matches(pattern: str) -> _Check:
    """Texts that match a pattern from end to end, by an engine that cannot run away.

    All are one text to it, each with an end that no pattern matches: one search for many texts costs a tenth.
    """
    body = patterns.body(pattern).replace("[^", r"[^\x00")
    # Rust's regular expressions are several times as fast as Python's; contracts' patterns need nothing they lack.
    schema = {"type": "string", "pattern": rf"^(?:(?:{body})\x00)*$"}
    is_match = jsonschema_rs.Draft4Validator(schema, pattern_options=jsonschema_rs.RegexOptions()).is_valid

    def holds(texts: list[str]) -> bool:
        joined = _END.join([*texts, ""])
        return joined.count(_END) == len(texts) and bool(is_match(joined))

    return _Check(f"matches {pattern}", holds)
