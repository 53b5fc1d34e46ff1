"""Reading one landed line."""

import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.validation.hand_made import line
from validation.envelope import LINE_LIMIT_BYTES, Envelope, FieldChange, Unparseable, parse_line
from validation.faithful import DEPTH_LIMIT

V1 = {"_airbyte_ab_id": "26d73cde", "_airbyte_emitted_at": 1622135805000, "_airbyte_data": {"id": 1}}
FLATTENED = {
    "_airbyte_raw_id": "26d73cde",
    "_airbyte_extracted_at": 1622135805000,
    "_airbyte_generation_id": 11,
    "_airbyte_meta": {"changes": [], "sync_id": 10111},
    "id": 1,
}


def reason(raw: bytes) -> str:
    opened = parse_line(raw)
    assert isinstance(opened, Unparseable)
    return opened.reason


def nested(depth: int) -> bytes:
    return line(0).replace(b'"_airbyte_data": 0', b'"_airbyte_data": {"a": ' + b"[" * depth + b"]" * depth + b"}")


@pytest.mark.parametrize(
    "raw",
    [
        line({"id": 1}),
        line({"id": 1}).rstrip(),
        line({"id": 1}).rstrip() + b"\r\n",
        line({"id": 1}, _airbyte_extracted_at="1622135805000", _airbyte_generation_id="11"),
        line({"id": 1}, _airbyte_ab_id="a slip of the documentation's second example"),
        line({"id": 1}, _airbyte_meta=None),
        line({"id": 1}, _airbyte_meta={"sync_id": 1}),
    ],
)
def test_a_v2_envelope_gives_its_record(raw: bytes) -> None:
    assert parse_line(raw) == Envelope({"id": 1}, ())


def test_what_airbyte_changed_is_told() -> None:
    meta = {"changes": [{"field": "name", "change": "NULLED", "reason": "SOURCE_SERIALIZATION_ERROR"}]}

    opened = parse_line(line({}, _airbyte_meta=meta))

    assert opened == Envelope({}, (FieldChange("name", "NULLED", "SOURCE_SERIALIZATION_ERROR"),))


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (b"", "is empty"),
        (b" \r\n", "is empty"),
        (b"\xef\xbb\xbf" + line({}), "starts with a byte order mark"),
        (b"[]", "is JSON, but not an object"),
        (b'"text"', "is JSON, but not an object"),
        (b"{}", "has no Airbyte envelope"),
        (b'{"id": 1}', "has no Airbyte envelope"),
        (json.dumps(V1).encode(), "is Airbyte's v1 envelope; v2 is expected"),
        (json.dumps(FLATTENED).encode(), "is a flattened envelope; the S3 destination must write without flattening"),
        (line({"a": "é"}).replace("é".encode(), b"\xe9"), "is not UTF-8 at byte 206"),
        (line({})[:50] + b"\x00" + line({})[50:], "is not JSON: a NUL byte at byte 50"),
        (line({"a": "b\x00c"}), "holds a NUL character, which Redshift cannot hold"),
        (line({"a\x00": 1}), "holds a NUL character, which Redshift cannot hold"),
        (line([1]), "is a v2 envelope with a wrong _airbyte_data"),
        (line(None), "is a v2 envelope with a wrong _airbyte_data"),
        (line({}, _airbyte_raw_id="x" * 37), "is a v2 envelope with a wrong _airbyte_raw_id"),
        (line({}, _airbyte_raw_id=7), "is a v2 envelope with a wrong _airbyte_raw_id"),
        (line({}, _airbyte_extracted_at="soon"), "is a v2 envelope with a wrong _airbyte_extracted_at"),
        (line({}, _airbyte_extracted_at=1.5), "is a v2 envelope with a wrong _airbyte_extracted_at"),
        (line({}, _airbyte_generation_id=True), "is a v2 envelope with a wrong _airbyte_generation_id"),
        (line({}, _airbyte_generation_id=None), "is a v2 envelope with a wrong _airbyte_generation_id"),
        (
            line({}, _airbyte_generation_id="9223372036854775808"),
            "is a v2 envelope with a wrong _airbyte_generation_id",
        ),
        (line({}, _airbyte_meta=[]), "is a v2 envelope with a wrong _airbyte_meta"),
        (line({}, _airbyte_meta={"changes": ["name"]}), "is a v2 envelope with a wrong _airbyte_meta"),
        (nested(DEPTH_LIMIT), f"is nested more than {DEPTH_LIMIT} levels deep"),
    ],
)
def test_a_line_that_holds_no_record_says_why(raw: bytes, expected: str) -> None:
    assert reason(raw) == expected


@pytest.mark.parametrize("cut", [1, 2, 30, 100])
def test_a_line_that_is_cut_short_is_no_json(cut: int) -> None:
    assert reason(line({"id": 1}).rstrip()[:-cut]).startswith("is not JSON: ")


@pytest.mark.parametrize("number", [2**63 - 1, -(2**63), 0, 1.5, 1e300, "123456789012345678901234567890"])
def test_a_number_that_is_held_faithfully_passes(number: Any) -> None:
    assert parse_line(line({"a": number})) == Envelope({"a": number}, ())


@pytest.mark.parametrize(
    "digits",
    ["9223372036854775808", "18446744073709551616", "-9223372036854775809", "1" + "0" * 300],
    ids=["2**63", "2**64", "-2**63 - 1", "10**300"],
)
def test_an_integer_beyond_64_bits_is_found_and_never_rounded(digits: str) -> None:
    raw = line({"a": [{"b": 0}]}).replace(b'"b": 0', f'"b": {digits}'.encode())

    assert reason(raw) == "holds an integer that does not fit 64 bits"


