"""Real answers of the API, a year apart, through the whole pipeline."""

import shutil
from pathlib import Path

import pytest

from observability.run_record import RunRecord
from tests.e2e.harness import RECORDINGS, fates, request, rows, run_here
from tests.validation.recordings import COUNTS, findings
from validation.results import Verdict

pytestmark = [
    pytest.mark.stack,
    pytest.mark.skipif(
        not all((RECORDINGS / name).is_dir() for name in ("api-2021-04-22", "api-2022-05-03")),
        reason="the recorded API answers do not lie beside the repository",
    ),
]
EXTRACTED = {dataset: count for (snapshot, dataset), count in COUNTS.items() if snapshot == "api-2021-04-22"}


@pytest.fixture(scope="module")
def first(fresh: None) -> RunRecord:
    return run_here("recorded-2021", request(str(RECORDINGS / "api-2021-04-22")))


@pytest.fixture(scope="module")
def second(first: RunRecord, tmp_path_factory: pytest.TempPathFactory) -> RunRecord:
    folder: Path = tmp_path_factory.mktemp("api-2022-05-03")
    for dataset in ("launches", "payloads"):
        shutil.copy(RECORDINGS / "api-2022-05-03" / f"{dataset}.json", folder)
    return run_here("recorded-2022", request(str(folder)))


def test_every_record_of_2021_is_accepted_and_published(first: RunRecord) -> None:
    assert first.verdict is Verdict.GO
    assert fates(first) == {name: (n, n, 0, 0, n, 0, 0, 0) for name, n in EXTRACTED.items()}


def test_each_true_fault_is_told_and_not_one_rule_raises_a_false_alarm(first: RunRecord) -> None:
    for dataset in first.datasets:
        true_of_it = findings("api-2021-04-22", dataset.dataset, "rows")
        (shard,) = dataset.raw_gate.shards
        assert (shard.violations_by_rule, shard.warnings_by_rule) == ({}, true_of_it)
        assert dataset.load_gate is not None
        assert dataset.load_gate.checks
        assert {check.rule_id for check in dataset.load_gate.checks if not check.passed} <= set(true_of_it)


def test_every_equation_holds(first: RunRecord) -> None:
    balances = [balance for dataset in first.datasets for balance in dataset.balances]
    assert len(balances) == 7 * len(EXTRACTED)
    assert [balance for balance in balances if not balance.holds] == []


def test_a_year_later_the_real_drift_is_reported_exactly(second: RunRecord) -> None:
    launches = fates(second)["launches"]
    assert launches == (173, 173, 0, 0, 34, 22, 173 - 34 - 22, 3)


def test_datasets_that_were_not_extracted_stay_as_they_were(second: RunRecord) -> None:
    assert set(fates(second)) == {"launches", "payloads"}
    assert rows("select count(*) from raw_spacex.cores where _deleted_at is null")[0][0] == 72


def test_the_marts_follow(second: RunRecord) -> None:
    assert second.transform is not None
    assert second.transform.verdict is Verdict.GO
    assert rows("select count(*), count(distinct launch_id) from analytics.fct_launches") == [(173, 173)]


def test_the_same_answers_again_change_nothing(second: RunRecord, tmp_path: Path) -> None:
    before = rows("select id, _loaded_at from raw_spacex.launches where _deleted_at is null order by id")
    folder = tmp_path / "again"
    shutil.copytree(RECORDINGS / "api-2022-05-03", folder)

    again = run_here("recorded-again", request(str(folder), datasets=("launches", "payloads")))

    assert fates(again) == {
        "launches": (173, 173, 0, 0, 0, 0, 173, 0),
        "payloads": (201, 201, 0, 0, 0, 0, 201, 0),
    }
    assert rows("select id, _loaded_at from raw_spacex.launches where _deleted_at is null order by id") == before
