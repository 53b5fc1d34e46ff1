"""Owns what the commands about contracts print, as tables and as JSON. What it says is in contracts/outline.py."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from contracts import outline
from contracts.coverage import Gate, coverage
from contracts.model import Contract, Severity

_STYLES = {Severity.ERROR: "red", Severity.WARNING: "yellow", Severity.INFO: "cyan"}


def print_contract(console: Console, contract: Contract) -> None:
    """A contract as a page: what it is, what is promised, its columns, its rules."""
    console.print(f"[bold]{escape(contract.title or contract.dataset)}[/]  {contract.dataset} {contract.version}")
    for text in (contract.description, contract.purpose):
        console.print(escape(text))
    console.print(_facts(contract))
    console.print(_columns(contract))
    console.print(_rules(contract))


def _facts(contract: Contract) -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_column(style="dim", no_wrap=True)
    table.add_column()
    facts = [
        ("Grain", contract.grain),
        ("Key", contract.key.path),
        ("How to use it", contract.usage),
        ("What to know", contract.limitations),
        ("Owner", contract.owner),
        ("Support", contract.support_url.removeprefix("mailto:")),
        *outline.promises(contract),
        ("File", contract.file_name),
    ]
    for name, words in facts:
        if words:
            table.add_row(name, escape(words))
    return table


def _table(title: str, *names: str) -> Table:
    table = Table(title=title, title_justify="left", box=SIMPLE_HEAD, padding=(0, 1))
    for name in names:
        table.add_column(name)
    return table


def _columns(contract: Contract) -> Table:
    found = outline.columns(contract)
    table = _table(f"{len(found)} columns and nested fields", "name", "type", "null", "unit", "class", "what it means")
    table.columns[0].no_wrap = True
    for column in found:
        prop = column.prop
        kind = f"{column.type} · {prop.physical_type.lower()}" if prop.physical_type else column.type
        words = f"{prop.description} For example: {column.example}" if column.example else prop.description
        name = "  " * column.depth + column.name
        table.add_row(name, kind, column.presence, prop.unit or "", prop.classification, escape(words.strip()))
    return table


def _rules(contract: Contract) -> Table:
    lines = outline.rule_lines(contract)
    table = _table(f"{len(lines)} rules", "rule", "what must hold, and why", "severity", "dimension", "gates")
    table.columns[0].overflow = "fold"
    for line in lines:
        rule = line.rule
        severity = f"[{_STYLES[rule.severity]}]{rule.severity}[/]"
        gates = " ".join(line.gates) or "[red]none[/]"
        table.add_row(rule.rule_id, escape(line.words), severity, rule.dimension, gates)
    return table


def contract_as_json(contract: Contract) -> dict[str, Any]:
    """What `contracts show --json` prints."""
    return {
        "dataset": contract.dataset,
        "version": contract.version,
        "title": contract.title,
        "description": contract.description,
        "purpose": contract.purpose,
        "usage": contract.usage,
        "limitations": contract.limitations,
        "grain": contract.grain,
        "key": contract.key.path,
        "owner": contract.owner,
        "support": contract.support_url,
        "latency_h": contract.latency_h,
        "freshness_h": contract.freshness_h,
        "columns": [_column_as_json(column) for column in outline.columns(contract)],
        "rules": [
            {
                "rule_id": line.rule.rule_id,
                "path": line.rule.path,
                "words": line.words,
                "severity": line.rule.severity.value,
                "dimension": line.rule.dimension,
                "gates": [gate.value for gate in line.gates],
            }
            for line in outline.rule_lines(contract)
        ],
    }


def _column_as_json(column: outline.Column) -> dict[str, Any]:
    prop = column.prop
    return {
        "path": prop.path,
        "type": prop.logical_type.value,
        "physical_type": prop.physical_type,
        "required": prop.required,
        "unit": prop.unit,
        "classification": prop.classification,
        "description": prop.description,
        "example": column.example or None,
    }


def print_coverage(console: Console, contracts: Sequence[Contract]) -> None:
    """The matrix of rules and gates of one contract; of several, how many rules each gate enforces."""
    if len(contracts) == 1:
        console.print(_matrix(contracts[0]))
    table = _table("Rules by gate", "dataset", "rules", *Gate, "none")
    for column in table.columns[1:]:
        column.justify = "right"
    counted = {contract.dataset: _counts(coverage(contract)) for contract in contracts}
    for dataset, counts in counted.items():
        table.add_row(dataset, *map(str, counts))
    if len(counted) > 1:
        table.add_section()
        table.add_row("total", *(str(sum(each)) for each in zip(*counted.values(), strict=True)))
    console.print(table)


def _matrix(contract: Contract) -> Table:
    table = _table(f"Which gate enforces which rule of {contract.dataset}", "rule", "severity", *Gate)
    for line in outline.rule_lines(contract):
        marks = ["✓" if gate in line.gates else "·" for gate in Gate]
        table.add_row(line.rule.rule_id, line.rule.severity, *marks, style="" if line.gates else "red")
    return table


def _counts(gates_by_rule: Mapping[str, tuple[Gate, ...]]) -> list[int]:
    """How many rules there are, how many each gate enforces, how many none does."""
    found = list(gates_by_rule.values())
    return [len(found), *(sum(gate in gates for gates in found) for gate in Gate), sum(not gates for gates in found)]


def coverage_as_json(contracts: Sequence[Contract]) -> dict[str, Any]:
    """What `contracts coverage --json` prints: by dataset and rule, the gates."""
    return {
        contract.dataset: {rule_id: [gate.value for gate in gates] for rule_id, gates in coverage(contract).items()}
        for contract in contracts
    }
