"""Owns reading a contract for comparison: by the standard alone, so that older and candidate versions are readable."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from contracts import document, odcs_schema
from contracts.document import Finding, Problem, ProblemsFound
from contracts.errors import UsageError
from contracts.read import SUFFIX


def read_values(path: Path) -> Mapping[str, Any]:
    """The values of a contract file. Raises UsageError when there is none, ProblemsFound for no contract."""
    if not path.is_file():
        raise UsageError(f"{path}: no such file; expected a contract, such as contracts/launches{SUFFIX}")
    values = document.load(path)
    problems = _problems(values)
    if problems:
        raise ProblemsFound(document.locate(path, problems))
    return values


def read_folder(folder: Path) -> dict[str, Mapping[str, Any]]:
    """The contracts of a folder by their files' names. Raises ProblemsFound."""
    return {path.name: read_values(path) for path in sorted(folder.glob(f"*{SUFFIX}"))}


def parse_values(text: bytes, name: str) -> Mapping[str, Any]:
    """The values of a contract's text; `name` says where it lies. Raises ProblemsFound."""
    values = document.mapping(document.parse(text, name), name)
    problems = _problems(values)
    if problems:
        raise ProblemsFound(Finding(name, 1, ".".join(map(str, each.at)), each.message) for each in problems)
    return values


def _problems(values: Mapping[str, Any]) -> list[Problem]:
    found = odcs_schema.problems(values)
    tables = values.get("schema") or []
    if not found and len(tables) != 1:
        found = [Problem(("schema",), f"one contract describes one dataset, this one has {len(tables)} objects")]
    return found
