"""The file of accepted changes: what it may say, and what lint finds in it."""

from datetime import date
from pathlib import Path

import pytest

from contracts.document import ProblemsFound
from contracts.evolution.exceptions import lint_exceptions, read_exceptions
from contracts.lint import lint
from contracts.read import FOLDER

GOOD = """\
- dataset: launches
  change: pattern-changed:rocket
  owner: somebody@example.com
  reason: They were asked.
  expires: 2026-03-31
"""
TODAY = date(2026, 3, 31)


def told(folder: Path, text: str, today: date = TODAY) -> list[str]:
    (folder / "exceptions.yaml").write_text(text, encoding="utf-8")
    return [f"{finding.line} {finding.message}" for finding in lint_exceptions(folder, today)]


def test_the_products_exceptions_are_readable() -> None:
    read_exceptions(FOLDER / "exceptions.yaml")


def test_no_file_and_an_empty_list_hold_no_exception(tmp_path: Path) -> None:
    assert read_exceptions(tmp_path / "exceptions.yaml") == ()
    assert told(tmp_path, "[]\n") == []


def test_an_exception_holds_to_the_end_of_its_day(tmp_path: Path) -> None:
    assert told(tmp_path, GOOD) == []
    late = told(tmp_path, GOOD, date(2026, 4, 1))
    assert late == ["5 expired: renew it with a reason, or undo pattern-changed:rocket of launches"]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("launches: none\n", "1 expected a list of {dataset, change, owner, reason, expires}"),
        (GOOD.replace("  owner: somebody@example.com\n", ""), "1 expected a list of"),
        (GOOD + "  ticket: 7\n", "1 expected a list of"),
        ("- launches\n", "1 expected a list of"),
        (GOOD.replace("They were asked.", "' '"), "4 empty: somebody must answer for the exception"),
        (GOOD.replace("2026-03-31", "soon"), "5 'soon' is no day; expected yyyy-mm-dd"),
        (GOOD.replace("2026-03-31", "20260331"), "5 20260331 is no day; expected yyyy-mm-dd"),
        (GOOD.replace("pattern-changed", "pattern-broke"), "2 no change is called 'pattern-broke:rocket'"),
        (GOOD.replace("pattern-changed:rocket", "7"), "2 no change is called 7"),
        (GOOD + GOOD, "7 accepted twice"),
        (GOOD + "  owner: twice\n", "6 the key 'owner' is written twice"),
        ("- [\n", "2 not YAML"),
    ],
)
def test_a_wrong_exception_is_found_where_it_stands(tmp_path: Path, text: str, says: str) -> None:
    found = told(tmp_path, text)
    assert len(found) == 1
    assert found[0].startswith(says)
    with pytest.raises(ProblemsFound):
        read_exceptions(tmp_path / "exceptions.yaml")


def test_lint_looks_at_the_exceptions_beside_a_contract(tmp_path: Path) -> None:
    text = (FOLDER / "cores.odcs.yaml").read_text(encoding="utf-8")
    (tmp_path / "cores.odcs.yaml").write_text(text, encoding="utf-8")
    (tmp_path / "exceptions.yaml").write_text(GOOD.replace("2026-03-31", "2020-03-31"), encoding="utf-8")
    assert [finding.message[:7] for finding in lint([tmp_path])] == ["expired"]
