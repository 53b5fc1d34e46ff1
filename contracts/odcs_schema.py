"""Owns judging a contract by the standard's own JSON schema (ODCS v3.2).

What we demand beyond the standard is contracts/read.py's job.
"""

import json
from collections.abc import Iterator, Mapping
from functools import cache
from importlib import resources
from typing import Any

from contracts.compiled_schema import Check, UnknownKeyword, compile_schema
from contracts.document import Problem


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

    found = {
        Problem(tuple(error.absolute_path), error.message)
        for outer in Draft201909Validator(schema()).iter_errors(values)
        for error in _innermost(outer)
    }
    return sorted(found, key=lambda problem: (str(problem.at), problem.message))


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
