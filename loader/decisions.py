"""Owns what is decided about quarantined records: a journal per dataset that is only ever added to, and its meaning.

The records themselves never change (loader/quarantine.py); which of them are meant is for whoever decides.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from contracts.errors import ServiceUnavailable
from loader import layout
from loader.documents import from_json, to_json
from loader.store import ObjectExists, ObjectStore

MOST_ATTEMPTS = 3
_JSON = "application/json"
_TRIES = 20


class State(StrEnum):
    """What became of a quarantined record."""

    NEW = "new"  # nobody has looked at it yet, or a replay has rejected it again
    ACKNOWLEDGED = "acknowledged"  # somebody knows of it
    REPLAYING = "replaying"  # a run has it, and no other may take it
    REPLAYED = "replayed"  # a replay has published it
    DISCARDED = "discarded"  # somebody has given it up, for good
    CONDEMNED = "condemned"  # too many replays did not publish it: only one that says `again` takes it


OPEN = (State.NEW, State.ACKNOWLEDGED)


@dataclass(frozen=True, slots=True)
class Triage:
    """Somebody's word about records."""

    state: Literal[State.ACKNOWLEDGED, State.DISCARDED]
    by: str
    why: str
    decided_at: datetime
    quarantine_ids: tuple[str, ...]
    kind: Literal["triage"] = "triage"


@dataclass(frozen=True, slots=True)
class Edit:
    """One record that is replayed otherwise than it lay. Both forms are in the lake; these are their SHA-256."""

    quarantine_id: str
    before_sha256: str
    after_sha256: str
    by: str
    why: str


@dataclass(frozen=True, slots=True)
class ReplayedObject:
    """One object of a replay: which record each of its lines is."""

    key: str
    quarantine_ids: tuple[str, ...]  # by line


@dataclass(frozen=True, slots=True)
class ReplayBegun:
    """A run has taken records to replay them."""

    run_id: str
    batch_id: str  # of the replay
    replay_of: str  # the batch that set the records aside
    by: str
    why: str
    began_at: datetime
    objects: tuple[ReplayedObject, ...]
    edits: tuple[Edit, ...] = ()
    kind: Literal["replay-begun"] = "replay-begun"

    @property
    def quarantine_ids(self) -> Iterator[str]:
        """The records it took."""
        return (quarantine_id for taken in self.objects for quarantine_id in taken.quarantine_ids)

    def same_but_for_time(self, other: "ReplayBegun") -> bool:
        """Whether both say the same of the same run."""
        return replace(self, began_at=other.began_at) == other


@dataclass(frozen=True, slots=True)
class ReplayEnded:
    """What came of a replay. Of one that was published, the records that it did not reject are in the warehouse."""

    run_id: str
    batch_id: str
    ended_at: datetime
    outcome: Literal["published", "held", "superseded"]
    reason: str
    rejected_ids: tuple[str, ...]  # as they were first called
    kind: Literal["replay-ended"] = "replay-ended"


Decision = Triage | ReplayBegun | ReplayEnded


