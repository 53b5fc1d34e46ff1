"""Owns the JSON Schema that follows from a contract, for people and their tools.

It describes the record, not Airbyte's envelope. Judging records is the raw gate's job (validation/).
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

from contracts.comparisons import Together
from contracts.model import Contract, LogicalType, Property, Rule, RuleKind

Schema = dict[str, Any]

TIME: Final = r"T(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:\.[0-9]{1,6})?(?:Z|[+-](?:0[0-9]|1[0-4]):[0-5][0-9])"
_DAY: Final = "[0-9]{4}-[0-9]{2}-[0-9]{2}"

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


def json_schema(contract: Contract) -> Schema:
    """What a record must be so that it is not rejected, as JSON Schema draft 2020-12, for people and their tools.

    Rules that only warn and rules over several records are not in it, nor is what JSON Schema cannot say: sums, order,
    an integer written as 5.0 passes here and not at the gate, and formats bind only where the reader is told to.
    """
    writer = _Writer(contract)
    about = [contract.description, contract.purpose, contract.limitations]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:spacex-elt:{contract.dataset}:{contract.version}",
        "title": contract.title or contract.dataset,
        "description": " ".join(text for text in about if text),
        "$comment": "Integers are written without a fraction or an exponent: 5.0 is refused where 5 is meant.",
        **writer.record(),
    }


def _are_siblings(argument: Any) -> bool:
    """Whether a rule is about members of one object that are there together."""
    return isinstance(argument, Together) and len({field.rpartition(".")[0] for field in argument.fields}) == 1


class _Writer:
    """Writes the schema of one contract."""

    def __init__(self, contract: Contract) -> None:
        self._contract = contract
        self._rules: dict[str, list[Rule]] = {}
        self._groups: dict[str, list[Schema]] = {}  # by the object's path
        for rule in contract.record_rules:
            if not rule.rejects:
                continue
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
        if required:
            members["required"] = required
        if self._has(path, RuleKind.UNKNOWN_FIELD):
            members["additionalProperties"] = False
        if path in self._groups:
            members["allOf"] = self._groups[path]
        return members

    def _value(self, prop: Property) -> Schema:
        is_required = self._is_required(prop)
        name = _TYPES[prop.logical_type]
        schema: Schema = _annotations(prop)
        schema["type"] = name if is_required else [name, "null"]
        for part in self._parts(prop):
            if schema.keys() & part.keys():
                schema.setdefault("allOf", []).append(part)
            else:
                schema |= part
        if "enum" in schema and not is_required:
            schema["enum"] = [*schema["enum"], None]
        if prop.logical_type is LogicalType.OBJECT:
            schema |= self._members(prop.path, prop.children)
        if prop.logical_type is LogicalType.ARRAY and prop.children:
            schema["items"] = self._value(prop.children[0])
        return schema

    def _parts(self, prop: Property) -> Iterable[Schema]:
        """What each rule of the property adds."""
        for rule in self._rules.get(prop.path, ()):
            if rule.kind in _KEYWORDS:
                yield _KEYWORDS[rule.kind](rule.argument)

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


def _format(form: LogicalType) -> Schema:
    if form is LogicalType.DATE:
        return {"format": "date", "pattern": _whole(_DAY)}
    return {"format": "date-time", "pattern": _whole(_DAY + TIME)}


_KEYWORDS: Final[Mapping[RuleKind, Callable[[Any], Schema]]] = {
    RuleKind.PATTERN: lambda pattern: {"pattern": _whole(pattern)},
    RuleKind.ENUM: lambda allowed: {"enum": list(allowed)},
    RuleKind.MINIMUM: lambda least: {"minimum": least},
    RuleKind.MAXIMUM: lambda most: {"maximum": most},
    RuleKind.MIN_LENGTH: lambda least: {"minLength": least},
    RuleKind.MAX_LENGTH: lambda most: {"maxLength": most},
    RuleKind.MIN_ITEMS: lambda least: {"minItems": least},
    RuleKind.MAX_ITEMS: lambda most: {"maxItems": most},
    RuleKind.FORMAT: _format,
    # JSON Schema counts characters: what has more characters than the column has bytes cannot fit it.
    RuleKind.MAX_BYTES: lambda most: {"maxLength": most},
}


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
