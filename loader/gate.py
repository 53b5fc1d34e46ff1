"""Owns the gate step: one shard's objects through the raw gate, what it set aside and what it let pass written down.

Each object is judged alone, several at once; what repeats in others is found when all are (loader/reduce.py). Deciding
is validation's job (validation/raw_gate.py).
"""

import os
import tempfile
from collections.abc import Callable, Collection, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from functools import partial, reduce
from pathlib import Path
from typing import BinaryIO

from contracts.classification import public_paths
from contracts.model import Contract
from loader import layout, workers
from loader.batch import Batch, LandedObject, Shard
from loader.documents import to_json
from loader.lines import GzipWriter, landed_lines
from loader.quarantine import quarantined
from loader.store import ObjectStore, StoredObject
from validation.lines import OverlongLine
from validation.profile import BatchProfile, Profile, Profiler, profiled
from validation.raw_gate import RawGate
from validation.results import ObjectCounts, ObjectResult, Rejection, ShardResult
from validation.set_checks import unique_names
from validation.uniqueness import MOST_KEYS_HELD, ObjectMemory

GZIP = "application/gzip"

_DIGESTS = "application/octet-stream"
_PROCESS_BYTES = 8 << 20  # compressed: less is judged sooner than another process is started


@dataclass(frozen=True, slots=True)
class ManifestEntry:
    """One object that may be loaded: landed and clean, or written by the gate."""

    key: str
    size_bytes: int
    record_count: int
    etag: str  # COPY must find this version


@dataclass(frozen=True, slots=True)
class DigestFile:
    """The digests of an object's accepted records, for finding what repeats in others."""

    object_key: str
    key: str
    record_count: int


@dataclass(frozen=True, slots=True)
class GateOutput:
    """What the gate step says of one shard."""

    result: ShardResult
    entries: tuple[ManifestEntry, ...]
    digests: tuple[DigestFile, ...] = ()  # none where no other object could have the same records


@dataclass(frozen=True, slots=True)
class GatedObject:
    """What the gate says of one object."""

    result: ObjectResult
    entry: ManifestEntry | None  # None where nothing was accepted
    digests: DigestFile | None
    profile: Profile


