"""The how-to of the quarantine is typed here as it stands, with one hand's work between export and replay."""

import json
import shlex
import subprocess
from pathlib import Path
from typing import Any

import pytest

from local.stack import StackState
from spacex_elt.wiring import open_pipeline
from tests.docs.test_commands import PROGRAM, ROOT, told_commands
from tests.e2e.harness import environment, published_rows, wipe

pytestmark = [pytest.mark.stack, pytest.mark.timeout(600)]


def test_the_how_to_of_the_quarantine_is_true(stack: StackState, tmp_path: Path) -> None:
    told = told_commands((ROOT / "docs" / "how-to" / "work-the-quarantine.md").read_text())
    stats, listed, show, acknowledge, discard, dry, export, replay, again = told
    variables = {
        "SPACEX_ELT_ENV_FILE": str(stack.state_dir / "stack.env"),
        "SPACEX_ELT_WORK_DIR": str(tmp_path / "work"),
        "PATH": "/usr/bin:/bin",
        "COLUMNS": "200",
    }

    def typed(command: str, code: int = 0) -> str:
        words = [str(PROGRAM), *shlex.split(command)[1:]]
        done = subprocess.run(words, env=variables, capture_output=True, text=True, check=False, cwd=tmp_path)
        assert done.returncode == code, done.stdout + done.stderr
        assert "Traceback" not in done.stderr
        return done.stdout

    def as_json(command: str) -> Any:
        return json.loads(typed(f"{command} --json"))

    with environment({**stack.env, **variables}):
        with open_pipeline("how-to") as pipeline:
            wipe(pipeline)
        typed("spacex-elt run --fault cores/wrong-type:1%")
        before = published_rows("cores")

        (record,) = as_json(listed)
        assert (record["state"], record["first_rule"]) == ("new", "reuse_count-type")
        assert record["quarantine_id"] in typed(listed)
        assert "reuse_count-type" in typed(stats)
        (cores,) = as_json(f"{stats} --dataset cores")
        assert (cores["records"], cores["states"]["new"], cores["waiting_by_age"]["less than 1 day"]) == (1, 1, 1)
        assert "reuse_count" in typed(show)

        assert "1 record acknowledged" in typed(acknowledge)
        assert as_json(acknowledge)["left"] == {"acknowledged": 1}
        assert "no record of cores in quarantine is meant" in refused(variables, discard)
        assert as_json(dry)["selected"] == 1
        assert as_json(show)[0]["state"] == "acknowledged"

        typed(export)
        (line,) = (tmp_path / "rejected.jsonl").read_text().splitlines()
        row = json.loads(line)
        row["record"]["reuse_count"] = int(row["record"]["reuse_count"])
        (tmp_path / "rejected.jsonl").write_text(json.dumps(row) + "\n")
        assert f"replay of cores batch {record['batch_id']}" in typed(replay)
        assert len(published_rows("cores")) == len(before) + 1

        (shown,) = as_json(again)
        assert (shown["state"], [each["what"] for each in shown["decisions"]]) == (
            "replayed",
            ["acknowledged", "replay begun", "replay published"],
        )
        assert shown["decisions"][1]["edit"]["by"] == "ana"
        assert shown["replayed_by"] == shown["decisions"][2]["run_id"]
        assert "edited by ana: the source's own page says so" in typed(again)
        assert "waits for a replay: 1 replayed" in refused(variables, replay)
        with open_pipeline("look") as pipeline:
            wipe(pipeline)


def refused(variables: dict[str, str], command: str) -> str:
    words = [str(PROGRAM), *shlex.split(command)[1:]]
    work = Path(variables["SPACEX_ELT_WORK_DIR"]).parent
    done = subprocess.run(words, env=variables, capture_output=True, text=True, check=False, cwd=work)
    assert done.returncode == 2, done.stdout + done.stderr
    return done.stderr.replace("\n", " ")
