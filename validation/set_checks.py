"""Owns the checks over a whole batch and the words for them. Judging single records is validation/judge.py's job."""

from collections.abc import Iterable, Sequence
from typing import Final

from contracts.comparisons import Shrinkage
from contracts.model import Contract, Rule, RuleKind, Scope, Severity
from validation.results import CheckResult, ShardResult
from validation.wording import counted, few, percent

# Rules that no contract writes, because they hold for every dataset.
LINE_READABLE: Final = "line-readable"
OBJECT_READABLE: Final = "object-readable"
COMPLETE_SYNC: Final = "complete-sync"
REJECT_LIMIT: Final = "reject-limit"
UNCHANGED_BY_SYNC: Final = "unchanged-by-sync"


def key_rule(contract: Contract) -> tuple[str, Severity]:
    """The id and severity of the rule that a key belongs to one record. Holds even where the contract is silent."""
    for rule in contract.rules:
        if rule.kind is RuleKind.UNIQUE and rule.path == contract.key.path:
            return rule.rule_id, rule.severity
    return f"{contract.key.path}-unique", Severity.ERROR


def unique_key(contract: Contract, conflicting_keys: Sequence[str]) -> CheckResult:
    """Whether each key came with one content only."""
    rule_id, severity = key_rule(contract)
    name = contract.key.path
    which = few(conflicting_keys) if contract.key.classification == "public" else f"({len(conflicting_keys)} times)"
    return CheckResult(
        rule_id=rule_id,
        passed=not conflicting_keys,
        severity=severity,
        observed=f"records with different content share {name} {which}" if conflicting_keys else "each its own",
        expected=f"one content for each {name}",
    )


def unique_values(rule: Rule, repeated: Sequence[str], *, is_public: bool) -> CheckResult:
    """Whether no two records share a value of a property."""
    observed = f"several records share {rule.path}" + (f" {few(repeated)}" if is_public else "")
    return CheckResult(
        rule_id=rule.rule_id,
        passed=not repeated,
        severity=rule.severity,
        observed=observed if repeated else "each its own",
        expected=f"no {rule.path} twice",
    )


def closed_to_unknown(rule: Rule, record_count: int) -> CheckResult:
    """Whether no record had a field that stops the batch."""
    return CheckResult(
        rule_id=rule.rule_id,
        passed=record_count == 0,
        severity=Severity.ERROR,
        observed=f"{counted(record_count, 'record')} with unknown fields",
        expected="no field that the contract does not know",
    )


def readable(damaged: Sequence[str]) -> CheckResult:
    """Whether every object could be read to its end."""
    return CheckResult(
        rule_id=OBJECT_READABLE,
        passed=not damaged,
        severity=Severity.ERROR,
        observed=f"damaged or cut short: {few(damaged)}" if damaged else "all read to their end",
        expected="objects that can be read to their end",
    )


def unchanged_by_sync(changed_fields: Sequence[str], record_count: int) -> CheckResult:
    """Whether Airbyte passed every value on as it was. It tells when it nulled or truncated one."""
    changed = f"Airbyte changed {few(changed_fields)} in {counted(record_count, 'record')}"
    return CheckResult(
        rule_id=UNCHANGED_BY_SYNC,
        passed=record_count == 0,
        severity=Severity.WARNING,
        observed=changed if record_count else "no change reported",
        expected="no value nulled or truncated on the way",
    )


def row_count(contract: Contract, record_count: int) -> list[CheckResult]:
    """Whether there are records enough: never none, unless the contract says that none is enough."""
    rules = [rule for rule in contract.rules if rule.kind is RuleKind.ROW_COUNT]
    asked = [(rule.rule_id, rule.severity, int(rule.argument)) for rule in rules] or [("row-count", Severity.ERROR, 1)]
    return [
        CheckResult(
            rule_id=rule_id,
            passed=record_count >= least,
            severity=severity,
            observed=counted(record_count, "record") if record_count else "an empty collection, 0 records",
            expected=f"at least {least}",
        )
        for rule_id, severity, least in asked
    ]