@pytest.mark.parametrize("text", [b"NaN", b"Infinity", b"1e400", b"9" * 5000, b"01", b"'a'", b'"\\ud800"', b"tru"])
def test_what_is_not_quite_json_is_not_json(text: bytes) -> None:
    assert reason(line(0).replace(b'"_airbyte_data": 0', b'"_airbyte_data": {"a": ' + text + b"}")).startswith(
        "is not JSON"
    )


def with_value(text: bytes) -> bytes:
    """A line whose record holds this text where a value belongs."""
    return line(0).replace(b'"_airbyte_data": 0', b'"_airbyte_data": {"a": ' + text + b"}")


@pytest.mark.parametrize(
    "text",
    [b'1, "a": 1', b'1, "a": 2', b'1, "\\u0061": 1', b'{"b": [{"c": 1, "c": 1}]}', b'1}, "_airbyte_data": {"a": 1'],
)
def test_a_key_that_is_named_twice_in_one_object_is_found_at_any_depth(text: bytes) -> None:
    assert reason(with_value(text)) == "names a key twice in one object; which of the two is meant cannot be known"


def test_a_key_may_be_named_in_several_objects() -> None:
    assert parse_line(with_value(b'{"a": [{"a": 1}, {"a": 1}]}')) == Envelope({"a": {"a": [{"a": 1}, {"a": 1}]}}, ())


@pytest.mark.parametrize(
    "text",
    [
        b"-0",
        b"-0.0",
        b"0e5",
        b"0e-99999999999999999999",
        b"1E5",
        b"5.0",
        b"0.10000000000000001",  # 17 digits name one double, however else it could be written
        b"0.1000000000000000055511151231257827021181583404541015625",  # longer, but exactly the double
        b"1.50000000000000000000000",
        b"0.00000000000000000000015",
        b"5e-324",
        b"1.7976931348623157e308",
    ],
)
def test_a_number_that_a_double_holds_is_read_however_it_is_written(text: bytes) -> None:
    assert parse_line(with_value(text)) == Envelope({"a": float(text)}, ())


@pytest.mark.parametrize("text", [b"0.123456789012345678901", b"-123456789.1234567891", b"1.00000000000000000001e5"])
def test_a_number_with_more_digits_than_a_double_keeps_is_not_rounded_in_silence(text: bytes) -> None:
    assert reason(with_value(text)) == "holds a number with more digits than a 64-bit float keeps"


@pytest.mark.parametrize("text", [b"1e-400", b"-0.1E-999999999999999999999", b"0." + b"0" * 400 + b"1"])
def test_a_number_that_would_be_read_as_zero_is_refused(text: bytes) -> None:
    assert reason(with_value(text)) == "holds a number too small for a 64-bit float"


@pytest.mark.parametrize("text", [b'"\\ud800"', b'"\\udc00"', b'"\\ud800\\u0041"', b'{"\\ud800": 1}'])
def test_half_a_surrogate_pair_is_no_character(text: bytes) -> None:
    assert reason(with_value(text)).startswith("is not JSON")


def test_a_whole_surrogate_pair_is_one_character() -> None:
    assert parse_line(with_value(b'"\\ud83d\\ude80"')) == Envelope({"a": "\U0001f680"}, ())


def test_surrogates_written_as_bytes_are_no_utf_8() -> None:
    assert reason(with_value(b'"\xed\xa0\xbd"')).startswith("is not UTF-8 at byte")


def test_depth_counts_where_it_is_written_and_not_only_where_it_is_kept() -> None:
    deep = b"[" * 900 + b"]" * 900

    assert reason(with_value(deep + b', "a": 1')).startswith("is nested")
    assert parse_line(with_value(b'"' + b"[" * 900 + b'"')) == Envelope({"a": "[" * 900}, ())


def test_nesting_up_to_the_limit_is_read() -> None:
    assert isinstance(parse_line(nested(DEPTH_LIMIT - 2)), Envelope)


def test_a_nesting_bomb_is_a_line_without_a_record() -> None:
    assert reason(b"[" * 1_000_000).startswith("is not JSON")
    assert reason(nested(900)).startswith("is nested")


def test_a_line_above_redshifts_limit_is_refused_and_one_at_it_is_read() -> None:
    empty = line({"a": ""}).rstrip()
    room = LINE_LIMIT_BYTES - len(empty)

    assert isinstance(parse_line(line({"a": "x" * room}).rstrip()), Envelope)
    assert reason(line({"a": "x" * (room + 1)}).rstrip()).startswith(f"is {LINE_LIMIT_BYTES + 1} bytes long")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
)


@given(st.binary())
@example(b"\xff")
@example(b'{"_airbyte_raw_id":{}}')
def test_arbitrary_bytes_never_raise(raw: bytes) -> None:
    assert isinstance(parse_line(raw), Envelope | Unparseable)


@given(st.dictionaries(st.sampled_from([*FLATTENED, *V1]), JSON))
def test_arbitrary_envelopes_never_raise(envelope: dict[str, Any]) -> None:
    assert isinstance(parse_line(json.dumps(envelope).encode()), Envelope | Unparseable)


@given(st.dictionaries(st.text(st.characters(exclude_categories=["Cs"], min_codepoint=1)), JSON))
def test_a_record_is_given_as_it_was_written_or_not_at_all(record: dict[str, Any]) -> None:
    opened = parse_line(line(record) if "\ud800" not in str(record) else b"")

    if isinstance(opened, Envelope):
        assert json.dumps(opened.record) == json.dumps(record)


@given(JSON, st.integers(0, 400))
def test_a_line_cut_anywhere_never_raises(record: Any, cut: int) -> None:
    raw = json.dumps({**FLATTENED, "_airbyte_data": record}).encode()

    assert isinstance(parse_line(raw[: max(0, len(raw) - cut)]), Envelope | Unparseable)
