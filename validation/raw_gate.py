"""Owns the raw gate: streams the lines of an object past the judge and takes the verdict of a batch.

Where the lines come from and where they go is the loader's job, behind GateSink (loader/).
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, Protocol

from contracts.model import Contract
from validation import set_checks
from validation.doorkeeper import Doorkeeper
from validation.envelope import Envelope
from validation.lines import LandedLine, Line, ObjectDamaged, OverlongLine
from validation.results import (
    CheckResult,
    ObjectCounts,
    ObjectResult,
    RawGateResult,
    Rejection,
    ShardResult,
    Verdict,
    Violation,
)
from validation.tally import ObjectTally, key_of, rejection_of_rest, source_damage
from validation.uniqueness import Identity, KeyMemory, Memory, Novelty, identity
from validation.wording import batch_name, counted, few, percent

if TYPE_CHECKING:
    from validation.judge import Judge

GATE_VERSION: Final[str] = "2"  # part of a batch's identity: raise it when a verdict could change

JUDGED_FIRST: Final = (
    512  # lines that wait for the judge at first; twice as many each time, as long as all are accepted
)
JUDGED_AT_ONCE: Final = 4_000  # lines that wait at most: the judge takes as long for one record as for hundreds
JUDGED_BYTES: Final = 8 * 1024 * 1024

OPENED_AT_ONCE: Final = 32  # lines: more would not stay in the processor's cache
OPENED_BYTES: Final = 1024 * 1024


class Door(Protocol):
    """Waves through lines that break no rule at all, without saying what others break."""

    def opens_for(self, lines: Sequence[LandedLine]) -> Sequence[Identity | None]:
        """Of each line, its record's identity if it breaks no rule, None if the judge must see it."""
        ...


class GateSink(Protocol):
    """Where the lines of an object go. Lines come without their line end.

    Accepted lines come in the order they lie, but those that the judge had to see come when it has seen them, in their
    order. What is rejected comes in the order it lies.
    """

    def accept(self, object_key: str, line: bytes) -> None:
        """Takes a line that may go on."""
        ...

    def leave_out(self, object_key: str, line_count: int, left_out: Collection[int]) -> None:
        """Learns, once, that not every line goes on.

        Of the object's first `line_count` lines, all but those numbered in `left_out` were accepted before this.
        """
        ...

    def reject(self, rejection: Rejection) -> None:
        """Takes a line that goes to quarantine."""
        ...

    def finish_object(self, counts: ObjectCounts) -> None:
        """Learns that the object's last line was given."""
        ...


class RawGate:
    """Gate 1: every record against its contract, before anything is loaded. Made once per contract and process."""

    def __init__(self, contract: Contract, door: Door | None = None, judged_at_once: int = JUDGED_AT_ONCE) -> None:
        self.contract = contract
        self.key_name = contract.key.name
        self._unique_names = set_checks.unique_names(contract)
        self.door: Door = Doorkeeper(contract) if door is None else door
        self.judged_at_once = judged_at_once
        self._judge: Judge | None = None

    def identity(self, record: Mapping[str, Any]) -> Identity:
        """What tells a record from others."""
        return identity(record.get(self.key_name), map(record.get, self._unique_names))

    def violations(self, envelopes: Sequence[Envelope]) -> list[tuple[Violation, ...]]:
        """Every rule that each record breaks, and what the sync says it did to it.

        Raises ContractInvalid when the contract has a rule that the gate cannot judge.
        """
        if self._judge is None:
            from validation.judge import Judge  # pandera takes two seconds to import, and a clean object needs none

            self._judge = Judge(self.contract)
        judged = self._judge.judge([envelope.record for envelope in envelopes])
        return [
            (*violations, *source_damage(self.contract, envelope.changes))
            for envelope, violations in zip(envelopes, judged, strict=True)
        ]

    def check_object(
        self, object_key: str, lines: Iterable[LandedLine], memory: Memory, sink: GateSink
    ) -> ObjectResult:
        """Judges every line of an object and hands each to the sink.

        Memory is bounded by the lines that wait for the judge, and by `memory`. An object that turns out to be cut
        short or damaged fails the check `object-readable`; any other error of the lines' source passes through.
        """
        return _ObjectCheck(self, object_key, memory, sink).check(lines)

    def check_shard(
        self, batch_id: str, shard_id: str, objects: Iterable[tuple[str, Iterable[LandedLine]]], sink: GateSink
    ) -> ShardResult:
        """Judges objects in their order, remembering all their keys: what any other way to do it must come to."""
        memory = KeyMemory(self._unique_names)
        results = tuple(self.check_object(object_key, lines, memory, sink) for object_key, lines in objects)
        return ShardResult(self.contract.dataset, batch_id, shard_id, results)


