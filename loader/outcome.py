"""Owns what comes of a replay for the records that it took: said in the journal once the load step knows.

Taking them is loader/replay.py's job, loading them loader/load.py's.
"""

from dataclasses import replace
from datetime import datetime
from typing import Literal

from contracts.errors import UsageError
from loader.batch import Batch
from loader.decisions import Decision, History, Journal, ReplayBegun, ReplayEnded, State
from loader.load import LoadOutput
from loader.quarantine import read_quarantine
from loader.store import ObjectStore


def refuse_taken(store: ObjectStore, run_id: str, dataset: str) -> None:
    """Raises UsageError when somebody has taken records of a replay from it since, or given them up."""
    history = Journal(store, dataset).read()
    begun = history.replay_of_run(run_id)
    if begun is None:
        return  # planned by a version that knew no journal
    ended = history.end_of_run(run_id)
    if ended is not None and ended.outcome == "published":
        return  # a rerun: the ledger knows the batch, and nothing is loaded again
    standings = [history.standing(quarantine_id) for quarantine_id in begun.quarantine_ids]
    others = sorted({each.run_id for each in standings if each.run_id != run_id})
    if others:
        raise UsageError(
            f"run {run_id}: run {others[0]} has taken records of {dataset} that this replay was planned with. Nothing "
            "was loaded. Start a new replay for what waits still."
        )
    if any(each.state is State.DISCARDED for each in standings):
        raise UsageError(
            f"run {run_id}: records of {dataset} that this replay was planned with were discarded since. Nothing was "
            "loaded. Start a new replay for what waits still."
        )


def note_outcome(
    store: ObjectStore, run_id: str, batch: Batch, output: LoadOutput, reason: str, ended_at: datetime
) -> None:
    """Says in the journal what came of a replay's records. Saying the same again adds nothing."""

    def decide(history: History) -> Decision | None:
        begun = history.replay_of_run(run_id)
        if begun is None:
            return None
        rejected = _rejected(store, batch, begun)
        ended = ReplayEnded(run_id, batch.batch_id, ended_at, _outcome(output), reason, rejected)
        before = history.end_of_run(run_id)
        return None if before is not None and replace(before, ended_at=ended_at, reason=reason) == ended else ended

    Journal(store, batch.dataset).decide(decide)


def _outcome(output: LoadOutput) -> Literal["published", "held", "superseded"]:
    if output.superseded_by is not None:
        return "superseded"
    return "held" if output.published is None else "published"


def _rejected(store: ObjectStore, batch: Batch, begun: ReplayBegun) -> tuple[str, ...]:
    """The records that the gate has set aside again, as they were first called."""
    ids = {taken.key: taken.quarantine_ids for taken in begun.objects}
    again = read_quarantine(store, batch.dataset, batch.batch_id)
    return tuple(ids[record.object_key][record.line_number - 1] for record in again)
