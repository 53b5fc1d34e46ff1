"""Owns the JSON Schemas that follow from a contract: one for people and their tools, one for the doorkeeper.

They describe the record, not Airbyte's envelope. Judging records is the raw gate's job (validation/).
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from contracts.comparisons import Together
from contracts.model import Contract, DriftPolicy, LogicalType, Property, Rule, RuleKind, Scope

Schema = dict[str, Any]
_Keywords = Mapping[RuleKind, Callable[[Any], Schema]]

INT64_MINIMUM: Final = -(2**63)
INT64_MAXIMUM: Final = 2**63 - 1

TIME: Final = r"T(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:\.[0-9]{1,6})?(?:Z|[+-](?:0[0-9]|1[0-4]):[0-5][0-9])"
_DAY: Final = "[0-9]{4}-[0-9]{2}-[0-9]{2}"
# Days that exist. 29 February only in years whose last two digits tell that they are leap years: 2000 is left out.
REAL_DAY: Final = (
    "(?:(?:[1-9][0-9]{3}|0[1-9][0-9]{2}|00[1-9][0-9]|000[1-9])-(?:"
    "(?:0[1-9]|1[0-2])-(?:0[1-9]|1[0-9]|2[0-8])|(?:0[13-9]|1[0-2])-(?:29|30)|(?:0[13578]|1[02])-31)"
    "|[0-9]{2}(?:0[48]|[2468][048]|[13579][26])-02-29)"
)

_TYPES: Final = {
    LogicalType.STRING: "string",
    LogicalType.TIMESTAMP: "string",
    LogicalType.DATE: "string",
    LogicalType.INTEGER: "integer",
    LogicalType.NUMBER: "number",
    LogicalType.BOOLEAN: "boolean",
    LogicalType.OBJECT: "object",
    LogicalType.ARRAY: "array",
}

# What says itself in the shape of the schema, not in a keyword of its own.
_STRUCTURAL: Final = frozenset({RuleKind.TYPE, RuleKind.REQUIRED, RuleKind.UNKNOWN_FIELD})


def json_schema(contract: Contract) -> Schema:
    """What a record must be so that it is not rejected, as JSON Schema draft 2020-12, for people and their tools.

    Rules that only warn and rules over several records are not in it, nor is what JSON Schema cannot say: sums, order,
    an integer written as 5.0 passes here and not at the gate, and formats bind only where the reader is told to.
    """
    writer = _Writer(contract, _rejecting(contract), _PUBLISHED)
    about = [contract.description, contract.purpose, contract.limitations]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:spacex-elt:{contract.dataset}:{contract.version}",
        "title": contract.title or contract.dataset,
        "description": " ".join(text for text in about if text),
        "$comment": "Integers are written without a fraction or an exponent: 5.0 is refused where 5 is meant.",
        **writer.record(),
    }


def strict_json_schema(contract: Contract) -> Schema:
    """A schema, JSON Schema draft 4, that only records pass which break no row rule of any severity.

    It refuses when in doubt, so a record that it refuses may be good. Draft 4 because there 5.0 is no integer.
    Most rules across fields are not in it: `unsaid_rules` names them.
    """
    return _Writer(contract, _row_rules(contract), _STRICT).record()


def unsaid_rules(contract: Contract) -> tuple[Rule, ...]:
    """The row rules that `strict_json_schema` does not say."""
    said = _STRUCTURAL | _STRICT.keywords.keys()
    return tuple(rule for rule in _row_rules(contract) if rule.kind not in said and not _are_siblings(rule.argument))


def _are_siblings(argument: Any) -> bool:
    """Whether a rule is about members of one object that are there together."""
    return isinstance(argument, Together) and len({field.rpartition(".")[0] for field in argument.fields}) == 1


def _row_rules(contract: Contract) -> list[Rule]:
    """The rules about what lies in a record. What the sync did to it is told by the envelope."""
    rules = (rule for rule in contract.rules if rule.scope is Scope.ROW and rule.kind is not RuleKind.SOURCE_DAMAGE)
    return [rule for rule in rules if rule.argument is not DriftPolicy.ALLOW]


def _rejecting(contract: Contract) -> list[Rule]:
    return [rule for rule in _row_rules(contract) if rule.rejects]


@dataclass(frozen=True, slots=True)
class _Dialect:
    """How one of the two schemas says things."""

    keywords: _Keywords
    annotate: Callable[[Property], Schema]
    narrow: Callable[[Property, Schema], Schema]  # adds what holds for every value of a type, with or without a rule


class _Writer:
    """Writes the schema of one contract."""

    def __init__(self, contract: Contract, rules: Iterable[Rule], dialect: _Dialect) -> None:
        self._contract = contract
        self._dialect = dialect
        self._rules: dict[str, list[Rule]] = {}
        self._groups: dict[str, list[Schema]] = {}  # by the object's path
        for rule in rules:
            if _are_siblings(rule.argument):
                parent, names = _parent_and_names(rule.argument.fields)
                self._groups.setdefault(parent, []).append(_all_or_none(names))
            else:
                self._rules.setdefault(rule.path, []).append(rule)

    def record(self) -> Schema:
        return {"type": "object", **self._members("", self._contract.properties)}

    def _members(self, path: str, children: Sequence[Property]) -> Schema:
        members: Schema = {"properties": {child.name: self._value(child) for child in children}}
        required = [child.name for child in children if self._is_required(child)]
        if required:  # draft 4 wants at least one
            members["required"] = required
        if self._has(path, RuleKind.UNKNOWN_FIELD):
            members["additionalProperties"] = False
        if path in self._groups:
            members["allOf"] = self._groups[path]
        return members

    def _value(self, prop: Property) -> Schema:
        is_required = self._is_required(prop)
        name = _TYPES[prop.logical_type]
        schema: Schema = self._dialect.annotate(prop)
        schema["type"] = name if is_required else [name, "null"]
        for part in self._parts(prop):
            if schema.keys() & part.keys():
                schema.setdefault("allOf", []).append(part)
            else:
                schema |= part
        if "enum" in schema and not is_required:
            schema["enum"] = [*schema["enum"], None]
        schema = self._dialect.narrow(prop, schema)
        if prop.logical_type is LogicalType.OBJECT:
            schema |= self._members(prop.path, prop.children)
        if prop.logical_type is LogicalType.ARRAY and prop.children:
            schema["items"] = self._value(prop.children[0])
        return schema

    def _parts(self, prop: Property) -> Iterable[Schema]:
        """What each rule of the property adds."""
        keywords = self._dialect.keywords
        for rule in self._rules.get(prop.path, ()):
            if rule.kind in keywords:
                yield keywords[rule.kind](rule.argument)

    def _is_required(self, prop: Property) -> bool:
        return self._has(prop.path, RuleKind.REQUIRED)

    def _has(self, path: str, kind: RuleKind) -> bool:
        return any(rule.kind is kind for rule in self._rules.get(path, ()))


def _parent_and_names(fields: Sequence[str]) -> tuple[str, list[str]]:
    return fields[0].rpartition(".")[0], [field.rpartition(".")[2] for field in fields]


def _all_or_none(names: Sequence[str]) -> Schema:
    there: Schema = {"not": {"type": "null"}}
    return {
        "anyOf": [
            {"required": list(names), "properties": dict.fromkeys(names, there)},
            {"properties": {name: {"type": "null"} for name in names}},
        ]
    }


def _whole(pattern: str) -> str:
    return f"^(?:{pattern})$"


_COMMON: Final[_Keywords] = {
    RuleKind.PATTERN: lambda pattern: {"pattern": _whole(pattern)},
    RuleKind.ENUM: lambda allowed: {"enum": list(allowed)},
    RuleKind.MINIMUM: lambda least: {"minimum": least},
    RuleKind.MAXIMUM: lambda most: {"maximum": most},
    RuleKind.MIN_LENGTH: lambda least: {"minLength": least},
    RuleKind.MAX_LENGTH: lambda most: {"maxLength": most},
    RuleKind.MIN_ITEMS: lambda least: {"minItems": least},
    RuleKind.MAX_ITEMS: lambda most: {"maxItems": most},
}


def _published_format(form: LogicalType) -> Schema:
    if form is LogicalType.DATE:
        return {"format": "date", "pattern": _whole(_DAY)}
    return {"format": "date-time", "pattern": _whole(_DAY + TIME)}


def _annotations(prop: Property) -> Schema:
    said: Schema = {}
    if prop.description:
        said["description"] = prop.description
    if prop.is_deprecated:
        said["deprecated"] = True
    if prop.unit:
        said["$comment"] = f"Unit: {prop.unit}"
    if prop.example is not None and prop.classification == "public":
        said["examples"] = [prop.example]
    return said


def _exists(form: LogicalType) -> Schema:
    return {"pattern": _whole(REAL_DAY if form is LogicalType.DATE else REAL_DAY + TIME)}


def _fits(most: int) -> Schema:
    """A text of at most `most` bytes: so short that any characters fit, or plain ASCII."""
    ascii_only = {"maxLength": most, "pattern": "^[\\x00-\\x7f]*$"}
    return {"anyOf": [{"maxLength": most // 4}, ascii_only]}


def _within_64_bits(prop: Property, schema: Schema) -> Schema:
    """orjson reads integers up to 2**64 - 1; the gate refuses those above 2**63 - 1 wherever they lie."""
    if prop.logical_type not in {LogicalType.INTEGER, LogicalType.NUMBER}:
        return schema
    minimum, maximum = schema.get("minimum", INT64_MINIMUM), schema.get("maximum", INT64_MAXIMUM)
    return schema | {"minimum": max(minimum, INT64_MINIMUM), "maximum": min(maximum, INT64_MAXIMUM)}


_PUBLISHED: Final = _Dialect(
    # JSON Schema counts characters: what has more characters than the column has bytes cannot fit it.
    {**_COMMON, RuleKind.FORMAT: _published_format, RuleKind.MAX_BYTES: lambda most: {"maxLength": most}},
    _annotations,
    lambda _, schema: schema,
)
_STRICT: Final = _Dialect(
    {**_COMMON, RuleKind.FORMAT: _exists, RuleKind.MAX_BYTES: _fits},
    lambda _: {},
    _within_64_bits,
)
