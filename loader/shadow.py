"""Owns running a candidate contract beside the one in force over what has landed. Reads only; judging is validation's.

Each batch goes through the raw gate twice, as it would at the first gate of a run. What needs the warehouse (how many
rows were published before, references) is not judged here.
"""

from array import array
from bisect import bisect_left
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, field, replace
from typing import Final

from contracts.errors import UsageError
from contracts.model import Contract, Property, Scope
from loader import layout
from loader.batch import Batch, Plan
from loader.lines import landed_lines
from loader.run_folder import RunFolder, finished_runs
from loader.store import ObjectChanged, ObjectMissing, ObjectStore
from validation.lines import LandedLine
from validation.raw_gate import RawGate, judge_batch
from validation.results import ObjectCounts, RawGateResult, Rejection, Verdict

EXAMPLES: Final = 3  # of each rule
_KEPT: Final = 100  # of each rule of the contract in force: which of its rejections are news is known only later
_LINE_BITS: Final = 40


@dataclass(frozen=True, slots=True)
class Example:
    """One record that fares otherwise, where it lies and why. Holds a value only if both contracts let it be shown."""

    object_key: str
    line_number: int  # from 1
    key: str | None
    path: str
    message: str


@dataclass(frozen=True, slots=True)
class RuleChange:
    """How many records fare otherwise because of one rule; a record that breaks several counts for each."""

    rule_id: str
    count: int
    examples: tuple[Example, ...]


@dataclass(frozen=True, slots=True)
class BatchShadow:
    """What one batch would have come to under the candidate."""

    run_id: str
    batch_id: str
    line_count: int
    verdict_in_force: Verdict
    verdict_of_candidate: Verdict
    reason_in_force: str
    reason_of_candidate: str
    newly_rejected_count: int
    newly_accepted_count: int
    newly_rejected: tuple[RuleChange, ...]  # by rules of the candidate
    newly_accepted: tuple[RuleChange, ...]  # by rules of the contract in force
    warnings: Mapping[str, tuple[int, int]]  # by rule: records in force, under the candidate; where they differ


@dataclass(frozen=True, slots=True)
class Shadow:
    """What adopting the candidate would change, newest batch first."""

    dataset: str
    version_in_force: str
    version_of_candidate: str
    batches: tuple[BatchShadow, ...]
    gone: tuple[str, ...]  # batches whose objects are no longer there, or no longer what they were

    @property
    def changes_nothing(self) -> bool:
        """Whether every record and every batch fares as before."""
        return not any(
            batch.newly_rejected_count or batch.newly_accepted_count or batch.warnings
            or batch.verdict_in_force != batch.verdict_of_candidate
            for batch in self.batches
        )  # fmt: skip


def shadow(store: ObjectStore, in_force: Contract, candidate: Contract, most: int) -> Shadow:
    """Judges the last `most` landed batches under both contracts. Raises UsageError when none is on record."""
    candidate = as_discreet(candidate, in_force)
    batches, gone = [], []
    for run_id, batch in _last_batches(store, in_force.dataset, most):
        try:
            batches.append(_shadow_batch(store, in_force, candidate, run_id, batch))
        except (ObjectMissing, ObjectChanged) as exc:
            gone.append(f"batch {batch.batch_id} of run {run_id}: {exc}")
    if not batches and not gone:
        raise UsageError(
            f"the lake has no landed batch of {in_force.dataset} on record. Run `spacex-elt run` first: a contract of "
            "a dataset that never landed has nothing to be compared with."
        )
    return Shadow(in_force.dataset, in_force.version, candidate.version, tuple(batches), tuple(gone))


def as_discreet(candidate: Contract, in_force: Contract) -> Contract:
    """The candidate, telling no value that the contract in force withholds: adopting it is not decided yet."""
    withheld = {prop.path: prop.classification for prop in in_force.walk() if prop.classification != "public"}
    return replace(candidate, properties=tuple(_discreet(prop, withheld) for prop in candidate.properties))


def _discreet(prop: Property, withheld: Mapping[str, str]) -> Property:
    classification = withheld.get(prop.path, prop.classification)
    children = tuple(_discreet(child, withheld) for child in prop.children)
    return replace(prop, classification=classification, children=children)


def _last_batches(store: ObjectStore, dataset: str, most: int) -> Iterator[tuple[str, Batch]]:
    """The last whole snapshots of a dataset, newest first, each once however many runs took it up."""
    seen: set[tuple[tuple[str, str], ...]] = set()
    for run in finished_runs(store):
        if dataset not in {each.dataset for each in run.datasets} | {each.dataset for each in run.not_loaded}:
            continue
        batch = _planned(store, run.run_id, dataset)
        objects = tuple((landed.key, landed.etag) for landed in batch.objects) if batch else ()
        if batch is None or batch.is_partial or not objects or objects in seen:
            continue
        seen.add(objects)
        yield run.run_id, batch
        if len(seen) == most:
            return


def _planned(store: ObjectStore, run_id: str, dataset: str) -> Batch | None:
    plan = None
    with suppress(UsageError):  # another version's form: only history
        plan = RunFolder(store, run_id).find(Plan, "plan.json")
    found = [batch for batch in plan.batches if batch.dataset == dataset] if plan else []
    return found[0] if found else None


