"""Owns reading one landed line: Airbyte's v2 envelope. Judging the record inside is validation/judge.py's job.

Whether the line was read as it was written is validation/faithful.py's.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import orjson

from validation.faithful import why_not_faithful

LINE_LIMIT_BYTES: Final = 4 * 1024 * 1024  # Redshift's COPY takes no JSON object above 4 MB

_INT64 = range(-(2**63), 2**63)
_BOM = b"\xef\xbb\xbf"
_INTEGER_TEXT = re.compile(r"-?[0-9]{1,19}", re.ASCII)


@dataclass(frozen=True, slots=True)
class FieldChange:
    """What Airbyte says it did to one field: `change` is NULLED or TRUNCATED, `reason` names who was at fault."""

    field: str
    change: str
    reason: str


@dataclass(frozen=True, slots=True)
class Envelope:
    """One landed record, and what Airbyte says it changed in it."""

    record: dict[str, Any]
    changes: tuple[FieldChange, ...]


@dataclass(frozen=True, slots=True)
class Unparseable:
    """A line that holds no record, and why. The reason never quotes the line."""

    reason: str


def parse_line(line: bytes) -> Envelope | Unparseable:
    """The record of one landed line, with or without the line's end. Never raises, whatever the bytes."""
    if len(line) > LINE_LIMIT_BYTES:
        return Unparseable(f"is {len(line)} bytes long; Redshift loads at most {LINE_LIMIT_BYTES}")
    if not line.strip():
        return Unparseable("is empty")
    if line.startswith(_BOM):
        return Unparseable("starts with a byte order mark")
    try:
        value = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        return Unparseable(_why_not_json(line, error))
    if not isinstance(value, dict):
        return Unparseable("is JSON, but not an object")
    return _open(value, line)


def _why_not_json(line: bytes, error: orjson.JSONDecodeError) -> str:
    try:
        line.decode()
    except UnicodeDecodeError as bad:
        return f"is not UTF-8 at byte {bad.start}"
    nul = line.find(0)
    if nul >= 0:
        return f"is not JSON: a NUL byte at byte {nul}"
    return f"is not JSON: {error.msg} at character {error.pos}"


def _open(envelope: dict[str, Any], line: bytes) -> Envelope | Unparseable:
    reason = _why_not_v2(envelope) or why_not_faithful(envelope, line)
    if reason is not None:
        return Unparseable(reason)
    changes = _changes(envelope.get("_airbyte_meta"))
    if changes is None:
        return Unparseable("is a v2 envelope with a wrong _airbyte_meta")
    return Envelope(envelope["_airbyte_data"], changes)


def _why_not_v2(envelope: dict[str, Any]) -> str | None:
    if "_airbyte_raw_id" not in envelope:
        is_v1 = "_airbyte_ab_id" in envelope or "_airbyte_emitted_at" in envelope
        return "is Airbyte's v1 envelope; v2 is expected" if is_v1 else "has no Airbyte envelope"
    if "_airbyte_data" not in envelope:
        return "is a flattened envelope; the S3 destination must write without flattening"
    wrong = [name for name, is_right in _V2_FIELDS.items() if not is_right(envelope.get(name))]
    return f"is a v2 envelope with a wrong {wrong[0]}" if wrong else None


def _is_raw_id(value: object) -> bool:
    return isinstance(value, str) and 0 < len(value.encode()) <= 36 and "\x00" not in value


def _is_int64(value: object) -> bool:
    """Airbyte's writer emits numbers, its documentation prints them in quotes: both are meant."""
    if isinstance(value, str) and _INTEGER_TEXT.fullmatch(value):
        value = int(value)
    return type(value) is int and value in _INT64


def _is_object(value: object) -> bool:
    return isinstance(value, dict)


_V2_FIELDS: Mapping[str, Callable[[object], bool]] = {
    "_airbyte_raw_id": _is_raw_id,
    "_airbyte_extracted_at": _is_int64,
    "_airbyte_generation_id": _is_int64,
    "_airbyte_data": _is_object,
}


def _changes(meta: object) -> tuple[FieldChange, ...] | None:
    if meta is None:
        return ()
    listed = meta.get("changes", []) if isinstance(meta, dict) else None
    if not isinstance(listed, list) or not all(isinstance(change, dict) for change in listed):
        return None
    return tuple(
        FieldChange(str(change.get("field", "")), str(change.get("change", "")), str(change.get("reason", "")))
        for change in listed
    )
