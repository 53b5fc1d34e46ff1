"""What a value is after its way from a landed line to the published table, and which changes of it are changes."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from contracts.model import Contract
from tests.loader.landing import EPOCH_MS
from tests.loader.rig import COLUMNS, Record, Rig, fates, thing, things

pytestmark = pytest.mark.stack


def line(record: Record, *, raw: str | None = None) -> bytes:
    """A landed line whose record is spelled as `raw` says, or as json spells it."""
    body = raw if raw is not None else json.dumps(record, ensure_ascii=False)
    return (
        '{"_airbyte_raw_id":"26d73cde-7eb1-4e1e-b7db-a4c03b4cf206","_airbyte_extracted_at":'
        f'{EPOCH_MS},"_airbyte_generation_id":1,"_airbyte_meta":{{"changes":[],"sync_id":SYNC}},'
        f'"_airbyte_data":{body}}}'
    ).encode()


#: name -> (column, value as landed, value as the warehouse gives it back)
VALUES: dict[str, tuple[str, Any, Any]] = {
    "widest text": ("text", "x" * 65_535, "x" * 65_535),
    "widest text of two bytes a letter": ("text", "é" * 32_767, "é" * 32_767),
    "text beyond the basic plane": ("text", "🚀" * 1000, "🚀" * 1000),
    "empty text": ("text", "", ""),
    "text of a space": ("text", " ", " "),
    "trailing spaces": ("text", "ab  ", "ab  "),
    "quotes, backslashes, percent": ("text", "'; -- \\ \" % %s $1 \\N", "'; -- \\ \" % %s $1 \\N"),
    "line breaks and tabs": ("text", "a\nb\r\nc\td", "a\nb\r\nc\td"),
    "the word null": ("text", "null", "null"),
    "right to left and combining": ("text", "שלום e\u0301", "שלום e\u0301"),
    "greatest integer": ("big", 2**63 - 1, 2**63 - 1),
    "least integer": ("big", -(2**63), -(2**63)),
    "zero": ("big", 0, 0),
    "a word of SQL as a column": ("window", 30, 30),
    "a small fraction": ("number", 7.12e-05, 7.12e-05),
    "a third": ("number", 1 / 3, 1 / 3),
    "largest double": ("number", 1.7976931348623157e308, 1.7976931348623157e308),
    "an integer as a number": ("number", 3, 3.0),
    "true": ("flag", True, True),
    "false": ("flag", False, False),
    "an empty object": ("nested", {}, {}),
    "an object of nulls": ("nested", {"a": None}, {"a": None}),
    "an object with hard names": ("nested", {"a.b": 1, "Ä": "ö🚀", "": 2}, {"a.b": 1, "Ä": "ö🚀", "": 2}),
    "an empty array": ("items", [], []),
    "an array of everything": ("items", [1, 2.5, "a", None, True, {"b": []}], [1, 2.5, "a", None, True, {"b": []}]),
}


@pytest.fixture(scope="module")
def published(new_rig: Callable[[Contract], Rig]) -> dict[str, Any]:
    """Every value above, loaded in one snapshot: what the warehouse gives back for each."""
    rig = new_rig(things())
    keys = {name: f"k{number}" for number, name in enumerate(VALUES)}
    records = [thing(keys[name], **{column: landed}) for name, (column, landed, _) in VALUES.items()]
    rig.publish(*records, thing("nulls"))
    expressions = ", ".join(
        f'json_serialize("{name}")' if kind == "SUPER" else f'"{name}"' for name, (_, kind) in COLUMNS.items()
    )
    rows = {row[0]: dict(zip(COLUMNS, row, strict=True)) for row in rig.rows(f"select {expressions} from {{raw}}")}
    found = {name: rows[keys[name]][column] for name, (column, _, _) in VALUES.items()}
    return found | {"nulls": rows["nulls"]}


@pytest.mark.parametrize("name", VALUES)
def test_a_value_comes_through_as_it_was(published: dict[str, Any], name: str) -> None:
    column, _, expected = VALUES[name]
    found = published[name]
    if COLUMNS[column][1] == "SUPER":
        found = json.loads(found)
    assert (found, type(found)) == (expected, type(expected))


def test_what_is_null_stays_null_in_every_column(published: dict[str, Any]) -> None:
    assert published["nulls"] == dict.fromkeys(COLUMNS) | {"id": "nulls"}


def times(rig: Rig) -> list[tuple[str, ...]]:
    sql = 'select id, cast("at" as varchar(64)), cast("day" as varchar(64)) from {raw} order by id'
    return rig.rows(sql)


def test_instants_keep_their_milliseconds_and_are_utc(rig: Rig) -> None:
    rig.publish(
        thing("a", at="2020-05-30T19:22:00.123Z"),
        thing("b", at="2020-05-30T15:22:00.123-04:00"),
        thing("c", at="2006-03-24T22:30:00.000Z", day="2024-02-29"),
    )
    assert times(rig) == [
        ("a", "2020-05-30 19:22:00.123+00", None),
        ("b", "2020-05-30 19:22:00.123+00", None),
        ("c", "2006-03-24 22:30:00+00", "2024-02-29"),
    ]


#: Two spellings of the same: no change.
SAME = {
    "a double's exponent": ('{"id": "a", "number": 7.12e-05}', '{"id": "a", "number": 0.0000712}'),
    "a double's trailing zero": ('{"id": "a", "number": 1.50}', '{"id": "a", "number": 1.5}'),
    "an integer as a double": ('{"id": "a", "number": 20}', '{"id": "a", "number": 20.0}'),
    "the order of fields": ('{"id": "a", "text": "x"}', '{"text": "x", "id": "a"}'),
    "the order of nested fields": (
        '{"id": "a", "nested": {"x": 1, "y": {"p": 1, "q": 2}}}',
        '{"id": "a", "nested": {"y": {"q": 2, "p": 1}, "x": 1}}',
    ),
    "spaces": ('{"id": "a", "nested": {"x": [1, 2]}}', '{"id":"a","nested":{"x":[1,2]}}'),
    "escapes": ('{"id": "a", "text": "\\u00e9/"}', '{"id": "a", "text": "é\\/"}'),
    "an instant's zone": (
        '{"id": "a", "at": "2020-05-30T19:22:00Z"}',
        '{"id": "a", "at": "2020-05-30T15:22:00.000-04:00"}',
    ),
    "null and absent": ('{"id": "a", "text": null, "nested": null}', '{"id": "a"}'),
}

#: Two values that look alike and are not: a change.
OTHER: dict[str, tuple[Record, Record]] = {
    "null and a dash": ({"text": None}, {"text": "-"}),
    "null and nothing": ({"text": None}, {"text": ""}),
    "null and the word": ({"text": None}, {"text": "null"}),
    "nothing and a space": ({"text": ""}, {"text": " "}),
    "a trailing space": ({"text": "a"}, {"text": "a "}),
    "upper case": ({"text": "a"}, {"text": "A"}),
    "composed and combining": ({"text": "é"}, {"text": "e\u0301"}),
    "null and zero": ({"big": None}, {"big": 0}),
    "null and false": ({"flag": None}, {"flag": False}),
    "true and false": ({"flag": True}, {"flag": False}),
    "the last digit of a double": ({"number": 0.1}, {"number": 0.1 + 1.4e-17}),
    "zero and minus zero": ({"number": 0.0}, {"number": -0.0}),
    "a millisecond": ({"at": "2020-05-30T19:22:00.123Z"}, {"at": "2020-05-30T19:22:00.124Z"}),
    "a value in the next column": ({"big": 7, "window": None}, {"big": None, "window": 7}),
    "a nested null": ({"nested": {"a": None}}, {"nested": {}}),
    "a nested number as text": ({"nested": {"a": 1}}, {"nested": {"a": "1"}}),
    "the order of items": ({"items": [1, 2]}, {"items": [2, 1]}),
    "null and an empty array": ({"items": None}, {"items": []}),
}


def versions() -> Iterator[tuple[str, bytes, bytes, bool]]:
    for name, (before, after) in SAME.items():
        yield name, line({}, raw=before), line({}, raw=after), False
    for name, (first, second) in OTHER.items():
        yield name, line(thing("a", **first)), line(thing("a", **second)), True


def test_only_what_is_another_value_is_a_change(new_rig: Callable[[Contract], Rig]) -> None:
    rig = new_rig(things())
    cases = list(versions())
    assert len(cases) == len(SAME) + len(OTHER)
    keyed = [
        (f"k{number}", name, before.replace(b'"id": "a"', b'"id": "k%d"' % number), after, changes)
        for number, (name, before, after, changes) in enumerate(cases)
    ]
    first = [before for _, _, before, _, _ in keyed]
    second = [
        after.replace(b'"id": "a"', f'"id": "{key}"'.encode()).replace(b'"id":"a"', f'"id":"{key}"'.encode())
        for key, _, _, after, _ in keyed
    ]
    rig.publish(lines=[text.replace(b"SYNC", b"1") for text in first])
    before = rig.hashes()
    done = fates(rig.load(rig.land(lines=[text.replace(b"SYNC", b"2") for text in second])))
    after = rig.hashes()

    found = {name: before[key] != after[key] for key, name, _, _, _ in keyed}
    assert found == {name: changes for _, name, _, _, changes in keyed}
    assert done[:3] == (0, len(OTHER), len(SAME))


def test_a_hash_says_nothing_of_when_or_by_which_sync_a_row_came(rig: Rig) -> None:
    rig.publish(thing("a", text="x"))
    before = rig.hashes()
    rig.publish(thing("b"))
    rig.publish(thing("a", text="x"), run_id="run-9")
    assert rig.hashes()["a"] == before["a"]


LARGE = {"just above a varchar": 65_536, "two slices and a byte": 64_001, "a megabyte": 1 << 20}


@pytest.mark.parametrize("size", LARGE.values(), ids=LARGE)
def test_a_nested_value_larger_than_a_varchar_is_loaded_and_its_last_letter_counts(rig: Rig, size: int) -> None:
    def large(last: str) -> Record:
        return thing("a", nested={"text": "x" * (size - 12) + last}, items=[last * 70_000])

    assert rig.publish(large("x"), thing("b", nested={"n": 1})) == (2, 0, 0, 0, 0, 2)
    assert rig.rows("select json_size(nested) from {raw} where id = 'a'") == [(size,)]
    assert rig.publish(large("x"), thing("b", nested={"n": 1})) == (0, 0, 2, 0, 0, 2)
    assert rig.publish(large("y"), thing("b", nested={"n": 1})) == (0, 1, 1, 0, 0, 2)


def test_a_rows_hash_is_the_same_beside_a_large_one_and_without(new_rig: Callable[[Contract], Rig]) -> None:
    alone, beside = new_rig(things()), new_rig(things())
    small = [thing("a", nested={"n": [1, None]}, items=[]), thing("c", nested={"t": "x" * 65_527}), thing("d")]
    alone.publish(*small)
    beside.publish(*small, thing("b", nested={"t": "x" * 200_000}))
    assert alone.hashes() == {key: found for key, found in beside.hashes().items() if key != "b"}
