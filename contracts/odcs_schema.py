"""Owns judging a contract by the standard's own JSON schema (ODCS v3.2).

What we demand beyond the standard is contracts/read.py's job.
"""

import json
from collections.abc import Iterator, Mapping
from functools import cache
from importlib import resources
from typing import Any

from jsonschema import Draft201909Validator
from jsonschema.exceptions import ValidationError

from contracts.document import Problem


@cache
def schema() -> dict[str, Any]:
    """The official JSON schema, as the package open-data-contract-standard ships it."""
    text = resources.files("open_data_contract_standard").joinpath("schema.json").read_text(encoding="utf-8")
    loaded: dict[str, Any] = json.loads(text)
    return loaded


@cache
def _validator() -> Draft201909Validator:
    return Draft201909Validator(schema())


def problems(values: Mapping[str, Any]) -> list[Problem]:
    """Every way in which the values break the standard, each at the innermost key that is to blame."""
    found = {
        Problem(tuple(error.absolute_path), error.message)
        for outer in _validator().iter_errors(values)
        for error in _innermost(outer)
    }
    return sorted(found, key=lambda problem: (str(problem.at), problem.message))


def _innermost(error: ValidationError) -> Iterator[ValidationError]:
    if not error.context:
        yield error
        return
    for inner in error.context:
        yield from _innermost(inner)
