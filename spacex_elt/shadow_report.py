"""Owns how the program tells what a candidate contract would change. Finding it out is loader/shadow.py's job."""

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from loader.shadow import BatchShadow, RuleChange, Shadow


def print_shadow(console: Console, shadow: Shadow) -> None:
    """One table of batches, then what changed in each and why."""
    versions = f"{shadow.version_in_force} in force, {shadow.version_of_candidate} the candidate"
    table = Table(title=f"{shadow.dataset}: {versions}", title_justify="left")
    for name in ("batch", "run", "lines", "in force", "candidate", "newly rejected", "newly accepted"):
        table.add_column(name, justify="right" if name in {"lines", "newly rejected", "newly accepted"} else "left")
    for batch in shadow.batches:
        table.add_row(
            batch.batch_id, batch.run_id, str(batch.line_count), batch.verdict_in_force, batch.verdict_of_candidate,
            str(batch.newly_rejected_count), str(batch.newly_accepted_count),
        )  # fmt: skip
    console.print(table)
    for batch in shadow.batches:
        for line in _lines(batch):
            console.print(line, soft_wrap=True, markup=False)
    for gone in shadow.gone:
        console.print(f"Not judged: {gone}", soft_wrap=True, markup=False)
    if shadow.batches and shadow.changes_nothing:
        console.print("The candidate changes nothing: every record and every batch fares as before.")


def _lines(batch: BatchShadow) -> list[str]:
    told = [*_changes("newly rejected", batch.newly_rejected), *_changes("newly accepted", batch.newly_accepted)]
    told += [f"  warnings by {rule_id}: {then}, then {now}" for rule_id, (then, now) in batch.warnings.items()]
    if batch.verdict_in_force != batch.verdict_of_candidate:
        told += [f"  in force: {batch.reason_in_force}", f"  candidate: {batch.reason_of_candidate}"]
    return [f"batch {batch.batch_id}", *told] if told else []


def _changes(word: str, changes: Sequence[RuleChange]) -> list[str]:
    told = []
    for change in changes:
        told.append(f"  {word} by {change.rule_id}: {change.count}")
        for each in change.examples:
            key = f" ({each.key})" if each.key else ""
            told.append(f"    {each.object_key} line {each.line_number}{key}: {each.path} {each.message}")
    return told
