"""Owns the words of a migration plan on a terminal. What is in it is loader/migration.py's job."""

import textwrap

from rich.console import Console
from rich.markup import escape

from loader.migration import MigrationPlan, Step
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
