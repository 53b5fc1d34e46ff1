"""Owns records made from a contract: good ones, varied within its rules. The same seed gives the same records.

Bad ones are contracts/specimens.py's job, single values contracts/sample_values.py's.
"""

import copy
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain, count, islice, takewhile
from random import Random
from typing import Any

from contracts.comparisons import Reference
from contracts.errors import ContractInvalid, UsageError
from contracts.model import Contract, LogicalType, Property, Rule, RuleKind
from contracts.plain_judge import Record, breaches, instances
from contracts.sample_repair import repaired, set_at
from contracts.sample_values import Wanted, item_count, scalar

_NULL_RATIO = 0.15
_REFERENCED = 5  # how many records of another dataset a sample refers to: its first ones under the same seed
_TRIES = 60
_OTHER_KEYS = 1_000_000  # beyond the keys that other datasets refer to
_EXTRACTED_AT_MS = 1_619_085_000_000


def good_records(contract: Contract, count: int, seed: int) -> Iterator[Record]:
    """Records that break no rule of the contract, each with a key of its own.

    References resolve among samples of the same seed, as long as each has at least five records. Raises UsageError
    when there are not that many keys, ContractInvalid when the rules leave no record at all.
    """
    taken: dict[str, set[str]] = {}
    others = {name: distinct_values(contract, name, seed) for name in _other_unique(contract)}
    for index in range(count):
        own = {name: next(values) for name, values in others.items()}
        yield _one(contract, index, seed, own, taken)


def good_record(contract: Contract) -> Record:
    """A record with every field there: each value is the contract's own example, each array has the least items."""
    record = {prop.name: _example(contract, prop) for prop in contract.properties}
    return repaired(contract, record)


def in_envelope(record: Record, number: int, changes: Sequence[Mapping[str, str]] = ()) -> dict[str, Any]:
    """The record as Airbyte's S3 destination lands it (envelope v2); `changes` is what the sync says it damaged."""
    return {
        "_airbyte_raw_id": str(uuid.uuid5(uuid.NAMESPACE_URL, f"sample/{number}")),
        "_airbyte_extracted_at": _EXTRACTED_AT_MS,
        "_airbyte_generation_id": 1,
        "_airbyte_meta": {"sync_id": 1, "changes": [dict(change) for change in changes]},
        "_airbyte_data": record,
    }


def with_key(contract: Contract, record: Record, index: int, seed: int) -> Record:
    """The record under the key that the sample's record of that index has."""
    wanted = _wanted(contract, contract.key)
    return {**record, contract.key.name: scalar(wanted, _identity(contract.dataset, index, seed))}


def as_another(contract: Contract, record: Record, index: int, seed: int) -> Record:
    """The record as `as_others` makes it, in that place. Of many records, ask for all at once."""
    return next(as_others(contract, [record], seed, index))


def as_others(contract: Contract, records: Iterable[Record], seed: int, first: int = 0) -> Iterator[Record]:
    """Records of examples, under unique values of their own and naming records that the sample of their seed has.

    A unique value or a reference that is no example stays: it is the point of the record. `first` is the place of the
    first of them in the sample.
    """
    others = {name: islice(distinct_values(contract, name, seed), first, None) for name in _other_unique(contract)}
    examples = {name: wanted_at(contract, name).prop.example for name in others}
    for index, record in enumerate(records, first):
        fresh: Record = copy.deepcopy(record)
        _resolve(contract, fresh, seed)
        own = {name: next(values) for name, values in others.items()}
        fresh |= {name: value for name, value in own.items() if record.get(name) == examples[name]}
        is_key_sound = record.get(contract.key.name) == contract.key.example
        yield with_key(contract, fresh, index, seed) if is_key_sound else fresh


def distinct_values(contract: Contract, path: str, seed: int) -> Iterator[Any]:
    """The unique values of a sample's records, by their index; null when there are no more."""
    wanted, random = wanted_at(contract, path), Random(f"{seed}/{contract.dataset}.{path}")  # noqa: S311
    seen: set[str] = set()
    while True:
        tried = chain((scalar(wanted, random) for _ in range(_TRIES)), _counted(wanted))
        value = next((value for value in tried if repr(value) not in seen), None)
        seen.add(repr(value))
        yield value


def _counted(wanted: Wanted) -> Iterator[int]:
    """What numbers a column that numbers its records, once there is little left to be met by chance."""
    example = wanted.prop.example
    return takewhile(wanted.is_kept_by, count(example)) if type(example) is int else iter(())


def _other_unique(contract: Contract) -> set[str]:
    return {rule.path for rule in contract.rules if rule.kind is RuleKind.UNIQUE} - {contract.key.name}


