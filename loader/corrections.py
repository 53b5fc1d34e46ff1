"""Owns taking lines out of an object after it was judged: its copy without them, and its accounts without them.

Which lines those are is the reduce's job to find (loader/reduce.py).
"""

import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

from contracts.model import Contract
from loader import layout
from loader.batch import Batch, LandedObject
from loader.documents import to_json
from loader.gate import GZIP, ManifestEntry
from loader.lines import GzipWriter, landed_lines
from loader.quarantine import quarantined
from loader.store import ObjectStore
from validation.digests import Rows
from validation.findings import Findings, added, merged
from validation.lines import Line, OverlongLine
from validation.raw_gate import JUDGED_AT_ONCE, JUDGED_BYTES, RawGate
from validation.results import ObjectResult, Rejection
from validation.tally import ObjectTally, key_of


@dataclass(frozen=True, slots=True)
class Correction:
    """What is wrong in what an object came to alone. Lines are numbered as they landed, and sorted."""

    kept: Rows  # accepted lines that stay so; of numbers
    moved: Rows  # accepted lines that do not, as validation/digests.py has them (MOVED)


class Corrector:
    """Corrects objects of one batch."""

    def __init__(self, store: ObjectStore, contract: Contract, batch: Batch) -> None:
        self._store = store
        self._batch = batch
        self._gate = RawGate(contract)

    def correct(
        self, landed: LandedObject, result: ObjectResult, correction: Correction
    ) -> tuple[ObjectResult, ManifestEntry | None]:
        """Writes the object without its moved lines, and those that conflict to quarantine.

        Returns what it comes to now, and what of it may be loaded.
        """
        with tempfile.TemporaryDirectory(prefix="spacex-elt-reduce-") as folder:
            kept, rejected = Path(folder) / "kept", Path(folder) / "rejected"
            moving = _Moving(self._gate, landed.key)
            with kept.open("wb") as file, GzipWriter(file) as target:
                self._copy(landed, correction, target, moving)
            at = (self._batch.dataset, self._batch.batch_id, landed.key)
            if moving.rejections:
                with rejected.open("wb") as file, GzipWriter(file) as target:
                    for rejection in moving.rejections:
                        target.write_line(to_json(quarantined(self._batch, rejection)))
                self._store.put_file(layout.conflicts_key(*at), rejected, GZIP)
            if not len(correction.kept):
                return moving.corrected(result), None
            stored = self._store.put_file(layout.reduced_key(*at), kept, GZIP)
            entry = ManifestEntry(stored.key, stored.size_bytes, len(correction.kept), stored.etag)
            return moving.corrected(result), entry

    def _copy(self, landed: LandedObject, correction: Correction, target: GzipWriter, moving: "_Moving") -> None:
        kept, moved = map(int, correction.kept), iter(correction.moved)
        next_kept, next_moved = next(kept, 0), next(moved, None)
        byte_offset = 0
        with closing(self._store.open(landed.key, landed.etag)) as body:
            for number, line in enumerate(landed_lines(body), start=1):
                if number == next_kept and not isinstance(line, OverlongLine):
                    target.write_line(line)
                    next_kept = next(kept, 0)
                elif next_moved is not None and number == next_moved["line"]:
                    moving.add(Line.read(number, byte_offset, line), is_conflict=bool(next_moved["is_conflict"]))
                    next_moved = next(moved, None)
                if not next_kept and next_moved is None:
                    break
                byte_offset += len(line) + 1
        moving.settle()


class _Moving:
    """The lines that are taken out, and what they were counted for."""

    def __init__(self, gate: RawGate, object_key: str) -> None:
        self.rejections: list[Rejection] = []
        self._gate = gate
        self._taken_back = ObjectTally(gate.contract, object_key)  # what they broke as accepted records
        self._rejected = ObjectTally(gate.contract, object_key)
        self._waiting: list[tuple[Line, bool]] = []
        self._waiting_bytes = 0
        self._duplicate_count = 0
        self._conflict_count = 0

    def add(self, line: Line, *, is_conflict: bool) -> None:
        """Takes a line in."""
        self._waiting.append((line, is_conflict))
        self._waiting_bytes += len(line.raw)
        if len(self._waiting) >= JUDGED_AT_ONCE or self._waiting_bytes >= JUDGED_BYTES:
            self.settle()

    def settle(self) -> None:
        """Counts what waits."""
        waiting, self._waiting, self._waiting_bytes = self._waiting, [], 0
        opened = self._gate.door.opens_for([line.raw for line, _ in waiting])
        judged = [line for (line, _), identity in zip(waiting, opened, strict=True) if identity is None]
        envelopes = [line.envelope for line in judged if line.envelope is not None]
        found = self._gate.violations(envelopes) if envelopes else []
        violations = dict(zip((line.number for line in judged), found, strict=True))
        for line, is_conflict in waiting:
            broken = violations.get(line.number, ())
            key = key_of(line.record or {}, self._gate.key_name)
            self._taken_back.warn(key, broken)
            if is_conflict and key is not None:
                self._conflict_count += 1
                self.rejections.append(self._rejected.conflicting(line, key, broken))
            else:
                self._duplicate_count += 1

    def corrected(self, result: ObjectResult) -> ObjectResult:
        """What the object comes to without these lines."""
        taken_back = self._taken_back.result(0, {}).found
        rejected = self._rejected.result(0, {}).found
        left = replace(
            result.found,
            warnings_by_rule=added(
                result.found.warnings_by_rule,
                {rule_id: -count for rule_id, count in taken_back.warnings_by_rule.items()},
            ),
            warned_keys=_without(result.found.warned_keys, taken_back.warned_keys),
        )
        return replace(
            result,
            accepted_count=result.accepted_count - self._duplicate_count - self._conflict_count,
            duplicate_count=result.duplicate_count + self._duplicate_count,
            quarantined_count=result.quarantined_count + self._conflict_count,
            found=merged(sorted((left, rejected), key=_first_line)),
        )


def _first_line(found: Findings) -> int:
    return found.first_rejected_line or 0  # without a rejection, it does not matter


def _without(keys: Mapping[str, Sequence[str]], gone: Mapping[str, Sequence[str]]) -> dict[str, tuple[str, ...]]:
    """The keys by rule without those that are gone; of a key that is there twice the later one is."""
    left = {rule_id: _without_each(known, gone.get(rule_id, ())) for rule_id, known in keys.items()}
    return {rule_id: known for rule_id, known in left.items() if known}


def _without_each(known: Sequence[str], gone: Sequence[str]) -> tuple[str, ...]:
    still_to_go = Counter(gone)
    left = []
    for key in reversed(known):
        if still_to_go[key]:
            still_to_go[key] -= 1
        else:
            left.append(key)
    return tuple(reversed(left))
