"""Builds small contracts and run records by hand, for tests that look at what is made of them."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from contracts.model import Contract, LogicalType, Property, RejectLimit, Rule, RuleKind, Scope, Severity
from observability.accounting import GateCounts, LoadCounts, balances
from observability.run_record import DatasetRecord, ModelRecord, RunRecord, SpanRecord, TransformRecord
from validation.findings import Findings
from validation.results import CheckResult, LoadGateResult, ObjectResult, RawGateResult, ShardResult, Verdict

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


def prop(name: str, kind: LogicalType = LogicalType.STRING, **more: Any) -> Property:
    given: dict[str, Any] = {
        "path": name,
        "physical_type": "varchar(64)",
        "required": False,
        "primary_key": False,
        "classification": "public",
        "description": f"What {name} means.",
        "unit": None,
        "example": f"example of {name}",
    }
    return Property(name=name, logical_type=kind, **{**given, **more})


def rule(rule_id: str, path: str, kind: RuleKind, argument: Any = None, **more: Any) -> Rule:
    given: dict[str, Any] = {
        "scope": Scope.ROW,
        "severity": Severity.ERROR,
        "dimension": "completeness",
        "description": f"Why {rule_id} matters.",
    }
    return Rule(rule_id=rule_id, path=path, kind=kind, argument=argument, **{**given, **more})


def contract(dataset: str, **more: Any) -> Contract:
    given: dict[str, Any] = {
        "version": "1.0.0",
        "content_hash": "c0ffee",
        "description": f"All {dataset} that SpaceX flew or plans to fly.",
        "purpose": "Answer what flew when, and on what.",
        "owner": "launch-data@example.org",
        "support_url": "https://example.org/support",
        "latency_h": 24.0,
        "properties": (
            prop("id", required=True, primary_key=True, example="5eb87cd9ffd86e000604b32a"),
            prop("name", required=True, example="FalconSat"),
            prop("mass_kg", LogicalType.NUMBER, unit="kg", example=20, physical_type="double precision"),
        ),
        "rules": (
            rule("id-pattern", "id", RuleKind.PATTERN, "^[0-9a-f]{24}$", dimension="conformity"),
            rule("name-required", "name", RuleKind.REQUIRED),
            rule("mass_kg-minimum", "mass_kg", RuleKind.MINIMUM, 0, severity=Severity.WARNING),
            rule("id-unique", "id", RuleKind.UNIQUE, scope=Scope.SET, dimension="uniqueness"),
            rule(f"{dataset}-row-count", "", RuleKind.ROW_COUNT, 142, scope=Scope.SET),
        ),
        "reject_limit": RejectLimit(0.02, 3, "A handful of odd records is normal for a community API."),
        "file_name": f"{dataset}.odcs.yaml",
    }
    return Contract(dataset=dataset, **{**given, **more})


def raw_gate(
    dataset: str,
    *,
    lines: int = 205,
    rejected: int = 0,
    verdict: Verdict = Verdict.GO,
    violations: Mapping[str, int] | None = None,
    first_rejection: str | None = "name is null (rule name-required)",
    reason: str = "every record meets the contract",
    set_checks: Sequence[CheckResult] = (),
) -> RawGateResult:
    found = Findings(violations_by_rule=violations or {}, first_rejection=first_rejection if rejected else None)
    counts = (lines, lines - rejected, 0, 0, rejected)
    judged = ObjectResult(f"landing/{dataset}/1.jsonl.gz", *counts, found)
    shard = ShardResult(dataset, f"batch-{dataset}", "0", (judged,))
    return RawGateResult(dataset, f"batch-{dataset}", "1.0.0", (shard,), tuple(set_checks), verdict, reason)


def dataset_record(
    dataset: str,
    *,
    lines: int = 205,
    rejected: int = 0,
    verdict: Verdict = Verdict.GO,
    first_rejection: str | None = "name is null (rule name-required)",
    violations: Mapping[str, int] | None = None,
    was_already_published: bool = False,
) -> DatasetRecord:
    """A dataset's way through a run: `no-go` stops at the raw gate, the rest is published with up to five new rows."""
    accepted = lines - rejected
    held = verdict is Verdict.NO_GO
    reason = f"{rejected} of {lines} records rejected" if rejected else "every record meets the contract"
    gate = raw_gate(
        dataset,
        lines=lines,
        rejected=rejected,
        verdict=verdict,
        violations=violations or ({"name-required": rejected} if rejected else {}),
        first_rejection=first_rejection,
        reason=reason,
    )
    new = min(5, accepted)
    load = LoadCounts(accepted, accepted, accepted, new, 0, 0, accepted - new, 0, accepted)
    checks = (CheckResult("id-unique", True, Severity.ERROR, "0 duplicates", "none"),)
    return DatasetRecord(
        dataset=dataset,
        batch_id=f"batch-{dataset}",
        extracted=lines,
        accepted=accepted,
        quarantined=rejected,
        duplicate=0,
        inserted=None if held else new,
        updated=None if held else 0,
        unchanged=None if held else accepted - new,
        deleted=None if held else 0,
        restored=None if held else 0,
        verdict=verdict,
        reason=reason,
        raw_gate=gate,
        load_gate=None
        if held
        else LoadGateResult(dataset, f"batch-{dataset}", accepted, checks, Verdict.GO, "every expectation is met"),
        balances=balances(GateCounts(lines, accepted, rejected, 0, lines), None if held else load),
        was_already_published=was_already_published,
    )


def spans(began: datetime) -> tuple[SpanRecord, ...]:
    def span(span_id: str, parent: str | None, name: str, after_s: float, seconds: float, **more: Any) -> SpanRecord:
        return SpanRecord(span_id, parent, name, began + timedelta(seconds=after_s), seconds, more, False)

    return (
        span("a", None, "run", 0, 20.0),
        span("b", "a", "gate", 2.5, 3.0),
        span("c", "b", "gate launches", 2.6, 2.0, dataset="launches"),
        span("d", "a", "load", 5.6, 6.0),
        span("e", "a", "transform", 11.7, 8.0),
    )


def transform_record(verdict: Verdict = Verdict.GO) -> TransformRecord:
    nodes = (
        ModelRecord("fct_launches", "model", "success", 1.2, None, None),
        ModelRecord("unique_fct_launches_launch_id", "test", "pass", 0.2, 0, None),
    )
    return TransformRecord(verdict, "2 of 2 nodes went well", {"success": 1, "pass": 1}, nodes)


def run_record(
    run_id: str,
    datasets: Sequence[DatasetRecord],
    *,
    finished_at: datetime = NOW - timedelta(minutes=3),
    verdict: Verdict = Verdict.GO,
    source: str = "sample (seed 42, 205 launches)",
    transform: TransformRecord | None = None,
    incident_ids: Sequence[str] = (),
) -> RunRecord:
    began = finished_at - timedelta(seconds=20)
    return RunRecord(
        run_id=run_id,
        source=source,
        started_at=began,
        finished_at=finished_at,
        verdict=verdict,
        datasets=tuple(datasets),
        transform=transform,
        incident_ids=tuple(incident_ids),
        trace_id="0" * 31 + "1",
        spans=spans(began),
    )
