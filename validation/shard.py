"""Owns the accounts of one shard: the fate of each line, and what the shard found. Judging is validation/judge.py's."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from contracts.model import Contract, DriftPolicy, Rule, RuleKind, Severity
from validation import set_checks
from validation.envelope import Envelope, Unparseable, parse_line
from validation.results import CheckResult, ObjectCounts, Rejection, ShardResult, Violation
from validation.uniqueness import KeyMemory, Novelty, ValueMemory

_WARNED_KEYS_KEPT = 20  # per rule: enough to look at, whatever the shard's size


@dataclass(frozen=True, slots=True)
class Line:
    """One landed line, opened."""

    number: int  # from 1
    raw: bytes  # without the line's end
    envelope: Envelope | None
    problem: str  # why there is no envelope

    @classmethod
    def read(cls, number: int, raw: bytes) -> "Line":
        """Opens a line."""
        raw = raw.removesuffix(b"\n")
        opened = parse_line(raw)
        if isinstance(opened, Unparseable):
            return cls(number, raw, None, opened.reason)
        return cls(number, raw, opened, "")


def rejection_of_rest(object_key: str, line_number: int, damage: str) -> Rejection:
    """What stands for the lines that a damaged object does not give."""
    violation = Violation(set_checks.OBJECT_READABLE, "", f"the object ends in damage: {damage}")
    return Rejection(object_key, line_number, None, b"", (violation,))


def _rejects(rule: Rule) -> bool:
    """Whether breaking a rule rejects the record. An unknown field's rule says it by its policy."""
    if rule.kind is RuleKind.UNKNOWN_FIELD:
        return rule.argument in {DriftPolicy.QUARANTINE, DriftPolicy.NO_GO}
    return rule.severity is Severity.ERROR


