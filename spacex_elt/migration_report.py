"""Owns the words of a migration plan and of a rebuilt table on a terminal. What is in them is the loader's job."""

import textwrap

from rich.console import Console
from rich.markup import escape

from loader.migration import MigrationPlan, Step
from loader.rebuild import Rebuilt
from validation.wording import counted


def print_plan(console: Console, plan: MigrationPlan) -> None:
    """Every step with its statements, then what is refused and what is only told."""
    for step in plan.steps:
        console.print(f"[bold]{escape(step_words(step))}[/]", soft_wrap=True)
        for statement in step.statements:
            console.print(textwrap.indent(f"{statement};", "    "), soft_wrap=True, markup=False)
    print_rest(console, plan)


def print_rest(console: Console, plan: MigrationPlan) -> None:
    """How many steps there are, what is refused and what is only told."""
    for note in plan.notes:
        console.print(f"[dim]note[/] {escape(note)}", soft_wrap=True)
    for refusal in plan.refusals:
        console.print(f"[red]refused[/] {escape(f'{refusal.what}. {refusal.way_out}')}", soft_wrap=True)
    if not plan.steps and not plan.refusals:
        console.print("The warehouse is what the contracts say.")
    else:
        noticed = sum(not step.is_safe for step in plan.steps)
        console.print(f"{counted(len(plan.steps), 'step')}, of which {noticed} may be noticed.")


def step_words(step: Step) -> str:
    """One line about a step."""
    alone = ", outside a transaction" if step.is_alone else ""
    return f"{step.about}: {step.why} ({step.notice or 'safe'}{alone})"


def print_rebuilt(console: Console, done: Rebuilt) -> None:
    """Both tables' hashes, and how they differ."""
    batches = "1 batch" if done.batches == 1 else f"{done.batches} batches"
    console.print(f"{done.dataset} rebuilt from {batches}, up to run {done.up_to}", soft_wrap=True)
    for name, found in (("rebuilt", done.rebuilt), ("published", done.published)):
        console.print(f"  {name:<10} {found.row_count:,} rows  {found.hash}", soft_wrap=True)
    what = done.difference
    if done.is_equal:
        console.print("[green]equal[/]")
    else:
        console.print(
            f"keys only published {what.only_published:,}, only rebuilt {what.only_rebuilt:,}, different "
            f"{what.different:,}" + ("" if done.is_newest else "; more was published since that run"),
            soft_wrap=True,
        )
    if done.other_versions:
        versions = ", ".join(done.other_versions)
        console.print(f"[dim]note[/] batches were published under other versions of the contract too: {versions}")
    if done.ledger_disagrees:
        others = ", ".join(done.ledger_disagrees)
        console.print(f"[dim]note[/] the ledger counted otherwise for: {others}", soft_wrap=True)
    console.print(f"{done.table} serves as {done.dataset} now." if done.was_swapped else f"It lies in {done.table}.")
