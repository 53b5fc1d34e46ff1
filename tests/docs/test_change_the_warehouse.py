"""The how-to of the warehouse is typed here as it stands, before and after a contract grew."""

import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from local.stack import StackState
from spacex_elt.wiring import open_pipeline
from tests.docs.test_change_a_contract import START
from tests.docs.test_commands import ROOT, told_commands
from tests.e2e.harness import environment, wipe

pytestmark = [pytest.mark.stack, pytest.mark.timeout(600)]


def test_the_how_to_of_the_warehouse_is_true(stack: StackState, tmp_path: Path) -> None:
    told = told_commands((ROOT / "docs" / "how-to" / "change-the-warehouse.md").read_text())
    plan, apply, rebuild, up_to, swap = told
    for folder in ("contracts", "spacex_elt", "dbt"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__"))
    contract = tmp_path / "contracts" / "cores.odcs.yaml"
    variables = {
        "SPACEX_ELT_ENV_FILE": str(stack.state_dir / "stack.env"),
        "SPACEX_ELT_WORK_DIR": str(tmp_path / "work"),
        "PATH": os.environ["PATH"],
        "PYTHONDONTWRITEBYTECODE": "1",
        "COLUMNS": "200",
    }

    def typed(command: str, code: int = 0) -> str:
        words = [sys.executable, "-c", START, *shlex.split(command)[1:]]
        done = subprocess.run(words, env=variables, capture_output=True, text=True, check=False, cwd=tmp_path)
        assert done.returncode == code, done.stdout + done.stderr
        assert "Traceback" not in done.stderr
        return done.stdout + done.stderr

    def edit(old: str, new: str) -> None:
        text = contract.read_text(encoding="utf-8")
        assert old in text
        contract.write_text(text.replace(old, new), encoding="utf-8")

    with environment({**stack.env, "SPACEX_ELT_ENV_FILE": variables["SPACEX_ELT_ENV_FILE"]}):
        with open_pipeline("how-to") as pipeline:
            wipe(pipeline)
        typed("spacex-elt run --run-id first --launches 60")
        assert "comment on table raw_spacex.launches" in typed(plan)
        typed(apply)
        assert "The warehouse is what the contracts say." in typed(plan)
        assert "equal" in typed(rebuild)

        edit("physicalType: VARCHAR(2048)", "physicalType: VARCHAR(4096)")
        assert "the warehouse is behind contract" in typed("spacex-elt run --run-id second --dataset cores", code=2)
        shown = typed(plan)
        assert 'alter table raw_spacex.cores alter column "last_update" type varchar(4096)' in shown
        assert "gone until the next `spacex-elt transform`" in shown
        typed(apply)
        assert "The warehouse is what the contracts say." in typed(plan)
        assert "launches rebuilt from 1 batch, up to run first" in typed(up_to.replace("RUN_ID", "first"))
        assert "serves as launches now" in typed(swap)
        edit("physicalType: VARCHAR(4096)", "physicalType: VARCHAR(16)")
        assert "VARCHAR(16) would hold less. Keep VARCHAR(4096) in the contract" in typed(plan, code=10)
        with open_pipeline("look") as pipeline:
            wipe(pipeline)
