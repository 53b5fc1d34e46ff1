"""Owns judging a contract by the standard's own JSON schema (ODCS v3.2).

What we demand beyond the standard is contracts/read.py's job.
"""

import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from importlib import resources
from typing import Any

from contracts.compiled_schema import Check, UnknownKeyword, compile_schema
from contracts.document import KeyPath, Problem

_CLOSED = ("unevaluatedProperties", "additionalProperties")


@cache
def schema() -> dict[str, Any]:
    """The official JSON schema, as the package open-data-contract-standard ships it."""
    text = resources.files("open_data_contract_standard").joinpath("schema.json").read_text(encoding="utf-8")
    loaded: dict[str, Any] = json.loads(text)
    return loaded


def problems(values: Mapping[str, Any]) -> list[Problem]:
    """Every way in which the values break the standard, each at the innermost key that is to blame."""
    if is_surely_valid(values):
        return []
    return explained(values)


def is_surely_valid(values: Mapping[str, Any]) -> bool:
    """Whether the compiled schema accepts the values. It is some hundred times faster, but cannot say why not."""
    return _compiled()(values) is not None


def explained(values: Mapping[str, Any]) -> list[Problem]:
    """What the reference validator says of the values."""
    from jsonschema import Draft201909Validator

    errors = [error for outer in Draft201909Validator(schema()).iter_errors(values) for error in _innermost(outer)]
    real = {tuple(error.absolute_path) for error in errors if error.validator not in _CLOSED}
    found = {
        problem
        for error in errors
        if error.validator not in _CLOSED or not _is_echo(tuple(error.absolute_path), real)
        for problem in _told(error)
    }
    return sorted(found, key=lambda problem: (str(problem.at), problem.message))


def _is_echo(at: KeyPath, real: set[KeyPath]) -> bool:
    """A key that breaks the schema also counts as not known to it: one cause, told once, where it lies."""
    return any(other[: len(at)] == at for other in real)


def _told(error: Any) -> Iterator[Problem]:
    at = tuple(error.absolute_path)
    if error.message == "'map' is a required property" and "logicalType" not in error.instance:
        # The schema asks for `map` wherever the type is not said, which would send people astray.
        yield Problem((*at, "logicalType"), "missing: a logical type")
    elif error.validator not in _CLOSED:
        yield Problem(at, error.message)
    else:
        for name in re.findall("'([^']*)'", error.message):
            if name in error.instance:
                yield Problem((*at, name), f"the standard knows no key {name!r} here")


@cache
def _compiled() -> Check:
    try:
        return compile_schema(schema())
    except UnknownKeyword:
        return lambda _: None  # a newer schema than ours: let the reference validator judge


def _innermost(error: Any) -> Iterator[Any]:
    if not error.context:
        yield error
        return
    for inner in error.context:
        yield from _innermost(inner)
