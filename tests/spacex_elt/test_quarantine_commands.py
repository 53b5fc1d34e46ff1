"""The commands that work on quarantine, from outside: what is refused before anything is asked, and how it is told."""

import io
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from contracts.model import Contract
from loader.decisions import Edit, ReplayBegun, ReplayedObject, ReplayEnded, State, Triage
from loader.queue import Queued, Stats
from loader.redaction import HIDDEN
from spacex_elt import queue_report
from tests.loader.quarantine import exported, set_aside
from tests.loader.rig import things
from tests.spacex_elt.program import start
from tests.spacex_elt.test_cli import NOBODY

WHO = ("--by", "ana", "--why", "because")
AT = datetime(2026, 4, 1, 12, tzinfo=UTC)

WORDS = (
    ("list",),
    ("stats",),
    ("show", "cores", "0a"),
    ("export", "--dataset", "cores", "--to", "-"),
    ("acknowledge", "--dataset", "cores", "--all", *WHO),
    ("discard", "--dataset", "cores", "0a", *WHO),
    ("replay", "--dataset", "cores"),
    ("replay", "--dataset", "cores", "--dry-run"),
)


@pytest.mark.parametrize("words", WORDS, ids=" ".join)
def test_with_nobody_there_each_command_says_so_and_ends_with_12(words: tuple[str, ...], tmp_path: Path) -> None:
    done = start("quarantine", *words, env={**NOBODY, "SPACEX_ELT_WORK_DIR": str(tmp_path)})
    assert (done.returncode, done.stdout) == (12, "")
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("list", "--dataset", "nothing"), "there is no dataset nothing"),
        (("list", "--state", "odd"), "no record can be 'odd'"),
        (("list", "--older-than", "soon"), "--older-than 'soon' is no length of time"),
        (("list", "--newer-than", "7d "), "is no length of time"),
        (("show", "nothing"), "there is no dataset nothing"),
        (("stats", "--dataset", "nothing"), "there is no dataset nothing"),
        (("export", "--dataset", "cores", "--to", "/nonexistent/rows.jsonl"), "cannot be written"),
        (("acknowledge", "--dataset", "cores", *WHO), "nothing says which records of cores are meant"),
        (("discard", "--dataset", "cores", *WHO), "nothing says which records of cores are meant"),
        (("discard", "--dataset", "cores", "--all", "--by", " ", "--why", "x"), "nobody, or no reason, is named"),
        (("discard", "--dataset", "nothing", "--all", *WHO), "there is no dataset nothing"),
        (("discard", "--dataset", "cores", "--all"), "--by"),
        (("replay", "--dataset", "cores", "--edited", "/nonexistent"), "cannot be read"),
        (("replay", "--dataset", "cores", "--edited", "/"), "cannot be read"),
        (("replay", "--dataset", "cores", "0a", "--edited", "x"), "Expected one of them"),
        (("replay", "--dataset", "nothing"), "there is no dataset nothing"),
        (("replay", "--dataset", "cores", "--run-id", "../x"), "is no run id"),
    ],
)
def test_words_that_mean_nothing_are_refused_before_anybody_is_asked(
    words: tuple[str, ...], told: str, tmp_path: Path
) -> None:
    done = start("quarantine", *words, env={**NOBODY, "SPACEX_ELT_WORK_DIR": str(tmp_path)})
    assert (done.returncode, done.stdout) == (2, "")
    assert told in done.stderr.replace("\n", " ")
    assert "Traceback" not in done.stderr


def test_a_file_of_edits_that_is_damaged_is_told_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_bytes(exported("a", {}, by="x", why="y") + b"\n{\n")
    done = start("quarantine", "replay", "--dataset", "cores", "--edited", str(path), env=NOBODY)
    assert done.returncode == 2
    assert "rows.jsonl line 2 cannot be taken" in done.stderr.replace("\n", "")


def queued(key: str | None = "a", state: State = State.NEW, attempts: int = 0, **more: Any) -> Queued:
    record = replace(set_aside(key), **more)
    return Queued(record, record, AT - timedelta(days=3), state, attempts, "run-9")


def restricted() -> Contract:
    """`things` whose key and text are not for everybody."""
    contract = things("things")
    hidden = tuple(
        replace(prop, classification="restricted") if prop.name in ("id", "text") else prop
        for prop in contract.properties
    )
    return replace(contract, properties=hidden, version="2.0.0")


def printed(show: Any, *words: Any) -> str:
    console = Console(file=io.StringIO(), width=160)
    show(console, *words)
    return console.file.getvalue()  # type: ignore[attr-defined, no-any-return]


