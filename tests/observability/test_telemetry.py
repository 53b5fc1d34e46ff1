import json
import logging
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from contracts.errors import GateClosed
from observability.run_record import SpanRecord
from observability.telemetry import Telemetry, start
from observability.trace import read_spans
from validation.results import Verdict

ROOT = Path(__file__).parents[2]
RUN = "2026-11-22-0001"


def _telemetry(folder: Path, traceparent: str | None = None) -> Telemetry:
    return start(RUN, folder, environment="test", traceparent=traceparent)


def _spans(folder: Path) -> dict[str, SpanRecord]:
    return {span.name: span for span in read_spans((folder / "spans.jsonl").read_bytes().splitlines())}


def _points(folder: Path) -> Iterator[tuple[str, dict[str, str], dict[str, Any]]]:
    for line in (folder / "metrics.jsonl").read_text().splitlines():
        for resource in json.loads(line)["resourceMetrics"]:
            for scope in resource["scopeMetrics"]:
                for metric in scope["metrics"]:
                    for point in (metric.get("sum") or metric["histogram"])["dataPoints"]:
                        pairs = {pair["key"]: pair["value"]["stringValue"] for pair in point["attributes"]}
                        yield metric["name"], pairs, point


def _resources(folder: Path) -> list[dict[str, str]]:
    lines = (folder / "spans.jsonl").read_text().splitlines()
    return [
        {pair["key"]: pair["value"]["stringValue"] for pair in resource["resource"]["attributes"]}
        for line in lines
        for resource in json.loads(line)["resourceSpans"]
    ]


def test_spans_nest_from_run_to_step_to_dataset(tmp_path: Path) -> None:
    with (
        _telemetry(tmp_path) as telemetry,
        telemetry.run(source="sample"),
        telemetry.step("gate"),
        telemetry.span("gate launches", dataset="launches") as span,
    ):
        span.note(rows=205)
    spans = _spans(tmp_path)
    assert spans["run"].parent_span_id is None
    assert spans["gate"].parent_span_id == spans["run"].span_id
    assert spans["gate launches"].parent_span_id == spans["gate"].span_id
    assert spans["gate launches"].attributes == {"dataset": "launches", "rows": 205}
    assert not any(span.failed for span in spans.values())


