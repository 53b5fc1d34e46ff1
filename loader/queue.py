"""Owns quarantine as a queue: its records with what was decided about them, filtered, one after another; and counts.

What is decided is in the journal (loader/decisions.py), what a record is in loader/quarantine.py.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from contracts.errors import UsageError
from loader import layout
from loader.batch import Plan
from loader.decisions import OPEN, Decision, History, Journal, State, Triage
from loader.quarantine import QuarantinedRecord, read_object, read_quarantine
from loader.run_folder import RUNS_LOOKED_BACK, RunFolder, recent_runs
from loader.store import ObjectStore, StoredObject
from validation.wording import counted, few

#: What ages are counted by: below so many days.
AGES: Sequence[tuple[str, float]] = (
    ("less than 1 day", 1),
    ("1 to 7 days", 7),
    ("7 to 30 days", 30),
    ("30 days or more", float("inf")),
)
SOON = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Queued:
    """One quarantined record, and where it stands."""

    record: QuarantinedRecord
    judged: QuarantinedRecord  # itself; after a replay that rejected it again, what that one made of it
    set_aside_at: datetime  # by the store's clock, as retention counts
    state: State
    attempts: int
    run_id: str  # the last run that took it for a replay


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which records are meant: those that meet everything that is said. Nothing said: all."""

    quarantine_ids: frozenset[str] = frozenset()
    batch_ids: tuple[str, ...] = ()
    rules: tuple[str, ...] = ()  # broken one of them, by the newest reasons
    keys: frozenset[str] = frozenset()
    states: tuple[State, ...] = ()
    before: datetime | None = None  # set aside before then
    since: datetime | None = None  # set aside then or later

    def takes(self, queued: Queued) -> bool:
        """Whether a record is meant. Its batch and its age are looked at per object."""
        return (
            (not self.quarantine_ids or queued.record.quarantine_id in self.quarantine_ids)
            and (not self.rules or any(broken.rule_id in self.rules for broken in queued.judged.violations))
            and (not self.keys or queued.record.key in self.keys)
            and (not self.states or queued.state in self.states)
        )

    def takes_object(self, stored: StoredObject) -> bool:
        """Whether an object of the quarantine may hold records that are meant."""
        written_at = _written_at(stored)
        return (
            (not self.batch_ids or _batch_of(stored.key) in self.batch_ids)
            and (self.before is None or written_at < self.before)
            and (self.since is None or written_at >= self.since)
        )


def read_queue(store: ObjectStore, dataset: str, wanted: Wanted, history: History | None = None) -> Iterator[Queued]:
    """The records of a dataset's quarantine, newest object first, each object's in their order.

    Memory goes with the records that were decided upon, above all those that replays rejected again, and not with those
    in quarantine; time with the objects that batch and age leave. What a replay set aside is told as the record that it
    is, and a replay's batch means the records that it took.
    """
    history = history or Journal(store, dataset).read()
    replays = history.replays()
    partly = [replays[batch_id] for batch_id in wanted.batch_ids if batch_id in replays]
    whole = {*wanted.batch_ids} - replays.keys()
    taken = {quarantine_id for begun in partly for quarantine_id in begun.quarantine_ids}
    wanted = replace(wanted, batch_ids=(*whole, *(begun.replay_of for begun in partly)))
    objects = [stored for stored in store.list(layout.quarantine_prefix(dataset)) if wanted.takes_object(stored)]
    own = [stored for stored in objects if _batch_of(stored.key) not in replays]
    again = _rejected_again(store, dataset, history)
    for stored in sorted(own, key=_written_at, reverse=True):
        for record in read_object(store, stored.key):
            queued = _queued(record, stored, history, again)
            if partly and record.batch_id not in whole and record.quarantine_id not in taken:
                continue
            if wanted.takes(queued):
                yield queued


def _queued(
    record: QuarantinedRecord, stored: StoredObject, history: History, again: dict[str, QuarantinedRecord]
) -> Queued:
    standing = history.standing(record.quarantine_id)
    judged = again.get(record.quarantine_id, record)
    return Queued(record, judged, _written_at(stored), standing.state, standing.attempts, standing.run_id)


def _rejected_again(store: ObjectStore, dataset: str, history: History) -> dict[str, QuarantinedRecord]:
    """What the last replay that rejected a record made of it, by the record's id, without its bytes."""
    replays, found = history.replays(), {}
    for batch_id in sorted(history.rejected_again() & replays.keys()):
        ids = {taken.key: taken.quarantine_ids for taken in replays[batch_id].objects}
        for record in read_quarantine(store, dataset, batch_id):
            quarantine_id = ids[record.object_key][record.line_number - 1]
            if history.standing(quarantine_id).rejected_by == batch_id:
                found[quarantine_id] = replace(record, raw_base64="")
    return found


def _batch_of(key: str) -> str:
    return key.split("/")[2]