@dataclass(frozen=True, slots=True)
class _Entry:
    """One document of the journal."""

    decision: Annotated[Decision, Field(discriminator="kind")]


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a record stands after all that was decided."""

    state: State = State.NEW
    attempts: int = 0  # replays that came to their end without publishing it
    run_id: str = ""  # the last run that took it
    rejected_by: str = ""  # the replay's batch that rejected it last: its newest reasons lie in that one's quarantine


_UNTOUCHED = Standing()


@dataclass(frozen=True)
class History:
    """All decisions about a dataset's records, in order, and where each record stands after them.

    Folding costs time and memory by the records decided upon, not by those in quarantine.
    """

    decisions: tuple[Decision, ...] = ()
    last_number: int = 0
    _standings: dict[str, Standing] = field(default_factory=dict, repr=False)

    def standing(self, quarantine_id: str) -> Standing:
        """Where a record stands. One that nobody decided upon is new."""
        return self._standings.get(quarantine_id, _UNTOUCHED)

    def rejected_again(self) -> set[str]:
        """The replays' batches that some record's newest reasons lie in."""
        return {standing.rejected_by for standing in self._standings.values() if standing.rejected_by}

    def replays(self) -> dict[str, ReplayBegun]:
        """The replays by their batch."""
        return {each.batch_id: each for each in self.decisions if isinstance(each, ReplayBegun)}

    def replay_of_run(self, run_id: str) -> ReplayBegun | None:
        """What a run took, or None when it took nothing."""
        begun = [each for each in self.decisions if isinstance(each, ReplayBegun) and each.run_id == run_id]
        return begun[-1] if begun else None

    def end_of_run(self, run_id: str) -> ReplayEnded | None:
        """What came of the records that a run took, as far as is known."""
        ended = [each for each in self.decisions if isinstance(each, ReplayEnded) and each.run_id == run_id]
        return ended[-1] if ended else None

    def trails(self) -> dict[str, list[Decision]]:
        """The decisions about each record, in order."""
        found: dict[str, list[Decision]] = {}
        begun: dict[str, ReplayBegun] = {}
        for decision in self.decisions:
            if isinstance(decision, ReplayBegun):
                begun[decision.run_id] = decision
            about = begun.get(decision.run_id) if isinstance(decision, ReplayEnded) else decision
            for quarantine_id in about.quarantine_ids if about else ():
                found.setdefault(quarantine_id, []).append(decision)
        return found


def history_of(decisions: tuple[Decision, ...], last_number: int) -> History:
    """What the decisions come to, in their order."""
    standings: dict[str, Standing] = {}
    begun: dict[str, ReplayBegun] = {}
    for decision in decisions:
        if isinstance(decision, Triage):
            for quarantine_id in decision.quarantine_ids:
                standings[quarantine_id] = replace(standings.get(quarantine_id, _UNTOUCHED), state=decision.state)
        elif isinstance(decision, ReplayBegun):
            begun[decision.run_id] = decision
            for quarantine_id in decision.quarantine_ids:
                before = standings.get(quarantine_id, _UNTOUCHED)
                standings[quarantine_id] = replace(before, state=State.REPLAYING, run_id=decision.run_id)
        elif decision.run_id in begun:
            rejected = set(decision.rejected_ids)
            for quarantine_id in begun[decision.run_id].quarantine_ids:
                before = standings[quarantine_id]
                standings[quarantine_id] = _after(before, decision, is_rejected=quarantine_id in rejected)
    return History(decisions, last_number, standings)


def _after(before: Standing, ended: ReplayEnded, *, is_rejected: bool) -> Standing:
    if ended.outcome == "published" and not is_rejected:
        return replace(before, state=State.REPLAYED, run_id=ended.run_id)
    attempts = before.attempts + 1
    rejected_by = ended.batch_id if is_rejected else before.rejected_by
    if before.run_id != ended.run_id:  # another run has taken it meanwhile: where it stands is that one's to say
        return replace(before, attempts=attempts, rejected_by=rejected_by)
    state = State.CONDEMNED if attempts >= MOST_ATTEMPTS else State.NEW
    return replace(before, state=state, attempts=attempts, rejected_by=rejected_by)


@dataclass(frozen=True, slots=True)
class Journal:
    """The decisions about one dataset's quarantine, in the lake: one small object each, never written over."""

    store: ObjectStore
    dataset: str

    def read(self) -> History:
        """All of it. Costs one reading per decision, however many records one is about."""
        keys = [stored.key for stored in self.store.list(layout.decisions_prefix(self.dataset))]
        with ThreadPoolExecutor(max_workers=8) as pool:
            decisions = tuple(pool.map(self._decision, keys))
        return history_of(decisions, layout.number_of_decision(keys[-1]) if keys else 0)

    def _decision(self, key: str) -> Decision:
        return from_json(_Entry, self.store.get(key), f"s3://{self.store.bucket}/{key}").decision

    def decide(self, decide: Callable[[History], Decision | None]) -> History:
        """Adds what `decide` makes of the journal, and returns it with that; with None nothing is added.

        Of two who decide at once one comes first, and the other is asked again with the first one's word in view.
        """
        for _ in range(_TRIES):
            history = self.read()
            decision = decide(history)
            if decision is None or self._added(history.last_number + 1, decision):
                return history if decision is None else self.read()
        raise ServiceUnavailable(
            f"others kept deciding about {self.dataset}'s quarantine at the same moment: this call decided "
            "nothing. Try again."
        )

    def _added(self, number: int, decision: Decision) -> bool:
        key, body = layout.decision_key(self.dataset, number), to_json(_Entry(decision))
        try:
            self.store.put_new(key, body, _JSON)
        except ObjectExists:
            return self.store.get(key) == body  # ours after all: only the answer to an earlier try was lost
        return True
