"""`spacex-elt contracts diff` from outside."""

import json
import re
from pathlib import Path

import pytest

from contracts.read import FOLDER
from tests.spacex_elt.program import start

LAUNCHES = FOLDER / "launches.odcs.yaml"


def versioned(text: str, version: str) -> str:
    return re.sub(r"^version: .*$", f'version: "{version}"', text, flags=re.MULTILINE)


@pytest.fixture
def older(tmp_path: Path) -> Path:
    path = tmp_path / "older.odcs.yaml"
    path.write_text(versioned(LAUNCHES.read_text(encoding="utf-8"), "1.0.0"), encoding="utf-8")
    return path


@pytest.fixture
def newer(older: Path) -> Path:
    """With another enum, under the same version."""
    path = older.parent / "launches.odcs.yaml"
    text = older.read_text(encoding="utf-8")
    changed = text.replace("{value: half,", "{value: decade,")
    assert changed != text
    path.write_text(changed, encoding="utf-8")
    return path


def test_a_contract_is_as_it_is() -> None:
    done = start("contracts", "diff", str(LAUNCHES), str(LAUNCHES))
    assert (done.returncode, done.stderr) == (0, "")
    assert "1 contract is as at" in done.stdout


def test_a_breaking_change_under_the_same_version_ends_with_10_and_says_what_to_do(older: Path, newer: Path) -> None:
    done = start("contracts", "diff", str(older), str(newer))
    assert done.returncode == 10
    for words in (
        "expected version 2.0.0 (major) or later",
        "enum-changed:date_precision",
        'gained ["decade"], lost ["half"]',
        "consumers: read the new definition",
        "read by exposure data_docs, model fct_core_flights",
    ):
        assert words in done.stdout
    assert "launches: expected version 2.0.0" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_same_as_json_is_one_line(older: Path, newer: Path) -> None:
    done = start("contracts", "diff", str(older), str(newer), "--json")
    assert (done.returncode, done.stdout.count("\n")) == (10, 1)
    told = json.loads(done.stdout)
    [contract] = told["contracts"]
    [change] = [change for change in contract["changes"] if change["id"] == "enum-changed:date_precision"]
    assert (told["is_honoured"], contract["required_bump"], contract["actual_bump"]) == (False, "major", "none")
    assert (change["consumer"], change["producer"], change["is_refused"]) == ("breaking", "breaking", True)
    assert "model stg_spacex__launches" in change["affected"]


def test_an_exception_beside_the_newer_file_is_told(older: Path, newer: Path) -> None:
    newer.write_text(versioned(newer.read_text(encoding="utf-8"), "1.1.0"), encoding="utf-8")
    (newer.parent / "exceptions.yaml").write_text(
        "[{dataset: launches, change: 'enum-changed:date_precision', owner: me, reason: why, expires: 2999-01-01}]"
    )
    done = start("contracts", "diff", str(older), str(newer))
    assert done.returncode == 0
    assert "accepted enum-changed:date_precision: by me until 2999-01-01: why" in done.stdout


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        ([str(LAUNCHES)], 2, "compare either two files"),
        ([str(LAUNCHES), str(LAUNCHES), "--released"], 2, "compare either two files"),
        (["--released", "--against", "HEAD"], 2, "compare either two files"),
        (["--against", "no-such-tag"], 2, "no-such-tag"),
        ([str(LAUNCHES), "/nonexistent/moons.odcs.yaml"], 2, "/nonexistent/moons.odcs.yaml: no such file"),
        ([str(LAUNCHES), str(Path(__file__))], 10, "not YAML"),
    ],
)
def test_wrong_words_are_told_without_a_traceback(words: list[str], code: int, says: str) -> None:
    done = start("contracts", "diff", *words)
    assert (done.returncode, done.stdout) == (code, "")
    assert says in done.stderr
    assert "Traceback" not in done.stderr


def test_nothing_to_look_at_but_the_history_is_no_bug() -> None:
    done = start("contracts", "diff")
    assert done.returncode in (0, 10)
    assert "Traceback" not in done.stderr
    assert done.stdout