class ShardTally:
    """Counts while the lines of a shard pass, object by object."""

    def __init__(self, contract: Contract) -> None:
        self._contract = contract
        self._holding = {rule.rule_id for rule in contract.rules if _rejects(rule)}
        self._unique_rules = set_checks.other_unique_rules(contract)
        self._keys = KeyMemory()
        self._values = {rule.path: ValueMemory() for rule in self._unique_rules}
        self._objects: list[ObjectCounts] = []
        self._fates: Counter[str] = Counter()
        self._violations: Counter[str] = Counter()
        self._warnings: Counter[str] = Counter()
        self._warned_keys: dict[str, list[str]] = {}
        self._changed_fields: Counter[str] = Counter()
        self._changed_count = 0
        self._rejected_keys: set[str] = set()
        self._unkeyed_count = 0
        self._damaged: list[str] = []
        self._first_rejection: str | None = None
        self.object_key = ""

    def start_object(self, object_key: str) -> None:
        """Begins the accounts of one object."""
        self.object_key = object_key
        self._fates = Counter()

    def settle(self, line: Line, violations: Sequence[Violation]) -> bytes | Rejection | None:
        """Decides the fate of a line: its bytes when accepted, why not when rejected, None for a repeated record."""
        if line.envelope is None:
            problem = Violation(set_checks.LINE_READABLE, "", f"line {line.number} {line.problem}")
            return self._reject(line, None, (problem,), "unparseable")
        record = line.envelope.record
        key = self._key_of(record)
        if any(violation.rule_id in self._holding for violation in violations):
            return self._reject(line, key, tuple(violations), "quarantined")
        novelty = Novelty.FIRST if key is None else self._keys.meet(key, record)
        if novelty is Novelty.REPEAT:
            self._fates["duplicate"] += 1
            return None
        if novelty is Novelty.CONFLICT:
            return self._reject(line, key, (*violations, self._conflict()), "quarantined")
        return self._accept(line, line.envelope, violations)

    def _key_of(self, record: dict[str, Any]) -> str | None:
        value = record.get(self._contract.key.name)
        return str(value) if type(value) in {str, int} else None

    def _conflict(self) -> Violation:
        rule_id, _ = set_checks.key_rule(self._contract)
        path = self._contract.key.path
        return Violation(rule_id, path, "is that of another record of this batch, with other content")

    def _accept(self, line: Line, envelope: Envelope, violations: Sequence[Violation]) -> bytes:
        self._fates["accepted"] += 1
        self._warn(envelope.record, {violation.rule_id for violation in violations})
        self._changed_count += bool(envelope.changes)
        self._changed_fields.update({change.field for change in envelope.changes})
        for path, memory in self._values.items():
            value = envelope.record.get(path)
            if isinstance(value, str | int | float):
                memory.meet(value)
        return line.raw

    def _warn(self, record: dict[str, Any], rule_ids: set[str]) -> None:
        self._warnings.update(rule_ids)
        for rule_id in rule_ids:
            known = self._warned_keys.setdefault(rule_id, [])
            if len(known) < _WARNED_KEYS_KEPT and self._contract.key.classification == "public":
                known.append(str(self._key_of(record)))

    def _reject(self, line: Line, key: str | None, violations: tuple[Violation, ...], fate: str) -> Rejection:
        self._fates[fate] += 1
        rejection = Rejection(self.object_key, line.number, key, line.raw, violations)
        self._note(rejection)
        return rejection

    def count_damage(self, rest: Rejection) -> None:
        """Counts what stands for the rest of a damaged object."""
        self._fates["unparseable"] += 1
        self._damaged.append(rest.object_key)
        self._note(rest)

    def _note(self, rejection: Rejection) -> None:
        self._violations.update({violation.rule_id for violation in rejection.violations})
        if rejection.key is None:
            self._unkeyed_count += 1
        else:
            self._rejected_keys.add(rejection.key)
        if self._first_rejection is None:
            self._first_rejection = _in_one_line(rejection, self._holding)

    def finish_object(self, line_count: int) -> ObjectCounts:
        """Closes the accounts of one object. `line_count` is the reader's own count, so the fates can be held to it."""
        counts = ObjectCounts(
            object_key=self.object_key,
            line_count=line_count,
            accepted_count=self._fates["accepted"],
            duplicate_count=self._fates["duplicate"],
            unparseable_count=self._fates["unparseable"],
            quarantined_count=self._fates["quarantined"],
        )
        self._objects.append(counts)
        return counts

    def result(self, batch_id: str, shard_id: str) -> ShardResult:
        """What the shard found."""
        return ShardResult(
            dataset=self._contract.dataset,
            batch_id=batch_id,
            shard_id=shard_id,
            objects=tuple(self._objects),
            violations_by_rule=dict(sorted(self._violations.items())),
            warnings_by_rule=dict(sorted(self._warnings.items())),
            rejected_keys=tuple(sorted(self._rejected_keys)),
            unkeyed_rejection_count=self._unkeyed_count,
            set_checks=tuple(self._checks()),
            first_rejection=self._first_rejection,
            warned_keys={rule_id: tuple(keys) for rule_id, keys in sorted(self._warned_keys.items())},
        )

    def _checks(self) -> list[CheckResult]:
        public = {prop.path for prop in self._contract.walk() if prop.classification == "public"}
        stopping = [
            rule
            for rule in self._contract.rules
            if rule.kind is RuleKind.UNKNOWN_FIELD and rule.argument is DriftPolicy.NO_GO
        ]
        return [
            set_checks.readable(self._damaged),
            set_checks.unique_key(self._contract, self._keys.conflicting_keys),
            *(
                set_checks.unique_values(rule, self._values[rule.path].repeated, is_public=rule.path in public)
                for rule in self._unique_rules
            ),
            *(set_checks.closed_to_unknown(rule, self._violations[rule.rule_id]) for rule in stopping),
            set_checks.unchanged_by_sync(sorted(self._changed_fields), self._changed_count),
        ]


def _in_one_line(rejection: Rejection, holding: set[str]) -> str:
    """The first reason why a record is rejected, for people."""
    reasons = [violation for violation in rejection.violations if violation.rule_id in holding]
    first = (reasons or rejection.violations)[0]
    where = first.path or rejection.object_key
    return f"{where} {first.message} (rule {first.rule_id})"
