"""What was really answered by the API is really accepted: not one false alarm."""

import pytest

from contracts.read import read_contracts
from tests.validation.hand_made import ListSink, line
from tests.validation.recordings import recorded
from validation.raw_gate import RawGate, judge_batch
from validation.results import Verdict

CONTRACTS = read_contracts()
RECORDINGS = [
    ("api-2021-04-22", "launches", 142),
    ("api-2021-04-22", "payloads", 166),
    ("api-2021-04-22", "cores", 72),
    ("api-2021-04-22", "rockets", 4),
    ("api-2021-04-22", "launchpads", 6),
    ("api-2021-04-22", "starlink", 1445),
    ("api-2021-04-22", "history", 15),
    ("api-2021-04-22", "company", 1),
    ("api-2021-04-22", "roadster", 1),
    ("api-2022-05-03", "launches", 173),
    ("api-2022-05-03", "payloads", 201),
    ("api-2022-05-03", "launchpads", 6),
]


@pytest.mark.parametrize(("snapshot", "dataset", "count"), RECORDINGS)
def test_a_recording_passes_without_one_reject_or_warning(snapshot: str, dataset: str, count: int) -> None:
    contract = CONTRACTS[dataset]
    lines = [line(record) for record in recorded(snapshot, dataset)]

    shard = RawGate(contract).check_shard("b", "0", [("a", lines)], ListSink())
    result = judge_batch(contract, "b", [shard], count, [])

    assert (shard.accepted_count, shard.first_rejection, dict(shard.warnings_by_rule)) == (count, None, {})
    assert [check for check in result.set_checks if not check.passed] == []
    assert result.verdict is Verdict.GO
