"""Owns the raw gate's fast path: waves through the lines that cannot fail, and leaves all others to the judge.

What holds is said by pandera (validation/judge.py), with every reason. The doorkeeper knows no reasons: it compiles
the same contract into tests that refuse when in doubt. A property test holds that it never lets through what the
judge or the envelope would refuse or warn of.
"""

from typing import Any, Final

import jsonschema_rs
import orjson

from contracts.derive.json_schema import INT64_MAXIMUM, INT64_MINIMUM, Schema, strict_json_schema, unsaid_rules
from contracts.errors import ContractInvalid
from contracts.model import ACROSS_FIELDS, Contract
from validation.compiled_comparisons import Holds, compiled
from validation.envelope import LINE_LIMIT_BYTES
from validation.faithful import why_not_faithful

_INT64: Final[Schema] = {"type": "integer", "minimum": INT64_MINIMUM, "maximum": INT64_MAXIMUM}
_UNCHANGED: Final[Schema] = {
    "type": "object",
    "properties": {"changes": {"type": "array", "items": {}, "maxItems": 0}, "sync_id": _INT64},
    "additionalProperties": False,
}


class Doorkeeper:
    """Opens for lines that break no rule of the contract, of any severity.

    Made once per contract; raises ContractInvalid for a rule that it does not know.
    """

    def __init__(self, contract: Contract) -> None:
        record = strict_json_schema(contract)
        self._is_closed = _is_closed(record)
        self._is_valid = _compiled(_envelope(record))
        self._comparisons = _comparisons(contract)

    def opens_for(self, line: bytes) -> dict[str, Any] | None:
        """The record of a line without its end that breaks no rule; None for a line that the judge must see.

        Never raises, whatever the bytes.
        """
        if len(line) > LINE_LIMIT_BYTES:
            return None
        try:
            envelope = orjson.loads(line)
        except orjson.JSONDecodeError:
            return None
        if not self._is_valid(envelope) or not self._is_faithful(envelope, line):
            return None
        record: dict[str, Any] = envelope["_airbyte_data"]
        for holds in self._comparisons:
            if not holds(record):
                return None
        return record

    def _is_faithful(self, envelope: dict[str, Any], line: bytes) -> bool:
        # Written again to the same bytes, the line has no equal keys, no rounded number and no huge integer; and
        # where the schema is closed, nothing lies so deep or is so large that only a search of it all would find it.
        if self._is_closed and orjson.dumps(envelope) == line and not _may_hold_nul(line):
            return True
        return why_not_faithful(envelope, line) is None


def _comparisons(contract: Contract) -> tuple[Holds, ...]:
    rules = unsaid_rules(contract)
    unknown = [rule for rule in rules if rule.kind not in ACROSS_FIELDS]
    if unknown:
        raise ContractInvalid(f"rule {unknown[0].rule_id}: the raw gate's fast path does not know {unknown[0].kind}")
    return tuple(compiled(rule.argument) for rule in rules)


def _may_hold_nul(line: bytes) -> bool:
    return b"\\" in line and b"\\u0000" in line  # most lines have no backslash, and one byte is found faster


def _envelope(record: Schema) -> Schema:
    """A line in Airbyte's v2 envelope, with nothing changed on the way."""
    return {
        "type": "object",
        "properties": {
            "_airbyte_raw_id": {"type": "string", "pattern": "^[0-9A-Za-z-]{1,36}$"},
            "_airbyte_extracted_at": _INT64,
            "_airbyte_generation_id": _INT64,
            "_airbyte_meta": _UNCHANGED,
            "_airbyte_data": record,
        },
        "required": ["_airbyte_raw_id", "_airbyte_extracted_at", "_airbyte_generation_id", "_airbyte_data"],
        "additionalProperties": False,
    }


def _compiled(schema: Schema) -> Any:
    # Patterns go to an engine that cannot run away; contracts' patterns need nothing that it lacks.
    options = jsonschema_rs.RegexOptions()
    return jsonschema_rs.Draft4Validator(schema, validate_formats=False, pattern_options=options).is_valid


def _is_closed(schema: Schema) -> bool:
    """Whether the schema says what every value is, wherever it lies."""
    types = schema["type"]
    if "object" in types and schema.get("additionalProperties") is not False:
        return False
    if "array" in types and "items" not in schema:
        return False
    below = [*schema.get("properties", {}).values(), *([schema["items"]] if "items" in schema else [])]
    return all(_is_closed(child) for child in below)
