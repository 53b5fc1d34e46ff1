"""Owns telling of quarantined records: tables, JSON, lines to edit. What may be seen is loader/redaction.py's."""

import base64
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from contracts.model import Contract
from loader.decisions import Decision, ReplayBegun, State, Triage
from loader.edits import envelope_of
from loader.queue import AGES, SOON, Queued, Stats
from loader.redaction import redacted, shown_key, shown_violations
from validation.wording import counted

_UNKEYED = "a record without a readable key"


def listed(contract: Contract, queued: Queued, run_id: str, now: datetime) -> dict[str, Any]:
    """One record in a list."""
    rules = [broken.rule_id for broken in queued.judged.violations]
    return {
        "quarantine_id": queued.record.quarantine_id,
        "dataset": queued.record.dataset,
        "batch_id": queued.record.batch_id,
        "run_id": run_id or None,
        "set_aside_at": queued.set_aside_at.isoformat(),
        "age_days": round((now - queued.set_aside_at) / timedelta(days=1), 2),
        "state": queued.state.value,
        "attempts": queued.attempts,
        "key": shown_key(contract, queued.record),
        "first_rule": rules[0] if rules else None,
        "rules": sorted({*rules}),
    }


def whole(contract: Contract, queued: Queued, run_id: str, trail: Sequence[Decision]) -> dict[str, Any]:
    """One record with everything that may be told of it."""
    return {
        **asdict(queued.record),
        "run_id": run_id or None,
        "key": shown_key(contract, queued.record),
        "violations": [asdict(broken) for broken in shown_violations(contract, queued.judged)],
        "raw_base64": None,
        "set_aside_at": queued.set_aside_at.isoformat(),
        "state": queued.state.value,
        "attempts": queued.attempts,
        "replayed_by": queued.run_id if queued.state is State.REPLAYED else None,
        "decisions": [told(decision, queued.record.quarantine_id) for decision in trail],
    }


def gone(dataset: str, quarantine_id: str, trail: Sequence[Decision]) -> dict[str, Any]:
    """What is left of a record that is past its retention."""
    decisions = [told(decision, quarantine_id) for decision in trail]
    return {"quarantine_id": quarantine_id, "dataset": dataset, "state": "expired", "decisions": decisions}


def told(decision: Decision, quarantine_id: str) -> dict[str, Any]:
    """One decision, as far as it is about one record."""
    if isinstance(decision, Triage):
        return {"at": _at(decision.decided_at), "what": decision.state.value, "by": decision.by, "why": decision.why}
    if isinstance(decision, ReplayBegun):
        edits = [asdict(edit) for edit in decision.edits if edit.quarantine_id == quarantine_id]
        return {
            "at": _at(decision.began_at),
            "what": "replay begun",
            "by": decision.by,
            "why": decision.why,
            "run_id": decision.run_id,
            "batch_id": decision.batch_id,
            "edit": edits[0] if edits else None,
        }
    is_rejected = quarantine_id in decision.rejected_ids
    return {
        "at": _at(decision.ended_at),
        "what": "rejected again" if is_rejected and decision.outcome == "published" else f"replay {decision.outcome}",
        "why": decision.reason,
        "run_id": decision.run_id,
        "batch_id": decision.batch_id,
    }


def exported(contract: Contract, queued: Queued, *, is_redacted: bool) -> dict[str, Any]:
    """One record as `quarantine replay --edited` takes it back, if nothing of it is redacted."""
    raw = base64.b64decode(queued.record.raw_base64)
    record = envelope_of(raw).get("_airbyte_data")
    if is_redacted and record is not None:
        record = redacted(contract, record)
    return {
        "quarantine_id": queued.record.quarantine_id,
        "dataset": queued.record.dataset,
        "batch_id": queued.record.batch_id,
        "object_key": queued.record.object_key,
        "line_number": queued.record.line_number,
        "contract_version": queued.record.contract_version,
        "state": queued.state.value,
        "attempts": queued.attempts,
        "key": shown_key(contract, queued.record),
        "violations": [asdict(broken) for broken in shown_violations(contract, queued.judged)],
        "is_redacted": is_redacted,
        "record": record,
        "raw_base64": None if is_redacted else queued.record.raw_base64,
    }


def counted_as_json(stats: Stats) -> dict[str, Any]:
    """One dataset's numbers."""
    return {
        "dataset": stats.dataset,
        "records": stats.record_count,
        "states": _by_state(stats.by_state),
        "rules": {rule_id: _by_state(states) for rule_id, states in sorted(stats.by_rule.items())},
        "waiting_by_age": {name: stats.by_age[name] for name, _ in AGES},
        "expiring_within_7_days": stats.expiring_count,
        "first_expiry_at": stats.first_expiry_at.isoformat() if stats.first_expiry_at else None,
    }


