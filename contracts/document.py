"""Owns the text of a contract file: YAML to plain values, and where in the file a key lies.

What the values mean is contracts/read.py's job.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from contracts.errors import ContractInvalid

KeyPath = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with a contract, at the key where it lies."""

    at: KeyPath
    message: str


@dataclass(frozen=True, slots=True)
class Finding:
    """One problem as people read it: file, line (from 1), key such as `schema[0].properties[id].unique`."""

    file: str
    line: int
    key: str
    message: str

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}"
        return f"{where}: {self.key}: {self.message}" if self.key else f"{where}: {self.message}"


class ProblemsFound(ContractInvalid):
    """A contract with problems. `findings` holds every one of them, in the file's order."""

    def __init__(self, findings: Iterable[Finding]):
        self.findings = tuple(findings)
        super().__init__("\n".join(str(finding) for finding in self.findings))


class _Loader(yaml.CSafeLoader):
    """YAML to plain values. As in JSON, dates stay text and keys are texts; a key written twice is refused."""


class _WrongKey(Exception):
    def __init__(self, node: yaml.Node, why: str):
        self.node = node
        super().__init__(why)


def _mapping(loader: _Loader, node: yaml.MappingNode) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for key_node, value_node in node.value:
        key = loader.construct_object(key_node, deep=True)
        if not isinstance(key, str):
            raise _WrongKey(key_node, f"the key {key!r} is no text; in quotes it would be one")
        if key in result:
            raise _WrongKey(key_node, f"the key {key!r} is written twice")
        result[key] = loader.construct_object(value_node, deep=True)
    return result


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.CSafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_constructor("tag:yaml.org,2002:map", _mapping)


def load(path: Path) -> dict[str, Any]:
    """The values of a contract file. Raises ProblemsFound for bytes that are no UTF-8, bad YAML or no mapping."""
    return mapping(parse(path.read_bytes(), str(path)), str(path))


def parse(text: bytes, name: str) -> Any:
    """The value of a YAML text; `name` says where it lies. Raises ProblemsFound for no UTF-8 and bad YAML."""
    try:
        return yaml.load(text, _Loader)  # noqa: S506 - a safe loader by its base
    except yaml.MarkedYAMLError as exc:
        line = exc.problem_mark.line + 1 if exc.problem_mark else 1
        raise ProblemsFound([Finding(name, line, "", f"not YAML: {exc.problem}")]) from exc
    except yaml.YAMLError as exc:
        raise ProblemsFound([Finding(name, 1, "", f"not YAML: {exc}")]) from exc
    except _WrongKey as exc:
        raise ProblemsFound([Finding(name, exc.node.start_mark.line + 1, "", str(exc))]) from exc


def mapping(values: Any, name: str) -> dict[str, Any]:
    """The value of a contract's text, which is a mapping. Raises ProblemsFound."""
    if not isinstance(values, dict):
        raise ProblemsFound([Finding(name, 1, "", "a contract is a mapping of keys, this file is not")])
    return values


def locate(path: Path, problems: Iterable[Problem]) -> list[Finding]:
    """The problems as findings, in the file's order. Reads the file again: only who is wrong needs line numbers."""
    root = yaml.compose(path.read_bytes(), yaml.CSafeLoader)
    findings = [
        Finding(str(path), _line(root, problem.at), _key_text(root, problem.at), problem.message)
        for problem in problems
    ]
    return sorted(findings, key=lambda finding: finding.line)


def _step(node: yaml.Node | None, step: str | int) -> tuple[yaml.Node, yaml.Node] | None:
    """The node that says where the step lies (a key, or the item itself) and the node below it."""
    if isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
        item = node.value[step]
        return item, item
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if key.value == str(step):
                return key, value
    return None


def _line(root: yaml.Node | None, at: KeyPath) -> int:
    """The line of the key; of its nearest parent that exists when the key itself is what is missing."""
    line, node = 1, root
    for step in at:
        found = _step(node, step)
        if found is None:
            break
        line = found[0].start_mark.line + 1
        node = found[1]
    return line


def _key_text(root: yaml.Node | None, at: KeyPath) -> str:
    """The key as people say it: items of a list by their name where they have one."""
    text, node = "", root
    for step in at:
        found = _step(node, step)
        node = found[1] if found else None
        text += f"[{_name(node) or step}]" if isinstance(step, int) else f".{step}" if text else step
    return text


def _name(node: yaml.Node | None) -> str | None:
    for key in ("name", "property", "id"):
        found = _step(node, key) if isinstance(node, yaml.MappingNode) else None
        if found and isinstance(found[1], yaml.ScalarNode):
            return str(found[1].value)
    return None
