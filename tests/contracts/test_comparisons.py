"""The words for rules across fields, datasets and loads, as contracts write them."""

from pathlib import Path
from typing import Any

import pytest

from contracts.comparisons import (
    Agrees,
    AtMost,
    Reference,
    SameInstant,
    Shrinkage,
    Term,
    Together,
    fields_of,
    read_comparison,
)
from contracts.errors import ContractInvalid
from contracts.model import DriftPolicy, Role, Rule, RuleKind, Scope, Severity
from contracts.read import read_contract, read_contracts
from tests.contracts.test_read import MOONS

CHECKS = """\
    quality:
      - id: seen-in-order
        type: custom
        engine: spacex-elt
        severity: warning
        description: Time runs one way.
        implementation: {atMost: {field: "craters[].seen_at", of: "craters[].lost_at"}}
      - id: few-lost
        type: custom
        engine: spacex-elt
        description: Moons stay.
        implementation: {shrinkage: {maxRatio: 0.1, floorCount: 2}}
"""
LOST_AT = """\
            - name: lost_at
              description: When it was last seen. Null means unknown.
              logicalType: timestamp
            - name: found_by
              id: finder
              deprecated: true
              description: The id of the moon it was seen from. Null means unknown.
              logicalType: string
              relationships: [{to: moons.id}]
              customProperties:
                - {property: rules, value: {reference: {severity: warning, reason: A moon may be forgotten.}}}
    quality:
"""


@pytest.mark.parametrize(
    ("implementation", "comparison", "fields"),
    [
        (
            {"sameInstant": {"seconds": "a", "instant": "b", "toleranceS": 1}},
            SameInstant("a", "b", 1.0),
            ("a", "b"),
        ),
        (
            {
                "agrees": {
                    "field": "a",
                    "sum": [{"field": "b", "times": 2.2}, {"field": "c"}],
                    "tolerance": {"ratio": 0.1},
                }
            },
            Agrees("a", (Term("b", 2.2), Term("c", 1.0)), 0.0, 0.1),
            ("a", "b", "c"),
        ),
        ({"atMost": {"field": "a", "of": "b"}}, AtMost("a", "b"), ("a", "b")),
        ({"together": {"fields": ["a", "b", "c"]}}, Together(("a", "b", "c")), ("a", "b", "c")),
    ],
)
def test_a_comparison_is_read_with_the_fields_it_compares(
    implementation: dict[str, Any], comparison: Any, fields: tuple[str, ...]
) -> None:
    read = read_comparison(implementation)

    assert read == comparison
    assert not isinstance(read, Shrinkage)
    assert fields_of(read) == fields


@pytest.mark.parametrize(
    "implementation",
    [
        "a text",
        {},
        {"atMost": {"field": "a", "of": "b"}, "together": {"fields": ["a", "b"]}},
        {"atMost": {"field": "a"}},
        {"atMost": ["a", "b"]},
        {"sameInstant": {"seconds": "a", "instant": "b", "toleranceS": -1}},
        {"sameInstant": {"seconds": "a", "instant": "b", "toleranceS": True}},
        {"agrees": {"field": "a", "sum": []}},
        {"agrees": {"field": "a", "sum": [{"field": "b", "times": 0}]}},
        {"agrees": {"field": "a", "sum": ["b"]}},
        {"together": {"fields": ["a"]}},
        {"together": {"fields": ["a", "a"]}},
        {"together": {"fields": ["a", 5]}},
        {"shrinkage": {"maxRatio": 1.5, "floorCount": 3}},
        {"shrinkage": {"maxRatio": 0.5, "floorCount": 3.5}},
        {"shrinkage": {"maxRatio": 0.5}},
    ],
)
def test_any_other_form_is_refused(implementation: Any) -> None:
    with pytest.raises(ValueError, match=r"expected|no check of ours"):
        read_comparison(implementation)


@pytest.mark.parametrize(
    ("record_count", "is_allowed"), [(100, True), (90, True), (89, False), (120, True), (0, False)]
)
def test_a_batch_may_be_a_little_smaller_than_the_last(record_count: int, is_allowed: bool) -> None:
    assert Shrinkage(max_ratio=0.1, floor_count=3).allows(record_count, 100) is is_allowed


