"""A contract with anything in the place of anything is read or refused, and never breaks the reader."""

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contracts.errors import ContractInvalid
from contracts.read import read_contract
from tests.contracts.test_comparisons import CHECKS, LOST_AT
from tests.contracts.test_read import MOONS

RICH = yaml.safe_load(MOONS.replace("    quality:\n", LOST_AT).replace("    quality:\n", CHECKS))
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=5,
)


def places(value: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield at
    if isinstance(value, dict | list):
        for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
            yield from places(inner, (*at, key))


PLACES = list(places(RICH))
WORDS = sorted({str(place[-1]) for place in PLACES if place} | {"rules", "shrinkage", "agrees", "sameInstant", "enum"})


def put(values: Any, at: tuple[Any, ...], value: Any) -> Any:
    if not at:
        return value
    changed = copy.deepcopy(values)
    around = changed
    for step in at[:-1]:
        around = around[step]
    around[at[-1]] = value
    return changed


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("any") / "moons.odcs.yaml"


@settings(deadline=None, max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(at=st.sampled_from(PLACES), value=ANYTHING | st.sampled_from([RICH, RICH["schema"], "moons", 2**63, 1e308]))
def test_anything_in_the_place_of_anything(path: Path, at: tuple[Any, ...], value: Any) -> None:
    path.write_text(json.dumps(put(RICH, at, value)), encoding="utf-8")
    read_or_refuse(path)


@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    at=st.sampled_from([place for place in PLACES if place and isinstance(place[-1], str)]),
    word=st.sampled_from(WORDS),
    value=ANYTHING,
)
def test_any_word_beside_any_other(path: Path, at: tuple[Any, ...], word: str, value: Any) -> None:
    path.write_text(json.dumps(put(RICH, (*at[:-1], word), value)), encoding="utf-8")
    read_or_refuse(path)


def read_or_refuse(path: Path) -> None:
    try:
        contract = read_contract(path)
    except ContractInvalid as exc:
        assert str(path) in str(exc)
    else:
        assert contract.dataset == "moons"


def test_the_contract_that_is_changed_is_right_itself(path: Path) -> None:
    path.write_text(json.dumps(RICH), encoding="utf-8")
    assert read_contract(path).dataset == "moons"
