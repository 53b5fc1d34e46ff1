"""Owns the life of an incident: opened, met again, resolved, each change announced once. Pure.

What failed and in which words is observability/failures.py's job; sending is observability/alerts.py's; storing the
incidents is the loader's. Send first, then store: a crash in between repeats an announcement and never loses one.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from observability.alerts import Announcement, subject_line

#: Places of what is no gate of a dataset: a step that failed, told by the scheduler (dags/).
RUN, REPLAY, MAINTENANCE = STEPS_OF = ("run", "replay", "maintenance")
STEP_FAILED = "step-failed"  # the one rule of such a place
_REMEMBERED_RUNS = 50  # an incident may stay open for months


class IncidentState(StrEnum):
    """Whether the cause is still there."""

    OPEN = "open"
    RESOLVED = "resolved"


@dataclass(frozen=True, slots=True)
class Place:
    """Where something failed: one gate of one dataset in one environment."""

    environment: str
    dataset: str  # or one of STEPS_OF
    gate: str  # raw | load | transform | reconcile; of STEPS_OF: the step's name

    def __str__(self) -> str:
        is_step = self.dataset in STEPS_OF
        return f"the {self.gate} step of the {self.dataset}" if is_step else f"the {self.gate} gate of {self.dataset}"


@dataclass(frozen=True, slots=True)
class Failure:
    """One cause that closed a gate, with the words for people. Holds no value that is not public."""

    rule_id: str  # the rule, or a word for what is no rule: reject-limit, rows-do-not-reconcile
    headline: str  # one line: what is held and why
    details: tuple[str, ...]  # numbers, first violation, rules broken
    still_served: str  # "the last good version of launches is still served"
    next_step: str  # "spacex-elt quarantine show launches"


@dataclass(frozen=True, slots=True)
class Sighting:
    """The run in which a place was looked at."""

    run_id: str
    seen_at: datetime
    owner: str
    docs_url: str | None  # the run's page


@dataclass(frozen=True, slots=True)
class Incident:
    """One cause, however many runs meet it. `fingerprint` is its identity."""

    fingerprint: str
    environment: str
    dataset: str
    gate: str
    rule_id: str
    state: IncidentState
    opened_at: datetime
    last_seen_at: datetime
    resolved_at: datetime | None
    run_ids: tuple[str, ...]  # the runs that met it, oldest first, the newest fifty
    occurrences: int  # runs that met it since it was opened
    owner: str
    headline: str


def fingerprint(place: Place, rule_id: str) -> str:
    """The identity of a cause: the same in every run, another one in every environment."""
    parts = "\n".join((place.environment, place.dataset, place.gate, rule_id))
    return hashlib.sha256(parts.encode()).hexdigest()[:16]


def observe(
    existing: Incident | None, place: Place, failure: Failure | None, sighting: Sighting
) -> tuple[Incident | None, Announcement | None]:
    """What one look at one cause makes of its incident, and what is to be announced.

    `failure` is None when the gate no longer fails for this cause. Repeating a look changes nothing and announces
    nothing.
    """
    is_open = existing is not None and existing.state is IncidentState.OPEN
    if failure is None:
        return _resolved(existing, sighting) if existing is not None and is_open else (existing, None)
    if existing is None or not is_open:
        return _opened(place, failure, sighting), _announce_opened(place, failure, sighting)
    if sighting.run_id in existing.run_ids:
        return existing, None
    return _met_again(existing, failure, sighting), None


def observe_gate(
    known: Sequence[Incident], place: Place, failures: Sequence[Failure], sighting: Sighting
) -> tuple[tuple[Incident, ...], tuple[Announcement, ...]]:
    """What one look at one gate makes of all its incidents: those to store, and what is to be announced.

    `known` may hold incidents of other places; they are left alone and not returned. Incidents of this place whose
    cause is not among `failures` are resolved. Causes that open together are one message, and so are those that go
    together: a truncated object breaks three rules and still is one thing to hear of.
    """
    here = {incident.fingerprint: incident for incident in known if _place(incident) == place}
    causes: dict[str, Failure | None] = dict.fromkeys(here)
    causes.update({fingerprint(place, failure.rule_id): failure for failure in failures})
    seen = [observe(here.get(mark), place, failure, sighting) for mark, failure in causes.items()]
    incidents = tuple(incident for incident, _ in seen if incident is not None)
    changes = [announcement for _, announcement in seen if announcement is not None]
    by_severity: dict[str, list[Announcement]] = {}
    for change in changes:
        by_severity.setdefault(change.attributes["severity"], []).append(change)
    return incidents, tuple(_together(alike) for alike in by_severity.values())


def _together(announcements: Sequence[Announcement]) -> Announcement:
    first, more = announcements[0], len(announcements) - 1
    if not more:
        return first
    text = "\n\n".join([f"{more + 1} causes at one gate:", *(each.text for each in announcements)])
    return replace(first, subject=subject_line(f"(+{more} more) {first.subject}"), text=text)


def _place(incident: Incident) -> Place:
    return Place(incident.environment, incident.dataset, incident.gate)


def _opened(place: Place, failure: Failure, sighting: Sighting) -> Incident:
    return Incident(
        fingerprint=fingerprint(place, failure.rule_id),
        environment=place.environment,
        dataset=place.dataset,
        gate=place.gate,
        rule_id=failure.rule_id,
        state=IncidentState.OPEN,
        opened_at=sighting.seen_at,
        last_seen_at=sighting.seen_at,
        resolved_at=None,
        run_ids=(sighting.run_id,),
        occurrences=1,
        owner=sighting.owner,
        headline=failure.headline,
    )


def _met_again(existing: Incident, failure: Failure, sighting: Sighting) -> Incident:
    return replace(
        existing,
        last_seen_at=sighting.seen_at,
        run_ids=(*existing.run_ids, sighting.run_id)[-_REMEMBERED_RUNS:],
        occurrences=existing.occurrences + 1,
        owner=sighting.owner,
        headline=failure.headline,
    )


def _resolved(existing: Incident, sighting: Sighting) -> tuple[Incident, Announcement]:
    resolved = replace(existing, state=IncidentState.RESOLVED, resolved_at=sighting.seen_at)
    return resolved, _announce_resolved(resolved, sighting)


def _announce_opened(place: Place, failure: Failure, sighting: Sighting) -> Announcement:
    lines = [
        failure.headline,
        "",
        *failure.details,
        "",
        f"Where: {place}, run {sighting.run_id}, environment {place.environment}",
        f"Still served: {failure.still_served}",
        f"Next: {failure.next_step}",
    ]
    lines += [f"Details: {sighting.docs_url}"] if sighting.docs_url else []
    lines += ["", f"Owner: {sighting.owner} · incident {fingerprint(place, failure.rule_id)}"]
    lines += ["You hear of this once. The next message says that it is resolved."]
    subject = subject_line(f"[{place.environment}] {failure.headline}")
    return Announcement(subject, "\n".join(lines), _attributes(place, sighting, "error"))


def _announce_resolved(incident: Incident, sighting: Sighting) -> Announcement:
    place = _place(incident)
    runs = "1 run" if incident.occurrences == 1 else f"{incident.occurrences} runs"
    lines = [
        f"Resolved: {place} no longer fails for {incident.rule_id}.",
        "",
        f"It was: {incident.headline}",
        f"Open since {incident.opened_at:%Y-%m-%d %H:%M} UTC, met by {runs}, gone in run {sighting.run_id}.",
    ]
    lines += [f"Details: {sighting.docs_url}"] if sighting.docs_url else []
    lines += ["", f"Owner: {sighting.owner} · incident {incident.fingerprint}"]
    subject = subject_line(f"[{place.environment}] Resolved: {place} ({incident.rule_id})")
    return Announcement(subject, "\n".join(lines), _attributes(place, sighting, "info"))


def _attributes(place: Place, sighting: Sighting, severity: str) -> Mapping[str, str]:
    return {
        "severity": severity,
        "owner": sighting.owner,
        "dataset": place.dataset,
        "gate": place.gate,
        "environment": place.environment,
        "run_id": sighting.run_id,
    }
