import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from html.parser import HTMLParser
from posixpath import dirname, join, normpath
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest

from contracts.comparisons import Reference
from contracts.model import Contract, LogicalType, RuleKind, Scope, Severity
from contracts.rules import Note, set_rule
from observability.incidents import Incident, IncidentState
from observability.run_record import Balance, ModelRecord, NotLoaded, RunRecord, TransformRecord
from observability.site import render_site
from tests.observability.hand_made import NOW, contract, dataset_record, prop, rule, run_record, transform_record
from validation.results import CheckResult, Verdict

CONTRACTS = {name: contract(name) for name in ("launches", "cores", "rockets")}
SECRET = "s3cret-c0de"
HOSTILE = "<script>alert(1)</script>\"'><img src=//evil.example onerror=x>"

GOOD = run_record(
    "run-1", [dataset_record("launches")], finished_at=NOW - timedelta(days=1), transform=transform_record()
)
HELD = run_record(
    "run-2",
    [
        dataset_record("launches", rejected=21, verdict=Verdict.NO_GO),
        dataset_record("cores", lines=83, rejected=2, verdict=Verdict.QUARANTINE),
    ],
    verdict=Verdict.NO_GO,
    incident_ids=["f1"],
)
INCIDENT = Incident(
    fingerprint="f1",
    environment="laptop",
    dataset="launches",
    gate="raw",
    rule_id="reject-limit",
    state=IncidentState.OPEN,
    opened_at=NOW - timedelta(hours=5),
    last_seen_at=NOW,
    resolved_at=None,
    run_ids=("a run too old to have a page", "run-2"),
    occurrences=2,
    owner="launch-data@example.org",
    headline="launches is held: 21 of 205 records rejected",
)
VOID = {"meta", "link", "img", "br", "hr", "input", "rect", "path"}
LOADING = {"src", "srcset", "poster", "data", "background", "action", "formaction", "xlink:href", "style"}


class _Page(HTMLParser):
    """What a page links to, loads and says; and whether its tags match."""

    def __init__(self, body: bytes) -> None:
        super().__init__()
        self.links: list[str] = []
        self.loads: list[str] = []
        self.ids: list[str] = []
        self.tags: list[str] = []
        self.text = ""
        self._open: list[str] = []
        self.feed(body.decode())
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        if tag not in VOID:
            self._open.append(tag)
        for name, value in attrs:
            assert not name.startswith("on"), f"{tag} has an event handler"
            if name == "id":
                self.ids.append(value or "")
            elif name == "href" and tag == "a":
                self.links.append(value or "")
            elif name in LOADING or name == "href":
                self.loads.append(value or "")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data

    @property
    def words(self) -> str:
        return " ".join(self.text.split())


def _site(runs: Sequence[RunRecord] = (HELD, GOOD), **more: Contract) -> Mapping[str, bytes]:
    return render_site({**CONTRACTS, **more}, runs, [INCIDENT], NOW)


def _pages(site: Mapping[str, bytes]) -> dict[str, _Page]:
    pages = {path: _Page(body) for path, body in site.items() if path.endswith(".html")}
    assert len(pages) > 4
    return pages


def _inside(pages: Mapping[str, _Page]) -> Iterator[tuple[str, str, str]]:
    """Each link or load that stays in the site: the page it is on, the path it leads to, the fragment."""
    for path, page in pages.items():
        for target in (*page.links, *page.loads):
            parts = urlsplit(target)
            if not parts.scheme and not parts.netloc:
                there = normpath(join(dirname(path), unquote(parts.path))) if parts.path else path
                yield path, there, parts.fragment


def test_there_is_a_page_for_each_dataset_and_run_and_one_that_explains() -> None:
    assert set(_site()) == {
        "index.html",
        "reading.html",
        "style.css",
        "favicon.svg",
        "datasets/cores.html",
        "datasets/launches.html",
        "datasets/rockets.html",
        "runs/index.html",
        "runs/run-1.html",
        "runs/run-2.html",
    }


@pytest.mark.parametrize("runs", [(), (GOOD,), (HELD, GOOD)], ids=["no run", "one run", "two runs"])
def test_every_link_inside_the_site_leads_somewhere(runs: Sequence[RunRecord]) -> None:
    site = _site(runs)
    pages = _pages(site)
    links = list(_inside(pages))
    assert len(links) > 20
    for path, there, fragment in links:
        assert there in site, f"{path} links to {there}"
        assert not fragment or fragment in pages[there].ids, f"{path} links to {there}#{fragment}"


