"""Owns what the last run found about each rule and column, as words to show. Pure.

Values are shown by classification: only what is public, within nothing that is not.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from contracts.classification import PUBLIC, is_public
from contracts.model import Contract, Property, Rule, RuleKind, Scope, Severity
from observability.run_record import DatasetRecord, ModelRecord, TransformRecord
from observability.site.words import plural
from validation.results import CheckResult, Verdict

HIDDEN = "not shown"

_TOLD_BY_STATUS = {"pass": "met", "warn": "told", "fail": "broken"}  # dbt's words for a test that ran

_WITHOUT_CONTRACT = {
    "line-readable": "Every line holds one record in Airbyte's envelope.",
    "object-readable": "Every landed object can be read to its end.",
    "complete-sync": "The lake holds as many records as Airbyte says it wrote.",
    "reject-limit": "Few enough records are rejected for the others to go ahead without them.",
}


@dataclass(frozen=True, slots=True)
class Finding:
    """One rule and what the last run found. `outcome` is met | told | broken | none, and also the CSS class."""

    rule_id: str
    path: str
    severity: Severity
    words: str  # the rule and why there is one
    outcome: str
    result: str


@dataclass(frozen=True, slots=True)
class FieldRules:
    """The rules of one top-level property, nested ones included."""

    name: str
    findings: tuple[Finding, ...]

    @property
    def worst(self) -> str:
        """The outcome to show for all of them."""
        outcomes = {finding.outcome for finding in self.findings}
        return next(outcome for outcome in ("broken", "told", "none", "met") if outcome in outcomes)


@dataclass(frozen=True, slots=True)
class Column:
    """One property at its depth, with what may be shown of it."""

    prop: Property
    depth: int
    name: str  # its own name, or "each item" of an array
    example: str


def row_findings(contract: Contract, record: DatasetRecord | None) -> tuple[FieldRules, ...]:
    """The record-by-record rules by top-level property, in the contract's order; the record as a whole comes first."""
    groups: dict[str, list[Finding]] = {}
    for rule in contract.rules:
        if rule.scope is Scope.ROW:
            groups.setdefault(_top(rule.path), []).append(_row_finding(rule, contract, record))
    order = {"": -1, **{prop.name: at for at, prop in enumerate(contract.properties)}}
    return tuple(
        FieldRules(name or "the record", tuple(found))
        for name, found in sorted(groups.items(), key=lambda item: order.get(item[0], len(order)))
    )


def set_findings(
    contract: Contract, record: DatasetRecord | None, transform: TransformRecord | None
) -> tuple[Finding, ...]:
    """The rules over the whole batch: the contract's own, then those that hold for every dataset."""
    own = [_set_finding(rule, contract, record, transform) for rule in contract.rules if rule.scope is Scope.SET]
    known = {rule.rule_id for rule in contract.rules}
    checks = record.raw_gate.set_checks if record else ()
    return (*own, *(_check_finding(check, contract) for check in checks if check.rule_id not in known))


def broken_rules(contract: Contract, record: DatasetRecord, transform: TransformRecord | None) -> tuple[Finding, ...]:
    """Every rule that the run found broken, whether it rejected records, held the batch or was only told."""
    rows = [finding for group in row_findings(contract, record) for finding in group.findings]
    found = [
        finding
        for finding in (*set_findings(contract, record, transform), *rows)
        if finding.outcome in ("broken", "told")
    ]
    known = {finding.rule_id for finding in found} | {rule.rule_id for rule in contract.rules}
    rejected = _totals(record, "violations_by_rule")
    extra = [_unwritten(rule_id, number) for rule_id, number in rejected.items() if rule_id not in known]
    return tuple(sorted((*found, *extra), key=lambda finding: finding.outcome != "broken"))


def check_findings(checks: Sequence[CheckResult], contract: Contract | None) -> tuple[Finding, ...]:
    """Checks of a gate, failed ones first. Without a contract nothing observed is shown."""
    found = [_check_finding(check, contract) for check in checks]
    return tuple(sorted(found, key=lambda finding: ("broken", "told", "met").index(finding.outcome)))


def columns(contract: Contract) -> tuple[Column, ...]:
    """Every property, parents before children, with its example if that may be shown."""
    return tuple(_columns(contract.properties, 0, is_public=True))


def first_violations(record: DatasetRecord) -> tuple[str, ...]:
    """The first rejection of the first few shards that had any, one line each."""
    return tuple(shard.first_rejection for shard in record.raw_gate.shards if shard.first_rejection)[:3]


def _columns(properties: Sequence[Property], depth: int, *, is_public: bool) -> Iterator[Column]:
    for prop in properties:
        shown = is_public and prop.classification == PUBLIC
        example = HIDDEN if not shown else "" if prop.example is None else _literal(prop.example)
        yield Column(prop, depth, "each item" if prop.path.endswith("[]") else prop.name, example)
        yield from _columns(prop.children, depth + 1, is_public=shown)


