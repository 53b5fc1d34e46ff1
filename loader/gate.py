"""Owns the gate step: one shard's objects through the raw gate, what it set aside and what it let pass written down.

Deciding is validation's job (validation/raw_gate.py).
"""

import gzip
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from contracts.model import Contract
from loader import layout
from loader.batch import Batch, LandedObject, Shard
from loader.documents import to_json
from loader.lines import iter_lines
from loader.quarantine import quarantined
from loader.store import ObjectStore
from validation.raw_gate import RawGate
from validation.results import ObjectCounts, Rejection, ShardResult

_GZIP = "application/gzip"
_FAST = 1  # zlib's level 6 would cost more than the whole gate


@dataclass(frozen=True, slots=True)
class ManifestEntry:
    """One object that may be loaded: landed and clean, or written by the gate."""

    key: str
    size_bytes: int
    record_count: int


@dataclass(frozen=True, slots=True)
class GateOutput:
    """What the gate step says of one shard."""

    result: ShardResult
    entries: tuple[ManifestEntry, ...]


def gate_shard(store: ObjectStore, contract: Contract, batch: Batch, shard: Shard) -> GateOutput:
    """Judges every record of a shard; writes accepted/ (for objects with rejects only) and quarantine/.

    Idempotent: the names and bytes it writes depend on the shard alone. Raises ObjectMissing or ObjectChanged when
    landing is no longer what the plan saw.
    """
    with ExitStack() as open_files:
        folder = Path(open_files.enter_context(tempfile.TemporaryDirectory(prefix="spacex-elt-gate-")))
        sink = _LakeSink(store, batch, shard, folder, open_files)
        result = RawGate(contract).check_shard(batch.batch_id, shard.shard_id, _lines(store, shard), sink)
        sink.write_quarantine()
    return GateOutput(result, tuple(sink.entries))


def _lines(store: ObjectStore, shard: Shard) -> Iterator[tuple[str, Iterator[bytes]]]:
    for landed in shard.objects:
        with closing(store.open(landed.key, landed.etag)) as body:
            yield landed.key, iter_lines(body)


class _LakeSink:
    """Keeps an object's accepted lines on disk until its fate is known; most objects turn out clean."""

    def __init__(self, store: ObjectStore, batch: Batch, shard: Shard, folder: Path, open_files: ExitStack) -> None:
        self.entries: list[ManifestEntry] = []
        self._store = store
        self._batch = batch
        self._shard = shard
        self._landed: dict[str, LandedObject] = {landed.key: landed for landed in shard.objects}
        self._open_files = open_files
        self._accepted: BinaryIO = open_files.enter_context((folder / "accepted").open("w+b"))
        self._accepted_count = 0  # what came here, for the manifest; the gate keeps its own account
        self._rejected_path = folder / "quarantine.jsonl.gz"
        self._rejected: gzip.GzipFile | None = None

    def accept(self, object_key: str, line: bytes) -> None:
        self._accepted.write(line)
        self._accepted.write(b"\n")
        self._accepted_count += 1

    def reject(self, rejection: Rejection) -> None:
        if self._rejected is None:
            self._rejected = self._open_files.enter_context(_gzip_writer(self._rejected_path))
        self._rejected.write(to_json(quarantined(self._batch, rejection)) + b"\n")

    def finish_object(self, counts: ObjectCounts) -> None:
        landed = self._landed[counts.object_key]
        if counts.is_clean and counts.accepted_count:
            self.entries.append(ManifestEntry(landed.key, landed.size_bytes, self._accepted_count))
        elif counts.accepted_count:
            self.entries.append(self._write_accepted(counts))
        self._accepted.seek(0)
        self._accepted.truncate()
        self._accepted_count = 0

    def _write_accepted(self, counts: ObjectCounts) -> ManifestEntry:
        name = layout.file_name(counts.object_key)
        path = self._rejected_path.with_name(name)
        self._accepted.seek(0)
        with _gzip_writer(path) as target:
            while block := self._accepted.read(1 << 20):
                target.write(block)
        key = layout.accepted_prefix(self._batch.dataset, self._batch.batch_id) + name
        stored = self._store.put_file(key, path, _GZIP)
        path.unlink()
        return ManifestEntry(stored.key, stored.size_bytes, self._accepted_count)

    def write_quarantine(self) -> None:
        """Stores what was rejected. Nothing was: nothing is written."""
        if self._rejected is None:
            return
        self._rejected.close()
        key = layout.quarantine_prefix(self._batch.dataset, self._batch.batch_id) + f"{self._shard.shard_id}.jsonl.gz"
        self._store.put_file(key, self._rejected_path, _GZIP)


def _gzip_writer(path: Path) -> gzip.GzipFile:
    """A gzip file whose bytes depend on its name and content alone: no time."""
    return gzip.GzipFile(path, "wb", _FAST, mtime=0)