def test_ids_are_unique_on_each_page() -> None:
    for page in _pages(_site()).values():
        assert len(page.ids) == len(set(page.ids))


def test_nothing_is_loaded_from_elsewhere_and_nothing_runs() -> None:
    site = _site()
    for page in _pages(site).values():
        assert not {"script", "iframe", "object", "embed", "form", "style"} & set(page.tags)
        assert page.loads
        assert all(not urlsplit(load).scheme and not load.startswith("//") for load in page.loads)
    assert b"url(" not in site["style.css"]
    assert b"@import" not in site["style.css"]


def test_links_out_of_the_site_only_open_pages_or_letters() -> None:
    trap = contract("launches", support_url="javascript:alert(1)")
    for page in _pages(_site(launches=trap)).values():
        assert {urlsplit(link).scheme for link in page.links} <= {"", "https", "mailto"}


def test_hostile_text_is_shown_as_text_everywhere() -> None:
    hostile = contract(
        "launches",
        description=HOSTILE,
        purpose=HOSTILE,
        owner=HOSTILE,
        support_url=HOSTILE,
        properties=(prop("id", primary_key=True, description=HOSTILE, example=HOSTILE, unit=HOSTILE),),
        rules=(rule("id-required", "id", RuleKind.REQUIRED, description=HOSTILE),),
    )
    record = dataset_record("launches", rejected=1, verdict=Verdict.QUARANTINE, first_rejection=HOSTILE)
    run = run_record("run-1", [replace(record, reason=HOSTILE)], source=HOSTILE, transform=transform_record())
    incident = replace(INCIDENT, headline=HOSTILE, owner=HOSTILE, run_ids=(HOSTILE,))
    site = render_site({"launches": hostile}, [run], [incident], NOW)
    for path, page in _pages(site).items():
        assert not {"script", "img"} & set(page.tags), path
    assert HOSTILE in _Page(site["datasets/launches.html"]).text
    assert HOSTILE in _Page(site["index.html"]).text
    assert HOSTILE in _Page(site["runs/run-1.html"]).text


def test_a_strange_run_id_still_has_a_page_that_links_find() -> None:
    strange = run_record('2026/11 "a" & <b>?#', [dataset_record("launches")])
    site = _site([strange])
    assert all(there in site for _, there, _ in _inside(_pages(site)))


@pytest.mark.parametrize("classification", ["restricted", "internal"])
def test_values_of_what_is_not_public_never_appear(classification: str) -> None:
    child = prop("code", path="pilot.code", example=SECRET)  # public itself, but within what is not
    pilot = prop("pilot", LogicalType.OBJECT, example=SECRET, classification=classification, children=(child,))
    secret_rules = (
        rule("pilot-code-enum", "pilot.code", RuleKind.ENUM, (SECRET,), description=f"one of {SECRET}"),
        rule("pilot-unique", "pilot", RuleKind.UNIQUE, scope=Scope.SET),
    )
    known = contract("launches")
    closed = replace(known, properties=(*known.properties, pilot), rules=(*known.rules, *secret_rules))
    told = CheckResult("pilot-unique", False, Severity.ERROR, f"two records share {SECRET}", f"not {SECRET}")
    record = dataset_record("launches")
    assert record.load_gate is not None
    gates = replace(record.raw_gate, set_checks=(told,)), replace(record.load_gate, checks=(told,))
    site = _site([run_record("run-1", [replace(record, raw_gate=gates[0], load_gate=gates[1])])], launches=closed)
    assert not [path for path, body in site.items() if SECRET.encode() in body]
    assert f"{classification}: not shown" in _Page(site["datasets/launches.html"]).words


def test_public_examples_are_shown() -> None:
    assert "5eb87cd9ffd86e000604b32a" in _Page(_site()["datasets/launches.html"]).words


def test_the_front_page_says_what_is_held_and_that_good_data_is_still_served() -> None:
    words = _Page(_site()["index.html"]).words
    assert "Launches is held; the last good version is served." in words
    assert "21 of 205 records rejected 3 minutes ago. The good data of yesterday is still served." in words
    assert "2 of 83 cores set aside 3 minutes ago; the other 81 are served." in words
    assert "launches is held: 21 of 205 records rejected" in words
    assert "sample (seed 42, 205 launches)" in words


def test_a_dataset_that_no_run_took_up_says_so() -> None:
    site = _site()
    assert "No run has taken this dataset up yet." in _Page(site["datasets/rockets.html"]).words
    assert "No run yet" in _Page(site["index.html"]).words