def _resolve(contract: Contract, record: Record, seed: int) -> None:
    for rule in contract.rules:
        if rule.kind is not RuleKind.REFERENCE:
            continue
        wanted = wanted_at(contract, rule.path)
        for place, value in list(instances(record, rule.path)):
            if value == wanted.prop.example:
                set_at(record, place, scalar(wanted, _identity(rule.argument.dataset, 0, seed)))


def _identity(dataset: str, index: int, seed: int) -> Random:
    """Where the key of a dataset's record comes from, so that another dataset's sample can refer to it."""
    return Random(f"{seed}/{dataset}/{index}")  # noqa: S311 - a sample, not a secret


def _one(contract: Contract, index: int, seed: int, own: Mapping[str, Any], taken: dict[str, set[str]]) -> Record:
    broken: list[str] = []
    name, key_index = contract.key.name, index
    for attempt in range(_TRIES):
        maker = _Maker(contract, seed, Random(f"{seed}/{contract.dataset}/{index}/{attempt}"))  # noqa: S311
        made = maker.record()
        made |= {path: value for path, value in own.items() if None not in (value, made[path])}
        record = repaired(contract, with_key(contract, made, key_index, seed), fixed={name, *own})
        broken = [breach.rule_id for breach in breaches(contract, record)]
        if not broken and _is_new(contract, record, taken):
            return record
        if repr(record[name]) in taken.get(name, ()):
            key_index += _OTHER_KEYS
    if broken:
        raise ContractInvalid(
            f"{contract.dataset}: no record could be made that keeps every rule; the last one tried broke "
            f"{', '.join(broken)}. Rules that exclude each other, or an example that is none?"
        )
    raise UsageError(
        f"{contract.dataset}: no more than {index} records can have unique values of their own. "
        f"Ask for fewer: --count {index}"
    )


def _is_new(contract: Contract, record: Record, taken: dict[str, set[str]]) -> bool:
    """Whether no record before has one of its unique values; remembers them then."""
    unique = {rule.path for rule in contract.rules if rule.kind is RuleKind.UNIQUE} | {contract.key.name}
    values = {name: repr(record[name]) for name in unique if record[name] is not None}
    if any(value in taken.get(name, ()) for name, value in values.items()):
        return False
    for name, value in values.items():
        taken.setdefault(name, set()).add(value)
    return True


def wanted_at(contract: Contract, path: str) -> Wanted:
    """What a value at a path must be."""
    return _wanted(contract, next(prop for prop in contract.walk() if prop.path == path))


def _wanted(contract: Contract, prop: Property) -> Wanted:
    return Wanted(prop, tuple(rule for rule in contract.rules if rule.path == prop.path and rule.kind in _OF_VALUES))


# The rules that a single value can keep or break.
_OF_VALUES = frozenset(
    {
        RuleKind.REQUIRED,
        RuleKind.TYPE,
        RuleKind.FORMAT,
        RuleKind.PATTERN,
        RuleKind.ENUM,
        RuleKind.MINIMUM,
        RuleKind.MAXIMUM,
        RuleKind.MIN_LENGTH,
        RuleKind.MAX_LENGTH,
        RuleKind.MAX_BYTES,
        RuleKind.MIN_ITEMS,
        RuleKind.MAX_ITEMS,
    }
)


class _Maker:
    """Makes one record, property by property."""

    def __init__(self, contract: Contract, seed: int, random: Random) -> None:
        self._contract = contract
        self._seed = seed
        self._random = random

    def record(self) -> Record:
        return {prop.name: self._value(prop) for prop in self._contract.properties}

    def _value(self, prop: Property) -> Any:
        wanted = _wanted(self._contract, prop)
        if RuleKind.REQUIRED not in wanted.by_kind and self._random.random() < _NULL_RATIO:
            return None
        if prop.logical_type is LogicalType.OBJECT:
            return {child.name: self._value(child) for child in prop.children}
        if prop.logical_type is LogicalType.ARRAY:
            return [self._value(prop.children[0]) for _ in range(item_count(wanted, self._random))]
        reference = reference_at(self._contract, prop.path)
        if reference is not None:
            return scalar(wanted, _identity(reference.dataset, self._random.randrange(_REFERENCED), self._seed))
        return scalar(wanted, self._random)


def reference_at(contract: Contract, path: str) -> Reference | None:
    """What the values at a path name, if a rule says so."""
    found: list[Rule] = [rule for rule in contract.rules if rule.kind is RuleKind.REFERENCE and rule.path == path]
    return found[0].argument if found else None


def _example(contract: Contract, prop: Property) -> Any:
    if prop.logical_type is LogicalType.OBJECT:
        return {child.name: _example(contract, child) for child in prop.children}
    if prop.logical_type is LogicalType.ARRAY:
        least = _wanted(contract, prop).by_kind.get(RuleKind.MIN_ITEMS, 1)
        return [_example(contract, prop.children[0]) for _ in range(max(1, least))]
    return prop.example