def test_a_step_in_another_process_hangs_below_the_runs_root_in_the_same_trace(tmp_path: Path) -> None:
    step = (
        "import sys; from pathlib import Path; from observability.telemetry import start\n"
        f"with start({RUN!r}, Path(sys.argv[1]), environment='test') as telemetry, telemetry.step('load'):\n"
        "    print(telemetry.trace_id)"
    )
    done = subprocess.run(
        [sys.executable, "-c", step, str(tmp_path / "load")],
        check=True,
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    with _telemetry(tmp_path / "run") as telemetry, telemetry.run():
        pass
    assert done.stdout.strip() == telemetry.trace_id
    assert _spans(tmp_path / "load")["load"].parent_span_id == _spans(tmp_path / "run")["run"].span_id


def test_a_step_given_a_traceparent_joins_that_trace(tmp_path: Path) -> None:
    with _telemetry(tmp_path / "outer") as outer, outer.run(), outer.step("transform"):
        traceparent = outer.traceparent
    with start("another run", tmp_path / "inner", environment="test", traceparent=traceparent) as inner:
        with inner.run():
            pass
        assert inner.trace_id == outer.trace_id
    assert _spans(tmp_path / "inner")["run"].parent_span_id == _spans(tmp_path / "outer")["transform"].span_id


@pytest.mark.parametrize("traceparent", ["garbage", ""])
def test_a_traceparent_that_is_none_falls_back_to_the_runs_own_trace(tmp_path: Path, traceparent: str) -> None:
    assert _telemetry(tmp_path, traceparent=traceparent).trace_id == _telemetry(tmp_path).trace_id


def test_our_own_error_marks_its_span_with_its_message(tmp_path: Path) -> None:
    with pytest.raises(GateClosed), _telemetry(tmp_path) as telemetry, telemetry.step("gate"):
        raise GateClosed("launches: 7 of 205 records rejected")
    assert _spans(tmp_path)["gate"].failed
    assert "7 of 205 records rejected" in (tmp_path / "spans.jsonl").read_text()


def test_a_foreign_error_leaves_its_type_but_not_its_message(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="hunter2"), _telemetry(tmp_path) as telemetry, telemetry.step("load"):
        raise ValueError("connect failed: password=hunter2")
    written = (tmp_path / "spans.jsonl").read_text()
    assert _spans(tmp_path)["load"].failed
    assert "ValueError" in written
    assert "hunter2" not in written


def test_a_span_can_fail_without_an_exception(tmp_path: Path) -> None:
    with _telemetry(tmp_path) as telemetry, telemetry.step("gate") as step:
        step.fail("no-go")
    assert _spans(tmp_path)["gate"].failed


def test_work_measured_elsewhere_becomes_a_span_below_the_open_one(tmp_path: Path) -> None:
    began = datetime(2026, 11, 22, 10, 0, 0, 250_000, tzinfo=UTC)
    with _telemetry(tmp_path) as telemetry, telemetry.step("transform"):
        telemetry.add_span("fct_launches", began, 1.5, failed=True, kind="model")
    spans = _spans(tmp_path)
    model = spans["fct_launches"]
    assert (model.started_at, model.seconds, model.failed) == (began, 1.5, True)
    assert model.parent_span_id == spans["transform"].span_id


def test_every_span_says_which_service_environment_and_run_it_is_of(tmp_path: Path) -> None:
    with _telemetry(tmp_path) as telemetry, telemetry.run():
        pass
    (resource,) = _resources(tmp_path)
    assert resource["service.name"] == "spacex-elt"
    assert resource["deployment.environment.name"] == "test"
    assert resource["spacex_elt.run_id"] == RUN


def test_counters_hold_rows_violations_verdicts_and_step_durations(tmp_path: Path) -> None:
    with _telemetry(tmp_path) as telemetry, telemetry.step("gate"):
        telemetry.count_rows("launches", "gate", {"accepted": 200, "quarantined": 5})
        telemetry.count_rows("launches", "gate", {"accepted": 2})
        telemetry.count_violations("launches", {"cores-core-required": 5})
        telemetry.count_verdict("launches", "raw", Verdict.QUARANTINE)
    counted = {
        (name, tuple(pairs.values())): int(point["asInt"])
        for name, pairs, point in _points(tmp_path)
        if "asInt" in point
    }
    assert counted == {
        ("spacex_elt.rows", ("launches", "gate", "accepted")): 202,
        ("spacex_elt.rows", ("launches", "gate", "quarantined")): 5,
        ("spacex_elt.violations", ("launches", "cores-core-required")): 5,
        ("spacex_elt.gate.verdicts", ("launches", "raw", "quarantine")): 1,
    }
    durations = [(pairs, point["count"]) for name, pairs, point in _points(tmp_path) if name.endswith("duration")]
    assert durations == [({"step": "gate", "outcome": "ok"}, "1")]


def test_counters_of_two_processes_add_up(tmp_path: Path) -> None:
    for rows in (3, 4):
        with _telemetry(tmp_path) as telemetry:
            telemetry.count_rows("launches", "gate", {"accepted": rows})
    assert sum(int(point["asInt"]) for _, _, point in _points(tmp_path)) == 7


def test_a_folder_that_cannot_be_written_is_logged_once_and_hides_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    in_the_way = tmp_path / "a-file"
    in_the_way.write_text("")
    with caplog.at_level(logging.WARNING), _telemetry(in_the_way / "folder") as telemetry:
        for name in ("gate", "load", "publish"):
            with telemetry.step(name):
                pass
    said = [record.getMessage() for record in caplog.records]
    assert len([message for message in said if "spans.jsonl" in message]) == 1
    assert len([message for message in said if "metrics.jsonl" in message]) == 1
    assert len(said) == 2


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs the device that is always full")
def test_a_full_disk_is_logged_once_and_leaves_the_steps_own_error_to_be_seen(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "spans.jsonl").symlink_to("/dev/full")
    with (
        caplog.at_level(logging.WARNING),
        pytest.raises(GateClosed),
        _telemetry(tmp_path) as telemetry,
        telemetry.run(),
        telemetry.step("gate"),
    ):
        raise GateClosed("launches is held")
    assert ["No space left" in record.getMessage() for record in caplog.records] == [True]
    assert list(_points(tmp_path))  # the counters lie on another file, and are written
