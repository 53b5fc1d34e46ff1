"""For every rule of every contract: records that break only it are told that rule, at the right path."""

import functools
from dataclasses import dataclass

import pytest

from contracts.model import Contract, DriftPolicy, Rule, RuleKind, Scope, Severity
from contracts.read import read_contracts
from tests.validation.hand_made import ListSink, line
from tests.validation.specimens import Specimen, bad_records, good_record
from validation.judge import Judge
from validation.raw_gate import RawGate, judge_batch
from validation.results import Verdict, Violation
from validation.set_checks import LINE_READABLE

CONTRACTS = read_contracts()
ROW_RULES = [(name, rule) for name, of in CONTRACTS.items() for rule in of.rules if rule.scope is Scope.ROW]
SET_RULES = [(name, rule) for name, of in CONTRACTS.items() for rule in of.rules if rule.scope is Scope.SET]


@dataclass(frozen=True)
class Judged:
    specimen: Specimen
    violations: tuple[Violation, ...]
    was_rejected: bool


def with_key(contract: Contract, record: dict[str, object], number: int) -> dict[str, object]:
    """The record under a key of its own, unless its key is what is wrong with it."""
    name = contract.key.name
    return {**record, name: f"{number:024x}"} if record.get(name) == contract.key.example else record


@functools.cache
def gate(dataset: str) -> RawGate:
    return RawGate(CONTRACTS[dataset])


@functools.cache
def judged(dataset: str) -> dict[str, list[Judged]]:
    """What the gate says of every specimen of a contract, asked in one go; by the rule it was made to break."""
    contract = CONTRACTS[dataset]
    specimens = [one for rule in contract.rules if rule.scope is Scope.ROW for one in bad_records(contract, rule)]
    records = [with_key(contract, one.record, number) for number, one in enumerate(specimens)]
    sink = ListSink()
    gate(dataset).check_shard("b", "0", [("a", [line(record) for record in records])], sink)
    rejected = {rejection.line_number: rejection.violations for rejection in sink.rejections}
    accepted = [record for number, record in enumerate(records, start=1) if number not in rejected]
    warned = iter(Judge(contract).judge(accepted))  # the sink is not told the warnings of what it accepts
    found: dict[str, list[Judged]] = {}
    for number, specimen in enumerate(specimens, start=1):
        violations = rejected[number] if number in rejected else next(warned)
        found.setdefault(specimen.rule_id, []).append(Judged(specimen, violations, number in rejected))
    return found


def told(rule: Rule, specimen: Specimen) -> set[tuple[str, str]]:
    """The rules that the gate must name, and where."""
    if rule.kind in {RuleKind.MINIMUM, RuleKind.MAXIMUM} and rule.argument in {-(2**63), 2**63 - 1}:
        return {(LINE_READABLE, "")}  # what does not fit 64 bits is never read: no record comes to the judge
    return {(rule_id, specimen.path) for rule_id in (rule.rule_id, *specimen.warned)}


def rejects(rule: Rule) -> bool:
    if rule.kind is RuleKind.UNKNOWN_FIELD:
        return rule.argument in {DriftPolicy.QUARANTINE, DriftPolicy.NO_GO}
    return rule.severity is Severity.ERROR


def verdict(dataset: str, records: list[dict[str, object]]) -> tuple[Verdict, list[str]]:
    shard = gate(dataset).check_shard("b", "0", [("a", [line(record) for record in records])], ListSink())
    result = judge_batch(CONTRACTS[dataset], "b", [shard], None, [])
    return result.verdict, [check.rule_id for check in result.set_checks if not check.passed]


def test_there_are_rules_to_prove() -> None:
    assert {"launches", "rockets", "launchpads", "payloads", "cores"} <= set(CONTRACTS)
    assert len(ROW_RULES) > 100
    assert len(SET_RULES) >= 2 * len(CONTRACTS)


@pytest.mark.parametrize("dataset", CONTRACTS)
def test_a_record_made_of_the_contracts_examples_breaks_nothing(dataset: str) -> None:
    shard = gate(dataset).check_shard("b", "0", [("a", [line(good_record(CONTRACTS[dataset]))])], ListSink())

    assert (shard.accepted_count, shard.first_rejection, shard.warnings_by_rule) == (1, None, {})


@pytest.mark.parametrize(("dataset", "rule"), ROW_RULES, ids=[f"{name}-{rule.rule_id}" for name, rule in ROW_RULES])
def test_a_record_that_breaks_only_this_rule_is_told_it_at_its_path(dataset: str, rule: Rule) -> None:
    found = judged(dataset).get(rule.rule_id)

    assert found, "no record could be made that breaks this rule alone"
    for one in found:
        assert {(broken.rule_id, broken.path) for broken in one.violations} == told(rule, one.specimen)
        assert one.was_rejected is rejects(rule)


@pytest.mark.parametrize(("dataset", "rule"), SET_RULES, ids=[f"{name}-{rule.rule_id}" for name, rule in SET_RULES])
def test_a_batch_that_breaks_only_this_set_rule_is_told_it(dataset: str, rule: Rule) -> None:
    contract = CONTRACTS[dataset]
    good = good_record(contract)
    least = max(found.argument for found in contract.rules if found.kind is RuleKind.ROW_COUNT)
    unique = [found.path for found in contract.rules if found.kind is RuleKind.UNIQUE]
    others = [with_key(contract, good, number) for number in range(least)]
    records = [{**other, **dict.fromkeys(unique, f"{number:024x}")} for number, other in enumerate(others)]
    assert verdict(dataset, records) == (Verdict.GO, [])

    if rule.kind is RuleKind.ROW_COUNT:
        records = records[1:]
    elif rule.path == contract.key.path:
        records.append({**records[0], **a_change(contract)})
    else:
        records.append({**records[0], rule.path: records[1][rule.path], contract.key.name: "f" * 24})

    holds = rule.severity is Severity.ERROR
    assert verdict(dataset, records) == (Verdict.NO_GO if holds else Verdict.GO, [rule.rule_id])


def a_change(contract: Contract) -> dict[str, object]:
    """Other content that the contract allows as well."""
    free = next(prop for prop in contract.properties if not prop.required)
    return {free.name: None}
