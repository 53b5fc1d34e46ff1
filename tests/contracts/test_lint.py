import re
from pathlib import Path

import pytest

from contracts.errors import UsageError
from contracts.lint import lint
from contracts.read import FOLDER


def test_the_products_contracts_have_no_finding() -> None:
    assert lint([FOLDER]) == []


def test_a_breach_of_the_standard_is_found_by_both_readers_of_it(tmp_path: Path) -> None:
    text = (FOLDER / "cores.odcs.yaml").read_text(encoding="utf-8")
    wrong = tmp_path / "cores.odcs.yaml"
    wrong.write_text(text.replace("logicalType: array", "logicalType: list"), encoding="utf-8")
    line = 1 + next(index for index, content in enumerate(text.splitlines()) if "logicalType: array" in content)
    findings = [finding for finding in lint([wrong]) if finding.line == line]
    assert any(finding.message.startswith("odcslint: ") for finding in findings)
    assert any(finding.message.startswith("'list' is not one of") for finding in findings)
    assert {finding.file for finding in findings} == {str(wrong)}


def test_keys_out_of_the_standards_order_are_found(tmp_path: Path) -> None:
    text = (FOLDER / "cores.odcs.yaml").read_text(encoding="utf-8")
    wrong = tmp_path / "cores.odcs.yaml"
    wrong.write_text(text.replace("status: active\n", "", 1) + "status: active\n", encoding="utf-8")
    findings = lint([wrong])
    assert ["not in the standard's order" in finding.message for finding in findings] == [True]


def test_a_version_that_cannot_be_ordered_is_found(tmp_path: Path) -> None:
    text = (FOLDER / "cores.odcs.yaml").read_text(encoding="utf-8")
    wrong = tmp_path / "cores.odcs.yaml"
    wrong.write_text(re.sub("^version: .*$", 'version: "1.1"', text, flags=re.MULTILINE), encoding="utf-8")
    assert [finding.message[:19] for finding in lint([wrong])] == ["'1.1' is no version"]


def test_a_missing_file_is_a_finding(tmp_path: Path) -> None:
    findings = lint([tmp_path / "moons.odcs.yaml", FOLDER / "cores.odcs.yaml"])
    assert ["no such contract" in finding.message for finding in findings] == [True]


def test_nothing_to_lint_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="nothing to lint"):
        lint([tmp_path])


def test_words_still_to_be_written_are_found(tmp_path: Path) -> None:
    text = (FOLDER / "cores.odcs.yaml").read_text(encoding="utf-8")
    draft = tmp_path / "cores.odcs.yaml"
    draft.write_text(text.replace("purpose: ", "purpose: TODO - ", 1), encoding="utf-8")
    line = 1 + next(index for index, content in enumerate(text.splitlines()) if "purpose: " in content)
    assert [str(finding) for finding in lint([draft])] == [f"{draft}:{line}: description.purpose: still to be written"]
