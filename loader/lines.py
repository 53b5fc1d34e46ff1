"""Owns reading gzipped lines as a stream. What a line holds is validation's business (validation/envelope.py)."""

import gzip
import zlib
from collections.abc import Iterator
from typing import BinaryIO

BLOCK_BYTES = 1 << 20

#: What a damaged gzip object raises while it is read.
DAMAGE = (EOFError, gzip.BadGzipFile, zlib.error)


def iter_lines(compressed: BinaryIO) -> Iterator[bytes]:
    """The lines of a gzip stream without their newline, in bounded memory but for one line.

    A last line without a newline counts. Raises one of DAMAGE after the last whole line that could be read.
    """
    rest = b""
    with gzip.GzipFile(fileobj=compressed) as plain:
        while block := plain.read1(BLOCK_BYTES):
            lines = (rest + block).split(b"\n")
            rest = lines.pop()
            yield from lines
    if rest:
        yield rest


def count_lines(compressed: BinaryIO) -> tuple[int, str | None]:
    """How many lines a gzip stream holds, and what stopped the reading early, if anything did."""
    count = 0
    try:
        for _ in iter_lines(compressed):
            count += 1
    except DAMAGE as exc:
        return count, f"the gzip stream is damaged: {exc}"
    return count, None
