"""Owns the raw gate: streams the lines of a shard past the judge and takes the verdict of a batch.

Where the lines come from and where they go is the loader's job, behind GateSink (loader/).
"""

import gzip
import zlib
from collections.abc import Iterable, Iterator, Sequence
from typing import Final, Protocol

from contracts.model import Contract
from validation import set_checks
from validation.results import CheckResult, ObjectCounts, RawGateResult, Rejection, ShardResult, Verdict
from validation.shard import Line, ShardTally, rejection_of_rest
from validation.wording import batch_name, counted, few, percent

GATE_VERSION: Final[str] = "1"  # part of a batch's identity: raise it when a verdict could change

CHUNK_LINES: Final = 5_000
CHUNK_BYTES: Final = 16 * 1024 * 1024

_DAMAGE: Final = (EOFError, zlib.error, gzip.BadGzipFile)  # the object is at fault, not the service


class GateSink(Protocol):
    """Where the lines of a shard go, in the order they lie. Lines come without their line end."""

    def accept(self, object_key: str, line: bytes) -> None:
        """Takes a line that may go on."""
        ...

    def reject(self, rejection: Rejection) -> None:
        """Takes a line that goes to quarantine."""
        ...

    def finish_object(self, counts: ObjectCounts) -> None:
        """Learns that the object's last line was given."""
        ...


class RawGate:
    """Gate 1: every record against its contract, before anything is loaded.

    Made once per contract. Raises ContractInvalid when the contract has a rule that the gate cannot judge.
    """

    def __init__(self, contract: Contract, chunk_lines: int = CHUNK_LINES) -> None:
        from validation.judge import Judge  # pandera takes two seconds to import

        self._contract = contract
        self._chunk_lines = chunk_lines
        self._judge = Judge(contract)

    def check_shard(
        self, batch_id: str, shard_id: str, objects: Iterable[tuple[str, Iterable[bytes]]], sink: GateSink
    ) -> ShardResult:
        """Judges every line of these objects and hands each to the sink.

        Memory is bounded by a chunk of lines and the shard's keys. An object that turns out to be cut short or
        damaged fails the check `object-readable`; any other error of the lines' source passes through.
        """
        tally = ShardTally(self._contract)
        for object_key, lines in objects:
            self._check_object(object_key, lines, tally, sink)
        return tally.result(batch_id, shard_id)

    def _check_object(self, object_key: str, lines: Iterable[bytes], tally: ShardTally, sink: GateSink) -> None:
        tally.start_object(object_key)
        reading = _Reading(lines, self._chunk_lines)
        for chunk in reading.chunks():
            self._check_chunk(chunk, tally, sink)
        if reading.damage is not None:
            rest = rejection_of_rest(object_key, reading.line_count + 1, reading.damage)
            tally.count_damage(rest)
            sink.reject(rest)
        sink.finish_object(tally.finish_object(reading.line_count + (reading.damage is not None)))

    def _check_chunk(self, chunk: Sequence[Line], tally: ShardTally, sink: GateSink) -> None:
        records = [line.envelope.record for line in chunk if line.envelope is not None]
        violations = iter(self._judge.judge(records))
        for line in chunk:
            found = next(violations) if line.envelope is not None else ()
            settled = tally.settle(line, found)
            if isinstance(settled, Rejection):
                sink.reject(settled)
            elif settled is not None:
                sink.accept(tally.object_key, settled)


class _Reading:
    """Reads lines in chunks up to the end or to where the object is damaged."""

    def __init__(self, lines: Iterable[bytes], chunk_lines: int) -> None:
        self._lines = iter(lines)
        self._chunk_lines = chunk_lines
        self.line_count = 0
        self.damage: str | None = None

    def chunks(self) -> Iterator[list[Line]]:
        chunk: list[Line] = []
        size_bytes = 0
        while (raw := self._next()) is not None:
            chunk.append(Line.read(self.line_count, raw))
            size_bytes += len(raw)
            if len(chunk) >= self._chunk_lines or size_bytes >= CHUNK_BYTES:
                yield chunk
                chunk, size_bytes = [], 0
        if chunk:
            yield chunk

    def _next(self) -> bytes | None:
        try:
            raw = next(self._lines, None)
        except _DAMAGE as error:
            self.damage = str(error) or type(error).__name__
            return None
        if raw is not None:
            self.line_count += 1
        return raw