def _shadow_batch(
    store: ObjectStore, in_force: Contract, candidate: Contract, run_id: str, batch: Batch
) -> BatchShadow:
    then = _Rejections(batch, in_force, kept=_KEPT)
    was = _judge(store, in_force, batch, then)
    now = _Rejections(batch, candidate, kept=EXAMPLES, unless=then)
    is_now = _judge(store, candidate, batch, now)
    warned, warns = _warnings(was), _warnings(is_now)
    return BatchShadow(
        run_id=run_id,
        batch_id=batch.batch_id,
        line_count=batch.line_count,
        verdict_in_force=was.verdict,
        verdict_of_candidate=is_now.verdict,
        reason_in_force=was.reason,
        reason_of_candidate=is_now.reason,
        newly_rejected_count=now.count_unless(then),
        newly_accepted_count=then.count_unless(now),
        newly_rejected=now.changes(unless=then),
        newly_accepted=then.changes(unless=now),
        warnings={
            rule_id: (warned[rule_id], warns[rule_id])
            for rule_id in sorted(warned.keys() | warns.keys())
            if warned[rule_id] != warns[rule_id]
        },
    )


def _judge(store: ObjectStore, contract: Contract, batch: Batch, sink: "_Rejections") -> RawGateResult:
    shard = RawGate(contract).check_shard(batch.batch_id, "shadow", _lines(store, batch), sink)
    damaged = [f"{landed.key}: {landed.damage}" for landed in batch.objects if landed.damage]
    return judge_batch(contract, batch.batch_id, [shard], batch.expected_count, damaged, None)


def _lines(store: ObjectStore, batch: Batch) -> Iterator[tuple[str, Iterator[LandedLine]]]:
    for landed in batch.objects:
        with closing(store.open(landed.key, landed.etag)) as body:
            yield landed.key, landed_lines(body)


def _warnings(result: RawGateResult) -> Counter[str]:
    found: Counter[str] = Counter()
    for shard in result.shards:
        found.update(shard.warnings_by_rule)
    return found


@dataclass(slots=True)
class _Rejections:
    """What one contract rejects of a batch: a GateSink that keeps places, causes and the first examples.

    A place is 8 bytes and a cause is 4, so that a candidate that rejects everything fits in memory too.
    """

    batch: Batch
    contract: Contract
    kept: int
    unless: "_Rejections | None" = None  # no example of what these reject too
    places: "array[int]" = field(default_factory=lambda: array("Q"))  # ascending
    causes: "array[int]" = field(default_factory=lambda: array("L"))
    _only_warning: frozenset[str] = frozenset()
    _objects: Mapping[str, int] = field(default_factory=dict)
    _rules: list[tuple[str, ...]] = field(default_factory=list)
    _numbers: dict[tuple[str, ...], int] = field(default_factory=dict)
    _examples: dict[str, list[tuple[int, Example]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        row_rules = [rule for rule in self.contract.rules if rule.scope is Scope.ROW]
        self._only_warning = frozenset(rule.rule_id for rule in row_rules if not rule.rejects)
        self._objects = {landed.key: number for number, landed in enumerate(self.batch.objects)}

    def accept(self, object_key: str, line: bytes) -> None:
        """Takes a line that may go on: nothing to remember."""

    def leave_out(self, object_key: str, line_count: int, left_out: Collection[int]) -> None:
        """Learns that not every line goes on: nothing to remember."""

    def finish_object(self, counts: ObjectCounts) -> None:
        """Learns that an object is done: nothing to remember."""

    def reject(self, rejection: Rejection) -> None:
        """Takes a line that goes to quarantine."""
        rule_ids = tuple(sorted({violation.rule_id for violation in rejection.violations} - self._only_warning))
        place = self._objects[rejection.object_key] << _LINE_BITS | rejection.line_number
        self.places.append(place)
        self.causes.append(self._numbers.setdefault(rule_ids, len(self._numbers)))
        if len(self._rules) < len(self._numbers):
            self._rules.append(rule_ids)
        if self.unless is None or place not in self.unless:
            self._keep(place, rejection, rule_ids)

    def _keep(self, place: int, rejection: Rejection, rule_ids: Sequence[str]) -> None:
        is_shown = self.contract.key.classification == "public"
        for rule_id in rule_ids:
            known = self._examples.setdefault(rule_id, [])
            if len(known) < self.kept:
                broken = next(each for each in rejection.violations if each.rule_id == rule_id)
                key = rejection.key if is_shown else None
                where = layout.file_name(rejection.object_key)
                known.append((place, Example(where, rejection.line_number, key, broken.path, broken.message)))

    def __contains__(self, place: object) -> bool:
        assert isinstance(place, int)  # noqa: S101 - the signature is the protocol's
        index = bisect_left(self.places, place)
        return index < len(self.places) and self.places[index] == place

    def count_unless(self, other: "_Rejections") -> int:
        """How many of these lines the other contract does not reject."""
        return sum(place not in other for place in self.places)

    def changes(self, unless: "_Rejections") -> tuple[RuleChange, ...]:
        """Those lines by rule, the commonest first."""
        counts: Counter[str] = Counter()
        for place, cause in zip(self.places, self.causes, strict=True):
            if place not in unless:
                counts.update(self._rules[cause])
        return tuple(
            RuleChange(rule_id, count, self._first(rule_id, unless))
            for rule_id, count in sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
        )

    def _first(self, rule_id: str, unless: "_Rejections") -> tuple[Example, ...]:
        found = [example for place, example in self._examples.get(rule_id, []) if place not in unless]
        return tuple(found[:EXAMPLES])
