"""Records made from a contract: the good ones keep every rule, each of the others breaks one."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts import patterns
from contracts.errors import ContractInvalid, UsageError
from contracts.model import ACROSS_FIELDS, RuleKind, Scope, Severity
from contracts.pattern_texts import matching_text
from contracts.plain_judge import Absent, Breach, Record, breaches, look_up, seconds_of
from contracts.read import read_contracts
from contracts.sample import as_another, as_others, good_record, good_records, in_envelope
from contracts.sample_repair import set_at
from contracts.specimens import bad_records, breaking_records
from tests.contracts.every_kind import EVERY_KIND
from tests.contracts.reference_judge import broken_rules

CONTRACTS = {**read_contracts(), "flights": EVERY_KIND}


@pytest.mark.parametrize("dataset", CONTRACTS)
def test_good_records_keep_every_rule_and_differ(dataset: str) -> None:
    contract = CONTRACTS[dataset]
    records = list(good_records(contract, 100, 1))

    assert [breaches(contract, record) for record in records] == [[]] * 100
    assert len({repr(record) for record in records}) == 100
    assert len({record[contract.key.name] for record in records}) == 100


@settings(max_examples=25)
@given(seed=st.integers())
def test_good_records_keep_every_rule_whatever_the_seed(seed: int) -> None:
    for record in good_records(EVERY_KIND, 5, seed):
        assert breaches(EVERY_KIND, record) == []
        assert broken_rules(single_values_only(), record) == []


def single_values_only() -> Any:
    """The contract as the other plain judge knows it: without rules across fields."""
    rules = [rule for rule in EVERY_KIND.rules if rule.kind not in {*ACROSS_FIELDS, RuleKind.SOURCE_DAMAGE}]
    return replace(EVERY_KIND, rules=tuple(rules))


def test_good_records_are_varied() -> None:
    records = list(good_records(EVERY_KIND, 200, 3))

    assert {record["status"] for record in records} == {"planned", "flown"}
    assert {record["seats"] for record in records} == {None, *range(10)}
    assert {record["is_crewed"] for record in records} == {None, True, False}
    assert {len(record["legs"]) for record in records} == {1, 2, 3, 4}
    assert {len(leg["crew"]) for record in records for leg in record["legs"]} == {0, 1, 2, 3}
    assert {record["left_at"] is None for record in records} == {True, False}
    known = [record for record in records if record["left_unix"] is not None and record["left_local"] is not None]
    assert known
    assert all(record["left_local"].endswith("-04:00") for record in known)
    assert {seconds_of(record["left_local"]) == record["left_unix"] for record in known} == {True}


def test_references_resolve_among_samples_of_one_seed() -> None:
    records = list(good_records(EVERY_KIND, 50, 3))
    named = {record["ship"] for record in records} - {None}

    assert len(named) == 5
    assert named <= {record["id"] for record in records}


def test_more_records_than_there_are_keys_are_refused() -> None:
    rules = [replace(rule, argument="^[ab]$") if rule.rule_id == "id-pattern" else rule for rule in EVERY_KIND.rules]

    with pytest.raises(UsageError, match="--count 2"):
        list(good_records(replace(EVERY_KIND, rules=tuple(rules)), 3, 1))


def test_rules_that_exclude_each_other_are_told() -> None:
    rules = [replace(rule, argument=20) if rule.rule_id == "seats-minimum" else rule for rule in EVERY_KIND.rules]
    required = replace(EVERY_KIND.rule("status-required"), path="seats", rule_id="seats-required")

    with pytest.raises(ContractInvalid, match="seats-m"):
        list(good_records(replace(EVERY_KIND, rules=(*rules, required)), 1, 1))


ROW_RULES = [(name, rule.rule_id) for name, of in CONTRACTS.items() for rule in of.rules if rule.scope is Scope.ROW]


@pytest.mark.parametrize(("dataset", "rule_id"), ROW_RULES)
def test_each_bad_record_breaks_its_rule_and_else_only_such_as_warn(dataset: str, rule_id: str) -> None:
    contract = CONTRACTS[dataset]
    rule = contract.rule(rule_id)
    found = bad_records(contract, rule)

    assert found
    for one in found:
        if rule.kind is RuleKind.SOURCE_DAMAGE:
            assert breaches(contract, one.record) == []
            assert one.changes
            continue
        told = breaches(contract, one.record)
        if not one.told:
            assert rule.kind in {RuleKind.MINIMUM, RuleKind.MAXIMUM}
            continue
        assert tuple(told) == one.told
        assert Breach(rule_id, one.path) in told
        others = [contract.rule(breach.rule_id) for breach in told if breach.rule_id != rule_id]
        assert all(other.severity is not Severity.ERROR for other in others)


def test_unique_values_repeat_only_where_that_is_the_point() -> None:
    first, second = (as_another(EVERY_KIND, good_record(EVERY_KIND), index, 1) for index in (1, 2))
    assert first["id"] != second["id"]
    assert first["callsign"] != second["callsign"]
    broken = as_another(EVERY_KIND, {**good_record(EVERY_KIND), "id": "x"}, 1, 1)
    assert broken["id"] == "x"


def test_what_a_record_becomes_depends_on_its_place_alone_and_not_on_those_before_it() -> None:
    good = good_record(EVERY_KIND)
    records = [good, {**good, "callsign": "of its own"}, good, good]
    together = list(as_others(EVERY_KIND, records, 1, 2))
    assert together == [as_another(EVERY_KIND, record, index, 1) for index, record in enumerate(records, 2)]


def test_a_batch_can_break_each_rule_over_the_whole_dataset() -> None:
    def made(rule_id: str) -> list[Record]:
        return breaking_records(EVERY_KIND, EVERY_KIND.rule(rule_id), 1)

    assert len(made("row-count")) == 1
    assert [len({record[name] for record in made(f"{name}-unique")}) for name in ("id", "callsign")] == [1, 1]
    *others, dangling = made("ship-reference")
    assert dangling["ship"] not in {record["id"] for record in [*others, dangling]}
    assert breaches(EVERY_KIND, dangling) == []


def test_an_envelope_tells_what_the_sync_damaged() -> None:
    (specimen,) = bad_records(EVERY_KIND, EVERY_KIND.rule("source-damage"))

    landed = in_envelope(specimen.record, 1, specimen.changes)

    (change,) = landed["_airbyte_meta"]["changes"]
    assert change["change"] == "NULLED"
    assert landed["_airbyte_data"][change["field"]] is None


TEXTS = ["(a|bc){2,3}x?", "[^a-z ]{3,}", "^a\\.b+$", "(?:x|y[0-9]){2}", "[a-c_-]*z", "x{0,2}|yy", "^https?://[^ ]+$"]


@pytest.mark.parametrize("pattern", TEXTS)
@settings(max_examples=50)
@given(random=st.randoms(use_true_random=False))
def test_a_text_made_from_a_pattern_matches_it(pattern: str, random: Any) -> None:
    patterns.parse(pattern)
    rule = replace(EVERY_KIND.rule("id-pattern"), argument=pattern)
    text = matching_text(pattern, random)

    assert broken_by(rule, text) is False


def broken_by(rule: Any, text: str) -> bool:
    of = replace(EVERY_KIND, rules=(rule,))
    return bool(breaches(of, {"id": text}))


def test_a_place_can_be_changed_and_taken_away() -> None:
    record: Record = {"legs": [{"tried": 1}, {"tried": 2}]}

    set_at(record, "legs[1].tried", 5)
    set_at(record, "legs[0].tried", Absent.FIELD)

    assert record == {"legs": [{}, {"tried": 5}]}
    assert look_up(record, "legs[1].tried") == 5
    assert look_up(record, "legs[0].tried") is Absent.FIELD
    assert look_up(record, "legs[9].tried") is Absent.FIELD
