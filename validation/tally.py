"""Owns the accounts of one object: the fate of each line, and what was found. Judging is validation/judge.py's job."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from contracts.model import Contract, DriftPolicy, RuleKind
from validation import set_checks
from validation.envelope import FieldChange
from validation.findings import MOST_WARNED_KEYS, Findings, KeySet
from validation.lines import Line
from validation.results import ObjectResult, Rejection, Violation

_CHANGE_WORDS = {"NULLED": "was nulled", "TRUNCATED": "was truncated"}


def key_of(record: Mapping[str, Any], name: str) -> str | None:
    """A record's key, which is its field `name`, as text; None when it has none that can be one."""
    value = record.get(name)
    if type(value) is str:
        return value
    return str(value) if type(value) is int else None


def rejection_of_rest(object_key: str, line_number: int, byte_offset: int, damage: str) -> Rejection:
    """What stands for the lines that a damaged object does not give."""
    violation = Violation(set_checks.OBJECT_READABLE, "", f"the object ends in damage: {damage}")
    return Rejection(object_key, line_number, None, b"", (violation,), byte_offset)


def conflict(contract: Contract) -> Violation:
    """What a record breaks whose key another record had first."""
    rule_id, _ = set_checks.key_rule(contract)
    return Violation(rule_id, contract.key.path, "is that of another record of this batch, with other content")


def source_damage(contract: Contract, changes: Sequence[FieldChange]) -> Iterator[Violation]:
    """What a record breaks of which the sync says that it did not pass on every value."""
    for rule in contract.rules:
        if rule.kind is RuleKind.SOURCE_DAMAGE and rule.argument is not DriftPolicy.ALLOW:
            for change in changes:
                done = _CHANGE_WORDS.get(change.change, f"was changed ({change.change})")
                yield Violation(rule.rule_id, change.field, f"{done} by Airbyte ({change.reason})")


class ObjectTally:
    """Counts while the lines of one object pass."""

    def __init__(self, contract: Contract, object_key: str) -> None:
        self.object_key = object_key
        self.accepted_count = 0
        self.duplicate_count = 0
        self._contract = contract
        self._rejecting = {rule.rule_id for rule in contract.rules if rule.rejects} | {set_checks.key_rule(contract)[0]}
        self._tells_keys = contract.key.classification == "public"
        self._fates: Counter[str] = Counter()
        self._violations: Counter[str] = Counter()
        self._warnings: Counter[str] = Counter()
        self._warned_keys: dict[str, list[str]] = {}
        self._rejected_keys = KeySet()
        self._conflicting_keys = KeySet()
        self._unkeyed_count = 0
        self._damaged: tuple[str, ...] = ()
        self._first: Rejection | None = None

    def is_rejected(self, violations: Sequence[Violation]) -> bool:
        """Whether a record that breaks these is set aside."""
        return any(violation.rule_id in self._rejecting for violation in violations)

    def warn(self, key: str | None, violations: Sequence[Violation]) -> None:
        """Counts what an accepted record broke."""
        for rule_id in {violation.rule_id for violation in violations}:
            self._warnings[rule_id] += 1
            known = self._warned_keys.setdefault(rule_id, [])
            if len(known) < MOST_WARNED_KEYS and self._tells_keys:
                known.append(str(key))

    def unparseable(self, line: Line) -> Rejection:
        """Counts a line that holds no record."""
        problem = Violation(set_checks.LINE_READABLE, "", f"line {line.number} {line.problem}")
        return self._reject(line, None, (problem,), "unparseable")

    def quarantined(self, line: Line, key: str | None, violations: Sequence[Violation]) -> Rejection:
        """Counts a record that is set aside."""
        return self._reject(line, key, tuple(violations), "quarantined")

    def conflicting(self, line: Line, key: str, violations: Sequence[Violation]) -> Rejection:
        """Counts a record that is set aside because its key was another's first."""
        self._conflicting_keys.add(key)
        return self.quarantined(line, key, (*violations, conflict(self._contract)))

    def _reject(self, line: Line, key: str | None, violations: tuple[Violation, ...], fate: str) -> Rejection:
        self._fates[fate] += 1
        size_bytes = None if line.size_bytes == len(line.raw) else line.size_bytes
        rejection = Rejection(self.object_key, line.number, key, line.raw, violations, line.byte_offset, size_bytes)
        self._note(rejection)
        return rejection

    def damaged(self, rest: Rejection) -> None:
        """Counts what stands for the rest of a damaged object."""
        self._fates["unparseable"] += 1
        self._damaged = (rest.object_key,)
        self._note(rest)

    def _note(self, rejection: Rejection) -> None:
        self._violations.update({violation.rule_id for violation in rejection.violations})
        if rejection.key is None:
            self._unkeyed_count += 1
        else:
            self._rejected_keys.add(rejection.key)
        if self._first is None or rejection.line_number < self._first.line_number:
            self._first = rejection

    def result(self, line_count: int, repeated_values: Mapping[str, tuple[str, ...]]) -> ObjectResult:
        """What the object came to. `line_count` is the reader's own count, so the fates can be held to it."""
        return ObjectResult(
            object_key=self.object_key,
            line_count=line_count,
            accepted_count=self.accepted_count,
            duplicate_count=self.duplicate_count,
            unparseable_count=self._fates["unparseable"],
            quarantined_count=self._fates["quarantined"],
            found=Findings(
                violations_by_rule=dict(sorted(self._violations.items())),
                warnings_by_rule=dict(sorted(self._warnings.items())),
                warned_keys={rule_id: tuple(keys) for rule_id, keys in sorted(self._warned_keys.items())},
                rejected_keys=self._rejected_keys.first(),
                unkeyed_rejection_count=self._unkeyed_count,
                conflicting_keys=self._conflicting_keys.first(),
                repeated_values=repeated_values,
                damaged=self._damaged,
                first_rejection=None if self._first is None else _in_one_line(self._first, self._rejecting),
                first_rejected_line=None if self._first is None else self._first.line_number,
            ),
        )


def _in_one_line(rejection: Rejection, rejecting: set[str]) -> str:
    """The first reason why a record is rejected, for people."""
    reasons = [violation for violation in rejection.violations if violation.rule_id in rejecting]
    first = (reasons or rejection.violations)[0]
    where = first.path or rejection.object_key
    return f"{where} {first.message} (rule {first.rule_id})"
