"""The commands that keep things in order, typed as a scheduler does: one line of JSON each, and the right exit code."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from contracts.read import read_contracts
from loader.run_folder import recent_runs
from spacex_elt.wiring import open_pipeline
from tests.e2e.harness import MARTS, published_rows, request, rows, run_here
from validation.results import Verdict

pytestmark = [pytest.mark.stack, pytest.mark.timeout(600)]
PROGRAM = Path(sys.executable).with_name("spacex-elt")


def test_a_replay_goes_through_the_ordinary_steps_and_maintenance_leaves_it_alone(
    fresh: None, stack_environment: dict[str, str]
) -> None:
    def typed(*words: str, code: int = 0) -> dict[str, Any]:
        environment = {"PATH": "/usr/bin:/bin", "COLUMNS": "300", **stack_environment}
        done = subprocess.run([str(PROGRAM), *words], env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == code, done.stdout + done.stderr
        assert "Traceback" not in done.stderr
        return dict(json.loads(done.stdout)) if code == 0 else {"said": done.stderr}

    ran = run_here("snapshot", request("sample", "cores/wrong-type:1%", launches=40, datasets=MARTS))
    assert ran.verdict is Verdict.QUARANTINE
    before = published_rows("cores")

    said = typed("replay", "--run-id", "r", "--dataset", "cores", "--rule", "no-such-rule", code=2)["said"]
    assert "no-such-rule" in said
    told = typed("replay", "--run-id", "r", "--dataset", "cores", "--dry-run")
    assert told == {"run_id": "r", "dataset": "cores", "selected": 1, "containers": []}
    told = typed("replay", "--run-id", "r", "--dataset", "cores")
    assert (told["selected"], told["containers"]) == (1, [{"shards": ["cores-0"], "datasets": ["cores"]}])
    assert typed("gate", "--run-id", "r", "--shard", "cores-0")["shards"][0]["quarantined"] == 1
    (loaded,) = typed("load", "--run-id", "r", "--dataset", "cores")["datasets"]
    assert (loaded["verdict"], loaded["published"]["staged"], loaded["published"]["deleted"]) == ("quarantine", 0, 0)
    assert loaded["published"]["kept"] == loaded["published"]["live"] == len(before)
    assert typed("transform", "--run-id", "r")["verdict"] == "go"
    assert typed("publish", "--run-id", "r")["verdict"] == "quarantine"
    assert published_rows("cores") == before

    with open_pipeline("look") as pipeline:
        assert recent_runs(pipeline.lake, 1)[0].datasets[0].is_partial
        front = pipeline.docs.get("index.html").decode()
    assert f"1 of {len(before) + 1} cores set aside" in front
    assert "A replay of 1 quarantined record let 0 in and set 1 aside again" in front

    tables = len(read_contracts()) + 1  # and the ledger
    nothing = dict.fromkeys(("quarantine", "decisions", "landing", "accepted", "manifests", "replays", "runs"), 0)
    done = typed("maintain", "--run-id", "m")
    assert done == {
        **{"run_id": "m", "dry_run": False, "deleted": nothing, "in_use": 0},
        **{"staging_dropped": 0, "vacuumed": tables, "analyzed": tables},
    }
    assert typed("maintain", "--run-id", "m", "--dry-run") == {**done, "dry_run": True}
    assert rows("select count(*) from analytics.fct_launches") == [(40,)]
