"""Owns the plan step: which landed objects a sync brought, and what must be done with them. Judging is the gate's."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import datetime

import orjson

from contracts.errors import UsageError
from contracts.model import Contract
from loader import layout
from loader.airbyte import SyncJob, refuse_unfinished
from loader.batch import Batch, LandedObject, Plan, batch_identity, split_into_shards
from loader.lines import count_lines, landed_lines
from loader.store import ObjectStore, StoredObject
from validation.lines import ObjectDamaged
from validation.raw_gate import GATE_VERSION

_SKEW_S = 300  # how far the clock that names objects may be from the clock that times jobs
SHARD_BYTES = 64 << 20  # compressed; one gate container's worth of work


@dataclass(frozen=True, slots=True)
class Request:
    """What to plan: the sync's job, the contracts it is judged by, and the words for where the data came from."""

    run_id: str
    source: str
    job: SyncJob
    datasets: tuple[str, ...]  # those the sync was asked for, each with a contract
    contracts: Mapping[str, Contract]
    planned_at: datetime
    shard_bytes: int = SHARD_BYTES
    is_forced: bool = False  # load it again, and an older snapshot over a later one


def make_plan(store: ObjectStore, request: Request) -> Plan:
    """The plan of one sync: one batch per requested dataset, in name order, also for one of which nothing landed.

    Reads every object of the sync once, to count its lines. Raises ServiceUnavailable when the lake does not answer or
    the sync did not succeed: what it landed is then no whole snapshot, and loading it would delete what is missing.
    """
    refuse_unfinished(request.job)
    if not request.datasets:
        raise UsageError(f"Airbyte job {request.job.job_id} extracts no dataset that has a contract. Nothing to plan.")
    with ThreadPoolExecutor(max_workers=4) as pool:
        batches = tuple(pool.map(lambda dataset: _batch(store, request, dataset), sorted(request.datasets)))
    shards = tuple(shard for batch in batches for shard in split_into_shards(batch, request.shard_bytes))
    return Plan(request.run_id, request.source, request.job.job_id, request.planned_at, batches, shards)


def _batch(store: ObjectStore, request: Request, dataset: str) -> Batch:
    contract = request.contracts[dataset]
    forced_by = request.run_id if request.is_forced else ""
    objects = tuple(_counted(store, stored) for stored in _objects_of_sync(store, dataset, request.job))
    return Batch(
        dataset=dataset,
        batch_id=batch_identity(dataset, objects, contract.content_hash, GATE_VERSION, forced_by),
        contract_version=contract.version,
        objects=objects,
        expected_count=request.job.committed_counts.get(dataset, 0),  # a stream without a count landed nothing
        forced_by=forced_by,
    )


def _objects_of_sync(store: ObjectStore, dataset: str, job: SyncJob) -> list[StoredObject]:
    """The objects that one sync landed, in their stated order: by instant, then part.

    Job numbers may begin anew with another server, so an object must be named with an instant of the job as well as
    carry its number. One that nothing can be read from is taken in by its instant alone: leaving it out would lose its
    rows without a word, and with a wider net it would be held against the next sync.
    """
    found = []
    for stored in store.list(layout.landing_prefix(dataset)):
        name = layout.parse_landed(stored.key)
        landed_at_s = name.epoch_ms // 1000 if name else 0
        if not job.created_at_s - _SKEW_S <= landed_at_s <= job.updated_at_s + _SKEW_S:
            continue
        its_sync = _sync_id(store, stored)
        is_within = job.created_at_s <= landed_at_s <= job.updated_at_s
        if its_sync == int(job.job_id) or (its_sync is None and is_within):
            found.append(stored)
    return sorted(found, key=lambda stored: layout.stated_order(stored.key))


def _sync_id(store: ObjectStore, stored: StoredObject) -> int | None:
    """The sync that wrote an object, as its first readable envelope says; None when none can be read."""
    with closing(store.open(stored.key, stored.etag)) as body, suppress(ObjectDamaged):
        for line in landed_lines(body):
            if isinstance(line, bytes):
                with suppress(ValueError, KeyError, TypeError):
                    return int(orjson.loads(line)["_airbyte_meta"]["sync_id"])
    return None


def _counted(store: ObjectStore, stored: StoredObject) -> LandedObject:
    with closing(store.open(stored.key, stored.etag)) as body:
        count, damage = count_lines(body)
    return LandedObject(stored.key, stored.etag, stored.size_bytes, count + (damage is not None), damage)
