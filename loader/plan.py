"""Owns the plan step: which landed objects a sync brought, and what must be done with them. Judging is the gate's."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import datetime

import orjson

from contracts.model import Contract
from loader import layout
from loader.airbyte import SyncJob
from loader.batch import Batch, LandedObject, Plan, batch_identity, split_into_shards
from loader.lines import DAMAGE, count_lines, iter_lines
from loader.store import ObjectStore, StoredObject
from validation.raw_gate import GATE_VERSION

SHARD_BYTES = 64 << 20  # compressed; one gate container's worth of work


@dataclass(frozen=True, slots=True)
class Request:
    """What to plan: the sync's job, the contracts it is judged by, and the words for where the data came from."""

    run_id: str
    source: str
    job: SyncJob
    contracts: Mapping[str, Contract]
    planned_at: datetime
    shard_bytes: int = SHARD_BYTES


def make_plan(store: ObjectStore, request: Request) -> Plan:
    """The plan of one sync: one batch per dataset of the job that has a contract, in name order.

    Reads every object of the sync once, to count its lines. Raises ServiceUnavailable when the lake does not answer.
    """
    datasets = sorted(set(request.job.committed_counts) & set(request.contracts))
    with ThreadPoolExecutor(max_workers=4) as pool:
        batches = tuple(pool.map(lambda dataset: _batch(store, request, dataset), datasets))
    shards = tuple(shard for batch in batches for shard in split_into_shards(batch, request.shard_bytes))
    return Plan(request.run_id, request.source, request.job.job_id, request.planned_at, batches, shards)


def _batch(store: ObjectStore, request: Request, dataset: str) -> Batch:
    contract = request.contracts[dataset]
    objects = tuple(_counted(store, stored) for stored in _objects_of_sync(store, dataset, int(request.job.job_id)))
    return Batch(
        dataset=dataset,
        batch_id=batch_identity(dataset, objects, contract.content_hash, GATE_VERSION),
        contract_version=contract.version,
        objects=objects,
        expected_count=request.job.committed_counts[dataset],
    )


def _objects_of_sync(store: ObjectStore, dataset: str, sync_id: int) -> list[StoredObject]:
    """The objects that one sync landed, in key order: found from the newest back, so history costs nothing.

    An object that no envelope can be read from is taken in: leaving it out would lose its rows without a word.
    """
    landed = [
        (name.epoch_ms, stored)
        for stored in store.list(layout.landing_prefix(dataset))
        if (name := layout.parse_landed(stored.key)) is not None
    ]
    found: list[StoredObject] = []
    for _, stored in sorted(landed, key=lambda pair: (pair[0], pair[1].key), reverse=True):
        its_sync = _sync_id(store, stored)
        if its_sync is not None and its_sync < sync_id:
            break
        if its_sync in (None, sync_id):
            found.append(stored)
    return sorted(found, key=lambda stored: stored.key)


def _sync_id(store: ObjectStore, stored: StoredObject) -> int | None:
    """The sync that wrote an object, as its first readable envelope says; None when none can be read."""
    with closing(store.open(stored.key, stored.etag)) as body, suppress(*DAMAGE):
        for line in iter_lines(body):
            with suppress(ValueError, KeyError, TypeError):
                return int(orjson.loads(line)["_airbyte_meta"]["sync_id"])
    return None


def _counted(store: ObjectStore, stored: StoredObject) -> LandedObject:
    with closing(store.open(stored.key, stored.etag)) as body:
        count, damage = count_lines(body)
    return LandedObject(stored.key, stored.etag, stored.size_bytes, count + (damage is not None), damage)
