"""What the linter tells of contracts that can be read and cannot be meant."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from contracts import document
from contracts.read import FOLDER, read_contract
from contracts.semantics import doubts
from tests.contracts.every_kind import FILE
from tests.contracts.test_read import MOONS

DOUBTFUL: list[dict[str, Any]] = yaml.safe_load(
    Path(__file__).with_name("doubtful_contracts.yaml").read_text(encoding="utf-8")
)


def told(path: Path) -> list[document.Finding]:
    return document.locate(path, doubts(document.load(path), read_contract(path)))


@pytest.mark.parametrize("case", DOUBTFUL, ids=[case["name"] for case in DOUBTFUL])
def test_what_cannot_be_meant_is_told_with_file_line_and_key(case: dict[str, Any], tmp_path: Path) -> None:
    assert MOONS.count(case["replace"]) == 1
    path = tmp_path / "moons.odcs.yaml"
    path.write_text(MOONS.replace(case["replace"], case["by"]), encoding="utf-8")

    found = [(one.file, one.line, one.key) for one in told(path) if case["says"] in one.message]

    assert found == [(str(path), case["line"], case["key"])]


@pytest.mark.parametrize("file", [*sorted(FOLDER.glob("*.odcs.yaml")), FILE], ids=lambda file: file.name)
def test_a_contract_that_means_what_it_says_leaves_no_doubt(file: Path) -> None:
    assert told(file) == []


def test_a_bound_that_only_warns_of_what_its_column_cannot_hold_is_the_small_contracts_only_doubt(
    tmp_path: Path,
) -> None:
    path = tmp_path / "moons.odcs.yaml"
    path.write_text(MOONS, encoding="utf-8")
    (doubt,) = told(path)
    assert doubt.key == "schema[moons].properties[radius_km].logicalTypeOptions.minimum"
    assert doubt.message.startswith("only warns of what a column of type INTEGER cannot hold")

    for mended in (
        MOONS.replace("severity: warning, reason: A moon", "severity: error, reason: A moon"),
        MOONS.replace("INTEGER", "BIGINT"),
    ):
        path.write_text(mended, encoding="utf-8")
        assert told(path) == []
