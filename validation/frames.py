"""Owns turning records into frames that lose nothing. Judging the frames is validation/judge.py's job.

One frame holds a row per record; each array has a frame of its own with a row per item. For each path that a rule
speaks of there is a column of JSON kinds, so that missing, null and the wrong type stay apart, and a typed column of
values that is null wherever the JSON kind is not the contract's. No value is ever converted.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any

import polars as pl

from contracts.model import Contract, LogicalType, Property, frame_path

Place = tuple[int, ...]  # the record's index, then the item's index in each array on the way


class JsonKind(IntEnum):
    """What lies at a path."""

    NO_PARENT = 0  # the object around it is missing, null or no object: nothing to judge
    MISSING = 1
    NULL = 2
    STRING = 3
    INTEGER = 4
    FLOAT = 5
    BOOLEAN = 6
    OBJECT = 7
    ARRAY = 8


KINDS_OF_TYPE: Mapping[LogicalType, frozenset[JsonKind]] = {
    LogicalType.STRING: frozenset({JsonKind.STRING}),
    LogicalType.TIMESTAMP: frozenset({JsonKind.STRING}),
    LogicalType.DATE: frozenset({JsonKind.STRING}),
    LogicalType.INTEGER: frozenset({JsonKind.INTEGER}),
    LogicalType.NUMBER: frozenset({JsonKind.INTEGER, JsonKind.FLOAT}),
    LogicalType.BOOLEAN: frozenset({JsonKind.BOOLEAN}),
    LogicalType.OBJECT: frozenset({JsonKind.OBJECT}),
    LogicalType.ARRAY: frozenset({JsonKind.ARRAY}),
}

_VALUE_DTYPES: Mapping[LogicalType, pl.DataType] = {
    LogicalType.STRING: pl.String(),
    LogicalType.TIMESTAMP: pl.String(),
    LogicalType.DATE: pl.String(),
    LogicalType.INTEGER: pl.Int64(),
    LogicalType.NUMBER: pl.Float64(),
    LogicalType.BOOLEAN: pl.Boolean(),
    LogicalType.OBJECT: pl.List(pl.String()),  # the names that the contract does not know
    LogicalType.ARRAY: pl.Int64(),  # how many items
}


class _Absent:
    """What a record has where it has nothing."""


class _Orphan:
    """What a record has below an object that it does not have."""


_ABSENT = _Absent()
_ORPHAN = _Orphan()

_KIND_OF: Mapping[type, JsonKind] = {
    _Orphan: JsonKind.NO_PARENT,
    _Absent: JsonKind.MISSING,
    type(None): JsonKind.NULL,
    str: JsonKind.STRING,
    int: JsonKind.INTEGER,
    float: JsonKind.FLOAT,
    bool: JsonKind.BOOLEAN,  # a type of its own here: True is no integer
    dict: JsonKind.OBJECT,
    list: JsonKind.ARRAY,
}


def kind_column(path: str) -> str:
    """The name of a path's column of JSON kinds."""
    return f"{path}:kind"


def value_column(path: str) -> str:
    """The name of a path's column of values: lengths for arrays, unknown names for objects."""
    return f"{path}:value"


@dataclass(frozen=True, slots=True)
class Frame:
    """Rows to judge, and where each row comes from."""

    data: pl.DataFrame
    places: Sequence[Place]


@dataclass(slots=True)
class _Node:
    """One path of the contract, filling its columns while records are read."""

    path: str
    name: str
    logical_type: LogicalType
    places: list[Place]  # shared by all nodes of one frame
    children: tuple["_Node", ...] = ()
    item: "_Node | None" = None
    kinds: list[int] = field(default_factory=list)
    values: list[Any] = field(default_factory=list)

    def read(self, value: Any, place: Place) -> None:
        """Adds one row for this path, and what lies below it."""
        kind = _KIND_OF[type(value)]
        self.kinds.append(kind)
        if self.logical_type is LogicalType.OBJECT:
            self._read_object(value, kind, place)
        elif self.logical_type is LogicalType.ARRAY:
            self._read_array(value, kind, place)
        else:
            self.values.append(value if kind in KINDS_OF_TYPE[self.logical_type] else None)

    def _read_object(self, value: Any, kind: JsonKind, place: Place) -> None:
        if kind is not JsonKind.OBJECT:
            self.values.append(None)
            for child in self.children:
                child.read(_ORPHAN, place)
            return
        known = 0
        for child in self.children:
            found = value.get(child.name, _ABSENT)
            known += found is not _ABSENT
            child.read(found, place)
        self.values.append(None if known == len(value) else self._unknown_names(value))

    def _unknown_names(self, value: dict[str, Any]) -> list[str]:
        return sorted(value.keys() - {child.name for child in self.children})

    def _read_array(self, value: Any, kind: JsonKind, place: Place) -> None:
        if kind is not JsonKind.ARRAY:
            self.values.append(None)
            return
        self.values.append(len(value))
        if self.item is not None:
            for index, item in enumerate(value):
                item_place = (*place, index)
                self.item.places.append(item_place)
                self.item.read(item, item_place)

    def walk(self) -> list["_Node"]:
        """This node and all below it."""
        below = [*self.children, self.item] if self.item else list(self.children)
        return [self, *(node for child in below for node in child.walk())]


class Flattener:
    """Reads records into frames, by the properties of one contract."""

    def __init__(self, contract: Contract) -> None:
        self._contract = contract

    def flatten(self, records: Sequence[dict[str, Any]]) -> dict[str, Frame]:
        """The frames of these records by frame path. Every path of the contract has its columns, even when empty."""
        root = _record_node(self._contract)
        for index, record in enumerate(records):
            root.places.append((index,))
            root.read(record, (index,))
        columns: dict[str, dict[str, pl.Series]] = {}
        places: dict[str, list[Place]] = {}
        for node in root.walk():
            frame = frame_path(node.path)
            places[frame] = node.places
            columns.setdefault(frame, {}).update(_series(node))
        return {path: Frame(pl.DataFrame(found), places[path]) for path, found in columns.items()}


def _record_node(contract: Contract) -> _Node:
    places: list[Place] = []
    children = tuple(_node(prop, places) for prop in contract.properties)
    return _Node("", "", LogicalType.OBJECT, places, children)


def _node(prop: Property, places: list[Place]) -> _Node:
    if prop.logical_type is LogicalType.ARRAY and prop.children:
        item = _node(prop.children[0], [])
        return _Node(prop.path, prop.name, prop.logical_type, places, item=item)
    children = tuple(_node(child, places) for child in prop.children)
    return _Node(prop.path, prop.name, prop.logical_type, places, children)


def _series(node: _Node) -> dict[str, pl.Series]:
    dtype = value_dtype(node.logical_type)
    values = [None if value is None else float(value) for value in node.values] if dtype == pl.Float64 else node.values
    return {
        kind_column(node.path): pl.Series(node.kinds, dtype=pl.UInt8),
        value_column(node.path): pl.Series(values, dtype=dtype, strict=True),
    }


def value_dtype(logical_type: LogicalType) -> pl.DataType:
    """What a value column of that type holds."""
    return _VALUE_DTYPES[logical_type]