def judge_batch(
    contract: Contract,
    batch_id: str,
    shards: Sequence[ShardResult],
    expected_count: int | None,
    damaged: Sequence[str],
    published_count: int | None = None,
) -> RawGateResult:
    """The verdict over all shards of a batch.

    `expected_count` is what Airbyte says it committed, None when it did not say. `damaged` names objects that were
    found unreadable before the gate saw them. `published_count` is how many rows were live after the load before.
    """
    checks = set_checks.of_batch(contract, shards, expected_count, damaged, published_count)
    why = _why(checks, _why_rejected(contract, shards)) or _all_well(shards)
    return _result(contract, batch_id, shards, checks, why)


def judge_part(
    contract: Contract, batch_id: str, shards: Sequence[ShardResult], damaged: Sequence[str]
) -> RawGateResult:
    """The verdict over a replayed part of a snapshot: what only a whole snapshot can break, it cannot."""
    checks = set_checks.of_part(shards, damaged)
    why = _why(checks, _why_rejected_again(shards)) or _all_well(shards)
    return _result(contract, batch_id, shards, checks, why)


def _result(
    contract: Contract, batch_id: str, shards: Sequence[ShardResult], checks: tuple[CheckResult, ...], why: str
) -> RawGateResult:
    return RawGateResult(
        dataset=contract.dataset,
        batch_id=batch_id,
        contract_version=contract.version,
        shards=tuple(shards),
        set_checks=checks,
        verdict=_verdict(shards, checks),
        reason=f"{batch_name(contract.dataset, batch_id)}: {why}",
    )


def _verdict(shards: Sequence[ShardResult], checks: Sequence[CheckResult]) -> Verdict:
    if any(check.holds_the_batch for check in checks):
        return Verdict.NO_GO
    return Verdict.QUARANTINE if any(shard.rejected_count for shard in shards) else Verdict.GO


def _why(checks: Sequence[CheckResult], why_rejected: Sequence[str]) -> str:
    causes = [
        f"{check.observed}, expected {check.expected} (rule {check.rule_id})"
        for check in checks
        if check.holds_the_batch and check.rule_id != set_checks.REJECT_LIMIT
    ]
    return "; ".join([*causes, *why_rejected])


def _why_rejected(contract: Contract, shards: Sequence[ShardResult]) -> list[str]:
    rejected_count = sum(shard.rejected_count for shard in shards)
    if not rejected_count:
        return []
    line_count = sum(shard.line_count for shard in shards)
    ratio, limit = percent(rejected_count / line_count), percent(contract.reject_limit.ratio)
    first = next(shard.first_rejection for shard in shards if shard.first_rejection)
    return [f"{rejected_count} of {counted(line_count, 'record')} rejected ({ratio}, limit {limit}). First: {first}"]


def _why_rejected_again(shards: Sequence[ShardResult]) -> list[str]:
    rejected_count = sum(shard.rejected_count for shard in shards)
    if not rejected_count:
        return []
    line_count = sum(shard.line_count for shard in shards)
    first = next(shard.first_rejection for shard in shards if shard.first_rejection)
    return [f"{rejected_count} of {counted(line_count, 'replayed record')} rejected again. First: {first}"]


def _all_well(shards: Sequence[ShardResult]) -> str:
    accepted_count = sum(shard.accepted_count for shard in shards)
    duplicate_count = sum(shard.duplicate_count for shard in shards)
    repeats = f", {counted(duplicate_count, 'duplicate')} dropped" if duplicate_count else ""
    warned = sorted({rule_id for shard in shards for rule_id in shard.warnings_by_rule})
    warnings = f", with warnings by {few(warned)}" if warned else ""
    return f"{counted(accepted_count, 'record')} accepted{repeats}{warnings}"
