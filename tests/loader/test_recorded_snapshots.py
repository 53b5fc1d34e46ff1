"""Real answers of the API, of 2021, of 2022 and of 2021 again: what becomes of each row, exactly."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from contracts.model import Contract
from contracts.read import FOLDER, read_contracts
from tests.e2e.harness import RECORDINGS
from tests.extraction.recordings import recorded
from tests.loader.rig import Rig, fates
from validation.results import Verdict

SNAPSHOTS = ("api-2021-04-22", "api-2022-05-03", "api-2021-04-22")

pytestmark = [
    pytest.mark.stack,
    pytest.mark.skipif(
        not all((RECORDINGS / name).is_dir() for name in SNAPSHOTS),
        reason="the recorded API answers do not lie beside the repository",
    ),
]

#: Per snapshot: inserted, updated, unchanged, deleted, kept, live, and restored.
EXPECTED = {
    "launches": [(142, 0, 0, 0, 0, 142, 0), (34, 22, 117, 3, 0, 173, 0), (0, 22, 117, 34, 0, 142, 3)],
    "payloads": [(166, 0, 0, 0, 0, 166, 0), (38, 83, 80, 3, 0, 201, 0), (0, 83, 80, 38, 0, 166, 3)],
}


@pytest.mark.parametrize("dataset", EXPECTED)
def test_each_row_of_a_snapshot_has_the_fate_that_it_had(new_rig: Callable[[Contract], Rig], dataset: str) -> None:
    rig = new_rig(replace(read_contracts(FOLDER)[dataset], dataset=f"recorded_{dataset}"))
    found = []
    for sync_id, name in enumerate(SNAPSHOTS, start=1):
        records, run_id = recorded(dataset, name), f"run-{sync_id}"
        snapshot = rig.land(*records)
        output = rig.load(snapshot, run_id)
        if sync_id == 3:  # fewer than the contract lets go unseen
            assert (output.verdict, output.published) == (Verdict.NO_GO, None)
            output = rig.load(rig.gate(sync_id, len(records), forced_by=run_id), run_id)
        assert output.published is not None
        found.append((*fates(output), output.published.restored))
    assert found == EXPECTED[dataset]
    assert {key for (key,) in rig.rows("select id from {raw} where _deleted_at is null")} == {
        record["id"] for record in recorded(dataset, SNAPSHOTS[-1])
    }
