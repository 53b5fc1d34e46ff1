"""Owns the words and tables that a finished run ends with, and its JSON. What happened is in the run record."""

import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from observability.run_record import DatasetRecord, RunRecord
from validation.results import Verdict

if TYPE_CHECKING:
    from local.airflow import DagRunOutcome
    from local.stack import StackState

_COUNTS = (
    "extracted",
    "accepted",
    "quarantined",
    "duplicate",
    "inserted",
    "restored",
    "updated",
    "unchanged",
    "deleted",
)
_SHORT = dict(zip(_COUNTS, ("extr.", "acc.", "quar.", "dup.", "ins.", "rest.", "upd.", "same", "del."), strict=True))
_WIDE = 125  # columns that the full words need
_STYLES = {Verdict.GO: "green", Verdict.QUARANTINE: "yellow", Verdict.NO_GO: "red"}


def run_as_json(record: RunRecord, docs: str) -> dict[str, Any]:
    """The one object that `run --json` prints."""
    return {
        "run_id": record.run_id,
        "source": record.source,
        "verdict": record.verdict.value,
        "datasets": [_dataset_as_json(dataset) for dataset in record.datasets],
        "transform": _transform_as_json(record),
        "docs": docs,
    }


def dag_run_as_json(outcome: "DagRunOutcome", record: RunRecord | None, docs: str) -> dict[str, Any]:
    """The one object that `local dag --json` prints: the run's, with what Airflow did of it."""
    tasks = [
        {"task": each.task_id, "map_index": each.map_index, "state": each.state, "seconds": round(each.seconds, 2)}
        for each in outcome.tries
    ]
    airflow = {
        "dag": outcome.dag_id,
        "run_id": outcome.run_id,
        "state": "success" if outcome.is_success else "failed",
        "seconds": round(outcome.seconds, 2),
        "container_seconds": round(outcome.container_seconds, 2),
        "tasks": tasks,
    }
    return {**(run_as_json(record, docs) if record is not None else {"run_id": outcome.run_id}), "airflow": airflow}


def print_dag_run(console: Console, outcome: "DagRunOutcome") -> None:
    """What Airflow did of a run, and its share of the time."""
    state = "[green]success[/]" if outcome.is_success else "[red]failed[/]"
    own = outcome.seconds - outcome.container_seconds
    share = own / outcome.seconds
    console.print(
        f"DAG run    {outcome.dag_id} {outcome.run_id} {state}: {outcome.seconds:.1f} s, of which "
        f"{outcome.container_seconds:.1f} s in containers; Airflow and the sync took {own:.1f} s ({share:.0%})",
        soft_wrap=True,
    )


def _dataset_as_json(dataset: DatasetRecord) -> dict[str, Any]:
    counts = {name: getattr(dataset, name) for name in _COUNTS}
    return {"dataset": dataset.dataset, **counts, "verdict": dataset.verdict.value, "reason": dataset.reason}


def _transform_as_json(record: RunRecord) -> dict[str, Any] | None:
    if record.transform is None:
        return None
    return {
        "verdict": record.transform.verdict.value,
        "reason": record.transform.reason,
        "counts": dict(record.transform.counts),
    }


def print_run(console: Console, record: RunRecord, docs: str, trace: str) -> None:
    """The tables and words that a run ends with."""
    console.print()
    console.print(_dataset_table(record, console.width))
    for dataset in record.datasets:
        if dataset.verdict is not Verdict.GO or dataset.was_superseded:
            console.print(f"{_coloured(dataset.verdict)} {escape(dataset.reason)}", soft_wrap=True)
        elif dataset.was_already_published:
            console.print(f"{dataset.dataset}: this batch was published before; nothing was loaded again.")
        for rule_id, keys in sorted(_warned(dataset).items()):
            console.print(f"[yellow]warning[/] {dataset.dataset}: {rule_id} in {', '.join(keys)}", soft_wrap=True)
    if record.transform is not None:
        words = ", ".join(f"{count} {status}" for status, count in sorted(record.transform.counts.items()))
        verdict = _coloured(record.transform.verdict)
        console.print(f"dbt        {verdict} ({words}) {escape(record.transform.reason)}", soft_wrap=True)
    if record.incident_ids:
        open_ones = ", ".join(record.incident_ids)
        console.print(f"incidents  {open_ones} (open; announced when they opened: spacex-elt alerts)", soft_wrap=True)
    console.print("trace")
    console.print(textwrap.indent(trace, "  "), soft_wrap=True, markup=False)
    console.print(f"source     {escape(record.source)}", soft_wrap=True)
    console.print(f"data docs  {docs}", soft_wrap=True)
    console.print(f"run        {record.run_id} {_coloured(record.verdict)}")


def _warned(dataset: DatasetRecord) -> dict[str, list[str]]:
    """The first records behind each warning, a few words long."""
    told: dict[str, list[str]] = {}
    for shard in dataset.raw_gate.shards:
        for rule_id, count in shard.warnings_by_rule.items():
            keys = list(shard.warned_keys.get(rule_id, ())[:3])
            more = [f"{count - len(keys)} more"] if count > len(keys) else []
            told[rule_id] = [*told.get(rule_id, []), *keys, *more]
    return told


def _coloured(verdict: Verdict) -> str:
    return f"[{_STYLES[verdict]}]{verdict.value}[/]"


def _dataset_table(record: RunRecord, width: int) -> Table:
    is_wide = width >= _WIDE
    title = f"Rows by fate, run {record.run_id}"
    table = Table(title=title, title_justify="left", box=SIMPLE_HEAD, padding=(0, 1 if is_wide else 0))
    table.add_column("dataset", no_wrap=True)
    for name in _COUNTS:
        table.add_column(name if is_wide else _SHORT[name], justify="right", no_wrap=True)
    table.add_column("verdict", no_wrap=True)
    for dataset in record.datasets:
        counts = ["–" if (count := getattr(dataset, name)) is None else f"{count:,}" for name in _COUNTS]
        table.add_row(dataset.dataset, *counts, _coloured(dataset.verdict))
    return table


def print_rows(console: Console, names: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """A query's result as a table."""
    table = Table()
    for name in names:
        table.add_column(name, overflow="fold")
    for row in rows:
        table.add_row(*("" if value is None else escape(str(value)) for value in row))
    console.print(table)
    console.print(f"{len(rows)} rows" if len(rows) != 1 else "1 row")


def print_stack(console: Console, state: "StackState") -> None:
    """The local stack's parts, and where to meet them."""
    table = Table(title=f"Local stack in {state.state_dir}", title_justify="left")
    for name in ("part", "state", "pid", "ports", "memory"):
        table.add_column(name, justify="right" if name in ("pid", "memory") else "left")
    for part in state.parts:
        ports = ", ".join(f"{name} {port}" for name, port in part.ports.items())
        memory = f"{part.memory_bytes / 1e6:.0f} MB" if part.memory_bytes else ""
        table.add_row(part.name, part.status, str(part.pid or ""), ports, memory)
    console.print(table)
    for part in state.parts:
        if part.problem:
            console.print(f"{part.name}: {escape(part.problem)} Its log: {part.log}", soft_wrap=True)
    if not state.parts:
        console.print("The local stack is down. Start it: spacex-elt local up")
