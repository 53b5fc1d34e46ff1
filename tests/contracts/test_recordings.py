"""The contracts against what the API really told, where recordings of it lie beside the repository."""

import json
from pathlib import Path
from typing import Any

import pytest

from contracts.read import FOLDER, read_contracts
from tests.contracts.reference_judge import broken_rules

RECORDINGS = Path(FOLDER).parent.parent / "shared" / "spacex"
COUNTS = {
    ("api-2021-04-22", "launches"): 142,
    ("api-2021-04-22", "payloads"): 166,
    ("api-2021-04-22", "cores"): 72,
    ("api-2021-04-22", "rockets"): 4,
    ("api-2021-04-22", "launchpads"): 6,
    ("api-2021-04-22", "starlink"): 1445,
    ("api-2021-04-22", "history"): 15,
    ("api-2021-04-22", "company"): 1,
    ("api-2021-04-22", "roadster"): 1,
    ("api-2022-05-03", "launches"): 173,
    ("api-2022-05-03", "payloads"): 201,
    ("api-2022-05-03", "launchpads"): 6,
}
# Fields that only one of the recordings has: the API gained them in between.
ADDED_LATER = {("api-2021-04-22", "launchpads"): {"images", "images.large", "images.large[]"}}
# Arrays that were empty in every record seen.
NEVER_FILLED = {"links.flickr.small[]"}


def _records(folder: str, dataset: str) -> list[dict[str, Any]]:
    path = RECORDINGS / folder / f"{dataset}.json"
    if not path.is_file():
        pytest.skip(f"the recording {folder}/{dataset}.json does not lie beside the repository")
    answer = json.loads(path.read_text(encoding="utf-8"))
    return answer if isinstance(answer, list) else [answer]  # company and roadster are single objects


def _paths(value: Any, path: str = "") -> set[str]:
    if isinstance(value, dict):
        below = [(f"{path}.{name}" if path else name, inner) for name, inner in value.items()]
    else:
        below = [(f"{path}[]", inner) for inner in value] if isinstance(value, list) else []
    return {name for name, _ in below} | {found for name, inner in below for found in _paths(inner, name)}


@pytest.mark.parametrize(("folder", "dataset"), sorted(COUNTS))
def test_every_recorded_record_keeps_every_rule(folder: str, dataset: str) -> None:
    contract, records = read_contracts()[dataset], _records(folder, dataset)
    assert len(records) == COUNTS[folder, dataset]
    broken = {record["id"]: broken_rules(contract, record) for record in records}
    assert {key: rules for key, rules in broken.items() if rules} == {}
    assert len(broken) == len(records)


@pytest.mark.parametrize(("folder", "dataset"), sorted(COUNTS))
def test_the_contract_knows_every_recorded_field_and_no_other(folder: str, dataset: str) -> None:
    known = {prop.path for prop in read_contracts()[dataset].walk()}
    recorded: set[str] = set().union(*(_paths(record) for record in _records(folder, dataset)))
    assert recorded <= known
    assert known - recorded <= ADDED_LATER.get((folder, dataset), set()) | NEVER_FILLED