def print_list(console: Console, rows: Iterable[dict[str, Any]], limit: int) -> None:
    """Records as a table of at most `limit` rows, and how many more there are."""
    table = Table(box=SIMPLE_HEAD, padding=(0, 1))
    for name in ("id", "dataset", "batch", "run", "age", "state", "key", "first rule"):
        table.add_column(name, no_wrap=name in ("id", "batch", "age", "state"), overflow="fold")
    count = 0
    for row in rows:
        count += 1
        if count <= limit:
            more = len(row["rules"]) - 1
            tries = f" ({row['attempts']} tried)" if row["attempts"] else ""
            cells = (
                *(row["quarantine_id"], row["dataset"], row["batch_id"], row["run_id"] or "–", _age(row["age_days"])),
                *(row["state"] + tries, row["key"] or "–"),
                (row["first_rule"] or "–") + (f" and {more} more" if more > 0 else ""),
            )
            table.add_row(*map(escape, cells))
    if count:
        console.print(table)
    more_words = f", of which the first {limit} are shown; --limit shows more" if count > limit else ""
    console.print(f"{_records(count)} in quarantine{more_words}.", soft_wrap=True)


def print_whole(console: Console, dataset: str, records: Sequence[Mapping[str, Any]], version: str) -> None:
    """Each record, where it lay, every rule it broke, and what was decided about it."""
    if not records:
        console.print(f"No run on record set rows of {dataset} aside.")
        return
    console.print(f"{_records(len(records))} of {dataset} in quarantine.")
    for record in records:
        if record["state"] == "expired":
            console.print(f"\n[bold]{escape(record['quarantine_id'])}[/]  is past its retention and gone.")
        else:
            where = f"{record['object_key']} line {record['line_number']}"
            key = escape(record["key"] or _UNKEYED)
            console.print(f"\n[bold]{key}[/]  {escape(where)}", soft_wrap=True)
            state = f"    {record['quarantine_id']}: {_state_words(record)}, contract {record['contract_version']}"
            now = "" if record["contract_version"] == version else f" (now {version})"
            console.print(state + now, soft_wrap=True, markup=False)
        for broken in record.get("violations", ()):
            path = f"{broken['path']} " if broken["path"] else ""
            line = f"    {path}{broken['message']} (rule {broken['rule_id']})"
            console.print(line, soft_wrap=True, markup=False, highlight=False)
        for decision in record["decisions"]:
            console.print(f"    {_decision_words(decision)}", soft_wrap=True, markup=False, highlight=False)


def print_stats(console: Console, every: Sequence[Stats]) -> None:
    """Per dataset: rules by state, what waits by age, and what retention is about to take."""
    for stats in every:
        if not stats.record_count:
            console.print(f"{stats.dataset}: nothing in quarantine.")
            continue
        table = Table(title=f"{stats.dataset}: {_records(stats.record_count)}", title_justify="left", box=SIMPLE_HEAD)
        table.add_column("rule")
        for state in State:
            table.add_column(state.value, justify="right")
        for rule_id, states in sorted(stats.by_rule.items()):
            table.add_row(escape(rule_id), *(f"{states[state]:,}" if states[state] else "" for state in State))
        table.add_row("records", *(f"{stats.by_state[state]:,}" for state in State), style="bold")
        console.print(table)
        ages = ", ".join(f"{stats.by_age[name]:,} for {name}" for name, _ in AGES if stats.by_age[name])
        console.print(f"waiting    {ages or 'none'}", soft_wrap=True)
        if stats.expiring_count and stats.first_expiry_at:
            console.print(
                f"expiring   {_records(stats.expiring_count)} within {SOON.days} days, the first at "
                f"{stats.first_expiry_at:%Y-%m-%d %H:%M} UTC: maintain removes them then, whatever their state",
                style="yellow",
                soft_wrap=True,
            )


def _by_state(counts: Counter[State]) -> dict[str, int]:
    return {state.value: counts[state] for state in State}


def _state_words(record: Mapping[str, Any]) -> str:
    tried = f" after {counted(record['attempts'], 'replay')} in vain" if record["attempts"] else ""
    by = f" by run {record['replayed_by']}" if record["replayed_by"] else ""
    return f"{record['state']}{by}{tried}"


def _decision_words(decision: Mapping[str, Any]) -> str:
    words = f"{decision['at'][:16]} {decision['what']}"
    words += f" by {decision['by']}" if decision.get("by") else ""
    words += f", run {decision['run_id']}" if decision.get("run_id") else ""
    words += f": {decision['why']}" if decision.get("why") else ""
    if edit := decision.get("edit"):
        words += f" (edited by {edit['by']}: {edit['why']}; {edit['before_sha256'][:8]} -> {edit['after_sha256'][:8]})"
    return words


def _age(days: float) -> str:
    return f"{days:.0f} d" if days >= 2 else f"{days * 24:.0f} h" if days * 24 >= 2 else f"{days * 1440:.0f} min"


def _records(count: int) -> str:
    return f"{count:,} record" if count == 1 else f"{count:,} records"


def _at(instant: datetime) -> str:
    return instant.isoformat()
