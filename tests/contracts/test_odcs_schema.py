import copy
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contracts import document, odcs_schema
from contracts.compiled_schema import UnknownKeyword, compile_schema
from contracts.read import FOLDER

_SMALL = """
version: 1.0.0
kind: DataContract
apiVersion: v3.2.0
id: x
servers:
  - {server: lake, type: s3, location: "s3://b/x", format: json}
description: {purpose: p}
schema:
  - name: x
    logicalType: object
    properties:
      - name: id
        logicalType: string
        logicalTypeOptions: {minLength: 1, pattern: "^a$"}
        primaryKey: true
        enum: [{value: a}, {value: b}]
        customProperties: [{property: unit, value: kg}]
        quality: [{id: id-unique, type: library, metric: duplicateValues, mustBe: 0}]
      - name: list
        logicalType: array
        logicalTypeOptions: {minItems: 1}
        items: {logicalType: object, properties: [{name: n, logicalType: integer, logicalTypeOptions: {minimum: 0}}]}
    quality: [{type: library, metric: rowCount, mustBeGreaterThan: 0}]
support: [{channel: c, url: "mailto:a@b.c"}]
team: {name: t, members: [{username: u}]}
slaProperties: [{property: latency, value: 24, unit: h}]
"""


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    path = tmp_path_factory.mktemp("odcs") / "x.odcs.yaml"
    path.write_text(_SMALL)
    return document.load(path)


def test_the_compiled_schema_knows_every_keyword_of_the_standards() -> None:
    compile_schema(odcs_schema.schema())


def test_an_unknown_keyword_is_refused() -> None:
    with pytest.raises(UnknownKeyword, match="dependentRequired"):
        compile_schema({"dependentRequired": {}})


def test_both_validators_accept_every_contract() -> None:
    files = sorted(Path(FOLDER).glob("*.odcs.yaml"))
    assert files
    for file in files:
        values = document.load(file)
        assert odcs_schema.is_surely_valid(values)
        assert odcs_schema.explained(values) == []


def test_a_broken_demand_of_the_standard_is_named_at_its_key(small: dict[str, Any]) -> None:
    broken = copy.deepcopy(small)
    broken["schema"][0]["properties"][0]["logicalType"] = "strin"
    found = odcs_schema.problems(broken)
    assert ("schema", 0, "properties", 0, "logicalType") in [problem.at for problem in found]
    assert "'strin' is not one of" in " ".join(problem.message for problem in found)


def _places(value: Any, at: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    steps = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else []
    return [at, *(place for key, inner in steps for place in _places(inner, (*at, key)))]


_JUNK = st.sampled_from([None, True, False, 0, -1, 1.5, "", "x", "string", "s3", "library", [], {}, [1], {"name": "x"}])


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_the_compiled_schema_agrees_with_the_reference_validator(small: dict[str, Any], data: st.DataObject) -> None:
    mutated = copy.deepcopy(small)
    for _ in range(data.draw(st.integers(1, 2))):
        at = data.draw(st.sampled_from(_places(mutated)[1:]))
        parent: Any = mutated
        for step in at[:-1]:
            parent = parent[step]
        match data.draw(st.sampled_from(["replace", "remove", "add"])):
            case "replace":
                parent[at[-1]] = data.draw(_JUNK)
            case "remove":
                del parent[at[-1]]
            case "add" if isinstance(parent, dict):
                parent[data.draw(st.sampled_from(["name", "unknown", "type", "enum", "properties"]))] = data.draw(_JUNK)
        if len(_places(mutated)) == 1:
            break
    assert odcs_schema.is_surely_valid(mutated) == (odcs_schema.explained(mutated) == [])
