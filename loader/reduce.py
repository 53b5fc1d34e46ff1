"""Owns the reduce: what repeats in the objects of a batch, found in their digests, and what becomes of it.

It brings what the objects came to alone, each in whatever shard and process, to what one process comes to that reads
them all in the batch's order. What digests can say is validation/digests.py's job.
"""

import tempfile
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np

from contracts.errors import ServiceUnavailable
from contracts.model import Contract
from loader import layout
from loader.batch import Batch, LandedObject
from loader.corrections import Correction, Corrector
from loader.gate import DigestFile, GateOutput, ManifestEntry
from loader.lines import landed_lines
from loader.store import ObjectStore
from validation.digests import MOVED, SPILLED, Rows, part_of, repeats, row_type, settled, spilled, undecided
from validation.envelope import Envelope, parse_line
from validation.findings import Findings, KeySet, merged
from validation.lines import OverlongLine
from validation.results import ObjectResult
from validation.set_checks import unique_names
from validation.uniqueness import content_of, text_of

ROWS_AT_ONCE: Final = 250_000  # digests held at once: they are cut in as many parts as that takes

_READ_ROWS: Final = 50_000


def reduce_batch(
    store: ObjectStore,
    contract: Contract,
    batch: Batch,
    gated: Sequence[GateOutput],
    rows_at_once: int = ROWS_AT_ONCE,
) -> tuple[GateOutput, ...]:
    """The gate's outputs of all shards of a batch, corrected for what repeats in several objects.

    Of records of one key the first stays, in the batch's order of objects and then of lines. Equal ones are duplicates,
    others are rejected and break the key's rule. An object that loses lines is written anew, under a name of its own.
    Reads nothing when nothing can repeat. Idempotent, as the gate is.
    """
    files = {file.object_key: file for output in gated for file in output.digests}
    if not files:
        return tuple(gated)
    with tempfile.TemporaryDirectory(prefix="spacex-elt-reduce-") as folder:
        search = _Search(store, contract, batch, files, Path(folder), rows_at_once)
        repeated = search.search()
        corrector = Corrector(store, contract, batch)
        return tuple(_reduced(output, batch, search, repeated, corrector) for output in gated)


def _reduced(
    output: GateOutput,
    batch: Batch,
    search: "_Search",
    repeated: Mapping[str, Mapping[str, KeySet]],
    corrector: Corrector,
) -> GateOutput:
    entries = {entry.key: entry for entry in output.entries}
    landed = {each.key: each for each in batch.objects}
    results: list[ObjectResult] = []
    kept_entries: list[ManifestEntry | None] = []
    for alone in output.result.objects:
        key = alone.object_key
        correction = search.correction(key)
        if correction is None:
            result = alone
            entry = entries.get(key) or entries.get(layout.accepted_key(batch.dataset, batch.batch_id, key))
        else:
            result, entry = corrector.correct(landed[key], alone, correction)
        values = Findings(repeated_values={name: found.first() for name, found in repeated.get(key, {}).items()})
        results.append(replace(result, found=merged((result.found, values))))
        kept_entries.append(entry)
    shard = replace(output.result, objects=tuple(results))
    return GateOutput(shard, tuple(entry for entry in kept_entries if entry is not None))


