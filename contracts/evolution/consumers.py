"""Owns who reads a dataset or a column of it: dbt's models and exposures. Pure but for reading the project's files.

Goes by words, not by a parser of SQL, and errs on the side of listing: a model counts as a reader of a column when it
reads the dataset's source and has the column's name among its words (or passes all columns on), and whatever is built
on a reader counts as one too.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from contracts.errors import UsageError

_COMMENT = re.compile(r"--[^\n]*|/\*.*?\*/|\{#.*?#\}", re.DOTALL)
_SOURCE = re.compile(r"\bsource\(\s*['\"][^'\"]+['\"]\s*,\s*['\"]([^'\"]+)['\"]\s*\)")
_REF = re.compile(r"\bref\(\s*(?:['\"][^'\"]+['\"]\s*,\s*)?['\"]([^'\"]+)['\"]")
_IMPORT = r"\b(\w+)\s+as\s*\(\s*select\s+\*\s+from\s+\{\{\s*source\([^)]*\)\s*\}\}\s*\)"


@dataclass(frozen=True, slots=True)
class _Node:
    """A model or an exposure; `sql` is empty for an exposure."""

    label: str
    sources: frozenset[str]
    parents: frozenset[str]
    sql: str = ""

    def reads(self, dataset: str, column: str | None) -> bool:
        if dataset not in self.sources:
            return False
        return column is None or bool(re.search(rf"\b{re.escape(column)}\b", self.sql, re.I)) or self._passes_all_on()

    def _passes_all_on(self) -> bool:
        """Whether all of a source's columns leave the model by a `*`, other than from its import into a `with`."""
        imported = {name.lower() for name in re.findall(_IMPORT, self.sql, re.I)}
        rest = re.sub(_IMPORT, "", self.sql, flags=re.I)
        aliased = re.findall(r"(?:\bfrom|\bjoin|,)\s+(\w+)\s+(?:as\s+)?(\w+)", rest, re.I)
        raw = imported | {alias.lower() for name, alias in aliased if name.lower() in imported}
        starred = re.findall(r"\b(\w+)\.\*", rest) + re.findall(r"\bselect\s+\*\s+from\s+(\w+)", rest, re.I)
        return "source(" in rest or any(name.lower() in raw for name in starred)


class Consumers:
    """The readers that a dbt project knows of."""

    def __init__(self, nodes: dict[str, _Node]):
        self._nodes = nodes

    def of(self, dataset: str, column: str | None) -> tuple[str, ...]:
        """Who reads the column, or any of the dataset, as `model fct_launches` or `exposure data_docs`, sorted."""
        found = {name for name, node in self._nodes.items() if node.reads(dataset, column)}
        while more := {name for name, node in self._nodes.items() if node.parents & found} - found:
            found |= more
        return tuple(sorted(self._nodes[name].label for name in found))


def read_consumers(project: Path) -> Consumers:
    """The readers in a dbt project; nobody where there is no project. Raises UsageError for YAML that is none."""
    nodes: dict[str, _Node] = {}
    for folder in ("models", "snapshots", "analyses"):
        for path in sorted((project / folder).rglob("*.sql")):
            sql = _COMMENT.sub(" ", path.read_text(encoding="utf-8"))
            nodes[path.stem] = _Node(f"model {path.stem}", _names(_SOURCE, sql), _names(_REF, sql), sql)
    for path in sorted([*(project / "models").rglob("*.yml"), *(project / "models").rglob("*.yaml")]):
        for exposure in _exposures(path):
            text = " ".join(map(str, exposure.get("depends_on") or []))
            label = f"exposure {exposure.get('name')}"
            nodes[label] = _Node(label, _names(_SOURCE, text), _names(_REF, text))
    return Consumers(nodes)


def _names(pattern: "re.Pattern[str]", text: str) -> frozenset[str]:
    return frozenset(pattern.findall(text))


def _exposures(path: Path) -> Iterator[dict[str, Any]]:
    try:
        values = yaml.load(path.read_bytes(), yaml.CSafeLoader)
    except yaml.YAMLError as exc:
        raise UsageError(f"{path}: not YAML: {exc}. Expected a file of dbt's; run `dbt parse` on it.") from exc
    if isinstance(values, dict):
        yield from values.get("exposures") or []