ASIDE = run_record(
    "run-1",
    [dataset_record("cores", lines=83, rejected=3, verdict=Verdict.QUARANTINE)],
    finished_at=NOW - timedelta(hours=2),
    verdict=Verdict.QUARANTINE,
)


def _replay(**more: Any) -> RunRecord:
    record = replace(dataset_record("cores", lines=3, rejected=1, verdict=Verdict.QUARANTINE), is_partial=True, **more)
    return run_record("replay-1", [record], verdict=record.verdict, source="replay of cores batch b1")


def test_a_replay_is_no_snapshot_and_the_dataset_does_not_shrink_to_it() -> None:
    site = _site([_replay(), ASIDE])
    front, dataset, run = (_Page(site[f"{page}.html"]).words for page in ("index", "datasets/cores", "runs/replay-1"))
    assert "3 of 83 cores set aside 2 hours ago; the other 80 are served." in front
    assert "A replay of 3 quarantined records let 2 in and set 1 aside again, 3 minutes ago." in front
    assert "finished 3 minutes ago (22 Nov 2026, 11:57 UTC): cores: A replay of 3 quarantined records let 2 in" in front
    assert "met by all 83" in dataset
    assert "met by all 3 " not in dataset
    assert "replay-1 replay" in dataset
    assert "Last good load 22 Nov 2026, 10:00 UTC" in front
    assert "it says nothing of the other rows, and deletes none" in run
    assert "it says nothing of the other rows" not in _Page(site["runs/run-1.html"]).words


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({"verdict": Verdict.NO_GO}, "A replay of 3 quarantined records was held, and changed nothing"),
        ({"was_superseded": True}, "came after a later snapshot, and changed nothing"),
        ({"was_already_published": True}, "had been done before, and changed nothing"),
        ({"balances": (Balance("a = b", 1, 2),)}, "was published, but the counts disagree: a = b"),
    ],
)
def test_whatever_came_of_a_replay_is_told(more: dict[str, Any], told: str) -> None:
    words = _Page(_site([_replay(**more), ASIDE])["index.html"]).words
    assert told in words
    is_off = "balances" in more
    assert ("Cores is published, but rows do not add up" in words) == is_off
    assert ("cores is held" in words.lower()) is False


def test_a_dataset_of_which_only_replays_are_on_record_claims_nothing() -> None:
    assert "No run has taken this dataset up yet." in _Page(_site([_replay()])["datasets/cores.html"]).words


def test_a_site_without_any_run_explains_how_to_start_one() -> None:
    words = _Page(render_site(CONTRACTS, [], [], NOW)["index.html"]).words
    assert "Nothing has run yet" in words
    assert "spacex-elt run" in words


def test_healthy_data_is_told_with_its_count_and_age() -> None:
    run = run_record("run-1", [dataset_record(name) for name in CONTRACTS], transform=transform_record())
    words = _Page(render_site(CONTRACTS, [run], [], NOW)["index.html"]).words
    assert "All 3 datasets are healthy." in words
    assert "205 launches, all accepted, 3 minutes ago." in words
    assert "None. Every gate that ran last let its data pass." in words


def test_data_older_than_promised_is_late_even_when_it_was_good() -> None:
    run = run_record("run-1", [dataset_record("launches")], finished_at=NOW - timedelta(hours=30))
    words = _Page(_site([run])["index.html"]).words
    assert "Launches is late." in words
    assert "promised every 24 hours: missed" in words


def test_a_count_that_does_not_hold_is_seen_before_anything_else() -> None:
    record = replace(dataset_record("launches"), balances=(Balance("manifest = copied", 205, None),))
    site = _site([run_record("run-1", [record])])
    assert "Launches is published, but rows do not add up." in _Page(site["index.html"]).words
    run_page = _Page(site["runs/run-1.html"]).words
    assert "manifest = copied 205 ≠ not counted does not hold" in run_page
    assert "no: 1 of 1 fail" in run_page


def test_the_dataset_page_tells_each_rule_with_its_reason_and_last_result() -> None:
    words = _Page(_site()["datasets/launches.html"]).words
    assert "name-required Why name-required matters. error Broken broken by 21 records" in words
    assert "mass_kg-minimum Why mass_kg-minimum matters. warning Met met by all 205" in words
    assert "spacex-elt quarantine show launches" in words