def _written_at(stored: StoredObject) -> datetime:
    if stored.written_at is None:
        raise TypeError("a list of objects tells when each was written")
    return stored.written_at


def batches_of_run(store: ObjectStore, run_id: str, dataset: str) -> tuple[str, ...]:
    """The batch of a dataset that a run took up; none when it took up other datasets only."""
    plan = RunFolder(store, run_id).find(Plan, "plan.json")
    if plan is None:
        raise UsageError(
            f"there is no run {run_id}, or its plan is past its retention. See: the runs in the data docs."
        )
    return tuple(batch.batch_id for batch in plan.batches if batch.dataset == dataset)


@dataclass
class Runs:
    """Finds the newest run that took up a batch, among the last ones on record. Reads them when first asked."""

    store: ObjectStore
    _found: dict[tuple[str, str], str] | None = None

    def of(self, record: QuarantinedRecord) -> str:
        """The run, or an empty text when it is longer ago or has not ended."""
        if self._found is None:
            runs = reversed(recent_runs(self.store, RUNS_LOOKED_BACK))
            self._found = {(each.dataset, each.batch_id): run.run_id for run in runs for each in run.datasets}
        return self._found.get((record.dataset, record.batch_id), "")


@dataclass(frozen=True)
class Triaged:
    """What somebody's word about records came to. Counts are records."""

    taken: int
    left: Counter[State]  # those that are not for this word, by where they stand

    @property
    def left_words(self) -> str:
        """What was left as it is, for people: `2 replayed, 1 discarded`."""
        return ", ".join(f"{count} {state.value}" for state, count in sorted(self.left.items()))


_MAY_BECOME = {
    State.ACKNOWLEDGED: (State.NEW,),
    State.DISCARDED: (*OPEN, State.CONDEMNED),
}


def triage(store: ObjectStore, dataset: str, wanted: Wanted, word: Triage, *, is_dry: bool = False) -> Triaged:
    """Puts a word about all records that are wanted into the journal, as one decision; those it suits.

    Raises UsageError when no record is meant, or a named one is not there. Saying it again adds nothing.
    """
    ids = [queued.record.quarantine_id for queued in read_queue(store, dataset, wanted)]
    refuse_unknown(dataset, wanted.quarantine_ids, ids)
    if not ids:
        raise UsageError(f"no record of {dataset} in quarantine is meant. See: spacex-elt quarantine list")
    fitting: list[str] = []
    left: Counter[State] = Counter()

    def decide(history: History) -> Decision | None:
        fitting.clear()
        left.clear()
        for quarantine_id in ids:
            state = history.standing(quarantine_id).state
            if state in _MAY_BECOME[word.state]:
                fitting.append(quarantine_id)
            else:
                left[state] += 1
        return replace(word, quarantine_ids=tuple(sorted(fitting))) if fitting and not is_dry else None

    Journal(store, dataset).decide(decide)
    return Triaged(len(fitting), left)


def refuse_unknown(dataset: str, named: Iterable[str], found: Iterable[str]) -> None:
    """Raises UsageError when a record was named that is not there."""
    unknown = sorted({*named} - {*found})
    if unknown:
        raise UsageError(
            f"{counted(len(unknown), 'record')} of {dataset} that {'was' if len(unknown) == 1 else 'were'} named "
            f"({few(unknown)}) cannot be found in quarantine, or not with what else was asked for. See: spacex-elt "
            f"quarantine list --dataset {dataset}"
        )


@dataclass
class Stats:
    """One dataset's quarantine in numbers. Counts are records; one that broke two rules counts at both."""

    dataset: str
    record_count: int = 0
    by_state: Counter[State] = field(default_factory=Counter)
    by_rule: dict[str, Counter[State]] = field(default_factory=lambda: defaultdict(Counter))
    by_age: Counter[str] = field(default_factory=Counter)  # those that wait for somebody, by the names of AGES
    expiring_count: int = 0  # whatever their state, that retention takes within the next days
    first_expiry_at: datetime | None = None

    def add(self, queued: Queued, now: datetime, retention: timedelta) -> None:
        """Counts one more record."""
        self.record_count += 1
        self.by_state[queued.state] += 1
        for rule_id in {broken.rule_id for broken in queued.judged.violations}:
            self.by_rule[rule_id][queued.state] += 1
        if queued.state not in (State.REPLAYED, State.DISCARDED):
            days = (now - queued.set_aside_at) / timedelta(days=1)
            self.by_age[next(name for name, below in AGES if days < below)] += 1
        expiry_at = queued.set_aside_at + retention
        self.expiring_count += expiry_at < now + SOON
        self.first_expiry_at = min(self.first_expiry_at or expiry_at, expiry_at)


def stats(store: ObjectStore, dataset: str, now: datetime, retention: timedelta) -> Stats:
    """Counts a dataset's quarantine in one pass."""
    counts = Stats(dataset)
    for queued in read_queue(store, dataset, Wanted()):
        counts.add(queued, now, retention)
    return counts
