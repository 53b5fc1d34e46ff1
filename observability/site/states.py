"""Owns the state of each dataset in words, from its contract and the last runs. Showing it is the templates' job."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from contracts.model import Contract
from observability.run_record import DatasetRecord, NotLoaded, RunRecord, TransformRecord
from observability.site.words import ago, hours, plural, records
from validation.results import Verdict


class Health(StrEnum):
    """What a reader needs to know first. The value is also the CSS class."""

    GOOD = "good"
    ASIDE = "aside"
    LATE = "late"
    HELD = "held"
    MISCOUNT = "miscount"
    UNFINISHED = "unfinished"
    UNKNOWN = "unknown"

    @property
    def label(self) -> str:
        """The state as a word or two."""
        return _LABELS[self]

    @property
    def is_trouble(self) -> bool:
        """Whether somebody has to act before the newest data is served."""
        return self in (Health.HELD, Health.MISCOUNT, Health.UNFINISHED, Health.LATE)


_LABELS = {
    Health.GOOD: "Healthy",
    Health.ASIDE: "Rows set aside",
    Health.LATE: "Late",
    Health.HELD: "Held",
    Health.MISCOUNT: "Does not add up",
    Health.UNFINISHED: "Not finished",
    Health.UNKNOWN: "No run yet",
}


@dataclass(frozen=True, slots=True)
class PastRun:
    """How one run went for one dataset."""

    run: RunRecord
    record: DatasetRecord
    health: Health


@dataclass(frozen=True, slots=True)
class DatasetState:
    """One dataset as it stands now."""

    contract: Contract
    health: Health
    sentence: str
    history: tuple[PastRun, ...]  # newest first
    last_good: RunRecord | None  # whose data is served
    promise: str | None  # the SLA and whether it is kept

    @property
    def dataset(self) -> str:
        """Its name."""
        return self.contract.dataset

    @property
    def latest(self) -> PastRun | None:
        """The newest run that took the whole dataset up; replays bring single rows of it."""
        return next((past for past in self.history if not past.record.is_partial), None)


def dataset_state(contract: Contract, runs: Sequence[RunRecord], now: datetime) -> DatasetState:
    """The state of a dataset after `runs` (newest first), at `now`."""
    history = _history(contract.dataset, runs)
    whole = [past for past in history if not past.record.is_partial]  # a replay says nothing of the other rows
    last_good = next((past.run for past in whole if past.record.verdict is not Verdict.NO_GO), None)
    is_late = _is_late(contract, last_good, now)
    health, sentence = Health.UNKNOWN, "No run has taken this dataset up yet."
    if whole:
        health = Health.LATE if is_late and whole[0].health in (Health.GOOD, Health.ASIDE) else whole[0].health
        sentence = _sentence(whole[0], health, last_good, now)
        replays = history[: history.index(whole[0])]
        if any(past.health is Health.MISCOUNT for past in replays):
            health = Health.MISCOUNT
        sentence += "".join(f" {_replayed(past, now)}" for past in reversed(replays))
    if (missed := _missed(contract.dataset, runs)) is not None:
        run, record = missed
        health = Health.UNFINISHED
        extracted = records(record.dataset, record.extracted)
        sentence = f"{extracted} extracted by run {run.run_id}, {ago(run.finished_at, now)}. {record.reason}"
    return DatasetState(
        contract=contract,
        health=health,
        sentence=sentence,
        history=history,
        last_good=last_good,
        promise=_promise(contract, last_good, is_late),
    )


def record_health(record: DatasetRecord) -> Health:
    """How one run went for one dataset, whatever has happened since."""
    if record.verdict is Verdict.NO_GO:
        return Health.HELD
    if not all(balance.holds for balance in record.balances):
        return Health.MISCOUNT
    return Health.ASIDE if record.verdict is Verdict.QUARANTINE else Health.GOOD


def verdict_health(verdict: Verdict) -> Health:
    """A verdict as a state."""
    return {Verdict.GO: Health.GOOD, Verdict.QUARANTINE: Health.ASIDE, Verdict.NO_GO: Health.HELD}[verdict]


def transform_label(transform: TransformRecord) -> str:
    """The transform's outcome as a word or two."""
    return "Failed" if transform.verdict is Verdict.NO_GO else "Healthy"


def run_health(run: RunRecord) -> Health:
    """How a whole run went."""
    if any(record_health(record) is Health.MISCOUNT for record in run.datasets):
        return Health.MISCOUNT
    if not run.is_finished and run.verdict is not Verdict.NO_GO:
        return Health.UNFINISHED
    return verdict_health(run.verdict)


def run_sentence(run: RunRecord) -> str:
    """What came of a run, in one sentence."""
    if any(record.is_partial for record in run.datasets):
        return "; ".join(_run_of_replay(run))
    held = [record.dataset for record in run.datasets if record.verdict is Verdict.NO_GO]
    aside = sum(record.quarantined for record in run.datasets if record.verdict is not Verdict.NO_GO)
    parts = []
    if held:
        parts.append(f"{_listed(held)} held, the last good version is served")
    if run.not_loaded:
        names = _listed([record.dataset for record in run.not_loaded])
        parts.append(f"{names} extracted and not loaded, the last good version is served")
    if run.lacks_transform:
        parts.append("dbt did not run")
    if run.transform is not None and run.transform.verdict is Verdict.NO_GO:
        parts.append("dbt did not pass")
    if aside:
        parts.append(f"{plural(aside, 'record')} set aside")
    if any(record_health(record) is Health.MISCOUNT for record in run.datasets):
        parts.append("rows do not add up")
    return "; ".join(parts) or f"All {plural(len(run.datasets), 'dataset')} published"


