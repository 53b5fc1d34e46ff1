"""What is true of the recordings (findings.yaml): nothing is rejected, each true fault is told, and nothing else is."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from contracts.comparisons import Reference
from contracts.model import Contract, RuleKind, Severity
from contracts.read import read_contracts
from tests.validation.hand_made import ListSink, line
from tests.validation.recordings import COUNTS, FOLDER, TRUE_OF_THEM, findings, recorded
from validation.raw_gate import RawGate, judge_batch
from validation.results import Verdict

CONTRACTS = read_contracts()
WHOLE = "api-2021-04-22"
Record = dict[str, Any]


def values_at(value: Any, path: str) -> Iterator[Any]:
    """The values at a contract's path, item by item; none where something on the way is null or missing."""
    if value is None:
        return
    head, is_list, rest = path.partition("[]")
    for name in filter(None, head.split(".")):
        value = value.get(name) if value is not None else None
    if not is_list:
        if value is not None:
            yield value
        return
    for item in value or []:
        yield from values_at(item, rest)


def dangling(contract: Contract, records: list[Record], others: dict[str, list[Record]]) -> dict[str, int]:
    """By rule, how many records name what the others do not have. Datasets that are not there are not asked."""
    found: Counter[str] = Counter()
    for rule in contract.rules:
        if isinstance(rule.argument, Reference) and rule.argument.dataset in others:
            known = {record[rule.argument.field] for record in others[rule.argument.dataset]}
            found[rule.rule_id] = sum(not known.issuperset(values_at(record, rule.path)) for record in records)
    return dict(+found)


def repeated(contract: Contract, records: list[Record]) -> dict[str, int]:
    """By rule, how many records share a value that is to be unique."""
    found: Counter[str] = Counter()
    for rule in contract.rules:
        if rule.kind is RuleKind.UNIQUE:
            times = Counter(value for record in records for value in values_at(record, rule.path))
            found[rule.rule_id] = sum(count for count in times.values() if count > 1)
    return dict(+found)


def snapshot(name: str) -> dict[str, list[Record]]:
    return {dataset: recorded(name, dataset) for of, dataset in COUNTS if of == name}


def test_every_dataset_was_recorded_in_the_whole_snapshot_and_every_recording_is_judged() -> None:
    assert {dataset for of, dataset in COUNTS if of == WHOLE} == set(CONTRACTS)
    if not FOLDER.is_dir():
        pytest.skip(f"no recordings lie in {FOLDER}")
    files = {(path.parent.name, path.stem) for path in FOLDER.glob("api-*/*.json")}
    assert files == set(COUNTS)


@pytest.mark.parametrize(("of", "dataset"), sorted(COUNTS))
def test_a_recording_is_told_what_is_true_of_it_and_no_record_is_rejected(of: str, dataset: str) -> None:
    contract, records = CONTRACTS[dataset], recorded(of, dataset)
    assert len(records) == COUNTS[of, dataset]

    shard = RawGate(contract).check_shard("b", "0", [("a", [line(record) for record in records])], ListSink())
    result = judge_batch(contract, "b", [shard], len(records), [])

    assert (shard.accepted_count, shard.first_rejection) == (len(records), None)
    assert shard.warnings_by_rule == findings(of, dataset, "rows")
    assert [check.rule_id for check in result.set_checks if not check.passed] == list(repeated(contract, records))
    assert result.verdict is Verdict.GO


@pytest.mark.parametrize(("of", "dataset"), sorted(COUNTS))
def test_a_snapshot_as_a_whole_is_told_what_is_true_of_it(of: str, dataset: str) -> None:
    contract, collections = CONTRACTS[dataset], snapshot(of)
    records = collections[dataset]
    assert repeated(contract, records) | dangling(contract, records, collections) == findings(of, dataset, "sets")


def test_every_finding_is_below_an_error_and_says_why() -> None:
    told = [
        (CONTRACTS[dataset].rule(rule_id), finding)
        for (_, dataset), of in TRUE_OF_THEM.items()
        for scope in ("rows", "sets")
        for rule_id, finding in of.get(scope, {}).items()
    ]
    assert told
    for rule, finding in told:
        assert rule.severity in {Severity.WARNING, Severity.INFO}, rule.rule_id
        assert finding["why"].endswith(".")


def test_every_id_of_another_dataset_is_a_reference() -> None:
    """A field is one when all its values in the whole snapshot are ids of one other collection."""
    collections = snapshot(WHOLE)
    ids = {dataset: {record["id"] for record in records} for dataset, records in collections.items()}
    held = 0
    for dataset, contract in CONTRACTS.items():
        referring = {rule.path: rule.argument.dataset for rule in contract.rules if rule.kind is RuleKind.REFERENCE}
        for prop in contract.walk():
            if prop.children or prop.primary_key:
                continue
            values = {value for record in collections[dataset] for value in values_at(record, prop.path)}
            named = {other for other, known in ids.items() if values and values <= known}
            assert named == ({referring[prop.path]} if prop.path in referring else set()), f"{dataset}.{prop.path}"
            held += bool(named)
    assert held == sum(rule.kind is RuleKind.REFERENCE for contract in CONTRACTS.values() for rule in contract.rules)


def test_a_year_of_real_changes_shrinks_no_dataset_too_much() -> None:
    later = {dataset for of, dataset in COUNTS if of != WHOLE}
    assert later
    for dataset in later:
        (limit,) = [rule.argument for rule in CONTRACTS[dataset].rules if rule.kind is RuleKind.SHRINKAGE]
        before = {record["id"] for record in recorded(WHOLE, dataset)}
        kept = before & {record["id"] for record in recorded("api-2022-05-03", dataset)}
        assert limit.allows(len(kept), len(before)), f"{dataset}: {len(before) - len(kept)} deleted"
