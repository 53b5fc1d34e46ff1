"""What the raw gate accepts, COPY takes: values at and beyond the edge of every column type, and generated ones."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import yaml
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from contracts.model import Contract, RejectLimit
from contracts.read import read_contract
from tests.contracts.test_read import MOONS
from tests.loader.rig import Rig
from tests.loader.test_load_values import line
from validation.envelope import LINE_LIMIT_BYTES

pytestmark = pytest.mark.stack

COLUMNS = {
    "narrow": ("string", "VARCHAR(5)"),
    "wide": ("string", "VARCHAR(65535)"),
    "tiny": ("integer", "SMALLINT"),
    "whole": ("integer", "INTEGER"),
    "big": ("integer", "BIGINT"),
    "double": ("number", "DOUBLE PRECISION"),
    "flag": ("boolean", "BOOLEAN"),
    "at": ("timestamp", "TIMESTAMPTZ"),
    "day": ("date", "DATE"),
    "nested": ("object", "SUPER"),
    "items": ("array", "SUPER"),
}


def texts(width: int) -> Iterator[str]:
    yield from ("x" * width, "x" * (width + 1), "x" * (width - 4) + "🚀", "x" * (width - 3) + "🚀")
    yield from (
        "é" * (width // 2),
        "é" * (width // 2 + 1),
        "",
        " ",
        "a\0",
        "\ud83d\ude80",
        "\ufeff",
        "null",
        "\\N",
        "a\tb\n",
    )


def integers(bits: int) -> Iterator[str]:
    limit = 1 << (bits - 1)
    yield from map(str, (limit - 1, limit, -limit, -limit - 1, 0))
    yield from ("-0", "1.0", "1e2", f"{limit - 1}.0", '"1"', "true", "1.5", "1e400", "0.0")


NUMBERS = [
    "0",
    "-0.0",
    "9999999.99",
    "9999999.994",
    "9999999.995",
    "9999999.999",
    "10000000",
    "-9999999.99",
    "-10000000",
]
NUMBERS += [
    "0.005",
    "0.004999",
    "1e-7",
    "1e-30",
    "1e-37",
    "1e-38",
    "1e-300",
    "5e-324",
    "1e7",
    "1e22",
    "1e37",
    "1e38",
    "9e37",
]
NUMBERS += ["0.1234567890123456", "9.999999999999999", "9.9999999999999999", "123456789012345678", "9007199254740993"]
NUMBERS += [
    "1.7976931348623157e308",
    "1e309",
    "-1e309",
    "1E5",
    "1.5e+2",
    "9223372036854775807",
    '"1"',
    "99999999999999999999",
]

#: Raw JSON per column, of either side of what it takes.
EDGES: dict[str, list[str]] = {
    "narrow": [*map(json.dumps, texts(5)), '"\\ud800"', '"\\u0000"', "5", "{}"],
    "wide": [*map(json.dumps, texts(65_535))],
    "tiny": [*integers(16)],
    "whole": [*integers(32)],
    "big": [*integers(64)],
    "double": NUMBERS,
    "flag": ["true", "false", '"true"', "1", "null"],
    "at": [
        *map(
            json.dumps,
            [
                *("2020-05-30T19:22:00Z", "2020-05-30T19:22:00.123456Z", "2020-05-30T19:22:00.1234567Z"),
                *(
                    "2016-12-31T23:59:60Z",
                    "2016-12-31T23:59:59.999Z",
                    "0001-01-01T00:00:00Z",
                    "9999-12-31T23:59:59.999Z",
                ),
                *("0000-01-01T00:00:00Z", "10000-01-01T00:00:00Z", "-0001-01-01T00:00:00Z", "1969-12-31T23:59:59Z"),
                *("2020-02-29T00:00:00Z", "2021-02-29T00:00:00Z", "2020-05-30T24:00:00Z", "2020-05-30T19:22Z"),
                *(
                    "2020-05-30 19:22:00Z",
                    "2020-05-30T19:22:00",
                    "2020-05-30T19:22:00+14:00",
                    "2020-05-30T19:22:00-15:59",
                ),
                *("2020-05-30T19:22:00+16:00", "2020-05-30T19:22:00z", "2020-05-30T19:22:00+0400", "2020-05-30"),
                *(
                    "0001-01-01T00:00:00+14:00",
                    "9999-12-31T23:59:59-14:00",
                    "2020-05-30t19:22:00Z",
                    "",
                    "now",
                    "infinity",
                ),
                *(
                    "2020-05-30T19:22:00.Z",
                    "2020-05-30T19:22:00.1Z",
                    "٢٠٢٠-05-30T19:22:00Z",
                    "2020-05-30T19:22:00-00:00",
                ),
            ],
        ),
        "1590866520",
    ],
    "day": [
        *map(
            json.dumps,
            ["2020-02-29", "2021-02-29", "0001-01-01", "9999-12-31", "0000-01-01", "10000-01-01", "20200229"],
        ),
        *map(json.dumps, ["2020-2-9", "2020-05-30T00:00:00Z", "", "today", "1582-10-10", "4713-01-01", " 2020-02-29"]),
    ],
    "nested": [
        *(
            "{}",
            '{"": 1}',
            '{"a": "\\u0000"}',
            '{"a\\u0000": 1}',
            '{"a": "\\\\u0000"}',
            '{"a": 1, "a": 2}',
            "[]",
            '"x"',
        ),
        *('{"a": 9223372036854775807}', '{"a": 9223372036854775808}', '{"a": 1e309}', '{"a": 5e-324}', '{"a": 1e-400}'),
        *(
            '{"a": 0.1000000000000000055511151231257827}',
            '{"a": "\\ud83d\\ude80"}',
            '{"a": "\\ud83d"}',
            '{"A": 1, "a": 2}',
        ),
        json.dumps({"large": "x" * (1 << 20)}),
        json.dumps({"text": "x" * 65_536}),
        json.dumps({"x" * 70_000: 1}),
    ],
    "items": [
        *("[]", "[null]", "[1]", "{}", '[{"a": [[[]]]}]', f'[{{"a": {"[" * 190 + "]" * 190}}}]'),
        *(f'[{{"a": {"[" * 260 + "]" * 260}}}]', json.dumps([{"n": list(range(20_000))}])),
    ],
}


@pytest.fixture(scope="module")
def edges(tmp_path_factory: pytest.TempPathFactory) -> Contract:
    """A contract that says of each column no more than its type: the gate's rules are those that follow from it."""
    known = [{"name": "known", "description": "x", "logicalType": "string"}]
    inside: dict[str, Any] = {
        "object": {"properties": known},
        "array": {"items": {"logicalType": "object", "properties": known}},
    }
    columns = [
        {"name": name, "description": "x", "logicalType": logical, "physicalType": physical, **inside.get(logical, {})}
        for name, (logical, physical) in COLUMNS.items()
    ]
    key: dict[str, Any] = {"name": "id", "description": "x", "logicalType": "string", "physicalType": "VARCHAR(8)"}
    key |= {"primaryKey": True, "required": True, "unique": True}
    document = yaml.safe_load(MOONS)
    (table,) = document["schema"]
    table |= {"name": "edges", "physicalName": "edges", "properties": [key, *columns]}
    table.pop("quality", None)
    document["id"] = "edges"
    document["customProperties"] = [each for each in document["customProperties"] if each["property"] != "driftPolicy"]
    path: Path = tmp_path_factory.mktemp("edges") / "edges.odcs.yaml"
    path.write_text(json.dumps(document), encoding="utf-8")
    return replace(read_contract(path), reject_limit=RejectLimit(1.0, 1_000_000, "a test"))