class _Search:
    """Looks for what repeats. Digests are spread over files first, so that those of one value lie in one of them."""

    def __init__(
        self,
        store: ObjectStore,
        contract: Contract,
        batch: Batch,
        files: Mapping[str, DigestFile],
        folder: Path,
        rows_at_once: int,
    ) -> None:
        self._store = store
        self._objects = batch.objects
        self._files = files
        self._folder = folder
        self._unique_names = unique_names(contract)
        self._row_type = row_type(len(self._unique_names))
        self._part_count = -(-sum(file.record_count for file in files.values()) // rows_at_once)
        self._index = {landed.key: index for index, landed in enumerate(batch.objects)}

    def search(self) -> dict[str, dict[str, KeySet]]:
        """Finds which lines are moved, for `correction` to tell; returns the repeated values by object and name."""
        for index, landed in enumerate(self._objects):
            for rows in self._rows_of(landed.key):
                self._spread("key", spilled(rows, rows["key"], index))
                for number, name in enumerate(self._unique_names):
                    self._spread(f"unique-{name}", spilled(rows, rows["unique"][:, number], index))
        for rows in self._parts("key"):
            self._move(rows)
        repeated: dict[str, dict[str, KeySet]] = defaultdict(lambda: defaultdict(KeySet))
        for name in self._unique_names:
            for rows in self._parts(f"unique-{name}"):
                for landed, envelope in self._repeated_values(rows):
                    if (text := text_of(envelope.record.get(name))) is not None:
                        repeated[landed.key][name].add(text)
        return repeated

    def correction(self, object_key: str) -> Correction | None:
        """What is wrong with an object, or None when nothing is."""
        moved = self._moved(self._index[object_key])
        if not len(moved):
            return None
        lines = np.sort(np.concatenate([rows["line"] for rows in self._rows_of(object_key)]))
        return Correction(lines[~np.isin(lines, moved["line"])], np.sort(moved, order="line"))

    def _rows_of(self, object_key: str) -> Iterator[Rows]:
        file = self._files.get(object_key)
        if file is None:
            return
        size = self._row_type.itemsize
        with closing(self._store.open(file.key)) as body:
            rest = b""
            while block := rest + body.read(_READ_ROWS * size):
                whole = len(block) - len(block) % size
                if not whole:
                    raise ServiceUnavailable(f"{file.key} ends within a row. Take its shard through the gate again.")
                yield np.frombuffer(block[:whole], self._row_type)
                rest = block[whole:]

    def _spread(self, kind: str, rows: Rows) -> None:
        parts = part_of(rows, self._part_count)
        for part in np.unique(parts):
            with (self._folder / f"{kind}.{part}").open("ab") as file:
                file.write(rows[parts == part].tobytes())

    def _parts(self, kind: str) -> Iterator[Rows]:
        for part in range(self._part_count):
            path = self._folder / f"{kind}.{part}"
            if path.exists():
                yield np.fromfile(path, SPILLED)

    def _move(self, rows: Rows) -> None:
        found = repeats(rows)
        contents = {
            (index, line): content_of(envelope.record)
            for index, line, envelope in self._read_again(found.rows[undecided(found)])
        }
        is_duplicate, is_conflict = settled(found, contents)
        is_moved = is_duplicate | is_conflict
        moved = np.empty(int(is_moved.sum()), MOVED)
        moved["line"], moved["is_conflict"] = found.rows["line"][is_moved], is_conflict[is_moved]
        objects = found.rows["object"][is_moved]
        for index in np.unique(objects):
            with (self._folder / f"moved.{index}").open("ab") as file:
                file.write(moved[objects == index].tobytes())

    def _moved(self, index: int) -> Rows:
        path = self._folder / f"moved.{index}"
        return np.fromfile(path, MOVED) if path.exists() else np.empty(0, MOVED)

    def _repeated_values(self, rows: Rows) -> Iterator[tuple[LandedObject, Envelope]]:
        """One record for each value that several accepted records have: the second of them."""
        is_accepted = np.ones(len(rows), bool)
        for index in np.unique(rows["object"]):
            is_of_object = rows["object"] == index
            is_accepted[is_of_object] = ~np.isin(rows["line"][is_of_object], self._moved(int(index))["line"])
        found = repeats(rows[is_accepted])
        seconds = found.rows[np.flatnonzero(found.is_first) + 1]
        for index, _, envelope in self._read_again(seconds):
            yield self._objects[index], envelope

    def _read_again(self, rows: Rows) -> Iterator[tuple[int, int, Envelope]]:
        """The records of these rows, each with its object's index and its line."""
        for index in np.unique(rows["object"]):
            landed = self._objects[int(index)]
            wanted = set(rows["line"][rows["object"] == index].tolist())
            last = max(wanted)
            with closing(self._store.open(landed.key, landed.etag)) as body:
                for number, line in enumerate(landed_lines(body), start=1):
                    opened = parse_line(line) if number in wanted and not isinstance(line, OverlongLine) else None
                    if isinstance(opened, Envelope):
                        yield int(index), number, opened
                    if number == last:
                        break
