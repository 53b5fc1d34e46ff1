"""The data dictionary: what it tells, and that the checked-in copy is what derives today."""

from dataclasses import replace
from pathlib import Path

import pytest

from contracts.derive import dictionary
from contracts.read import FOLDER, read_contracts
from tests.browser import find_browser, look_at
from tests.contracts.every_kind import EVERY_KIND

ROOT = FOLDER.parent


def test_the_checked_in_dictionary_follows_from_the_contracts() -> None:
    checked_in = (ROOT / dictionary.MARKDOWN_FILE).read_text(encoding="utf-8")
    assert checked_in == dictionary.markdown(read_contracts().values()), "stale: run `python -m contracts.derive`"


def rows_of(markdown: str) -> list[str]:
    return [line for line in markdown.splitlines() if line.startswith("| `")]


def test_each_column_and_each_rule_worth_telling_is_one_line_of_a_table() -> None:
    lines = rows_of(dictionary.markdown([EVERY_KIND]))

    assert (
        "| `legs[].crew[]` | string | always there |  |  | `Bob` |" in lines
        and "| `seats` | integer, `smallint` | may be null |  | How many may fly. Null means unknown. | `4` |" in lines
    )
    assert (
        "| `note` (internal) | string, `varchar(24)` | may be null |  | What people wrote. Null means nothing. |  |"
        in (lines)
    )
    assert (
        "| `landed-at-most-tried` | legs\\[\\].landed is at most legs\\[\\].tried. Landing is no accident. | error |"
        in lines
    )
    assert {line.count(" | ") for line in lines} == {2, 5}


@pytest.mark.parametrize(
    "words", ["a | b", "<script>alert(1)</script>", "[a](http://b)", "two\nlines", "*bold* `code`"]
)
def test_words_of_a_contract_cannot_become_markup(words: str) -> None:
    odd = replace(
        EVERY_KIND,
        purpose=words,
        properties=tuple(replace(prop, description=words, example=words) for prop in EVERY_KIND.properties),
    )

    rows = [line for line in rows_of(dictionary.markdown([odd])) if line.startswith("| `seats`")]
    assert len(rows) == 1
    assert rows[0].replace("\\|", "").count("|") == 7
    assert "<script>" not in dictionary.html([odd])


def test_the_page_loads_nothing_and_runs_nothing() -> None:
    page = dictionary.html(read_contracts().values())

    assert "<script" not in page
    assert "@import" not in page
    assert 'src="' not in page
    assert "<link" not in page
    assert page.count("<article") == len(read_contracts())
    assert "contracts/launches.odcs.yaml" in page


def test_an_example_that_is_not_public_is_in_no_dictionary() -> None:
    assert "all well" not in dictionary.html([EVERY_KIND])
    assert "all well" not in dictionary.markdown([EVERY_KIND])


def test_equal_contracts_give_equal_bytes() -> None:
    assert dictionary.html([EVERY_KIND]) == dictionary.html([EVERY_KIND])


@pytest.mark.skipif(find_browser() is None, reason="there is no Chromium to look with")
def test_the_page_is_what_people_see(tmp_path: Path) -> None:
    page = tmp_path / "dictionary.html"
    page.write_text(dictionary.html([EVERY_KIND, *read_contracts().values()]), encoding="utf-8")

    seen = look_at(page.as_uri(), tmp_path / "dictionary.png")

    assert "What the tables mean" in seen
    assert seen.count('class="card"') == 1 + len(read_contracts())
    assert (tmp_path / "dictionary.png").stat().st_size > 10_000
