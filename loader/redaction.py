"""Owns what may be shown of a quarantined record: values of what today's contract classifies public, nothing else.

Messages are written without other values by the gate (validation/judge.py); this is for what lies in the lake.
"""

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from contracts.classification import PUBLIC, shown_paths
from contracts.model import Contract, LogicalType, Property
from loader.quarantine import QuarantinedRecord
from validation.results import Violation

HIDDEN = "(not shown)"
_POSITION = re.compile(r"\[\d+\]")


def is_all_public(contract: Contract) -> bool:
    """Whether a record may be shown whole, as it lay."""
    return all(prop.classification == PUBLIC for prop in contract.walk())


def shown_key(contract: Contract, record: QuarantinedRecord) -> str | None:
    """The record's key, None when it has none that can be read."""
    return record.key if record.key is None or contract.key.classification == PUBLIC else HIDDEN


def shown_violations(contract: Contract, judged: QuarantinedRecord) -> tuple[Violation, ...]:
    """Every rule that a record broke. What another version let be shown is not shown if today's does not."""
    if judged.contract_version == contract.version:
        return judged.violations
    shown = {"", *shown_paths(contract)}
    return tuple(
        violation
        if _POSITION.sub("[]", violation.path) in shown
        else replace(violation, message=f"broke the rule of version {judged.contract_version} {HIDDEN}")
        for violation in judged.violations
    )


def redacted(contract: Contract, record: Any) -> Any:
    """A record with its public values; of a field that the contract does not know, only the name."""
    return _object(contract.properties, record)


def _object(properties: Sequence[Property], value: Any) -> Any:
    if not isinstance(value, dict):
        return HIDDEN
    known = {prop.name: prop for prop in properties}
    return {name: _value(known[name], inner) if name in known else HIDDEN for name, inner in value.items()}


def _value(prop: Property, value: Any) -> Any:
    if prop.classification != PUBLIC:
        return HIDDEN
    if value is None:
        return None
    if not prop.children:
        is_free = prop.logical_type in (LogicalType.OBJECT, LogicalType.ARRAY)
        return HIDDEN if isinstance(value, dict | list) and not is_free else value
    if prop.children[0].path.endswith("[]"):  # an array's only child is its item
        return [_value(prop.children[0], item) for item in value] if isinstance(value, list) else HIDDEN
    return _object(prop.children, value)
