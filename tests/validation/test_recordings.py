"""What was really answered by the API is really accepted: no false alarm, and each true fault is told."""

import pytest

from contracts.read import read_contracts
from tests.validation.hand_made import ListSink, line
from tests.validation.recordings import FINDINGS, recorded
from validation.raw_gate import RawGate, judge_batch
from validation.results import Verdict

CONTRACTS = read_contracts()
RECORDINGS = [
    ("api-2021-04-22", "launches", 142),
    ("api-2021-04-22", "payloads", 166),
    ("api-2021-04-22", "cores", 72),
    ("api-2021-04-22", "rockets", 4),
    ("api-2021-04-22", "launchpads", 6),
    ("api-2021-04-22", "capsules", 21),
    ("api-2021-04-22", "crew", 17),
    ("api-2021-04-22", "ships", 25),
    ("api-2021-04-22", "dragons", 2),
    ("api-2021-04-22", "landpads", 7),
    ("api-2022-05-03", "launches", 173),
    ("api-2022-05-03", "payloads", 201),
    ("api-2022-05-03", "launchpads", 6),
]


@pytest.mark.parametrize(("snapshot", "dataset", "count"), RECORDINGS)
def test_a_recording_passes_without_one_reject_and_with_the_warnings_that_are_true(
    snapshot: str, dataset: str, count: int
) -> None:
    contract = CONTRACTS[dataset]
    lines = [line(record) for record in recorded(snapshot, dataset)]

    shard = RawGate(contract).check_shard("b", "0", [("a", lines)], ListSink())
    result = judge_batch(contract, "b", [shard], count, [])

    assert (shard.accepted_count, shard.first_rejection) == (count, None)
    assert shard.warnings_by_rule == FINDINGS.get((snapshot, dataset), {})
    assert [check for check in result.set_checks if not check.passed] == []
    assert result.verdict is Verdict.GO