def replay_sentence(record: DatasetRecord) -> str:
    """What came of a replay for its dataset."""
    told = f"A replay of {plural(record.extracted, 'quarantined record')}"
    if record.verdict is Verdict.NO_GO:
        return f"{told} was held, and changed nothing"
    if record.was_superseded:
        return f"{told} came after a later snapshot, and changed nothing"
    if record.was_already_published:
        return f"{told} had been done before, and changed nothing"
    broken = next((balance.equation for balance in record.balances if not balance.holds), None)
    if broken is not None:
        return f"{told} was published, but the counts disagree: {broken}"
    return f"{told} let {record.accepted:,} in and set {record.quarantined:,} aside again"


def _run_of_replay(run: RunRecord) -> Iterator[str]:
    for record in run.datasets:
        yield f"{record.dataset}: {replay_sentence(record)}"
    if run.transform is not None and run.transform.verdict is Verdict.NO_GO:
        yield "dbt did not pass"


def overall_sentence(states: Sequence[DatasetState], runs: Sequence[RunRecord]) -> tuple[Health, str]:
    """The first thing the front page says, of `runs` (newest first)."""
    if not any(state.history for state in states):
        return Health.UNKNOWN, "Nothing has run yet"
    for health, words in (
        (Health.HELD, "held; the last good version is served"),
        (Health.MISCOUNT, "published, but rows do not add up"),
        (Health.UNFINISHED, "extracted and not loaded; the last good version is served"),
        (Health.LATE, "late"),
    ):
        there = [state.dataset for state in states if state.health is health]
        if there:
            is_are = "is" if len(there) == 1 else "are"
            return health, f"{_listed(there).capitalize()} {is_are} {words}"
    if (marts := _marts_trouble(runs)) is not None:
        return marts
    aside = [state.dataset for state in states if state.health is Health.ASIDE]
    if aside:
        return Health.ASIDE, f"All data is up to date; some rows of {_listed(aside)} are set aside"
    waiting = sum(state.health is Health.UNKNOWN for state in states)
    if waiting:
        return Health.GOOD, f"{len(states) - waiting} of {len(states)} datasets are healthy, the rest have not run yet"
    return Health.GOOD, f"All {plural(len(states), 'dataset')} are healthy" if len(states) > 1 else "All is healthy"


def _replayed(past: PastRun, now: datetime) -> str:
    return f"{replay_sentence(past.record)}, {ago(past.run.finished_at, now)}."


def _history(dataset: str, runs: Sequence[RunRecord]) -> tuple[PastRun, ...]:
    return tuple(
        PastRun(run, record, record_health(record))
        for run in runs
        for record in run.datasets
        if record.dataset == dataset
    )


def _marts_trouble(runs: Sequence[RunRecord]) -> tuple[Health, str] | None:
    """What is wrong with the marts, if anything is."""
    if runs[0].lacks_transform:
        return Health.UNFINISHED, "The raw data is published, but dbt did not run; the marts are older"
    transform = next((run.transform for run in runs if run.transform is not None), None)
    if transform is not None and transform.verdict is Verdict.NO_GO:
        return Health.HELD, "The raw data is published, but dbt did not pass"
    return None


def _missed(dataset: str, runs: Sequence[RunRecord]) -> tuple[RunRecord, NotLoaded] | None:
    """The newest run that took the dataset up and what it says, if it has no outcome of it."""
    for run in runs:
        for record in run.not_loaded:
            if record.dataset == dataset:
                return run, record
        if any(record.dataset == dataset for record in run.datasets):
            return None
    return None


def _is_late(contract: Contract, last_good: RunRecord | None, now: datetime) -> bool:
    if contract.latency_h is None or last_good is None:
        return False
    return now - last_good.finished_at > timedelta(hours=contract.latency_h)


def _promise(contract: Contract, last_good: RunRecord | None, is_late: bool) -> str | None:
    if contract.latency_h is None:
        return None
    if last_good is None:
        return f"promised every {hours(contract.latency_h)}"
    return f"promised every {hours(contract.latency_h)}: {'missed' if is_late else 'kept'}"


def _sentence(past: PastRun, health: Health, last_good: RunRecord | None, now: datetime) -> str:
    record, when = past.record, ago(past.run.finished_at, now)
    if health is Health.HELD:
        served = f"The good data of {ago(last_good.finished_at, now)} is still served." if last_good else ""
        return f"{_why_held(record)} {when}. {served or 'Nothing has been published before.'}"
    everything = records(record.dataset, record.extracted)
    if health is Health.MISCOUNT:
        broken = next(balance.equation for balance in record.balances if not balance.holds)
        return f"{everything} loaded {when}, but the counts disagree: {broken}."
    fresh = " Nothing had changed." if _is_unchanged(record) else ""
    if record.quarantined:
        return (
            f"{record.quarantined:,} of {everything} set aside {when}; the other {record.accepted:,} are served.{fresh}"
        )
    dropped = f", {plural(record.duplicate, 'duplicate')} dropped" if record.duplicate else ", all accepted"
    return f"{everything}{dropped}, {when}.{fresh}"


def _why_held(record: DatasetRecord) -> str:
    if record.raw_gate.verdict is Verdict.NO_GO and not record.quarantined:
        return "The raw gate held the batch"
    if record.raw_gate.verdict is Verdict.NO_GO:
        return f"{record.quarantined:,} of {plural(record.extracted, 'record')} rejected"
    return "The load gate held the batch"


def _is_unchanged(record: DatasetRecord) -> bool:
    return record.was_already_published or not any((record.inserted, record.restored, record.updated, record.deleted))


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
