"""Owns what a run's results do to the incidents in the lake, and having changes announced.

What becomes of an incident is observability/incidents.py's, words for failures are observability/failures.py's job.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from urllib.parse import quote

from loader import layout
from loader.documents import to_json
from loader.pipeline import Pipeline
from loader.run_folder import read_incidents
from observability import failures, incidents
from observability.incidents import Failure, Incident, IncidentState, Place, Sighting
from observability.run_record import DatasetRecord, RunRecord


def find_docs(pipeline: Pipeline, run_id: str) -> str:
    """Where people open the run's page."""
    return f"{pipeline.docs_url}/runs/{quote(run_id)}.html"


def keep_incidents(pipeline: Pipeline, looks: Iterable["Look"], run_id: str, seen_at: datetime) -> list[Incident]:
    """Opens, updates and resolves incidents by what a run saw; returns those that are open in it."""
    known = read_incidents(pipeline.lake)
    met: list[Incident] = []
    for look in looks:
        sighting = Sighting(run_id, seen_at, look.owner, find_docs(pipeline, run_id))
        after, announcements = incidents.observe_gate(look.may_change(known), look.place, look.found, sighting)
        for announcement in announcements:
            pipeline.alerts.send(announcement)
        for incident in after:
            if incident not in known:
                pipeline.lake.put(layout.incident_key(incident.fingerprint), to_json(incident), "application/json")
        met += [incident for incident in after if incident.state is IncidentState.OPEN]
    return met


@dataclass(frozen=True, slots=True)
class Look:
    """One gate (or step) that a run looked at, what it failed for (nothing, when it passed), and who owns it."""

    place: Place
    found: tuple[Failure, ...]
    owner: str
    is_partial: bool = False

    def may_change(self, known: Sequence[Incident]) -> Sequence[Incident]:
        """A replay sees too little of a dataset to say that a cause is gone: it meets incidents and resolves none."""
        if not self.is_partial:
            return known
        causes = {incidents.fingerprint(self.place, failure.rule_id) for failure in self.found}
        return [incident for incident in known if incident.fingerprint in causes]


def looks_of(pipeline: Pipeline, record: RunRecord) -> Iterator[Look]:
    """Every gate and step of a run that came to its publish step."""
    for dataset in record.datasets:
        contract = pipeline.contract(dataset.dataset)

        def look(gate: str, found: tuple[Failure, ...], of: DatasetRecord = dataset) -> Look:
            place, owner = Place(pipeline.environment, of.dataset, gate), pipeline.contract(of.dataset).owner
            return Look(place, _of_a_replay(found) if of.is_partial else found, owner, of.is_partial)

        yield look(failures.RAW_GATE, failures.raw_gate_failures(dataset.raw_gate, contract))
        if dataset.load_gate is not None:
            yield look(failures.LOAD_GATE, failures.load_gate_failures(dataset.load_gate))
        yield look(failures.RECONCILE_GATE, failures.reconcile_failures(dataset.dataset, dataset.balances))
    if record.transform is not None:
        owner = next(iter(pipeline.contracts.values())).owner
        marts = Place(pipeline.environment, failures.MARTS, failures.TRANSFORM_GATE)
        yield Look(marts, failures.transform_failures(record.transform), owner)
    is_replay = any(dataset.is_partial for dataset in record.datasets)
    yield from steps_done(
        pipeline, incidents.REPLAY if is_replay else incidents.RUN, _finished_steps(record, is_replay)
    )


def steps_done(pipeline: Pipeline, of: str, steps: Iterable[str]) -> Iterator[Look]:
    """What it means for incidents that steps came to their end: one that the scheduler told of is over."""
    owner = next(iter(pipeline.contracts.values())).owner
    for step in steps:
        yield Look(Place(pipeline.environment, of, step), (), owner)


def _finished_steps(record: RunRecord, is_replay: bool) -> Iterator[str]:
    yield from ("replay",) if is_replay else ("sync", "plan")
    if not record.not_loaded:
        yield from ("gate", "load")
    if record.transform is not None:
        yield "transform"
    yield "publish"


def _of_a_replay(found: tuple[Failure, ...]) -> tuple[Failure, ...]:
    return tuple(replace(failure, headline=f"a replay of {failure.headline}") for failure in found)
