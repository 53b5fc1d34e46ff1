"""The contracts against what the API really told, where recordings of it lie beside the repository."""

from collections import Counter
from typing import Any

import pytest

from contracts.read import read_contracts
from tests.contracts.reference_judge import broken_rules
from tests.validation.recordings import COUNTS, findings, recorded

# Fields that only one of the recordings has: the API gained them in between.
PICTURES = {"images", "images.large", "images.large[]"}
ADDED_LATER = {("api-2021-04-22", "launchpads"): PICTURES, ("api-2021-04-22", "landpads"): PICTURES}
# Arrays that were empty in every record seen.
NEVER_FILLED = {"links.flickr.small[]"}


def _paths(value: Any, path: str = "") -> set[str]:
    if isinstance(value, dict):
        below = [(f"{path}.{name}" if path else name, inner) for name, inner in value.items()]
    else:
        below = [(f"{path}[]", inner) for inner in value] if isinstance(value, list) else []
    return {name for name, _ in below} | {found for name, inner in below for found in _paths(inner, name)}


@pytest.mark.parametrize(("folder", "dataset"), sorted(COUNTS))
def test_every_recorded_record_keeps_every_rule_but_those_it_truly_breaks(folder: str, dataset: str) -> None:
    contract, records = read_contracts()[dataset], recorded(folder, dataset)
    assert len(records) == COUNTS[folder, dataset]
    broken = {record["id"]: broken_rules(contract, record) for record in records}
    assert Counter(rule_id for rules in broken.values() for rule_id in set(rules)) == findings(folder, dataset, "rows")
    assert len(broken) == len(records)


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
    (record,) = [each for each in recorded("api-2021-04-22", dataset) if each["name"] == name]
    assert broken_rules(read_contracts()[dataset], record) == rules


@pytest.mark.parametrize(("folder", "dataset"), sorted(COUNTS))
def test_the_contract_knows_every_recorded_field_and_no_other(folder: str, dataset: str) -> None:
    known = {prop.path for prop in read_contracts()[dataset].walk()}
    there: set[str] = set().union(*(_paths(record) for record in recorded(folder, dataset)))
    assert there <= known
    assert known - there <= ADDED_LATER.get((folder, dataset), set()) | NEVER_FILLED
