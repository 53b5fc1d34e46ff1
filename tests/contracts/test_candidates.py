"""The contracts that are proposed and that no gate reads yet."""

from typing import Any

from contracts import document
from contracts.read import FOLDER, read_contract, read_contracts
from contracts.sample import good_record
from tests.contracts.reference_judge import broken_rules

LAUNCHES = FOLDER / "candidates" / "launches.odcs.yaml"
MEMBER = {"crew": "5ebf1a6e23a9a60006e03a7a", "role": "Commander"}


def _apart_from_crew(values: dict[str, Any]) -> dict[str, Any]:
    (table,) = values["schema"]
    properties = [prop for prop in table["properties"] if prop["name"] != "crew"]
    return {**values, "version": "", "status": "", "schema": [{**table, "properties": properties}]}


def test_the_proposed_launches_differ_from_the_contract_in_their_crew_alone() -> None:
    today, proposed = document.load(FOLDER / "launches.odcs.yaml"), document.load(LAUNCHES)
    assert _apart_from_crew(proposed) == _apart_from_crew(today)
    assert (proposed["version"], proposed["status"]) == ("2.0.0", "proposed")


def test_the_proposed_launches_take_a_crew_with_roles_and_no_ids_alone() -> None:
    proposed, today = read_contract(LAUNCHES), read_contracts()["launches"]
    with_roles = {**good_record(today), "crew": [MEMBER]}
    assert broken_rules(proposed, with_roles) == []
    assert broken_rules(proposed, good_record(today)) == ["crew-item-type"]
    assert broken_rules(today, with_roles) == ["crew-item-type"]


def test_no_gate_reads_a_candidate() -> None:
    assert read_contracts()["launches"].version < "2"
