"""The contracts against what the API really told, where recordings of it lie beside the repository."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from contracts.model import Severity
from contracts.read import FOLDER, read_contracts
from tests.contracts.reference_judge import broken_rules
from tests.validation.recordings import FINDINGS

RECORDINGS = Path(FOLDER).parent.parent / "shared" / "spacex"
COUNTS = {
    ("api-2021-04-22", "launches"): 142,
    ("api-2021-04-22", "payloads"): 166,
    ("api-2021-04-22", "cores"): 72,
    ("api-2021-04-22", "rockets"): 4,
    ("api-2021-04-22", "launchpads"): 6,
    ("api-2021-04-22", "capsules"): 21,
    ("api-2021-04-22", "crew"): 17,
    ("api-2021-04-22", "ships"): 25,
    ("api-2021-04-22", "dragons"): 2,
    ("api-2021-04-22", "landpads"): 7,
    ("api-2022-05-03", "launches"): 173,
    ("api-2022-05-03", "payloads"): 201,
    ("api-2022-05-03", "launchpads"): 6,
}
# Fields that only one of the recordings has: the API gained them in between.
ADDED_LATER = dict.fromkeys(
    [("api-2021-04-22", "launchpads"), ("api-2021-04-22", "landpads")], {"images", "images.large", "images.large[]"}
)
# Arrays that were empty in every record seen.
NEVER_FILLED = {"links.flickr.small[]"}


def _records(folder: str, dataset: str) -> list[dict[str, Any]]:
    path = RECORDINGS / folder / f"{dataset}.json"
    if not path.is_file():
        pytest.skip(f"the recording {folder}/{dataset}.json does not lie beside the repository")
    records: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))
    return records


def _paths(value: Any, path: str = "") -> set[str]:
    if isinstance(value, dict):
        below = [(f"{path}.{name}" if path else name, inner) for name, inner in value.items()]
    else:
        below = [(f"{path}[]", inner) for inner in value] if isinstance(value, list) else []
    return {name for name, _ in below} | {found for name, inner in below for found in _paths(inner, name)}


@pytest.mark.parametrize(("folder", "dataset"), sorted(COUNTS))
def test_every_recorded_record_keeps_every_rule_but_those_it_truly_breaks(folder: str, dataset: str) -> None:
    contract, records = read_contracts()[dataset], _records(folder, dataset)
    assert len(records) == COUNTS[folder, dataset]
    broken = {record["id"]: broken_rules(contract, record) for record in records}
    assert Counter(rule_id for rules in broken.values() for rule_id in set(rules)) == FINDINGS.get(
        (folder, dataset), {}
    )
    assert len(broken) == len(records)


@pytest.mark.parametrize(("folder", "dataset"), sorted(FINDINGS))
def test_what_is_found_in_the_recordings_rejects_nothing(folder: str, dataset: str) -> None:
    contract = read_contracts()[dataset]
    assert {contract.rule(rule_id).severity for rule_id in FINDINGS[folder, dataset]} <= {
        Severity.WARNING,
        Severity.INFO,
    }


@pytest.mark.parametrize(
    ("dataset", "name", "rules"),
    [
        ("ships", "Shelia Bordelon", ["imo-minimum"]),
        ("ships", "Finn Falgout", ["mmsi-minimum"]),
        ("ships", "GO Quest", ["imo-minimum", "status-min-length"]),
        ("ships", "American Spirit", []),
    ],
)
def test_a_fault_is_told_of_the_record_that_has_it(dataset: str, name: str, rules: list[str]) -> None:
    (record,) = [each for each in _records("api-2021-04-22", dataset) if each["name"] == name]
    assert broken_rules(read_contracts()[dataset], record) == rules


@pytest.mark.parametrize(("folder", "dataset"), sorted(COUNTS))
def test_the_contract_knows_every_recorded_field_and_no_other(folder: str, dataset: str) -> None:
    known = {prop.path for prop in read_contracts()[dataset].walk()}
    recorded: set[str] = set().union(*(_paths(record) for record in _records(folder, dataset)))
    assert recorded <= known
    assert known - recorded <= ADDED_LATER.get((folder, dataset), set()) | NEVER_FILLED