def shrinkage(contract: Contract, record_count: int, published_count: int | None) -> list[CheckResult]:
    """Whether the snapshot lost no more records than the contract allows, against the rows published last.

    `published_count` is None when nothing was published yet, or when somebody loads it whatever was.
    """
    return [
        CheckResult(
            rule_id=rule.rule_id,
            passed=published_count is None or rule.argument.allows(record_count, published_count),
            severity=rule.severity,
            observed=counted(record_count, "record"),
            expected=_not_much_fewer(rule.argument, published_count),
        )
        for rule in contract.rules
        if rule.kind is RuleKind.SHRINKAGE
    ]


def _not_much_fewer(limit: Shrinkage, published_count: int | None) -> str:
    allowed = f"{percent(limit.max_ratio)}, or {counted(limit.floor_count, 'record')},"
    if published_count is None:
        return f"at most {allowed} fewer than were published before; none to compare with"
    before = counted(published_count, "row")
    return f"at most {allowed} fewer than the {before} published before (if they are gone for good: plan with --force)"


def complete_sync(line_count: int, expected_count: int | None) -> CheckResult:
    """Whether the lake holds what Airbyte says it wrote. More is no fault: it delivers at least once."""
    told = expected_count is not None
    return CheckResult(
        rule_id=COMPLETE_SYNC,
        passed=expected_count is None or line_count >= expected_count,
        severity=Severity.ERROR,
        observed=counted(line_count, "line"),
        expected=f"the {expected_count} records that Airbyte committed" if told else "not told by Airbyte",
    )


def reject_limit(contract: Contract, rejected_count: int, line_count: int) -> CheckResult:
    """Whether few enough records are rejected for the others to go ahead without them."""
    limit = contract.reject_limit
    ratio = rejected_count / line_count if line_count else 0.0
    return CheckResult(
        rule_id=REJECT_LIMIT,
        passed=limit.allows(rejected_count, line_count),
        severity=Severity.ERROR,
        observed=f"{rejected_count} of {line_count} records rejected ({percent(ratio)})",
        expected=f"at most {percent(limit.ratio)}, or {counted(limit.floor_count, 'record')}",
    )


def merge(checks: Iterable[CheckResult]) -> list[CheckResult]:
    """One result a rule, from the results of many shards: it passed if it passed in all."""
    merged: dict[str, CheckResult] = {}
    for check in checks:
        known = merged.get(check.rule_id)
        merged[check.rule_id] = check if known is None or known.passed else _both(known, check)
    return list(merged.values())


def _both(failed: CheckResult, check: CheckResult) -> CheckResult:
    if check.passed or check.observed == failed.observed:
        return failed
    return CheckResult(failed.rule_id, False, failed.severity, f"{failed.observed}; {check.observed}", failed.expected)


def of_batch(
    contract: Contract,
    shards: Sequence[ShardResult],
    expected_count: int | None,
    damaged: Sequence[str],
    published_count: int | None,
) -> tuple[CheckResult, ...]:
    """Every check of a batch: those of its shards, and those that need all of it."""
    line_count = sum(shard.line_count for shard in shards)
    rejected_count = sum(shard.rejected_count for shard in shards)
    duplicate_count = sum(shard.duplicate_count for shard in shards)
    return (
        *row_count(contract, line_count - duplicate_count),
        *shrinkage(contract, line_count - duplicate_count, published_count),
        complete_sync(line_count, expected_count),
        *of_part(shards, damaged),
        reject_limit(contract, rejected_count, line_count),
    )


def of_part(shards: Sequence[ShardResult], damaged: Sequence[str]) -> tuple[CheckResult, ...]:
    """The checks that hold for any part of a snapshot: those of the shards, and none about how many rows there are."""
    found = merge([check for shard in shards for check in shard.set_checks])
    if damaged and not any(check.rule_id == OBJECT_READABLE and not check.passed for check in found):
        found = merge([readable(sorted(damaged)), *found])
    return tuple(found)


def other_unique_rules(contract: Contract) -> list[Rule]:
    """The rules of top-level properties besides the key that must not repeat."""
    return [
        rule
        for rule in contract.rules
        if rule.kind is RuleKind.UNIQUE and rule.scope is Scope.SET and rule.path != contract.key.path
    ]
