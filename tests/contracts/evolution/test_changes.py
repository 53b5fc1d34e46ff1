"""Each kind of change, found and told from both sides."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from contracts import odcs_schema
from contracts.evolution.changes import TOPICS, VERBS
from contracts.evolution.dataset import changes
from tests.contracts.evolution.edits import edited, launches

CASES: list[dict[str, Any]] = yaml.safe_load(Path(__file__).with_name("changes.yaml").read_text(encoding="utf-8"))


def told(old: dict[str, Any], new: dict[str, Any]) -> dict[str, list[str]]:
    found = changes(old, new)
    assert len({change.change_id for change in found}) == len(found)
    return {change.change_id: [change.consumer.value, change.producer.value] for change in found}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_a_change_is_told_from_both_sides_and_so_is_the_way_back(case: dict[str, Any]) -> None:
    old = edited(launches(), case.get("base", {}))
    new = edited(old, case)
    assert odcs_schema.problems(old) == odcs_schema.problems(new) == []
    assert told(old, new) == case["forth"]
    assert told(new, old) == case["back"]


def test_every_kind_of_change_is_in_the_table() -> None:
    ids = {change_id for case in CASES for change_id in (*case["forth"], *case["back"])}
    kinds = {change_id.partition(":")[0].rpartition("-") for change_id in ids}
    assert {topic for topic, _, _ in kinds} == TOPICS
    assert {verb for _, _, verb in kinds} == VERBS


def test_examples_are_not_shown_for_they_may_be_values_of_real_records() -> None:
    case = {"set": {"properties/details/examples": ["a secret"], "properties/details/classification": "restricted"}}
    assert "a secret" not in str(changes(launches(), edited(launches(), case)))


def test_crew_as_objects_breaks_consumers_and_producer() -> None:
    member = {"name": "role", "logicalType": "string", "description": "What the member does aboard."}
    crew = {"logicalType": "object", "required": True, "properties": [{**member, "name": "crew"}, member]}
    new = edited(launches(), {"set": {"properties/crew/items": crew}})
    assert told(launches(), new)["type-changed:crew[]"] == ["breaking", "breaking"]
