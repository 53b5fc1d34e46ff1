"""Owns Redshift's column types as contracts name them: which exist here, what they fit and what they can hold.

DECIMAL is none of them: COPY cuts the digits that its scale lacks without a word, and refuses a number spelled 1e-7.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

from contracts.model import LogicalType

_VARCHAR_LIMIT_BYTES = 65_535

_INTEGERS = {"SMALLINT": 2**15, "INTEGER": 2**31, "BIGINT": 2**63}
_PLAIN = {
    "DOUBLE PRECISION": LogicalType.NUMBER,
    "BOOLEAN": LogicalType.BOOLEAN,
    "TIMESTAMPTZ": LogicalType.TIMESTAMP,
    "DATE": LogicalType.DATE,
}
_VARCHAR = re.compile(r"VARCHAR\(([1-9][0-9]*)\)")

KNOWN = "VARCHAR(n), SMALLINT, INTEGER, BIGINT, DOUBLE PRECISION, BOOLEAN, TIMESTAMPTZ, DATE, SUPER"


@dataclass(frozen=True, slots=True)
class PhysicalType:
    """What a column of the type takes. Bounds are inclusive; None means the type sets none worth a rule."""

    fits: frozenset[LogicalType]
    minimum: int | float | None = None
    maximum: int | float | None = None
    max_bytes: int | None = None


def parse(text: str) -> PhysicalType | None:
    """What `text`, written as in KNOWN, takes; None for any other spelling or size."""
    readers: tuple[Callable[[str], PhysicalType | None], ...] = (_integer, _plain, _varchar, _super)
    return next((found for found in (reader(text) for reader in readers) if found), None)


def _integer(text: str) -> PhysicalType | None:
    bound = _INTEGERS.get(text)
    if bound is None:
        return None
    return PhysicalType(frozenset({LogicalType.INTEGER}), minimum=-bound, maximum=bound - 1)


def _plain(text: str) -> PhysicalType | None:
    logical_type = _PLAIN.get(text)
    return PhysicalType(frozenset({logical_type})) if logical_type else None


def _varchar(text: str) -> PhysicalType | None:
    match = _VARCHAR.fullmatch(text)
    if match is None or int(match[1]) > _VARCHAR_LIMIT_BYTES:
        return None
    return PhysicalType(frozenset({LogicalType.STRING}), max_bytes=int(match[1]))


def _super(text: str) -> PhysicalType | None:
    return PhysicalType(frozenset({LogicalType.OBJECT, LogicalType.ARRAY})) if text == "SUPER" else None
