"""The words and the JSON that a run ends with."""

import io
import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from rich.console import Console

from observability.run_record import RunRecord
from spacex_elt.report import print_run, run_as_json
from spacex_elt.run import new_run_id
from tests.observability.hand_made import dataset_record, run_record, transform_record
from validation.results import Verdict

DOCS = "http://docs.example/runs/run-1.html"
KEYS = ["run_id", "source", "verdict", "datasets", "transform", "docs"]
DATASET_KEYS = ["dataset", "extracted", "accepted", "quarantined", "duplicate"]
DATASET_KEYS += ["inserted", "restored", "updated", "unchanged", "deleted", "verdict"]

HELD = dataset_record("launches", rejected=21, verdict=Verdict.NO_GO)
GOOD = dataset_record("cores")


def a_run(*datasets: object, transform: bool = True) -> RunRecord:
    return run_record("run-1", datasets, transform=transform_record() if transform else None)  # type: ignore[arg-type]


def printed(record: RunRecord, width: int = 200) -> str:
    console = Console(file=io.StringIO(), width=width)
    print_run(console, record, DOCS, "run 20.0 s")
    return console.file.getvalue()  # type: ignore[attr-defined, no-any-return]


def test_the_json_has_the_keys_that_were_promised_in_their_order() -> None:
    told = run_as_json(a_run(HELD, GOOD), DOCS)
    assert list(told) == KEYS
    assert [list(dataset)[: len(DATASET_KEYS)] for dataset in told["datasets"]] == [DATASET_KEYS] * 2
    assert {name for dataset in told["datasets"] for name in dataset} - set(DATASET_KEYS) == {"reason"}


def test_the_json_says_what_the_record_says() -> None:
    told = json.loads(json.dumps(run_as_json(a_run(HELD, GOOD), DOCS)))
    launches, cores = told["datasets"]
    assert (told["run_id"], told["docs"]) == ("run-1", DOCS)
    assert (launches["verdict"], launches["quarantined"], launches["inserted"]) == ("no-go", 21, None)
    assert (cores["verdict"], cores["inserted"], cores["unchanged"]) == ("go", 5, 200)
    assert told["transform"]["verdict"] == "go"


def test_a_run_without_a_transform_says_null() -> None:
    assert run_as_json(a_run(GOOD, transform=False), DOCS)["transform"] is None


@pytest.mark.parametrize("width", [80, 114, 115, 124, 125, 200])
def test_each_dataset_is_a_line_with_its_verdict_at_every_usual_width(width: int) -> None:
    lines = printed(a_run(HELD, GOOD), width).splitlines()
    assert len([line for line in lines if "launches" in line and "no-go" in line]) == 1
    assert len([line for line in lines if "cores" in line and "205" in line]) == 1


def test_a_held_dataset_tells_why_and_a_batch_published_before_says_so() -> None:
    text = printed(a_run(HELD, replace(GOOD, was_already_published=True)))
    assert HELD.reason in text
    assert "cores: this batch was published before; nothing was loaded again." in text


def test_words_from_the_data_are_never_taken_for_markup() -> None:
    record = replace(a_run(replace(HELD, reason="cores[0].core [red]is null[/]")), source="folder [bold]x[/bold]")
    assert "cores[0].core [red]is null[/]" in printed(record)
    assert "folder [bold]x[/bold]" in printed(record)


def test_run_ids_sort_by_time_and_never_repeat() -> None:
    now = datetime(2026, 11, 23, 6, 0, tzinfo=UTC)
    ids = {new_run_id(now) for _ in range(50)}
    assert len(ids) == 50
    assert max(ids) < new_run_id(now.replace(second=1))