def gate_shard(
    store: ObjectStore,
    contract: Contract,
    batch: Batch,
    shard: Shard,
    keep_profile: Callable[[BatchProfile], None] = lambda profile: None,
) -> GateOutput:
    """Judges every record of a shard; writes accepted/ (of objects with rejects only), quarantine/ and digests/.

    What was seen of the data, good and bad, goes to `keep_profile` on the way.

    Idempotent: the names and bytes it writes depend on the objects alone, not on the shard or the number of processes.
    Raises ObjectMissing or ObjectChanged when landing is no longer what the plan saw.
    """
    count = min(os.cpu_count() or 1, len(shard.objects), shard.size_bytes // _PROCESS_BYTES)
    return gate_in_processes(store, contract, batch, shard, count, keep_profile)


def gate_in_processes(
    store: ObjectStore,
    contract: Contract,
    batch: Batch,
    shard: Shard,
    process_count: int,
    keep_profile: Callable[[BatchProfile], None] = lambda profile: None,
) -> GateOutput:
    """The same in so many processes. With more than one, the store has to be picklable."""
    gated = workers.each(partial(ObjectGate, store, contract, batch), shard.objects, process_count)
    profile = reduce(Profile.merge, (each.profile for each in gated), Profile())
    line_count = sum(each.result.line_count for each in gated)
    keep_profile(BatchProfile(batch.dataset, batch.batch_id, batch.contract_version, line_count, profile))
    return together(batch, shard, gated)


def together(batch: Batch, shard: Shard, gated: Sequence[GatedObject]) -> GateOutput:
    """What a shard's objects come to."""
    return GateOutput(
        ShardResult(batch.dataset, batch.batch_id, shard.shard_id, tuple(each.result for each in gated)),
        tuple(each.entry for each in gated if each.entry is not None),
        tuple(each.digests for each in gated if each.digests is not None),
    )


class ObjectGate:
    """Takes objects of one batch through the raw gate, one after the other. Made once per process."""

    def __init__(self, store: ObjectStore, contract: Contract, batch: Batch, most_held: int = MOST_KEYS_HELD) -> None:
        self._store = store
        self._batch = batch
        self._most_held = most_held
        self._gate = RawGate(contract)
        self._unique_names = unique_names(contract)
        self._public_paths = public_paths(contract)

    def __call__(self, landed: LandedObject) -> GatedObject:
        """Judges one object."""
        with ExitStack() as open_files:
            folder = Path(open_files.enter_context(tempfile.TemporaryDirectory(prefix="spacex-elt-gate-")))
            body = open_files.enter_context(closing(self._store.open(landed.key, landed.etag)))
            sink = _LakeSink(self._store, self._batch, landed, folder, open_files)
            with (folder / "digests").open("wb") as rows:
                memory = ObjectMemory(rows, self._unique_names, self._most_held)
                profiler = Profiler(self._public_paths.__contains__)
                result = self._gate.check_object(landed.key, profiled(landed_lines(body), profiler), memory, sink)
            entry = sink.written(result)
            may_repeat = memory.is_undecided or len(self._batch.objects) > 1
            digests = self._kept(folder / "digests", result) if may_repeat and result.accepted_count else None
            return GatedObject(result, entry, digests, profiler.profile())

    def _kept(self, path: Path, result: ObjectResult) -> DigestFile:
        key = layout.digests_key(self._batch.dataset, self._batch.batch_id, result.object_key)
        self._store.put_file(key, path, _DIGESTS)
        return DigestFile(result.object_key, key, result.accepted_count)


class _LakeSink:
    """Writes what was left out of one object, and the object without it. Of a clean object nothing is written."""

    def __init__(
        self, store: ObjectStore, batch: Batch, landed: LandedObject, folder: Path, open_files: ExitStack
    ) -> None:
        self._store = store
        self._batch = batch
        self._landed = landed
        self._folder = folder
        self._open_files = open_files
        self._accepted: GzipWriter | None = None
        self._rejected: GzipWriter | None = None
        self._files: list[BinaryIO] = []

    def accept(self, object_key: str, line: bytes) -> None:
        if self._accepted is not None:
            self._accepted.write_line(line)

    def leave_out(self, object_key: str, line_count: int, left_out: Collection[int]) -> None:
        self._accepted = GzipWriter(self._file("accepted"))
        if line_count == len(left_out):
            return
        with closing(self._store.open(self._landed.key, self._landed.etag)) as body:
            for number, line in enumerate(landed_lines(body), start=1):
                if number not in left_out and not isinstance(line, OverlongLine):
                    self._accepted.write_line(line)
                if number == line_count:
                    return

    def reject(self, rejection: Rejection) -> None:
        if self._rejected is None:
            self._rejected = GzipWriter(self._file("rejected"))
        self._rejected.write_line(to_json(quarantined(self._batch, rejection)))

    def finish_object(self, counts: ObjectCounts) -> None:
        for writer in (self._accepted, self._rejected):
            if writer is not None:
                writer.close()
        for file in self._files:
            file.close()

    def written(self, counts: ObjectCounts) -> ManifestEntry | None:
        """Stores what was written, quarantine first, and says what may be loaded."""
        at = (self._batch.dataset, self._batch.batch_id, self._landed.key)
        if self._rejected is not None:
            self._stored("rejected", layout.quarantine_key(*at))
        if not counts.accepted_count:
            return None
        if self._accepted is None:
            return ManifestEntry(self._landed.key, self._landed.size_bytes, counts.accepted_count, self._landed.etag)
        stored = self._stored("accepted", layout.accepted_key(*at))
        return ManifestEntry(stored.key, stored.size_bytes, counts.accepted_count, stored.etag)

    def _file(self, name: str) -> BinaryIO:
        file = self._open_files.enter_context((self._folder / name).open("wb"))
        self._files.append(file)
        return file

    def _stored(self, name: str, key: str) -> StoredObject:
        return self._store.put_file(key, self._folder / name, GZIP)
