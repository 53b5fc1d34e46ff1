"""Owns records that a person has edited before a replay: reading them, and the lines that they make.

Which of them are replayed is loader/replay.py's job; who edited what and why is kept in the journal.
"""

import base64
import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from contracts.errors import UsageError
from contracts.model import Contract
from loader.decisions import Edit
from loader.layout import parse_landed
from loader.quarantine import QuarantinedRecord
from validation.wording import few


@dataclass(frozen=True, slots=True)
class EditedRow:
    """A quarantined record as somebody wants it replayed."""

    quarantine_id: str
    record: dict[str, Any] | None  # None: as it lies
    by: str
    why: str


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a replay."""

    record: QuarantinedRecord
    raw: bytes
    edit: Edit | None = None


class _NotFaithful(ValueError):
    """JSON that says less, or something else, once it is read."""


def read_edits(lines: Iterable[bytes], where: str, by: str, why: str) -> tuple[EditedRow, ...]:
    """The rows of a file as `quarantine export` writes it, edited. `by` and `why` are for lines without their own.

    Raises UsageError naming the line.
    """
    rows = tuple(
        _row(line, f"{where} line {number}", by, why) for number, line in enumerate(lines, start=1) if line.strip()
    )
    if not rows:
        raise UsageError(f"{where} holds no line. Expected JSON lines, as spacex-elt quarantine export writes them.")
    ids = [row.quarantine_id for row in rows]
    twice = sorted({each for each in ids if ids.count(each) > 1}) if len({*ids}) < len(ids) else []
    if twice:
        raise UsageError(f"{where} holds more than one line of the record {few(twice)}. Expected one each.")
    return rows


def _row(line: bytes, where: str, by: str, why: str) -> EditedRow:
    try:
        row = _faithful(line)
    except ValueError as exc:
        raise UsageError(f"{where} cannot be taken as it stands: {exc}. Nothing was replayed.") from exc
    if not isinstance(row, dict) or not isinstance(row.get("quarantine_id"), str):
        raise UsageError(f"{where} has no quarantine_id. Expected a line of spacex-elt quarantine export, edited.")
    record = row.get("record")
    if not isinstance(record, dict | None):
        raise UsageError(f"{where}: record is neither an object nor null. Expected the record as it should have been.")
    if row.get("is_redacted"):
        raise UsageError(
            f"{where} was exported with --redacted: values that nobody may see would be lost. Export it without."
        )
    found = EditedRow(row["quarantine_id"], record, str(row.get("by") or by), str(row.get("why") or why))
    if not found.by or not found.why:
        raise UsageError(f"{where} does not say who edited it and why. Add by and why to it, or say --by and --why.")
    return found


def digest_of(rows: Sequence[EditedRow]) -> str:
    """What tells one file of edits from another; empty for none."""
    texts = [f"{row.quarantine_id}\0{_canonical(row.record)}\0{row.by}\0{row.why}" for row in rows]
    return hashlib.sha256("\n".join(sorted(texts)).encode()).hexdigest()[:16] if texts else ""


def line_of(contract: Contract, record: QuarantinedRecord, row: EditedRow | None, *, may_change_key: bool) -> Line:
    """The line to replay for a quarantined record. An edit that changes nothing is none.

    An edited line keeps its envelope, but for what Airbyte says it damaged: the editor vouches for the record now.
    Raises UsageError when the record's key is not what it was and that was not asked for.
    """
    raw = base64.b64decode(record.raw_base64)
    envelope = envelope_of(raw)
    if row is None or row.record is None or _canonical(row.record) == _canonical(envelope.get("_airbyte_data")):
        return Line(record, raw)
    if not may_change_key and str(row.record.get(contract.key.name)) != record.key:
        raise UsageError(
            f"the edit of {record.quarantine_id} changes the record's key {contract.key.name}, or gives it one. "
            "Expected the key that it had; if another is meant, say --change-keys."
        )
    meta, landed = envelope.get("_airbyte_meta"), parse_landed(record.object_key)
    edited = {
        "_airbyte_raw_id": f"edited-{record.quarantine_id}",
        "_airbyte_extracted_at": landed.epoch_ms if landed else 0,
        "_airbyte_generation_id": 0,
        **envelope,
        "_airbyte_data": row.record,
        "_airbyte_meta": {**(meta if isinstance(meta, dict) else {}), "changes": []},
    }
    after = json.dumps(edited, ensure_ascii=False, separators=(",", ":")).encode()
    edit = Edit(record.quarantine_id, _sha256(raw), _sha256(after), row.by, row.why)
    return Line(record, after, edit)


def envelope_of(raw: bytes) -> dict[str, Any]:
    """The envelope of a line with its record in it, number by number as written; empty when there is none."""
    try:
        envelope = _faithful(raw)
    except ValueError:
        return {}
    is_whole = isinstance(envelope, dict) and isinstance(envelope.get("_airbyte_data"), dict)
    return envelope if is_whole else {}


def _faithful(line: bytes) -> Any:
    """What JSON says. Raises ValueError where writing it again would not say the same."""
    try:
        value = json.loads(line.decode(), object_pairs_hook=_each_once, parse_constant=_refuse)
        json.dumps(value, ensure_ascii=False, allow_nan=False).encode()
    except RecursionError as exc:
        raise _NotFaithful("it is nested too deep") from exc
    return value


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise _NotFaithful("an object names a field twice")
    return found


def _refuse(constant: str) -> Any:
    raise _NotFaithful(f"{constant} is no JSON")


def _canonical(value: Any) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"))


def _sha256(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()
