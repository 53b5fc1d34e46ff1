from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from observability.alerts import Announcement, subject_line
from observability.incidents import (
    Failure,
    Incident,
    IncidentState,
    Place,
    Sighting,
    fingerprint,
    observe,
    observe_gate,
)

BEGAN = datetime(2026, 11, 22, 6, 0, tzinfo=UTC)
PLACE = Place("laptop", "launches", "raw")
FAILURE = Failure(
    rule_id="reject-limit",
    headline="launches is held: 21 of 205 records rejected (10.2 %, limit 2 %)",
    details=("Records: 205 read, 184 accepted, 21 rejected, 0 duplicate", "First violation: cores[0].core is null"),
    still_served="the last good version of launches is still served",
    next_step="spacex-elt quarantine show launches",
)


def _sighting(number: int, docs_url: str | None = None) -> Sighting:
    return Sighting(f"run-{number}", BEGAN + timedelta(hours=number), "data-team@example.org", docs_url)


def _play(outcomes: Sequence[tuple[int, bool]]) -> tuple[Incident | None, list[Announcement]]:
    """What a cause's incident becomes over (run number, passed) looks, and everything announced on the way."""
    incident: Incident | None = None
    announced = []
    for number, passed in outcomes:
        incident, announcement = observe(incident, PLACE, None if passed else FAILURE, _sighting(number))
        announced += [announcement] if announcement else []
    return incident, announced


def test_a_gate_that_never_failed_has_no_incident() -> None:
    assert _play([(1, True), (2, True)]) == (None, [])


def test_a_failure_opens_an_incident_and_is_announced_in_words() -> None:
    incident, (announcement,) = _play([(1, False)])
    assert incident is not None
    assert (incident.state, incident.occurrences, incident.run_ids) == (IncidentState.OPEN, 1, ("run-1",))
    for phrase in (
        "21 of 205 records rejected",
        "First violation: cores[0].core is null",
        "the last good version of launches is still served",
        "spacex-elt quarantine show launches",
        "run run-1",
        "data-team@example.org",
    ):
        assert phrase in announcement.text
    assert announcement.attributes == {
        "severity": "error",
        "owner": "data-team@example.org",
        "dataset": "launches",
        "gate": "raw",
        "environment": "laptop",
        "run_id": "run-1",
    }


def test_a_failure_met_again_is_counted_but_not_announced_again() -> None:
    incident, announced = _play([(1, False), (2, False), (3, False)])
    assert incident is not None
    assert (incident.occurrences, incident.run_ids) == (3, ("run-1", "run-2", "run-3"))
    assert incident.last_seen_at == BEGAN + timedelta(hours=3)
    assert len(announced) == 1


def test_a_pass_resolves_the_incident_and_is_announced() -> None:
    incident, (_, resolved) = _play([(1, False), (2, False), (3, True)])
    assert incident is not None
    assert (incident.state, incident.resolved_at) == (IncidentState.RESOLVED, BEGAN + timedelta(hours=3))
    assert "Resolved" in resolved.subject
    assert "met by 2 runs, gone in run run-3" in resolved.text
    assert resolved.attributes["severity"] == "info"


def test_a_cause_that_comes_back_opens_the_incident_anew() -> None:
    incident, announced = _play([(1, False), (2, True), (3, False)])
    assert incident is not None
    assert (incident.state, incident.occurrences, incident.run_ids) == (IncidentState.OPEN, 1, ("run-3",))
    assert len(announced) == 3


@given(st.lists(st.booleans(), max_size=12), st.integers(1, 3))
def test_exactly_the_changes_are_announced_however_often_each_run_is_replayed(passes: list[bool], times: int) -> None:
    looks = [(number, passed) for number, passed in enumerate(passes) for _ in range(times)]
    incident, announced = _play(looks)
    changes = [now for before, now in zip([True, *passes], passes, strict=False) if before != now]
    assert [not each.subject.startswith("[laptop] Resolved") for each in announced] == [not now for now in changes]
    assert incident == _play(list(enumerate(passes)))[0]


@given(st.lists(st.booleans(), min_size=1, max_size=12))
def test_an_incident_counts_the_runs_that_failed_since_it_opened(passes: list[bool]) -> None:
    incident, _ = _play(list(enumerate(passes)))
    if passes[-1]:
        assert incident is None or incident.state is IncidentState.RESOLVED
    else:
        failed_in_a_row = passes[::-1].index(True) if True in passes else len(passes)
        assert incident is not None
        assert incident.occurrences == failed_in_a_row == len(incident.run_ids)


def test_an_incident_open_for_long_remembers_only_its_newest_runs() -> None:
    incident, _ = _play([(number, False) for number in range(120)])
    assert incident is not None
    assert (incident.occurrences, len(incident.run_ids), incident.run_ids[-1]) == (120, 50, "run-119")


@pytest.mark.parametrize(
    "other",
    [
        replace(PLACE, environment="production"),
        replace(PLACE, dataset="cores"),
        replace(PLACE, gate="load"),
    ],
)
def test_a_fingerprint_is_its_place_and_rule_and_nothing_else(other: Place) -> None:
    assert fingerprint(PLACE, "reject-limit") == fingerprint(replace(PLACE), "reject-limit")
    assert fingerprint(PLACE, "reject-limit") != fingerprint(other, "reject-limit")
    assert fingerprint(PLACE, "reject-limit") != fingerprint(PLACE, "id-unique")


def test_one_look_at_a_gate_opens_new_causes_and_resolves_gone_ones() -> None:
    unique = replace(FAILURE, rule_id="id-unique", headline="launches is held: id-unique")
    elsewhere, _ = observe(None, replace(PLACE, dataset="cores"), FAILURE, _sighting(1))
    assert elsewhere is not None
    first, opened = observe_gate([elsewhere], PLACE, [FAILURE], _sighting(1))
    second, announced = observe_gate([elsewhere, *first], PLACE, [unique], _sighting(2))
    assert [each.rule_id for each in first] == ["reject-limit"]
    assert len(opened) == 1
    assert [(each.rule_id, each.state) for each in second] == [
        ("reject-limit", IncidentState.RESOLVED),
        ("id-unique", IncidentState.OPEN),
    ]
    assert len(announced) == 2


def test_causes_that_open_and_go_together_are_one_message_each_time() -> None:
    cut_short = replace(FAILURE, rule_id="object-readable", headline="launches is held: an object is cut short")
    opened, (alarm,) = observe_gate([], PLACE, [FAILURE, cut_short], _sighting(1))
    assert len(opened) == 2
    assert FAILURE.headline in alarm.text
    assert cut_short.headline in alarm.text
    assert alarm.subject.startswith("(+1 more) ")
    gone, (all_clear,) = observe_gate(opened, PLACE, [], _sighting(2))
    assert [each.state for each in gone] == [IncidentState.RESOLVED] * 2
    assert all_clear.attributes["severity"] == "info"


def test_the_text_names_the_page_only_when_there_is_one() -> None:
    _, with_page = observe(None, PLACE, FAILURE, _sighting(1, "http://docs/runs/run-1.html"))
    _, without = observe(None, PLACE, FAILURE, _sighting(1))
    assert with_page is not None
    assert without is not None
    assert "http://docs/runs/run-1.html" in with_page.text
    assert "Details" not in without.text


@given(st.text(max_size=300))
def test_any_text_makes_a_subject_that_sns_takes(text: str) -> None:
    subject = subject_line(text)
    assert len(subject) <= 100
    assert subject.isascii()
    assert subject.isprintable()
