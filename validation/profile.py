"""Owns the profile of a batch: what is at each path of its records. What is told of one path is field_profile.py's.

Memory is bounded: by the paths kept (MOST_PATHS), by what is kept of each, and by the records waiting to be counted.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import reduce
from typing import Any, Final, TypeVar

import orjson

from validation.field_profile import FieldProfile, field_profile

Landed = TypeVar("Landed")  # a line of bytes, or what stands for one

MOST_PATHS: Final = 500  # the first ones by name; the largest contract has some seventy
LONGEST_PATH: Final = 512
WAITING_RECORDS: Final = 2_000
WAITING_BYTES: Final = 4 * 1024 * 1024
_NESTED: Final = frozenset({dict, list})

# What the gate profiles of an object: counting each record would cost more than judging it.
ALL_UP_TO: Final = 500
THEN_EVERY: Final = 1_000

_ODD: Final = re.compile(r"[^A-Za-z0-9_-]")


@dataclass(frozen=True, slots=True)
class Profile:
    """What is at each path of some records. The record itself has the path ""."""

    record_count: int = 0
    fields: tuple[FieldProfile, ...] = ()  # by path
    cut_at: str | None = None  # there were too many paths: this one and those after it by name are left out

    def at(self, path: str) -> FieldProfile:
        """The profile of a path. Raises KeyError."""
        return {each.path: each for each in self.fields}[path]

    def missing_count(self, path: str) -> int:
        """How often the object around a path was there and the field was not. An array's items are never missing."""
        parent, dot, _ = path.rpartition(".")
        if path.endswith("[]") or not path:
            return 0
        return self.at(parent if dot else "").by_type.get("object", 0) - self.at(path).count

    def merge(self, other: "Profile") -> "Profile":
        """The profile of both sets of records together, in whatever order they come."""
        found = {each.path: each for each in self.fields}
        for each in other.fields:
            found[each.path] = found[each.path].merge(each) if each.path in found else each
        cuts = [cut for cut in (self.cut_at, other.cut_at) if cut is not None]
        paths = sorted(found)
        cuts += paths[MOST_PATHS : MOST_PATHS + 1]
        cut_at = min(cuts) if cuts else None
        kept = [path for path in paths if cut_at is None or path < cut_at]
        return Profile(self.record_count + other.record_count, tuple(found[path] for path in kept), cut_at)


@dataclass(frozen=True, slots=True)
class BatchProfile:
    """The profile of a shard's records, or of a whole batch's, kept beside what the gate said of them."""

    dataset: str
    batch_id: str
    contract_version: str
    line_count: int  # lines there were, of which `profile.record_count` were profiled
    profile: Profile

    def merge(self, other: "BatchProfile") -> "BatchProfile":
        """Two parts of one batch together."""
        lines = self.line_count + other.line_count
        return BatchProfile(
            self.dataset, self.batch_id, self.contract_version, lines, self.profile.merge(other.profile)
        )


def whole_batch(parts: Iterable[BatchProfile]) -> BatchProfile:
    """The profile of a batch from those of its shards, of which there is at least one."""
    return reduce(BatchProfile.merge, parts)


def _step(name: str) -> str:
    """A field's name as a part of a path, in which dots and brackets have a meaning of their own."""
    return _ODD.sub(lambda odd: f"%{ord(odd[0]):x};", name) or "%;"


@dataclass(slots=True)
class _Node:
    """One path, with the values that wait to be counted."""

    path: str
    waiting: list[Any] = field(default_factory=list)
    children: dict[str, "_Node"] = field(default_factory=dict)
    item: "_Node | None" = None


class Profiler:
    """Profiles records one by one. `is_shown` says whether values of a path may be told; by default all may."""

    def __init__(self, is_shown: Callable[[str], bool] = lambda path: True) -> None:
        self._is_shown = is_shown
        self._root = _Node("")
        self._nodes = {"": self._root}
        self._counted = Profile()
        self._records = 0
        self._bytes = 0

    def add(self, record: Mapping[str, Any], size_bytes: int = 0) -> None:
        """Takes a record; its size as text, where the caller knows it, bounds what waits in memory."""
        self._read(self._root, record)
        self._records += 1
        self._bytes += size_bytes
        if self._records >= WAITING_RECORDS or self._bytes >= WAITING_BYTES or len(self._nodes) > 2 * MOST_PATHS:
            self._count()

    def profile(self) -> Profile:
        """The profile of all records so far."""
        self._count()
        return self._counted

    def paths(self) -> list[str]:
        """The paths in the order they were met, parents before what is in them."""
        return list(self._walk(self._root))

    def _walk(self, node: _Node) -> Iterable[str]:
        yield node.path
        for below in (*node.children.values(), *([node.item] if node.item else [])):
            yield from self._walk(below)

    def _read(self, node: _Node, value: Any) -> None:
        node.waiting.append(value)
        if type(value) is dict:
            children = node.children
            for name, inner in value.items():
                child = children.get(name) or self._child(node, name)
                if child is None:
                    continue
                if type(inner) in _NESTED:
                    self._read(child, inner)
                else:
                    child.waiting.append(inner)
        elif type(value) is list and value:
            item = node.item or self._item(node)
            if item is not None:
                for inner in value:
                    self._read(item, inner)

    def _child(self, node: _Node, name: str) -> _Node | None:
        step = _step(name)
        child = self._new(f"{node.path}.{step}" if node.path else step)
        if child is not None:
            node.children[name] = child
        return child

    def _item(self, node: _Node) -> _Node | None:
        node.item = self._new(f"{node.path}[]")
        return node.item

    def _new(self, path: str) -> _Node | None:
        cut_at = self._counted.cut_at
        if len(path) > LONGEST_PATH or (cut_at is not None and path >= cut_at):
            return None
        return self._nodes.setdefault(path, _Node(path))

    def _count(self) -> None:
        fields = [
            field_profile(node.path, node.waiting, is_shown=self._is_shown(node.path))
            for node in self._nodes.values()
            if node.waiting
        ]
        fields.sort(key=lambda each: each.path)
        self._counted = self._counted.merge(Profile(self._records, tuple(fields)))
        self._records = self._bytes = 0
        for node in self._nodes.values():
            node.waiting = []
        if len(self._nodes) > len(self._counted.fields):
            self._forget_the_cut()

    def _forget_the_cut(self) -> None:
        kept = {each.path for each in self._counted.fields}
        for node in self._nodes.values():
            node.children = {name: child for name, child in node.children.items() if child.path in kept}
            node.item = node.item if node.item and node.item.path in kept else None
        self._nodes = {path: node for path, node in self._nodes.items() if path in kept}


def profiled(lines: Iterable[Landed], profiler: Profiler) -> Iterator[Landed]:
    """The lines of one landed object as they are, some of them profiled: the first 500, then one in a thousand.

    What is no line of bytes, or holds no record, is passed on and not profiled.
    """
    for number, line in enumerate(lines, start=1):
        if (number <= ALL_UP_TO or number % THEN_EVERY == 0) and isinstance(line, bytes):
            record = _record(line)
            if record is not None:
                profiler.add(record, len(line))
        yield line


def _record(line: bytes) -> dict[str, Any] | None:
    """The record of a landed line: quicker than validation/envelope.py, which says why where there is none."""
    try:
        envelope = orjson.loads(line)
    except orjson.JSONDecodeError:
        return None
    record = envelope.get("_airbyte_data") if isinstance(envelope, dict) else None
    return record if isinstance(record, dict) else None
