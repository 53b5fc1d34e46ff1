"""Owns the digests of accepted records: the form of their rows, and finding in them what repeats over a whole batch.

Keeping them in the lake and reading lines again is the loader's job (loader/reduce.py). A row's digests say for
certain that two records differ, and, of one key, that two are equal byte for byte; what is equal in other bytes is
told by reading the lines again.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

Rows = npt.NDArray[Any]  # structured: of the type that `row_type` or `spilled_type` gives
Marks = npt.NDArray[np.bool_]

_DIGEST: Final = (("high", "<u8"), ("low", "<u8"))

#: Lines that are moved out of the accepted ones.
MOVED: Final = np.dtype([("line", "<u8"), ("is_conflict", "u1")])


def row_type(unique_count: int) -> np.dtype[Any]:
    """One record in an object's file of digests, as ObjectMemory writes it (validation/uniqueness.py).

    `unique` are the values that must not repeat besides the key. A digest of zeros stands for none.
    """
    fields = [("key", list(_DIGEST)), ("content", "<u8"), ("line", "<u8"), ("byte_offset", "<u8")]
    return np.dtype([*fields, ("unique", list(_DIGEST), (unique_count,))] if unique_count else fields)


#: A digest with where it comes from: a key's with its content's, or a value's.
SPILLED: Final = np.dtype([("digest", list(_DIGEST)), ("content", "<u8"), ("object", "<u4"), ("line", "<u8")])


def spilled(rows: Rows, digests: Rows, object_index: int) -> Rows:
    """These rows' digests with where they come from, those of nothing left out."""
    found = np.empty(len(rows), SPILLED)
    found["digest"], found["content"] = digests, rows["content"]
    found["object"], found["line"] = object_index, rows["line"]
    is_something = (digests["high"] != 0) | (digests["low"] != 0)
    return found[np.flatnonzero(is_something)]


def part_of(rows: Rows, part_count: int) -> npt.NDArray[np.uint64]:
    """Which of so many parts each row belongs to: the same digest, the same part."""
    parts: npt.NDArray[np.uint64] = rows["digest"]["low"] % np.uint64(part_count)
    return parts


@dataclass(frozen=True, slots=True)
class Repeats:
    """The rows whose digest occurs more than once, by digest and then in the batch's order."""

    rows: Rows
    groups: npt.NDArray[np.int64]  # of each row, the number of its digest
    is_first: Marks

    @property
    def is_equal(self) -> Marks:
        """Of each row, whether its record is equal, byte for byte, to the first of its digest, and is not the first."""
        first = self.rows["content"][self.is_first][self.groups]
        is_equal: Marks = ~self.is_first & (self.rows["content"] == first)
        return is_equal


def repeats(rows: Rows) -> Repeats:
    """What repeats in these rows, which hold every row of each of their digests."""
    digest = rows["digest"]
    order = np.lexsort((rows["line"], rows["object"], digest["low"], digest["high"]))
    rows = rows[order]
    digest = rows["digest"]
    is_same = np.zeros(len(rows), bool)
    is_same[1:] = (digest["high"][1:] == digest["high"][:-1]) & (digest["low"][1:] == digest["low"][:-1])
    is_repeated = is_same.copy()
    is_repeated[:-1] |= is_same[1:]
    is_first = ~is_same[is_repeated]
    return Repeats(rows[is_repeated], np.cumsum(is_first) - 1, is_first)


def settled(found: Repeats, contents: Mapping[tuple[int, int], bytes]) -> tuple[Marks, Marks]:
    """Of each row whether it is a duplicate, and whether it conflicts with an earlier record of its key.

    `contents` has what the record at an object and line comes to, for each row of `undecided`.
    """
    is_duplicate = found.is_equal
    is_conflict = np.zeros(len(found.rows), bool)
    asked = undecided(found)
    seen: dict[int, set[bytes]] = {}
    for index in np.flatnonzero(asked):
        row, group = found.rows[index], int(found.groups[index])
        content = contents[int(row["object"]), int(row["line"])]
        known = seen.setdefault(group, set())
        is_duplicate[index] = content in known
        is_conflict[index] = bool(known) and content not in known
        known.add(content)
    return is_duplicate, is_conflict


def undecided(found: Repeats) -> Marks:
    """The rows whose records must be looked at: those of a key that came in several forms, but equal ones only once."""
    differs = ~found.is_first & ~found.is_equal
    in_group = np.zeros(int(found.groups[-1]) + 1 if len(found.groups) else 0, bool)
    in_group[found.groups[differs]] = True
    return (found.is_first & in_group[found.groups]) | differs
