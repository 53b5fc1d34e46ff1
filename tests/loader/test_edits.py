"""Edited records: what a file of them may say, and the lines that they make."""

from hashlib import sha256
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.errors import UsageError
from loader.edits import EditedRow, digest_of, envelope_of, line_of, read_edits
from tests.loader.landing import envelope
from tests.loader.quarantine import exported, set_aside
from tests.loader.rig import thing, things
from validation.envelope import Envelope, parse_line

CONTRACT = things("things")
GOOD = thing("a", text="good")


def edit(record: dict[str, Any] | None) -> EditedRow:
    return EditedRow("a-aa", record, "ana", "why")


def test_lines_are_read_as_they_were_exported_and_edited() -> None:
    lines = [exported("a-aa", GOOD, by="ana", why="x", key="a"), b"", exported("b-aa", None)]
    assert read_edits(lines, "rows.jsonl", "ben", "y") == (
        EditedRow("a-aa", GOOD, "ana", "x"),
        EditedRow("b-aa", None, "ben", "y"),
    )


@pytest.mark.parametrize(
    ("line", "told"),
    [
        (b"{", "cannot be taken"),
        (b"\xff", "cannot be taken"),
        (b'{"quarantine_id": "a", "record": {"x": 1, "x": 2}, "by": "b", "why": "w"}', "names a field twice"),
        (b'{"quarantine_id": "a", "record": {"x": NaN}, "by": "b", "why": "w"}', "NaN is no JSON"),
        (b'{"quarantine_id": "a", "record": {"x": 1e999}, "by": "b", "why": "w"}', "cannot be taken"),
        (b'{"quarantine_id": "a", "record": {"x": "\\ud800"}, "by": "b", "why": "w"}', "cannot be taken"),
        (b'{"quarantine_id": "a", "record": ' + b'{"x":' * 5000 + b"1" + b"}" * 5001, "nested too deep"),
        (b'{"quarantine_id": "a", "record": ' + b"9" * 5000 + b"}", "cannot be taken"),
        (b"[]", "has no quarantine_id"),
        (b'{"quarantine_id": 5}', "has no quarantine_id"),
        (exported("a", [GOOD], by="b", why="w"), "neither an object nor null"),
        (exported("a", GOOD, by="b"), "does not say who edited it and why"),
        (exported("a", GOOD, by="b", why="w", is_redacted=True), "exported with --redacted"),
    ],
)
def test_a_line_that_cannot_be_taken_is_told_with_its_place(line: bytes, told: str) -> None:
    with pytest.raises(UsageError, match=r"^rows\.jsonl line 2") as refused:
        read_edits([exported("z", GOOD, by="b", why="w"), line], "rows.jsonl", "", "")
    assert told in str(refused.value)


def test_a_file_without_a_line_and_one_with_a_record_twice_are_refused() -> None:
    with pytest.raises(UsageError, match="holds no line"):
        read_edits([b" "], "rows.jsonl", "ana", "x")
    with pytest.raises(UsageError, match="more than one line of the record a-aa"):
        read_edits([exported("a-aa", GOOD), exported("a-aa", None)], "rows.jsonl", "ana", "x")


@given(st.binary(max_size=200))
def test_no_bytes_bring_the_reader_down(line: bytes) -> None:
    try:
        read_edits([line], "rows.jsonl", "ana", "x")
    except UsageError as exc:
        assert "rows.jsonl" in str(exc)


def test_a_record_that_is_as_it_was_is_replayed_as_it_lay() -> None:
    record = set_aside("a")
    as_it_was = thing("a", text="BAD")
    for row in (None, edit(None), edit(as_it_was), edit(dict(reversed(as_it_was.items())))):
        line = line_of(CONTRACT, record, row, may_change_key=False)
        assert (line.raw, line.edit) == (envelope(as_it_was, 1), None)


def test_an_edited_line_keeps_its_envelope_and_tells_both_forms() -> None:
    before = envelope(thing("a", big=2**63 - 1), 1)
    line = line_of(CONTRACT, set_aside("a", raw=before), edit(thing("a", big=-(2**63))), may_change_key=False)
    old, new = orjson.loads(before), orjson.loads(line.raw)
    assert new["_airbyte_data"] == thing("a", big=-(2**63))
    assert {**new, "_airbyte_data": None, "_airbyte_meta": None} == {
        **old,
        "_airbyte_data": None,
        "_airbyte_meta": None,
    }
    assert line.edit is not None
    assert (line.edit.before_sha256, line.edit.after_sha256) == (
        sha256(before).hexdigest(),
        sha256(line.raw).hexdigest(),
    )


def test_whoever_edits_vouches_for_what_airbyte_had_damaged() -> None:
    damaged = orjson.loads(envelope(thing("a"), 1))
    damaged["_airbyte_meta"] = {"sync_id": 1, "changes": [{"field": "text", "change": "NULLED", "reason": "X"}]}
    line = line_of(CONTRACT, set_aside("a", raw=orjson.dumps(damaged)), edit(GOOD), may_change_key=False)
    parsed = parse_line(line.raw)
    assert parsed == Envelope(GOOD, ())
    assert orjson.loads(line.raw)["_airbyte_meta"]["sync_id"] == 1


@pytest.mark.parametrize("raw", [b"", b"not json", b"\xff\x00", b"[]", b'{"_airbyte_data": 5}', b'{"a": 1, "a": 2}'])
def test_a_line_that_held_no_record_gets_an_envelope_that_the_gate_can_read(raw: bytes) -> None:
    record = set_aside(None, raw=raw)
    assert envelope_of(raw) == {}
    with pytest.raises(UsageError, match="or gives it one"):
        line_of(CONTRACT, record, edit(GOOD), may_change_key=False)
    line = line_of(CONTRACT, record, edit(GOOD), may_change_key=True)
    assert parse_line(line.raw) == Envelope(GOOD, ())


def test_a_digest_tells_files_apart_and_not_their_order() -> None:
    one, two = edit(GOOD), EditedRow("b-aa", None, "ana", "why")
    assert digest_of([one, two]) == digest_of([two, one])
    assert len({digest_of(rows) for rows in ([one], [two], [one, two], [edit(thing("a"))], [])}) == 5
    assert digest_of([]) == ""
