"""Owns what a landed line can be besides bytes: too long to hold, or the end of a damaged object.

Reading objects is the loader's job (loader/lines.py); what a line of bytes holds is validation/envelope.py's.
"""

from dataclasses import dataclass, field
from typing import Any

from validation.envelope import LINE_LIMIT_BYTES, Envelope, Unparseable, parse_line

HEAD_BYTES = 4096  # what is kept of a line that is too long


class ObjectDamaged(Exception):
    """The object cannot be read on: it is cut short, or no gzip from here on. The object is at fault, not the store."""


@dataclass(frozen=True, slots=True)
class OverlongLine:
    """A line longer than Redshift takes. Its first bytes stand for it: it is never held in memory whole."""

    head: bytes
    size_bytes: int

    def __len__(self) -> int:
        return self.size_bytes


LandedLine = bytes | OverlongLine  # without its line end


@dataclass(frozen=True, slots=True)
class Line:
    """One landed line, opened."""

    number: int  # from 1
    byte_offset: int  # of its first byte, in the object's bytes once decompressed
    raw: bytes
    size_bytes: int  # more than `raw` has, of a line that is too long
    envelope: Envelope | None
    problem: str = field(default="")  # why there is no envelope

    @classmethod
    def read(cls, number: int, byte_offset: int, landed: LandedLine) -> "Line":
        """Opens a line."""
        if isinstance(landed, OverlongLine):
            problem = f"is {landed.size_bytes} bytes long; Redshift loads at most {LINE_LIMIT_BYTES}"
            return cls(number, byte_offset, landed.head, landed.size_bytes, None, problem)
        opened = parse_line(landed)
        if isinstance(opened, Unparseable):
            return cls(number, byte_offset, landed, len(landed), None, opened.reason)
        return cls(number, byte_offset, landed, len(landed), opened)

    @property
    def record(self) -> dict[str, Any] | None:
        """The record, if the line holds one."""
        return None if self.envelope is None else self.envelope.record