@pytest.mark.parametrize(
    ("status", "told"),
    [("pass", "Met met"), ("warn", "broken by 4 rows"), ("fail", "broken by 4 rows"), ("skipped", "not judged yet")],
)
def test_a_rule_that_only_dbt_enforces_is_told_with_what_dbt_found(status: str, told: str) -> None:
    contract = CONTRACTS["launches"]
    rule = set_rule("name", RuleKind.REFERENCE, Reference("rockets", "id"), Note(reason="Rockets fly."))
    test = ModelRecord(
        "references_name", "test", status, 0.1, 0 if status == "pass" else 4, None, "launches", rule.rule_id
    )
    transform = TransformRecord(Verdict.GO, "well", {status: 1}, (test,))
    run = run_record("run-9", [dataset_record("launches")], transform=transform)

    site = _site([run], launches=replace(contract, rules=(*contract.rules, rule)))

    words = _Page(site["datasets/launches.html"]).words
    severity = "error"
    assert f"name-reference name is the id of a record of rockets. Rockets fly. {severity}" in words
    after = words.partition("name-reference name is the id")[2][:140]
    assert told in after


def test_the_run_page_draws_each_step_and_lists_every_dbt_node() -> None:
    page = _Page(_site([GOOD])["runs/run-1.html"])
    assert "gate launches 2.00 s" in page.words
    assert "unique_fct_launches_launch_id test pass" in page.words
    assert page.tags.count("rect") > 10


def test_the_same_input_gives_the_same_bytes() -> None:
    assert _site() == _site()


def _colours(css: str) -> dict[str, str]:
    return dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6})", css))


def _luminance(colour: str) -> float:
    channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [each / 12.92 if each <= 0.04045 else ((each + 0.055) / 1.055) ** 2.4 for each in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(
    ("text", "ground"),
    [(text, ground) for text in ("text", "muted", "link") for ground in ("ground", "surface", "soft")]
    + [(state, f"{state}-soft") for state in ("good", "aside", "held", "unknown")]
    + [("held", "surface"), ("held", "soft"), ("top-text", "top"), ("top-muted", "top")],
)
def test_text_stands_out_from_its_ground(scheme: str, text: str, ground: str) -> None:
    css = _site()["style.css"].decode()
    light, dark = css.split("@media (prefers-color-scheme: dark)")
    colours = _colours(light) if scheme == "light" else {**_colours(light), **_colours(dark)}
    brighter, darker = sorted((_luminance(colours[text]), _luminance(colours[ground])), reverse=True)
    assert (brighter + 0.05) / (darker + 0.05) >= 4.5


MISSED = NotLoaded(
    "launches", "batch-launches", 205, "Not loaded: the load step did not come to its end. <b>Served.</b>"
)


def test_a_dataset_that_was_not_loaded_is_told_on_the_front_its_own_and_the_runs_page() -> None:
    unfinished = replace(run_record("run-3", [dataset_record("cores")]), not_loaded=(MISSED,))
    pages = _pages(_site([unfinished, GOOD]))

    front = pages["index.html"].words
    assert "Launches is extracted and not loaded; the last good version is served." in front
    assert "205 launches extracted by run run-3, 3 minutes ago. Not loaded: the load step" in front
    assert "Not finished" in front
    page = pages["runs/run-3.html"].words
    assert "launches extracted and not loaded, the last good version is served; dbt did not run" in page
    assert "the load step did not come to its end. <b>Served.</b>" in page
    assert "not verified" in page
    assert "launches 205 ––––––––not verified" in page
    assert "Not loaded: the load step" in pages["datasets/launches.html"].words


def test_a_dataset_that_a_later_run_loaded_is_healthy_again() -> None:
    unfinished = replace(run_record("run-3", []), not_loaded=(MISSED,))
    later = run_record("run-4", [dataset_record("launches")], transform=transform_record())
    front = _pages(_site([later, unfinished]))["index.html"].words
    assert "Not loaded" not in front
    assert "extracted by run" not in front


def test_marts_that_were_not_built_are_told() -> None:
    pages = _pages(_site([run_record("run-3", [dataset_record("launches")]), GOOD]))
    assert "The raw data is published, but dbt did not run; the marts are older." in pages["index.html"].words
    assert "the marts are older than what they are built from" in pages["runs/run-3.html"].words


def test_marts_that_needed_no_building_are_not_missed() -> None:
    held = dataset_record("launches", rejected=21, verdict=Verdict.NO_GO)
    page = _pages(_site([run_record("run-3", [held], verdict=Verdict.NO_GO), GOOD]))["runs/run-3.html"].words
    assert "dbt did not run." in page
    assert "the marts are older" not in page
