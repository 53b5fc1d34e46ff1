"""Owns where a run keeps what its steps said, as typed documents in the lake. What they say is each step's job."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice

from contracts.errors import UsageError
from loader import layout
from loader.batch import Plan
from loader.documents import Document, from_json, to_json
from loader.gate import GateOutput
from loader.load import LoadOutput
from loader.store import ObjectMissing, ObjectStore
from observability.incidents import Incident
from observability.run_record import RunRecord, TransformRecord
from validation.profile import BatchProfile, whole_batch
from validation.results import LoadGateResult

_JSON = "application/json"
RUNS_LOOKED_BACK = 100


@dataclass(frozen=True, slots=True)
class SyncStarted:
    """The sync a run asked for: a rerun follows the same job instead of starting another."""

    job_id: str
    source: str
    datasets: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RunFolder:
    """`runs/<run_id>/` in the lake. Writing a document again with the same content changes nothing."""

    store: ObjectStore
    run_id: str

    def write(self, name: str, document: object) -> None:
        """Writes one document."""
        self.store.put(self._key(name), to_json(document), _JSON)

    def find(self, kind: type[Document], name: str) -> Document | None:
        """A document, or None when its step has not written it (yet)."""
        try:
            body = self.store.get(self._key(name))
        except ObjectMissing:
            return None
        return from_json(kind, body, f"s3://{self.store.bucket}/{self._key(name)}")

    def find_sync(self) -> SyncStarted | None:
        """The sync this run started."""
        return self.find(SyncStarted, "sync.json")

    def plan(self) -> Plan:
        """The run's plan. Raises UsageError when the plan step has not run."""
        plan = self.find(Plan, "plan.json")
        if plan is None:
            raise UsageError(
                f"run {self.run_id} has no plan. Expected s3://{self.store.bucket}/{self._key('plan.json')}; "
                f"run `spacex-elt plan --run-id {self.run_id} --job-id <Airbyte job>` first."
            )
        return plan

    def gate_outputs(self, plan: Plan, dataset: str) -> tuple[GateOutput, ...]:
        """What the gate said of each shard of a dataset. Raises UsageError when a shard was not gated."""
        found = []
        for shard in plan.shards_of(dataset):
            output = self.find(GateOutput, gate_name(shard.shard_id))
            if output is None:
                raise UsageError(
                    f"run {self.run_id}: shard {shard.shard_id} has not been through the gate. "
                    f"Run `spacex-elt gate --run-id {self.run_id} --shard {shard.shard_id}` first."
                )
            found.append(output)
        return tuple(found)

    def load_output(self, dataset: str) -> LoadOutput | None:
        """What the load step said of a dataset, if it came to its end."""
        return self.find(LoadOutput, load_name(dataset))

    def ungated_shards(self, plan: Plan, dataset: str) -> tuple[str, ...]:
        """The shards of a dataset that have not been through the gate."""
        ids = [shard.shard_id for shard in plan.shards_of(dataset)]
        return tuple(shard_id for shard_id in ids if self.find(GateOutput, gate_name(shard_id)) is None)

    def load_gate(self, dataset: str) -> LoadGateResult | None:
        """What the load gate said of a dataset, if it came that far."""
        return self.find(LoadGateResult, load_gate_name(dataset))

    def profile(self, plan: Plan, dataset: str) -> BatchProfile | None:
        """The profile of a dataset's batch, None while one of its shards has none."""
        found = [self.find(BatchProfile, profile_name(shard.shard_id)) for shard in plan.shards_of(dataset)]
        parts = [part for part in found if part is not None]
        return whole_batch(parts) if parts and len(parts) == len(found) else None

    def transform(self) -> TransformRecord | None:
        """What dbt said, if it ran."""
        return self.find(TransformRecord, "transform.json")

    def telemetry(self, ending: str) -> Iterator[bytes]:
        """The lines of the telemetry files of that ending which the run's processes have stored."""
        for stored in self.store.list(self._key("telemetry/")):
            if stored.key.endswith(ending):
                yield from self.store.get(stored.key).splitlines()

    def _key(self, name: str) -> str:
        return layout.run_prefix(self.run_id) + name


def gate_name(shard_id: str) -> str:
    """The document of a gated shard."""
    return f"gate/{shard_id}.json"


def profile_name(shard_id: str) -> str:
    """The profile of a gated shard."""
    return f"profile/{shard_id}.json"


def load_name(dataset: str) -> str:
    """The document of a loaded dataset."""
    return f"load/{dataset}.json"


def load_gate_name(dataset: str) -> str:
    """The document of a dataset's load gate."""
    return f"load_gate/{dataset}.json"


def recent_runs(store: ObjectStore, most: int) -> list[RunRecord]:
    """The records of the last runs, newest first."""
    return list(islice(finished_runs(store), most))


def finished_runs(store: ObjectStore) -> Iterator[RunRecord]:
    """The records of all runs, newest first. One in another version's form is passed over: it is only history."""
    for key in sorted((stored.key for stored in store.list(layout.RECORDS)), reverse=True):
        with suppress(UsageError):
            yield from_json(RunRecord, store.get(key), key)


def newest_quarantine(store: ObjectStore, dataset: str) -> str | None:
    """The batch of the newest run that set rows of a dataset aside, or None when no run on record did.

    Replays do not count: what they set aside again lies in their snapshot's quarantine already.
    """
    for run in recent_runs(store, RUNS_LOOKED_BACK):
        for record in run.datasets:
            if record.dataset == dataset and record.quarantined and not record.is_partial:
                return record.batch_id
    return None


def find_run_of(store: ObjectStore, dataset: str, batch_id: str) -> RunRecord | None:
    """The newest run on record that took up a batch."""
    for run in recent_runs(store, RUNS_LOOKED_BACK):
        if any(record.dataset == dataset and record.batch_id == batch_id for record in run.datasets):
            return run
    return None


def read_incidents(store: ObjectStore) -> list[Incident]:
    """Every incident the lake knows, open or resolved."""
    return [from_json(Incident, store.get(stored.key), stored.key) for stored in store.list(layout.INCIDENTS)]
