"""`contracts infer` and `contracts shadow` from outside: what they say where, and how they end."""

import json
from pathlib import Path

import pytest

from contracts.read import FOLDER
from tests.spacex_elt.program import start
from tests.spacex_elt.test_cli import NOBODY

SHIPS = [{"id": f"{number:024x}", "name": f"Ship {number}", "crew": number} for number in range(30)]


def test_a_draft_goes_to_stdout_and_what_was_seen_to_stderr(tmp_path: Path) -> None:
    (tmp_path / "ships.json").write_text(json.dumps(SHIPS))
    done = start("contracts", "infer", str(tmp_path))
    assert done.returncode == 0
    assert done.stdout.startswith("# What a record of ships must be: a draft from 30 records.\nversion: 1.0.0\n")
    assert "ships: 30 records" in done.stderr
    assert "• key: id" in done.stderr

    draft = tmp_path / "ships.odcs.yaml"
    draft.write_text(done.stdout)
    linted = start("contracts", "lint", str(draft))
    assert linted.returncode == 10
    assert "schema[ships].properties[name].description: still to be written" in linted.stderr


def test_of_several_datasets_one_must_be_named(tmp_path: Path) -> None:
    for name in ("ships", "crew"):
        (tmp_path / f"{name}.json").write_text(json.dumps(SHIPS))
    done = start("contracts", "infer", str(tmp_path))
    assert (done.returncode, done.stdout) == (2, "")
    assert "holds crew, ships" in done.stderr


@pytest.mark.parametrize("source", ["nowhere", "s3://", "s3:///landing"])
def test_a_place_that_is_none_is_refused(source: str) -> None:
    done = start("contracts", "infer", source)
    assert (done.returncode, done.stdout) == (2, "")
    assert "Traceback" not in done.stderr


def test_a_bucket_that_is_away_is_no_bad_data() -> None:
    done = start("contracts", "infer", "s3://lake/landing/", env=NOBODY)
    assert (done.returncode, done.stdout) == (12, "")
    assert "Traceback" not in done.stderr


def test_what_holds_no_records_is_refused(tmp_path: Path) -> None:
    (tmp_path / "ships.json").write_text("[]")
    done = start("contracts", "infer", str(tmp_path))
    assert (done.returncode, done.stdout) == (2, "")
    assert "holds no records" in done.stderr


def test_a_candidate_that_is_no_contract_ends_with_10_before_anything_is_asked(tmp_path: Path) -> None:
    wrong = tmp_path / "cores.odcs.yaml"
    wrong.write_text("version: 1.0.0\n")
    assert start("contracts", "shadow", str(wrong)).returncode == 10
    assert start("contracts", "shadow", str(tmp_path / "moons.odcs.yaml")).returncode == 10


def test_without_a_lake_a_candidate_is_not_judged(tmp_path: Path) -> None:
    words = ("contracts", "shadow", str(FOLDER / "cores.odcs.yaml"))
    unset = start(*words)
    assert (unset.returncode, unset.stdout) == (2, "")
    assert "SPACEX_ELT_LAKE_BUCKET" in unset.stderr
    away = start(*words, env={**NOBODY, "SPACEX_ELT_WORK_DIR": str(tmp_path)})
    assert (away.returncode, away.stdout) == (12, "")
    assert "Traceback" not in away.stderr


def test_a_candidate_for_a_dataset_without_a_contract_is_refused(tmp_path: Path) -> None:
    text = (FOLDER / "cores.odcs.yaml").read_text(encoding="utf-8")
    (tmp_path / "moons.odcs.yaml").write_text(text.replace("name: cores", "name: moons").replace(
        "physicalName: cores", "physicalName: moons"))  # fmt: skip
    done = start("contracts", "shadow", str(tmp_path / "moons.odcs.yaml"), env=NOBODY)
    assert (done.returncode, done.stdout) == (2, "")
    assert "no contract of moons is in force" in done.stderr