@pytest.fixture
def rig(new_rig: Callable[[Contract], Rig], edges: Contract) -> Rig:
    return new_rig(replace(edges, dataset=f"edges_{uuid4().hex[:8]}"))


def landed(values: list[tuple[str, str]]) -> list[bytes]:
    """A line for each column and raw value, keyed by its number."""
    return [
        line({}, raw=f'{{"id": "{number}", "{column}": {raw}}}').replace(b"SYNC", b"1")
        for number, (column, raw) in enumerate(values)
    ]


def loaded(rig: Rig, lines: list[bytes]) -> list[int]:
    """Which of the lines were accepted, by number: all of them are loaded, or this fails."""
    output = rig.load(rig.land(lines=lines))
    (shard,) = output.raw_gate.shards
    assert output.copied_count == shard.accepted_count
    return sorted(int(key) for (key,) in rig.rows("select id from {raw} where _deleted_at is null"))


@pytest.mark.parametrize("column", COLUMNS)
def test_every_value_at_the_edge_is_loaded_or_set_aside(rig: Rig, column: str) -> None:
    values = [(column, raw) for raw in EDGES[column]]
    accepted = loaded(rig, landed(values))
    assert 0 < len(accepted) < len(values), "an edge has two sides"


RAW = {
    "string": st.text(max_size=12).map(json.dumps),
    "integer": st.integers(-(2**70), 2**70).map(str) | st.sampled_from([*integers(16), *integers(32), *integers(64)]),
    "number": st.floats(allow_nan=False, allow_infinity=False).map(repr)
    | st.decimals(allow_nan=False, allow_infinity=False, places=3, min_value=-(10**8), max_value=10**8).map(str)
    | st.integers(-(2**70), 2**70).map(str),
    "boolean": st.sampled_from(EDGES["flag"]),
    "timestamp": st.datetimes().map(lambda at: json.dumps(at.isoformat() + "Z")) | st.sampled_from(EDGES["at"]),
    "date": st.dates().map(lambda day: json.dumps(day.isoformat())),
    "object": st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
        max_leaves=8,
    ).map(json.dumps),
}
RAW["array"] = RAW["object"]
VALUES = st.sampled_from(sorted(COLUMNS)).flatmap(lambda name: st.tuples(st.just(name), RAW[COLUMNS[name][0]]))


@settings(max_examples=6, deadline=None, suppress_health_check=list(HealthCheck), phases=[Phase.generate])
@given(values=st.lists(VALUES, min_size=60, max_size=60))
def test_whatever_is_generated_is_loaded_or_set_aside(
    new_rig: Callable[[Contract], Rig], edges: Contract, values: list[tuple[str, str]]
) -> None:
    fresh = new_rig(replace(edges, dataset=f"edges_{uuid4().hex[:8]}"))
    loaded(fresh, landed(values))


def test_a_line_of_four_megabytes_is_loaded_and_one_byte_more_is_set_aside(rig: Rig) -> None:
    (empty,) = landed([("undeclared", '""')])
    room = LINE_LIMIT_BYTES - len(empty)
    fits, larger = (json.dumps("x" * size) for size in (room, room + 1))
    # Keys of one digit, as in the line that was measured.
    assert loaded(rig, landed([("undeclared", fits), ("undeclared", larger)])) == [0]
