import json
from pathlib import Path
from typing import Any

from observability.catalogue import CATALOGUE
from observability.telemetry import start
from validation.results import Verdict


def told(tmp_path: Path, namespace: str = "SpacexElt") -> list[dict[str, Any]]:
    """What a process that counts a little of everything says."""
    lines: list[str] = []
    with (
        start("run-1", tmp_path, environment="test", metrics_namespace=namespace, say=lines.append) as telemetry,
        telemetry.step("load"),
    ):
        telemetry.count_rows("launches", "load", {"inserted": 3, "updated": 0})
        telemetry.count_violations("launches", {"cores-core-required": 5})
        telemetry.count_verdict("launches", "load", Verdict.NO_GO)
    return [json.loads(line) for line in lines]


def test_each_count_is_a_line_that_cloudwatch_makes_a_metric_of(tmp_path: Path) -> None:
    (inserted,) = [line for line in told(tmp_path) if line.get("fate") == "inserted"]
    (directive,) = inserted.pop("_aws")["CloudWatchMetrics"]
    assert inserted == {
        "environment": "test", "dataset": "launches", "stage": "load", "fate": "inserted", "spacex_elt.rows": 3,
    }  # fmt: skip
    assert directive == {
        "Namespace": "SpacexElt",
        "Dimensions": [
            ["environment", "dataset", "stage", "fate"],
            ["environment", "dataset", "stage"],
            ["environment", "stage", "fate"],
        ],
        "Metrics": [{"Name": "spacex_elt.rows", "Unit": "Count"}],
    }


def test_a_count_of_nothing_is_told_too_so_that_a_publication_without_change_is_seen(tmp_path: Path) -> None:
    assert [line["spacex_elt.rows"] for line in told(tmp_path) if line.get("fate") == "updated"] == [0]


def test_every_metric_is_told_and_every_dimension_of_it_is_a_member_of_its_line(tmp_path: Path) -> None:
    lines = told(tmp_path)
    names = set()
    for line in lines:
        (directive,) = line["_aws"]["CloudWatchMetrics"]
        names.add(directive["Metrics"][0]["Name"])
        assert all(isinstance(line[name], str) for dimensions in directive["Dimensions"] for name in dimensions)
    assert names == {metric.name for metric in CATALOGUE.values()}


def test_a_steps_duration_is_in_seconds(tmp_path: Path) -> None:
    (line,) = [line for line in told(tmp_path) if "spacex_elt.step.duration" in line]
    assert 0 <= line["spacex_elt.step.duration"] < 60
    assert line["_aws"]["CloudWatchMetrics"][0]["Metrics"][0]["Unit"] == "Seconds"


def test_without_a_namespace_nothing_is_said(tmp_path: Path) -> None:
    assert told(tmp_path, namespace="") == []