def _literal(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def _row_finding(rule: Rule, contract: Contract, record: DatasetRecord | None) -> Finding:
    if record is None:
        return _finding(rule, contract, "none", "not judged yet")
    rejected = _totals(record, "violations_by_rule").get(rule.rule_id, 0)
    told = _totals(record, "warnings_by_rule").get(rule.rule_id, 0)
    failed = [check for check in _checks(record, rule.rule_id) if not check.passed]
    if rejected:
        return _finding(rule, contract, "broken", f"broken by {plural(rejected, 'record')}")
    if any(check.severity is Severity.ERROR for check in failed):
        return _finding(rule, contract, "broken", _observed(failed[0], contract))
    if told:
        return _finding(rule, contract, "told", f"broken by {plural(told, 'record')}, told only")
    judged = record.extracted - sum(shard.unparseable_count for shard in record.raw_gate.shards)
    return _finding(rule, contract, "met", f"met by all {judged:,}")


def _set_finding(
    rule: Rule, contract: Contract, record: DatasetRecord | None, transform: TransformRecord | None
) -> Finding:
    checks = _checks(record, rule.rule_id) if record else []
    if not checks:
        test = transform.test_of(contract.dataset, rule.rule_id) if transform else None
        return _tested(rule, contract, test)
    worst = min(checks, key=lambda check: check.passed)
    return _finding(rule, contract, _outcome(worst), _observed(worst, contract))


def _tested(rule: Rule, contract: Contract, test: ModelRecord | None) -> Finding:
    """A rule that only a test on the published tables enforces."""
    if test is None or test.status not in _TOLD_BY_STATUS:
        return _finding(rule, contract, "none", "not judged yet")
    outcome = _TOLD_BY_STATUS[test.status]
    return _finding(
        rule, contract, outcome, "met" if outcome == "met" else f"broken by {plural(test.failures or 0, 'row')}"
    )


def _check_finding(check: CheckResult, contract: Contract | None) -> Finding:
    rule = next((rule for rule in contract.rules if rule.rule_id == check.rule_id), None) if contract else None
    words = _sentence(rule) if rule else _WITHOUT_CONTRACT.get(check.rule_id, "")
    path = rule.path if rule else ""
    return Finding(check.rule_id, path, check.severity, words, _outcome(check), _observed(check, contract))


def _unwritten(rule_id: str, number: int) -> Finding:
    words = _WITHOUT_CONTRACT.get(rule_id, "")
    return Finding(rule_id, "", Severity.ERROR, words, "broken", f"broken by {plural(number, 'record')}")


def _finding(rule: Rule, contract: Contract, outcome: str, result: str) -> Finding:
    words = _sentence(rule)
    if rule.kind is RuleKind.ENUM and not is_public(contract, rule.path):
        words = f"{rule.path} is one of the values that the contract allows ({HIDDEN} here)."
    return Finding(rule.rule_id, rule.path, rule.severity, words, outcome, result)


def _sentence(rule: Rule) -> str:
    """The rule's words, begun with a capital unless they begin with a property's name."""
    words = rule.description
    return words if rule.path and words.startswith(rule.path) else words[:1].upper() + words[1:]


def _outcome(check: CheckResult) -> str:
    if check.passed:
        return "met"
    return "broken" if check.severity is Severity.ERROR else "told"


def _observed(check: CheckResult, contract: Contract | None) -> str:
    rule = next((rule for rule in contract.rules if rule.rule_id == check.rule_id), None) if contract else None
    if contract is None or (rule is not None and not is_public(contract, rule.path)):
        return "met" if check.passed else f"not met (values {HIDDEN})"
    return check.observed if check.passed else f"{check.observed}; expected {check.expected}"


def _checks(record: DatasetRecord, rule_id: str) -> list[CheckResult]:
    loaded = record.load_gate.checks if record.load_gate else ()
    return [check for check in (*record.raw_gate.set_checks, *loaded) if check.rule_id == rule_id]


def _totals(record: DatasetRecord, name: str) -> Mapping[str, int]:
    totals: dict[str, int] = {}
    for shard in record.raw_gate.shards:
        for rule_id, number in getattr(shard, name).items():
            totals[rule_id] = totals.get(rule_id, 0) + number
    return totals


def _top(path: str) -> str:
    return path.split(".", maxsplit=1)[0].removesuffix("[]")


def _is_within(path: str, outer: str) -> bool:
    return path.startswith((f"{outer}.", f"{outer}["))


def verdict_words(verdict: Verdict) -> str:
    """A verdict as the pages write it."""
    return {Verdict.GO: "Go", Verdict.QUARANTINE: "Go, with rows set aside", Verdict.NO_GO: "No-go"}[verdict]
