"""Owns the dbt sources that follow from contracts, with tests and freshness. The rest of dbt/ is written by hand."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import yaml

from contracts.derive.redshift import RAW_SCHEMA, contract_columns
from contracts.model import Contract, Property, Rule, RuleKind, Severity

SOURCES_FILE = Path("dbt/models/staging/_spacex__sources.yml")  # from the repository's root

_HEADER = "# Derived from contracts/*.odcs.yaml: change those, then run `python -m contracts.derive`.\n"
_LIVE = "_deleted_at is null"  # rows the API no longer has stay as they were
# Not max(_loaded_at): rows that did not change are not loaded again, so over a quiet source it grows old by itself.
_LAST_PUBLISHED = "select max(published_at) from pipeline.load_ledger where dataset = '{dataset}'"
_TESTED = (RuleKind.REQUIRED, RuleKind.UNIQUE, RuleKind.ENUM)  # of columns; references are tested at any depth


def sources_yaml(contracts: Iterable[Contract]) -> str:
    """The file SOURCES_FILE for these contracts, ending in a line end. Equal contracts give equal bytes."""
    source = {
        "name": "spacex",
        "description": "What the SpaceX API told, as it passed the gates: one table a contract.",
        "schema": RAW_SCHEMA,
        "tables": [_table(contract) for contract in contracts],
    }
    text = yaml.dump(
        {"version": 2, "sources": [source]},
        Dumper=_Dumper,
        sort_keys=False,
        allow_unicode=True,
        width=118,
    )
    return _HEADER + text


def tested_rules(contract: Contract) -> set[str]:
    """The rules that a test of the derived sources enforces."""
    return {rule.rule_id for rule in _rules(contract)}


class _Dumper(yaml.SafeDumper):
    """Indents lists below their key, as people do."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, False)


def _rules(contract: Contract) -> list[Rule]:
    """The rules worth a test: a column that is `not null` needs none for that, but for the key all rows hang on."""
    kept = {column.name for column in contract_columns(contract) if column.is_required} - {contract.key.name}
    columns = {prop.path: prop.column for prop in contract.properties}
    of_columns = [rule for rule in contract.rules if rule.kind in _TESTED and rule.path in columns]
    tested = [rule for rule in of_columns if rule.kind is not RuleKind.REQUIRED or columns[rule.path] not in kept]
    return tested + [rule for rule in contract.rules if rule.kind is RuleKind.REFERENCE]


def _table(contract: Contract) -> dict[str, Any]:
    words = [contract.description, contract.purpose, contract.limitations, f"Owner: {contract.owner}."]
    table: dict[str, Any] = {"name": contract.dataset, "description": " ".join(word for word in words if word)}
    config: dict[str, Any] = {"meta": {"contract": contract.file_name, "contract_version": contract.version}}
    if contract.freshness_h is not None:
        config["loaded_at_query"] = _LAST_PUBLISHED.format(dataset=contract.dataset)
        config["freshness"] = {"warn_after": {"count": round(contract.freshness_h), "period": "hour"}}
    rules = _rules(contract)
    table["config"] = config
    table["columns"] = [
        _column(contract, prop, [rule for rule in rules if _column_of(rule) == prop.name])
        for prop in contract.properties
    ]
    return table


def _column_of(rule: Rule) -> str:
    return rule.path.partition(".")[0].removesuffix("[]")


def _column(contract: Contract, prop: Property, rules: Sequence[Rule]) -> dict[str, Any]:
    column: dict[str, Any] = {"name": prop.column, "description": prop.description}
    if prop.unit:
        column["config"] = {"meta": {"unit": prop.unit}}
    if rules:
        column["data_tests"] = [_test(contract, rule) for rule in rules]
    return column


def _test(contract: Contract, rule: Rule) -> dict[str, Any]:
    meta = {"dataset": contract.dataset, "rule_id": rule.rule_id}  # what the test says is told under these names
    config: dict[str, Any] = {"where": _LIVE, "severity": _severity(rule), "meta": meta}
    match rule.kind:
        case RuleKind.REQUIRED:
            return {"not_null": {"config": config}}
        case RuleKind.UNIQUE:
            return {"unique": {"config": config}}
        case RuleKind.REFERENCE:
            arguments = {"path": rule.path, "dataset": rule.argument.dataset, "key": rule.argument.field}
            return {"references": {"arguments": arguments, "config": config}}
        case _:
            is_text = all(isinstance(value, str) for value in rule.argument)
            return {
                "accepted_values": {"arguments": {"values": list(rule.argument), "quote": is_text}, "config": config}
            }


def _severity(rule: Rule) -> str:
    return "error" if rule.severity is Severity.ERROR else "warn"