def test_a_list_tells_of_each_record_and_how_many_are_not_shown() -> None:
    rows = [queue_report.listed(things(), queued(key, attempts=2), "run-1", AT) for key in "abc"]
    text = printed(queue_report.print_list, rows, 2)
    assert "a-aa" in text and "b-aa" in text and "c-aa" not in text
    assert "new (2 tried)" in text and "3 d" in text and "text-small" in text
    assert "3 records in quarantine, of which the first 2 are shown" in text
    assert printed(queue_report.print_list, [], 2) == "0 records in quarantine.\n"


TRAIL = (
    Triage(State.ACKNOWLEDGED, "ana", "ticket [red]7[/red]", AT, ("a-aa",)),
    ReplayBegun(
        *("run-9", "b9", "b0", "ben", "mended", AT),
        objects=(ReplayedObject("x", ("a-aa", "b-aa")),),
        edits=(Edit("a-aa", "1" * 64, "2" * 64, "cleo", "typo"), Edit("b-aa", "3" * 64, "4" * 64, "dan", "other")),
    ),
    ReplayEnded("run-9", "b9", AT, "published", "1 of 2 rejected again", ("b-aa",)),
)


def test_a_record_is_shown_with_where_it_stands_and_all_that_was_decided_about_it() -> None:
    whole = queue_report.whole(things(), queued("a", State.REPLAYED, 1), "run-1", TRAIL)
    assert (whole["state"], whole["replayed_by"], whole["run_id"], whole["raw_base64"]) == (
        *("replayed", "run-9", "run-1", None),
    )
    assert [each["what"] for each in whole["decisions"]] == ["acknowledged", "replay begun", "replay published"]
    assert whole["decisions"][1]["edit"]["by"] == "cleo"
    text = printed(queue_report.print_whole, "things", [whole], "1.0.0")
    assert "replayed by run run-9 after 1 replay in vain" in text
    assert "acknowledged by ana: ticket [red]7[/red]" in text
    assert "edited by cleo: typo; 11111111 -> 22222222" in text
    assert queue_report.told(TRAIL[2], "b-aa")["what"] == "rejected again"


def test_a_record_that_is_gone_leaves_what_was_decided() -> None:
    text = printed(queue_report.print_whole, "things", [queue_report.gone("things", "a-aa", TRAIL)], "1.0.0")
    assert "a-aa  is past its retention and gone" in text
    assert "acknowledged by ana" in text


def test_an_empty_quarantine_is_said_so() -> None:
    assert printed(queue_report.print_whole, "cores", [], "1.0.0") == "No run on record set rows of cores aside.\n"


def test_no_form_of_a_record_tells_a_value_that_is_not_public() -> None:
    contract, secret = restricted(), queued("secret-key")
    secret = replace(secret, record=replace(secret.record, quarantine_id="0a"))
    forms = [
        queue_report.listed(contract, secret, "", AT),
        queue_report.whole(contract, secret, "", ()),
        queue_report.exported(contract, secret, is_redacted=True),
    ]
    for form in forms:
        assert form["key"] == HIDDEN
        assert "secret-key" not in json.dumps(form)
        assert "BAD" not in json.dumps(form)  # the text, and a message that an older contract let tell it
    assert forms[2]["record"]["id"] == HIDDEN
    assert forms[2]["record"]["flag"] is None


def test_an_export_of_public_records_has_the_bytes_as_they_lay() -> None:
    row = queue_report.exported(things(), queued(), is_redacted=False)
    assert row["raw_base64"] == queued().record.raw_base64
    assert (row["record"]["id"], row["record"]["text"], row["is_redacted"]) == ("a", "BAD", False)
    broken = set_aside(None, raw=b"\xff")
    row = queue_report.exported(things(), queued(raw_base64=broken.raw_base64), is_redacted=False)
    assert (row["record"], row["raw_base64"]) == (None, "/w==")


def test_numbers_tell_what_retention_is_about_to_take() -> None:
    stats = Stats("things")
    for each in (queued("a"), queued("b", State.DISCARDED)):
        stats.add(each, AT, timedelta(days=5))
    text = printed(queue_report.print_stats, [stats, Stats("nothing")])
    assert "things: 2 records" in text and "text-small" in text
    assert "expiring   2 records within 7 days, the first at 2026-04-03 12:00 UTC" in text
    assert "waiting    1 for 1 to 7 days" in text
    assert "nothing: nothing in quarantine." in text
    told = queue_report.counted_as_json(stats)
    assert (told["records"], told["states"]["discarded"], told["expiring_within_7_days"]) == (2, 1, 2)
    assert told["rules"]["text-small"]["new"] == 1
