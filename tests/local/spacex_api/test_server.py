"""Holds the served API to its source: recorded answers byte for byte, faults told, trouble on request."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import requests

from local.spacex_api.rates import FaultRefused
from local.spacex_api.server import SpacexApi
from local.spacex_api.source import Replay, Sample, spoil
from tests.extraction.recordings import COLLECTIONS, snapshot

ROOT = Path(__file__).parents[3]


def get(api: SpacexApi, path: str) -> requests.Response:
    return requests.get(f"http://127.0.0.1:{api.port}{path}", timeout=10)


def test_recorded_answers_are_served_byte_for_byte() -> None:
    folder = snapshot()
    with SpacexApi(spoil(Replay(folder), (), seed=0)) as api:
        for name in COLLECTIONS:
            answer = get(api, f"/v4/{name}")
            assert answer.status_code == 200
            assert answer.content == (folder / f"{name}.json").read_bytes()
            assert answer.headers["Content-Type"] == "application/json; charset=utf-8"


def test_a_trailing_slash_changes_nothing() -> None:
    with SpacexApi(spoil(Sample(5, 1), (), seed=1)) as api:
        assert get(api, "/v4/launches/").content == get(api, "/v4/launches").content


@pytest.mark.parametrize("path", ["/v4/fairings", "/v4/../README", "/v4/", "/", "/v4/launches/latest"])
def test_what_is_not_there_is_answered_as_the_api_does(path: str) -> None:
    with SpacexApi(spoil(Sample(5, 1), (), seed=1)) as api:
        answer = get(api, path)
    assert (answer.status_code, answer.text) == (404, "Not Found")


def test_a_folder_without_answers_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"holds no recorded answers.*launches\.json"):
        Replay(tmp_path)


def test_faults_are_done_to_recorded_answers_as_well_and_leave_the_others_alone() -> None:
    folder = snapshot()
    with SpacexApi(spoil(Replay(folder), ["cores/missing-field:5%"], seed=1)) as api:
        told = get(api, "/_faults").json()
        assert len(told) == 4
        assert len(get(api, "/v4/cores").json()) == 72
        assert get(api, "/v4/launches").content == (folder / "launches.json").read_bytes()


def test_the_faults_done_are_told() -> None:
    with SpacexApi(spoil(Sample(40, 1), ["wrong-type:5%"], seed=1)) as api:
        told = get(api, "/_faults").json()
        launches = {launch["id"]: launch for launch in get(api, "/v4/launches").json()}
    assert len(told) == 2
    for fault in told:
        assert set(fault) == {"dataset", "record_id", "fault", "path", "rule_id"}
        assert fault["record_id"] in launches


def test_a_fault_of_a_dataset_the_source_does_not_have_is_refused() -> None:
    with pytest.raises(FaultRefused, match=r"no fairings\. It has: capsules"):
        spoil(Sample(5, 1), ["fairings/wrong-type:1%"], seed=1)
    with pytest.raises(FaultRefused, match="payloads cannot have the fault bad-enum"):
        spoil(Sample(5, 1), ["payloads/bad-enum:1%"], seed=1)


def test_service_faults_break_their_collection_only() -> None:
    wanted = ["server-error", "cores/not-json", "payloads/truncated-answer", "rockets/unavailable-once"]
    with SpacexApi(spoil(Sample(40, 1), wanted, seed=1)) as api:
        assert get(api, "/v4/launches").status_code == 500
        assert get(api, "/v4/cores").headers["Content-Type"].startswith("text/html")
        with pytest.raises(ValueError, match=r"Unterminated|Expecting"):
            json.loads(get(api, "/v4/payloads").text)
        assert [get(api, "/v4/rockets").status_code for _ in range(2)] == [503, 200]
        assert get(api, "/v4/launchpads").status_code == 200


def start(*arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "local.spacex_api", *arguments]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_the_program_says_where_it_listens_and_ends_when_told() -> None:
    with start("--launches", "12", "--seed", "5", "--fault", "wrong-type:10%") as process:
        assert process.stdout is not None
        told = json.loads(process.stdout.readline())
        assert told["source"] == "sample: a simulated history of 12 launches (seed 5)"
        assert told["fault_count"] == 1
        assert len(requests.get(f"{told['url']}/launches", timeout=10).json()) == 12
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=10) == 0


def test_the_program_refuses_what_it_does_not_know() -> None:
    with start("--fault", "moths:1%") as process:
        _, told = process.communicate(timeout=20)
        assert process.returncode == 2
    assert "no fault 'moths'" in told


def test_the_program_ends_with_the_one_that_started_it() -> None:
    starter = (
        "import subprocess, sys; "
        "child = subprocess.Popen([sys.executable, '-m', 'local.spacex_api', '--die-with-parent'], "
        "stdout=subprocess.PIPE, text=True); "
        "child.stdout.readline(); print(child.pid, flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", starter], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        parent.kill()
    for _ in range(100):
        try:
            os.kill(child, 0)
        except ProcessLookupError:
            return
        # Whoever inherits the child may not reap it: a process that has ended is as good as gone.
        if "Z" in Path(f"/proc/{child}/stat").read_text().rsplit(")", 1)[1].split()[0]:
            return
        time.sleep(0.05)
    raise AssertionError("the stand-in outlived the process that started it")
