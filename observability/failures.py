"""Owns the words for what closed a gate: from a gate's result to failures.

What becomes of a failure is the incidents' job (observability/incidents.py).
"""

from collections.abc import Mapping, Sequence

from contracts.model import Contract
from observability.incidents import Failure
from observability.run_record import Balance, TransformRecord
from validation.results import CheckResult, LoadGateResult, RawGateResult, ShardResult, Verdict
from validation.set_checks import REJECT_LIMIT

RAW_GATE = "raw"
LOAD_GATE = "load"
TRANSFORM_GATE = "transform"
RECONCILE_GATE = "reconcile"
MARTS = "marts"  # the transform's place has no dataset of the source

_RULES_SHOWN = 5
_BROKEN_STATUSES = ("error", "fail", "runtime error", "partial success")


def raw_gate_failures(result: RawGateResult, contract: Contract) -> tuple[Failure, ...]:
    """Why the raw gate held a batch: each check over the whole batch that holds it."""
    if result.verdict is not Verdict.NO_GO:
        return ()
    broken = [check for check in result.set_checks if check.holds_the_batch]
    if not broken:
        return (_unnamed(result.dataset, RAW_GATE, result.reason),)
    return tuple(
        _reject_limit(result, contract)
        if check.rule_id == REJECT_LIMIT
        else _set_rule(check, result.dataset, RAW_GATE, _raw_details(result))
        for check in broken
    )


def load_gate_failures(result: LoadGateResult) -> tuple[Failure, ...]:
    """Why the load gate held a batch: each expectation that holds it."""
    if result.verdict is not Verdict.NO_GO:
        return ()
    details = (f"Rows staged: {result.staged_count}", f"Verdict: {result.reason}")
    broken = [check for check in result.checks if check.holds_the_batch]
    if not broken:
        return (_unnamed(result.dataset, LOAD_GATE, result.reason),)
    return tuple(_set_rule(check, result.dataset, LOAD_GATE, details) for check in broken)


def transform_failures(result: TransformRecord) -> tuple[Failure, ...]:
    """Why `dbt build` failed: each model or test that failed itself. What was only skipped is not a cause."""
    if result.verdict is not Verdict.NO_GO:
        return ()
    broken = [node for node in result.nodes if node.status in _BROKEN_STATUSES]
    if not broken:
        return (_unnamed(MARTS, TRANSFORM_GATE, result.reason),)
    return tuple(
        Failure(
            rule_id=node.name,
            headline=f"dbt {node.kind} {node.name} ended in {node.status}",
            details=(result.reason, *([f"Failing rows: {node.failures}"] if node.failures else [])),
            still_served=_still_served("the tables below it"),
            next_step="fix the model or its data, then spacex-elt transform",
        )
        for node in broken
    )


def reconcile_failures(dataset: str, balances: Sequence[Balance]) -> tuple[Failure, ...]:
    """Why a dataset's rows do not add up: one failure for all its equations, for they share their cause."""
    broken = [balance for balance in balances if not balance.holds]
    if not broken:
        return ()
    return (
        Failure(
            rule_id="rows-do-not-reconcile",
            headline=f"{dataset}: rows do not reconcile ({broken[0].equation})",
            details=tuple(f"{each.equation}: {_count(each.left)} against {_count(each.right)}" for each in broken),
            still_served=_still_served(dataset),
            next_step="spacex-elt run again; if it stays, rows were lost or doubled between the two counts",
        ),
    )


def _reject_limit(result: RawGateResult, contract: Contract) -> Failure:
    rejected = sum(shard.rejected_count for shard in result.shards)
    lines = sum(shard.line_count for shard in result.shards)
    limit = contract.reject_limit
    return Failure(
        rule_id=REJECT_LIMIT,
        headline=f"{result.dataset} is held: {rejected} of {lines} records rejected ({_percent(rejected, lines)}, "
        f"limit {limit.ratio * 100:g} %)",
        details=_raw_details(result),
        still_served=_still_served(result.dataset),
        next_step=f"spacex-elt quarantine show {result.dataset}",
    )


def _set_rule(check: CheckResult, dataset: str, gate: str, details: tuple[str, ...]) -> Failure:
    step = (
        f"spacex-elt quarantine show {dataset}" if gate == RAW_GATE else f"look at the source of {dataset}, then rerun"
    )
    return Failure(
        rule_id=check.rule_id,
        headline=f"{dataset} is held: {check.rule_id} found {check.observed}, expected {check.expected}",
        details=details,
        still_served=_still_served(dataset),
        next_step=step,
    )


def _unnamed(dataset: str, gate: str, reason: str) -> Failure:
    return Failure(
        rule_id=f"{gate}-failed",
        headline=f"{dataset} is held by the {gate} gate: {reason}",
        details=(),
        still_served=_still_served(dataset),
        next_step="read the run's page, then rerun",
    )


def _raw_details(result: RawGateResult) -> tuple[str, ...]:
    accepted, quarantined, duplicate, lines = (
        sum(getattr(shard, name) for shard in result.shards)
        for name in ("accepted_count", "rejected_count", "duplicate_count", "line_count")
    )
    first = next((shard.first_rejection for shard in result.shards if shard.first_rejection), None)
    counts = f"Records: {lines} read, {accepted} accepted, {quarantined} rejected, {duplicate} duplicate"
    shown = [counts, f"Batch: {result.batch_id}"]
    shown += [f"First violation: {first}"] if first else []
    rules = violations_by_rule(result.shards)
    shown += [f"Rule broken: {rule_id} by {records}" for rule_id, records in list(rules.items())[:_RULES_SHOWN]]
    shown += [f"… and {len(rules) - _RULES_SHOWN} more rules"] if len(rules) > _RULES_SHOWN else []
    return tuple(shown)


def violations_by_rule(shards: Sequence[ShardResult]) -> Mapping[str, int]:
    """Rejected records per broken rule over all shards, the most broken first."""
    totals: dict[str, int] = {}
    for shard in shards:
        for rule_id, records in shard.violations_by_rule.items():
            totals[rule_id] = totals.get(rule_id, 0) + records
    return dict(sorted(totals.items(), key=lambda item: (-item[1], item[0])))


def _still_served(what: str) -> str:
    return f"the last good version of {what} is still served"


def _percent(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f} %" if whole else "0 %"


def _count(count: int | None) -> str:
    return "not counted" if count is None else str(count)
