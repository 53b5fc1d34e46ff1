"""Two versions of a contract with anything in the place of anything are compared or refused, and break nothing."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contracts import odcs_schema
from contracts.errors import ContractInvalid
from contracts.evolution import files
from contracts.evolution.advice import advice
from contracts.evolution.changes import TOPICS, VERBS
from contracts.evolution.dataset import changes
from tests.contracts.evolution.edits import edited, launches

CALM = settings(deadline=None, max_examples=100, suppress_health_check=list(HealthCheck))
CHECK = {"type": "custom", "engine": "spacex-elt", "implementation": {"atMost": {"field": "window", "of": "date_unix"}}}
RICH = edited(
    launches(),
    {
        "add": {
            "quality": {"id": "at-most", **CHECK},
            "/roles": {"role": "analyst", "access": "read"},
            "properties/rocket/relationships": {"type": "foreignKey", "to": "rockets.id"},
        }
    },
)
# A handful of properties has every kind of key, and is quicker to compare than all.
RICH["schema"][0]["properties"] = [
    item
    for item in RICH["schema"][0]["properties"]
    if item["name"] in {"id", "window", "date_precision", "cores", "rocket"}
]
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3),
    max_leaves=5,
)


def places(value: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield at
    for key, inner in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield from places(inner, (*at, key))


PLACES = [place for place in places(RICH) if place]
WORDS = sorted({str(place[-1]) for place in PLACES} | {"deprecated", "minimum", "severity", "unit", "physicalName"})
#: Where the standard allows anything, so that nothing but our own care stands between it and a crash.
OPEN = [place for place in PLACES if "customProperties" in place or "implementation" in place or "enum" in place]


def put(at: tuple[Any, ...], value: Any) -> Any:
    changed = json.loads(json.dumps(RICH))
    around = changed
    for step in at[:-1]:
        around = around[step]
    around[at[-1]] = value
    return changed


def compare_or_refuse(values: Any) -> None:
    if isinstance(values, dict) and not odcs_schema.is_surely_valid(values):
        return  # refused, as the last test shows; saying why takes the reference validator a second
    try:
        other = files.parse_values(json.dumps(values).encode(), "old")
    except ContractInvalid as exc:
        assert str(exc).startswith("old:")
        return
    for old, new in ((RICH, other), (other, RICH)):
        found = changes(old, new)
        assert len({change.change_id for change in found}) == len(found)
        for change in found:
            assert (change.topic in TOPICS, change.verb in VERBS) == (True, True)
            advice(change)
    assert bool(found) == ({**other, "version": ""} != {**RICH, "version": ""})


def test_the_contract_that_is_changed_is_right_itself() -> None:
    compare_or_refuse(RICH)


@CALM
@given(at=st.sampled_from(PLACES) | st.sampled_from(OPEN), value=ANYTHING | st.sampled_from(["moons", 2**63, 1e308]))
def test_anything_in_the_place_of_anything(at: tuple[Any, ...], value: Any) -> None:
    compare_or_refuse(put(at, value))


@CALM
@given(
    at=st.sampled_from([place for place in PLACES if isinstance(place[-1], str)]),
    word=st.sampled_from(WORDS),
    source=st.sampled_from(PLACES),
)
def test_any_key_with_what_stands_elsewhere(at: tuple[Any, ...], word: str, source: tuple[Any, ...]) -> None:
    value: Any = RICH
    for step in source:
        value = value[step]
    compare_or_refuse(put((*at[:-1], word), value))


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"[]", b"a: [", b"a: 1\na: 2", b"schema: 7"])
def test_what_is_no_contract_is_refused(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "launches.odcs.yaml"
    path.write_bytes(content)
    with pytest.raises(ContractInvalid, match=r"launches\.odcs\.yaml"):
        files.read_values(path)
