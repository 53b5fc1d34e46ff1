"""For every rule of every contract: records that break only it are told that rule, at the right path."""

import functools
from dataclasses import dataclass

import pytest

from contracts.model import Rule, RuleKind, Scope, Severity
from contracts.plain_judge import Record
from contracts.read import read_contracts
from contracts.sample import as_others, good_record, good_records, in_envelope
from contracts.specimens import Specimen, bad_records, breaking_records
from tests.contracts.every_kind import EVERY_KIND
from tests.validation.hand_made import ListSink, line
from validation.judge import Judge
from validation.raw_gate import RawGate, judge_batch
from validation.results import Verdict, Violation
from validation.set_checks import LINE_READABLE

CONTRACTS = {**read_contracts(), "flights": EVERY_KIND}
ROW_RULES = [(name, rule) for name, of in CONTRACTS.items() for rule in of.rules if rule.scope is Scope.ROW]
SET_RULES = [
    (name, rule)
    for name, of in CONTRACTS.items()
    for rule in of.rules
    if rule.scope is Scope.SET and rule.kind is not RuleKind.REFERENCE  # which only dbt sees: tests/dbt
]
SEED = 7


@dataclass(frozen=True)
class Judged:
    specimen: Specimen
    violations: tuple[Violation, ...]
    was_rejected: bool


@functools.cache
def gate(dataset: str) -> RawGate:
    return RawGate(CONTRACTS[dataset])


def landed(record: Record, number: int = 0, changes: tuple[dict[str, str], ...] = ()) -> bytes:
    envelope = in_envelope(record, number, changes)
    return line(record, **envelope).removesuffix(b"\n")


@functools.cache
def judged(dataset: str) -> dict[str, list[Judged]]:
    """What the gate says of every specimen of a contract, asked in one go; by the rule it was made to break."""
    contract = CONTRACTS[dataset]
    specimens = [one for rule in contract.rules if rule.scope is Scope.ROW for one in bad_records(contract, rule)]
    records = list(as_others(contract, (one.record for one in specimens), SEED))
    sink = ListSink()
    lines = [landed(record, number, specimens[number].changes) for number, record in enumerate(records)]
    gate(dataset).check_shard("b", "0", [("a", lines)], sink)
    rejected = {rejection.line_number: rejection.violations for rejection in sink.rejections}
    accepted = [record for number, record in enumerate(records, start=1) if number not in rejected]
    warned = iter(Judge(contract).judge(accepted))  # the sink is not told the warnings of what it accepts
    found: dict[str, list[Judged]] = {}
    for number, specimen in enumerate(specimens, start=1):
        violations = rejected[number] if number in rejected else next(warned)
        found.setdefault(specimen.rule_id, []).append(Judged(specimen, violations, number in rejected))
    return found


def told(specimen: Specimen) -> set[tuple[str, str]]:
    """The rules that the gate must name, and where."""
    if not specimen.told:
        return {(LINE_READABLE, "")}  # what does not fit 64 bits is never read: no record comes to the judge
    return {(breach.rule_id, breach.path) for breach in specimen.told}


def verdict(dataset: str, records: list[Record], published_count: int | None = None) -> tuple[Verdict, list[str]]:
    shard = gate(dataset).check_shard("b", "0", [("a", [landed(record) for record in records])], ListSink())
    result = judge_batch(CONTRACTS[dataset], "b", [shard], None, [], published_count)
    return result.verdict, [check.rule_id for check in result.set_checks if not check.passed]


def test_there_are_rules_of_every_kind_to_prove() -> None:
    assert {"launches", "rockets", "launchpads", "payloads", "cores"} <= set(CONTRACTS)
    assert len(ROW_RULES) > 100
    assert len(SET_RULES) >= 2 * len(CONTRACTS)
    assert {rule.kind for rule in CONTRACTS["flights"].rules} == set(RuleKind)


@pytest.mark.parametrize("dataset", CONTRACTS)
def test_a_record_made_of_the_contracts_examples_breaks_nothing(dataset: str) -> None:
    shard = gate(dataset).check_shard("b", "0", [("a", [landed(good_record(CONTRACTS[dataset]))])], ListSink())

    assert (shard.accepted_count, shard.first_rejection, shard.warnings_by_rule) == (1, None, {})


@pytest.mark.parametrize("dataset", CONTRACTS)
def test_a_sample_breaks_nothing(dataset: str) -> None:
    records = list(good_records(CONTRACTS[dataset], 50, SEED))
    shard = gate(dataset).check_shard("b", "0", [("a", [landed(record) for record in records])], ListSink())

    assert (shard.accepted_count, shard.first_rejection, shard.warnings_by_rule) == (50, None, {})


@pytest.mark.parametrize(("dataset", "rule"), ROW_RULES, ids=[f"{name}-{rule.rule_id}" for name, rule in ROW_RULES])
def test_a_record_that_breaks_only_this_rule_is_told_it_at_its_path(dataset: str, rule: Rule) -> None:
    found = judged(dataset).get(rule.rule_id)

    assert found, "no record could be made that breaks this rule alone"
    for one in found:
        assert {(broken.rule_id, broken.path) for broken in one.violations} == told(one.specimen)
        assert one.was_rejected is rule.rejects


@pytest.mark.parametrize(("dataset", "rule"), SET_RULES, ids=[f"{name}-{rule.rule_id}" for name, rule in SET_RULES])
def test_a_batch_that_breaks_only_this_set_rule_is_told_it(dataset: str, rule: Rule) -> None:
    contract = CONTRACTS[dataset]
    least = max(found.argument for found in contract.rules if found.kind is RuleKind.ROW_COUNT)
    good = list(good_records(contract, max(2, least), SEED))
    assert verdict(dataset, good) == (Verdict.GO, [])

    holds = rule.severity is Severity.ERROR
    if rule.kind is RuleKind.SHRINKAGE:
        broken = verdict(dataset, good, published_count=1000)
    else:
        broken = verdict(dataset, breaking_records(contract, rule, SEED))
    assert broken == (Verdict.NO_GO if holds else Verdict.GO, [rule.rule_id])
