"""Owns what a plan says: landed objects, batches, shards. Finding them in the lake is loader/plan.py's job."""

import hashlib
from dataclasses import dataclass
from datetime import datetime

from loader.layout import parse_landed


@dataclass(frozen=True, slots=True)
class LandedObject:
    """One object of a sync as the plan saw it. Landing is immutable: another ETag later is an error."""

    key: str
    etag: str
    size_bytes: int
    line_count: int  # recounted from the bytes, never taken on anybody's word; a damaged end counts as a line
    damage: str | None  # why reading stopped early: "the gzip stream ends early"


@dataclass(frozen=True, slots=True)
class Batch:
    """One dataset's snapshot of one sync, or a replayed part of it: what is judged, loaded and published as a whole."""

    dataset: str
    batch_id: str
    contract_version: str
    objects: tuple[LandedObject, ...]
    expected_count: int  # records that Airbyte says it committed; of a replay, those that were selected
    is_partial: bool = False  # a replay: says nothing of the rows it lacks
    snapshot_at_ms: int | None = None  # of a replay: when its snapshot landed, whatever part of it this is

    @property
    def landed_at_ms(self) -> int:
        """When the newest of the snapshot's objects landed, epoch milliseconds by its name; 0 for an empty batch."""
        if self.snapshot_at_ms is not None:
            return self.snapshot_at_ms
        names = (parse_landed(landed.key) for landed in self.objects)
        return max((name.epoch_ms for name in names if name is not None), default=0)

    @property
    def line_count(self) -> int:
        """Lines in the batch's objects."""
        return sum(landed.line_count for landed in self.objects)


@dataclass(frozen=True, slots=True)
class Shard:
    """The part of a batch that one gate process reads."""

    shard_id: str
    dataset: str
    batch_id: str
    objects: tuple[LandedObject, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run will do. Written once per run; every later step reads it, so a retry does the same work."""

    run_id: str
    source: str
    job_id: str
    planned_at: datetime
    batches: tuple[Batch, ...]
    shards: tuple[Shard, ...]

    def batch(self, dataset: str) -> Batch:
        """The batch of a dataset. Raises KeyError."""
        return {batch.dataset: batch for batch in self.batches}[dataset]

    def shard(self, shard_id: str) -> Shard:
        """The shard of that id. Raises KeyError."""
        return {shard.shard_id: shard for shard in self.shards}[shard_id]

    def shards_of(self, dataset: str) -> tuple[Shard, ...]:
        """The shards of a dataset's batch, in order."""
        return tuple(shard for shard in self.shards if shard.dataset == dataset)


def batch_identity(dataset: str, objects: tuple[LandedObject, ...], contract_hash: str, gate_version: str) -> str:
    """The batch's id: the same bytes under the same contract and gate have the same id, 16 hex digits."""
    digest = hashlib.sha256()
    for part in (dataset, contract_hash, gate_version, *sorted(f"{landed.key}@{landed.etag}" for landed in objects)):
        digest.update(part.encode())
        digest.update(b"\0")
    return digest.hexdigest()[:16]


def split_into_shards(batch: Batch, shard_bytes: int) -> tuple[Shard, ...]:
    """Packs the batch's objects, in order, into shards of about `shard_bytes` each; a batch has at least one."""
    groups: list[list[LandedObject]] = [[]]
    for landed in batch.objects:
        if groups[-1] and sum(item.size_bytes for item in groups[-1]) + landed.size_bytes > shard_bytes:
            groups.append([])
        groups[-1].append(landed)
    return tuple(
        Shard(f"{batch.dataset}-{number}", batch.dataset, batch.batch_id, tuple(group))
        for number, group in enumerate(groups)
    )
