"""Owns which records `contracts sample` prints. Making them is the job of contracts/sample.py and specimens.py."""

from collections.abc import Iterator
from typing import Any

from contracts.errors import UsageError
from contracts.model import Contract, Scope
from contracts.sample import as_another, good_records, in_envelope
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
    for number, specimen in enumerate(specimens):
        yield _printed(contract, specimen, number, seed, as_landed=as_landed)


def breaking_each(contract: Contract, seed: int, *, as_landed: bool) -> Iterator[dict[str, Any]]:
    """For every rule about single records, each record that breaks it, with the rule and the place beside it.

    Landed records have no room for these: they come in the same order, without.
    """
    number = 0
    for rule in (rule for rule in contract.rules if rule.scope is Scope.ROW):
        for specimen in bad_records(contract, rule):
            record = _printed(contract, specimen, number, seed, as_landed=as_landed)
            number += 1
            yield record if as_landed else {"rule_id": rule.rule_id, "path": specimen.path, "record": record}


def _printed(contract: Contract, specimen: Specimen, number: int, seed: int, *, as_landed: bool) -> dict[str, Any]:
    record = as_another(contract, specimen.record, number, seed)
    return in_envelope(record, number, specimen.changes) if as_landed else record
