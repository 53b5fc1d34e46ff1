"""Owns the matrix of rules and gates: which gate enforces which rule. Derived from what each gate is given."""

from enum import StrEnum

from contracts.derive import dbt, expectations
from contracts.model import Contract, Rule, RuleKind, Scope


class Gate(StrEnum):
    """The three gates, in the order rows meet them."""

    RAW = "raw"  # validation's raw gate, on each record before COPY
    LOAD = "load"  # Great Expectations, on the staged table
    DBT = "dbt"  # tests on the published table


# What the raw gate promises to judge. It is every kind there is: the gate's own tests hold it to that.
RAW_ROW_KINDS = frozenset(RuleKind) - {RuleKind.UNIQUE, RuleKind.ROW_COUNT, RuleKind.SHRINKAGE, RuleKind.REFERENCE}
RAW_SET_KINDS = frozenset({RuleKind.UNIQUE, RuleKind.ROW_COUNT, RuleKind.SHRINKAGE})


def coverage(contract: Contract) -> dict[str, tuple[Gate, ...]]:
    """For each rule of the contract, in its order, the gates that enforce it."""
    loaded = {expectation.rule_id for expectation in expectations.expectations(contract)}
    tested = dbt.tested_rules(contract)
    return {rule.rule_id: tuple(_gates(rule, loaded, tested)) for rule in contract.rules}


def _gates(rule: Rule, loaded: set[str], tested: set[str]) -> list[Gate]:
    judged = {
        Gate.RAW: _is_judged_raw(rule),
        Gate.LOAD: rule.rule_id in loaded,
        Gate.DBT: rule.rule_id in tested,
    }
    return [gate for gate, is_judged in judged.items() if is_judged]


def _is_judged_raw(rule: Rule) -> bool:
    """The raw gate sees one dataset: what names records of another can be judged only where all of them are."""
    return rule.kind in (RAW_ROW_KINDS if rule.scope is Scope.ROW else RAW_SET_KINDS)