class _ObjectCheck:
    """One object on its way through the gate."""

    def __init__(self, gate: RawGate, object_key: str, memory: Memory, sink: GateSink) -> None:
        self._gate = gate
        self._key = object_key
        self._tally = ObjectTally(gate.contract, object_key)
        self._memory = memory
        self._sink = sink
        self._is_whole = True  # every line so far was accepted, or waits
        self._waiting = _Waiting(JUDGED_FIRST)

    def check(self, lines: Iterable[LandedLine]) -> ObjectResult:
        """Judges every line."""
        reading, meet = _Reading(lines), self._memory.meet
        number = next_offset = 0
        for some in reading.lines():
            for line, found in zip(some, self._gate.door.opens_for(some), strict=True):
                number += 1
                byte_offset, next_offset = next_offset, next_offset + len(line) + 1
                if found is None or isinstance(line, OverlongLine) or found[0] in self._waiting.keys:
                    self._wait(Line.read(number, byte_offset, line))
                    continue
                novelty = meet(found, line, number, byte_offset)
                if novelty is Novelty.FIRST:
                    self._tally.accepted_count += 1
                    self._sink.accept(self._key, line)
                else:
                    self._set_aside(Line.read(number, byte_offset, line), novelty)
        self._judge_waiting(number)
        if reading.damage is not None:
            number += 1
            self._end_in_damage(number, next_offset, reading.damage)
        result = self._tally.result(number, self._memory.take_repeated())
        self._sink.finish_object(result)
        return result

    def _set_aside(self, line: Line, novelty: Novelty) -> None:
        """Settles a line that the door opened for, and that is not accepted all the same."""
        self._leave_out(line.number, {line.number, *(waiting.number for waiting in self._waiting.lines)})
        rejection = self._repeated(line, novelty, ())
        if rejection is not None:
            self._sink.reject(rejection)

    def _wait(self, line: Line) -> None:
        self._waiting.add(line, None if line.record is None else key_of(line.record, self._gate.key_name))
        if self._waiting.is_full:
            self._judge_waiting(line.number)
            most = min(2 * self._waiting.most, self._gate.judged_at_once)
            self._waiting = _Waiting(most if self._is_whole else self._gate.judged_at_once)

    def _judge_waiting(self, line_count: int) -> None:
        """Settles what waits; `line_count` lines were read so far."""
        waiting, self._waiting = self._waiting, _Waiting(self._waiting.most)
        envelopes = [line.envelope for line in waiting.lines if line.envelope is not None]
        violations = iter(self._gate.violations(envelopes) if envelopes else ())
        not_accepted: dict[int, Rejection | None] = {}
        for line in waiting.lines:
            is_accepted, rejection = self._settle(line, next(violations) if line.envelope is not None else ())
            if is_accepted:
                self._sink.accept(self._key, line.raw)
            else:
                not_accepted[line.number] = rejection
        if not_accepted:
            self._leave_out(line_count, not_accepted.keys())
        for rejection in not_accepted.values():
            if rejection is not None:
                self._sink.reject(rejection)

    def _settle(self, line: Line, violations: Sequence[Violation]) -> tuple[bool, Rejection | None]:
        """Whether a line is accepted, and if not, why; a repeated record has no reason."""
        if line.record is None:
            return False, self._tally.unparseable(line)
        found = self._gate.identity(line.record)
        key = found[0]
        if self._tally.is_rejected(violations):
            return False, self._tally.quarantined(line, key, violations)
        novelty = self._memory.meet(found, line.raw, line.number, line.byte_offset)
        if novelty is not Novelty.FIRST:
            return False, self._repeated(line, novelty, violations)
        self._tally.accepted_count += 1
        self._tally.warn(key, violations)
        return True, None

    def _repeated(self, line: Line, novelty: Novelty, violations: Sequence[Violation]) -> Rejection | None:
        key = None if line.record is None else key_of(line.record, self._gate.key_name)
        if novelty is Novelty.CONFLICT and key is not None:
            return self._tally.conflicting(line, key, violations)
        self._tally.duplicate_count += 1
        return None

    def _leave_out(self, line_count: int, left_out: Collection[int]) -> None:
        if self._is_whole:
            self._is_whole = False
            self._sink.leave_out(self._key, line_count, left_out)

    def _end_in_damage(self, number: int, byte_offset: int, damage: str) -> None:
        rest = rejection_of_rest(self._key, number, byte_offset, damage)
        self._tally.damaged(rest)
        self._leave_out(number - 1, ())
        self._sink.reject(rest)


class _Waiting:
    """Lines that wait for the judge."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.lines: list[Line] = []
        self.keys: set[str | None] = set()  # a line of one of these waits too, so that those of a key stay in order
        self._size_bytes = 0

    def add(self, line: Line, key: str | None) -> None:
        """Takes a line in."""
        self.lines.append(line)
        self._size_bytes += len(line.raw)
        if key is not None:
            self.keys.add(key)

    @property
    def is_full(self) -> bool:
        """Whether the judge should come."""
        return len(self.lines) >= self.most or self._size_bytes >= JUDGED_BYTES


class _Reading:
    """Reads some lines at a time, up to the end or to where the object is damaged."""

    def __init__(self, lines: Iterable[LandedLine]) -> None:
        self._lines = iter(lines)
        self.damage: str | None = None

    def lines(self) -> Iterator[list[LandedLine]]:
        """As many lines as the door should see at once."""
        some: list[LandedLine] = []
        size_bytes = 0
        while (line := self._next()) is not None:
            some.append(line)
            size_bytes += len(line)
            if len(some) == OPENED_AT_ONCE or size_bytes >= OPENED_BYTES:
                yield some
                some, size_bytes = [], 0
        if some:
            yield some

    def _next(self) -> LandedLine | None:
        try:
            return next(self._lines, None)
        except ObjectDamaged as damage:  # of the source's: what is raised where a line is used does not come here
            self.damage = str(damage)
            return None


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
    checks = set_checks.of_part(contract, shards, damaged)
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
