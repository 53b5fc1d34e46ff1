"""Owns the words and tables that a comparison of contracts ends with, and its JSON."""

from collections.abc import Iterator
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from contracts.evolution.changes import Effect
from contracts.evolution.consumers import Consumers
from contracts.evolution.diff import Report
from contracts.evolution.exceptions import AcceptedChange
from contracts.evolution.verdict import Evolution, JudgedChange

_STYLES = {Effect.BREAKING: "red", Effect.ADDITIVE: "green", Effect.PATCH: "dim"}


def as_json(report: Report, consumers: Consumers) -> dict[str, Any]:
    """The one object that `contracts diff --json` prints."""
    return {
        "against": report.against,
        "is_honoured": report.is_honoured,
        "contracts": [_evolution_as_json(each, consumers) for each in report.evolutions],
        "exceptions": {
            "expired": [_accepted_as_json(item) for item in report.expired],
            "unmatched": [_accepted_as_json(item) for item in report.unmatched],
            "spent": [_accepted_as_json(item) for item in report.spent],
        },
    }


def _evolution_as_json(evolution: Evolution, consumers: Consumers) -> dict[str, Any]:
    return {
        "dataset": evolution.dataset,
        "old_version": _text(evolution.old_version),
        "new_version": _text(evolution.new_version),
        "required_bump": str(evolution.required),
        "actual_bump": str(evolution.actual),
        "is_honoured": evolution.is_honoured,
        "changes": [_change_as_json(evolution, judged, consumers) for judged in evolution.changes],
    }


def _change_as_json(evolution: Evolution, judged: JudgedChange, consumers: Consumers) -> dict[str, Any]:
    change = judged.change
    return {
        "id": change.change_id,
        "where": change.where,
        "what": change.what,
        "consumer": change.consumer.value,
        "producer": change.producer.value,
        "bump": str(judged.asks),
        "is_refused": judged in evolution.refused,
        "todo": judged.todo,
        "affected": list(_affected(evolution, judged, consumers)),
        "exception": _accepted_as_json(judged.accepted) if judged.accepted else None,
    }


def _accepted_as_json(item: AcceptedChange) -> dict[str, str]:
    return {
        "dataset": item.dataset,
        "change": item.change_id,
        "owner": item.owner,
        "reason": item.reason,
        "expires": item.expires.isoformat(),
    }


def _text(value: object) -> str | None:
    return None if value is None else str(value)


def _affected(evolution: Evolution, judged: JudgedChange, consumers: Consumers) -> tuple[str, ...]:
    """Who reads what breaks or is to go, by the names of the older contract: what is there now was written for it."""
    if not judged.change.concerns_readers:
        return ()
    return consumers.of(evolution.old_dataset, judged.change.column)


def print_diff(console: Console, report: Report, consumers: Consumers) -> None:
    """Each contract that changed: its changes as a table, below it what must be done about those that break."""
    if report.against is None:
        console.print("There is no release yet (no tag vX.Y.Z here): the contracts are compared with nothing.")
        return
    changed = [each for each in report.evolutions if each.changes or each.went_back]
    for evolution in changed:
        _print_evolution(console, evolution, consumers)
    for line in _exception_lines(report):
        console.print(line, soft_wrap=True)
    same = len(report.evolutions) - len(changed)
    noun = "contract is" if same == 1 else "contracts are"
    if same:
        console.print(f"{same} {noun} as at {escape(report.against)}.", soft_wrap=True)


def _print_evolution(console: Console, evolution: Evolution, consumers: Consumers) -> None:
    table = Table(title=_title(evolution), title_justify="left", box=SIMPLE_HEAD, padding=(0, 1))
    table.add_column("change", overflow="fold")
    table.add_column("consumers", no_wrap=True)
    table.add_column("producer", no_wrap=True)
    table.add_column("asks for", no_wrap=True)
    table.add_column("what", overflow="fold")
    for judged in evolution.changes:
        change = judged.change
        sides = [f"[{_STYLES[effect]}]{effect}[/]" for effect in (change.consumer, change.producer)]
        table.add_row(escape(change.change_id), *sides, str(judged.asks), escape(change.what))
    console.print(table)
    for judged in evolution.changes:
        for line in _lines_below(evolution, judged, consumers):
            console.print(line, soft_wrap=True)
    console.print()


def _title(evolution: Evolution) -> str:
    versions = f"{evolution.old_version or 'nothing'} → {evolution.new_version or 'nothing'}"
    verdict = "[green]honoured[/]" if evolution.is_honoured else f"[red]{escape(why_refused(evolution))}[/]"
    return f"{evolution.dataset} {versions}: {verdict}"


def why_refused(evolution: Evolution) -> str:
    """Why a version does not honour its changes, in a few words."""
    if evolution.went_back:
        return "the version went back"
    old, new = evolution.old_version, evolution.new_version
    if old is not None and new is not None and evolution.required > evolution.actual:
        return f"expected version {old.bumped(evolution.required)} ({evolution.required}) or later"
    return "removed before it was deprecated"


def _lines_below(evolution: Evolution, judged: JudgedChange, consumers: Consumers) -> Iterator[str]:
    change_id = escape(judged.change.change_id)
    if judged.accepted is not None:
        yield (
            f"  [yellow]accepted[/] {change_id}: by {escape(judged.accepted.owner)} until {judged.accepted.expires}: "
            + (escape(judged.accepted.reason))
        )
    if judged.todo:
        colour = "red" if judged in evolution.refused else "yellow"
        yield f"  [{colour}]{change_id}[/]: {escape(judged.todo)}"
        affected = _affected(evolution, judged, consumers)
        if affected:
            yield f"    read by {escape(', '.join(affected))}"


def _exception_lines(report: Report) -> Iterator[str]:
    for item in report.expired:
        yield f"[red]exception expired[/] {escape(str(item))}"
    for item in report.unmatched:
        yield f"[red]exception fits no change[/] {escape(str(item))}"
    for item in report.spent:
        yield f"[yellow]exception used up[/] by {escape(str(report.against))}: remove {escape(str(item))}"


def refusal(report: Report) -> str:
    """The message that a comparison ends with when a version or an exception is wrong."""
    reasons = [f"{each.dataset}: {why_refused(each)}" for each in report.evolutions if not each.is_honoured]
    useless = [f"{item.dataset} {item.change_id}" for item in (*report.expired, *report.unmatched)]
    if useless:
        reasons.append(f"exceptions to remove or renew: {', '.join(useless)}")
    return (
        f"{'; '.join(reasons)}. Give the contract that version, take the change back, or record an exception "
        "in contracts/exceptions.yaml."
    )