def test_the_floor_lets_a_small_dataset_lose_a_few() -> None:
    assert Shrinkage(max_ratio=0.1, floor_count=3).allows(1, 4)
    assert not Shrinkage(max_ratio=0.1, floor_count=3).allows(0, 4)


def rules(folder: Path, text: str) -> dict[str, Rule]:
    path = folder / "moons.odcs.yaml"
    path.write_text(text, encoding="utf-8")
    return {rule.rule_id: rule for rule in read_contract(path).rules}


def test_checks_of_ours_become_rules_of_their_name(tmp_path: Path) -> None:
    found = rules(tmp_path, MOONS.replace("    quality:\n", LOST_AT).replace("    quality:\n", CHECKS))

    ordered, few = found["seen-in-order"], found["few-lost"]
    assert (ordered.kind, ordered.path, ordered.scope) == (RuleKind.AT_MOST, "craters[].seen_at", Scope.ROW)
    assert (ordered.severity, ordered.dimension) == (Severity.WARNING, "consistency")
    assert ordered.description == "craters[].seen_at is at most craters[].lost_at. Time runs one way."
    assert (few.kind, few.scope, few.argument) == (RuleKind.SHRINKAGE, Scope.SET, Shrinkage(0.1, 2))
    assert few.severity is Severity.ERROR
    assert list(found).index("seen-in-order") < list(found).index("row-count"), "row rules come before set rules"


def test_a_relationship_is_a_set_rule_of_its_property_wherever_it_lies(tmp_path: Path) -> None:
    found = rules(tmp_path, MOONS.replace("    quality:\n", LOST_AT))

    rule = found["craters-found_by-reference"]
    assert (rule.path, rule.argument, rule.scope) == ("craters[].found_by", Reference("moons", "id"), Scope.SET)
    assert rule.severity is Severity.WARNING
    assert rule.description == "craters[].found_by is the id of a record of moons. A moon may be forgotten."


def test_a_property_keeps_its_stable_id_and_says_that_it_is_to_go(tmp_path: Path) -> None:
    path = tmp_path / "moons.odcs.yaml"
    path.write_text(MOONS.replace("    quality:\n", LOST_AT), encoding="utf-8")
    by_path = {prop.path: prop for prop in read_contract(path).walk()}

    assert (by_path["craters[].found_by"].stable_id, by_path["craters[].found_by"].is_deprecated) == ("finder", True)
    assert (by_path["id"].stable_id, by_path["id"].is_deprecated) == (None, False)


def test_a_reference_to_what_no_contract_describes_is_refused(tmp_path: Path) -> None:
    text = MOONS.replace("    quality:\n", LOST_AT).replace("to: moons.id", "to: planets.id")
    (tmp_path / "moons.odcs.yaml").write_text(text, encoding="utf-8")

    with pytest.raises(ContractInvalid, match=r"craters\[\]\.found_by refers to planets\.id"):
        read_contracts(tmp_path)


def test_roles_are_read(tmp_path: Path) -> None:
    path = tmp_path / "moons.odcs.yaml"
    roles = "roles:\n  - {role: loader, access: write, description: Fills it.}\n  - {role: reader, access: read}\n"
    path.write_text(MOONS.replace("team:\n", roles + "team:\n"), encoding="utf-8")

    assert read_contract(path).roles == (Role("loader", "write", "Fills it."), Role("reader", "read", ""))


def test_an_objects_own_policy_for_drift_holds_within_it_and_not_beside_it(tmp_path: Path) -> None:
    own = """\
        items:
          logicalType: object
          customProperties: [{property: driftPolicy, value: {unknownFields: no-go}}]
"""
    found = rules(tmp_path, MOONS.replace("        items:\n          logicalType: object\n", own))

    assert found["craters-item-unknown-field"].argument is DriftPolicy.NO_GO
    assert found["unknown-field"].argument is DriftPolicy.QUARANTINE


def test_what_the_sync_may_not_damage_is_a_rule(tmp_path: Path) -> None:
    policy = "{unknownFields: quarantine, damagedFields: quarantine}"
    found = rules(tmp_path, MOONS.replace("{unknownFields: quarantine}", policy))

    rule = found["source-damage"]
    assert (rule.kind, rule.path, rule.argument) == (RuleKind.SOURCE_DAMAGE, "", DriftPolicy.QUARANTINE)
    assert rule.rejects
