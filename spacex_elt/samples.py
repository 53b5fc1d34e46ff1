"""Owns which records `contracts sample` prints. Making them is the job of contracts/sample.py and specimens.py."""

from collections.abc import Iterator, Sequence
from typing import Any

from contracts.errors import UsageError
from contracts.model import Contract, Scope
from contracts.sample import as_others, good_records, in_envelope
from contracts.specimens import Specimen, bad_records, breaking_records


def good(contract: Contract, count: int, seed: int, *, as_landed: bool) -> Iterator[dict[str, Any]]:
    """Records that break nothing."""
    for number, record in enumerate(good_records(contract, count, seed)):
        yield in_envelope(record, number) if as_landed else record


def breaking(contract: Contract, rule_id: str, seed: int, *, as_landed: bool) -> Iterator[dict[str, Any]]:
    """Records that break one rule; for a rule over the whole dataset, a batch that does. Raises UsageError."""
    known = {rule.rule_id: rule for rule in contract.rules}
    if rule_id not in known:
        raise UsageError(
            f"{contract.dataset} has no rule {rule_id}. Expected one that `spacex-elt contracts show "
            f"{contract.dataset}` lists."
        )
    rule = known[rule_id]
    if rule.scope is Scope.SET:
        for number, record in enumerate(breaking_records(contract, rule, seed)):
            yield in_envelope(record, number) if as_landed else record
        return
    specimens = bad_records(contract, rule)
    if not specimens:
        raise UsageError(f"no record of {contract.dataset} breaks {rule_id} and no other rule.")
    yield from _printed(contract, specimens, seed, as_landed=as_landed)


def breaking_each(contract: Contract, seed: int, *, as_landed: bool) -> Iterator[dict[str, Any]]:
    """For every rule about single records, each record that breaks it, with the rule and the place beside it.

    Landed records have no room for these: they come in the same order, without.
    """
    rules = [rule for rule in contract.rules if rule.scope is Scope.ROW]
    found = [(rule.rule_id, specimen) for rule in rules for specimen in bad_records(contract, rule)]
    records = _printed(contract, [specimen for _, specimen in found], seed, as_landed=as_landed)
    for (rule_id, specimen), record in zip(found, records, strict=True):
        yield record if as_landed else {"rule_id": rule_id, "path": specimen.path, "record": record}


def _printed(
    contract: Contract, specimens: Sequence[Specimen], seed: int, *, as_landed: bool
) -> Iterator[dict[str, Any]]:
    records = as_others(contract, (specimen.record for specimen in specimens), seed)
    for number, (specimen, record) in enumerate(zip(specimens, records, strict=True)):
        yield in_envelope(record, number, specimen.changes) if as_landed else record
