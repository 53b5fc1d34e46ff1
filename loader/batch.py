"""Owns what a plan says: landed objects, batches, shards, packs. Finding them in the lake is loader/plan.py's job."""

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from loader.layout import parse_landed

Item = TypeVar("Item")

MOST_IN_A_PACK = 50  # names that one command line is given; ECS takes 8 KiB of overrides


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
    forced_by: str = ""  # the run that loads it whatever was published before; such a batch is that run's alone
    is_partial: bool = False  # a replay: says nothing of the rows it lacks
    snapshot_at_ms: int | None = None  # of a replay: when its snapshot landed, whatever part of it this is
    replay_of: str = ""  # of a replay: the batch that set its records aside

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

    @property
    def size_bytes(self) -> int:
        """The batch's objects as they lie, compressed."""
        return sum(landed.size_bytes for landed in self.objects)


@dataclass(frozen=True, slots=True)
class Shard:
    """The part of a batch that one gate process reads."""

    shard_id: str
    dataset: str
    batch_id: str
    objects: tuple[LandedObject, ...]

    @property
    def size_bytes(self) -> int:
        """The shard's objects as they lie, compressed."""
        return sum(landed.size_bytes for landed in self.objects)


@dataclass(frozen=True, slots=True)
class Container:
    """What one process takes: shards at the gate, and datasets to load, perhaps none of these."""

    shards: tuple[str, ...]  # ids
    datasets: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run will do. Written once per run; every later step reads it, so a retry does the same work."""

    run_id: str
    source: str
    job_id: str
    planned_at: datetime
    batches: tuple[Batch, ...]
    shards: tuple[Shard, ...]

    @property
    def is_forced(self) -> bool:
        """Whether the run loads its batches whatever was published before."""
        return any(batch.forced_by for batch in self.batches)

    def batch(self, dataset: str) -> Batch:
        """The batch of a dataset. Raises KeyError."""
        return {batch.dataset: batch for batch in self.batches}[dataset]

    def shard(self, shard_id: str) -> Shard:
        """The shard of that id. Raises KeyError."""
        return {shard.shard_id: shard for shard in self.shards}[shard_id]

    def shards_of(self, dataset: str) -> tuple[Shard, ...]:
        """The shards of a dataset's batch, in order."""
        return tuple(shard for shard in self.shards if shard.dataset == dataset)

    def containers(self, most_bytes: int) -> tuple[Container, ...]:
        """The work in the containers that it takes: datasets are packed by size, and each pack's shards once more.

        A pack's datasets are loaded by the first container that gates it: a scheduler maps over one list only.
        """
        found: list[Container] = []
        for batches in pack(self.batches, lambda batch: batch.size_bytes, most_bytes, MOST_IN_A_PACK):
            shards = [shard for batch in batches for shard in self.shards_of(batch.dataset)]
            datasets = tuple(batch.dataset for batch in batches)
            for group in pack(shards, lambda shard: shard.size_bytes, most_bytes, MOST_IN_A_PACK):
                found.append(Container(tuple(shard.shard_id for shard in group), datasets))
                datasets = ()
        return tuple(found)


def batch_identity(
    dataset: str, objects: tuple[LandedObject, ...], contract_hash: str, gate_version: str, forced_by: str = ""
) -> str:
    """The batch's id: the same bytes under the same contract and gate have the same id, 16 hex digits.

    A forced run's batches are its own: its id is part of theirs.
    """
    digest = hashlib.sha256()
    objects_as_seen = sorted(f"{landed.key}@{landed.etag}" for landed in objects)
    for part in (dataset, contract_hash, gate_version, *objects_as_seen, *([forced_by] if forced_by else [])):
        digest.update(part.encode())
        digest.update(b"\0")
    return digest.hexdigest()[:16]


def split_into_shards(batch: Batch, shard_bytes: int) -> tuple[Shard, ...]:
    """Packs the batch's objects, in order, into shards of at most `shard_bytes` each; a batch has at least one."""
    groups = pack(batch.objects, lambda landed: landed.size_bytes, shard_bytes) or ((),)
    return tuple(
        Shard(f"{batch.dataset}-{number}", batch.dataset, batch.batch_id, group) for number, group in enumerate(groups)
    )


def pack(
    items: Iterable[Item], size_of: Callable[[Item], int], most_bytes: int, most_items: int | None = None
) -> tuple[tuple[Item, ...], ...]:
    """The items, in order, in packs of at most `most_bytes` and `most_items`; what is larger is a pack of its own."""
    packs: list[list[Item]] = []
    size_bytes = 0
    for item in items:
        size_bytes += size_of(item)
        if not packs or size_bytes > most_bytes or len(packs[-1]) == most_items:
            packs.append([])
            size_bytes = size_of(item)
        packs[-1].append(item)
    return tuple(map(tuple, packs))
