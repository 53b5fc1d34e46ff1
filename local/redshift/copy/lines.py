"""Owns turning an object's bytes into lines in bounded memory. What a line says is rows.py's business."""

from collections.abc import Iterable, Iterator
from typing import cast

from isal import isal_zlib

from local.redshift.copy.failure import load_error

LONGEST_LINE = 4 * 1024 * 1024  # Redshift loads no JSON object larger than 4 MB
_BLOCK = 1 << 20
_NOT_DEFLATE = cast(type[Exception], isal_zlib.error)  # its stubs call the class an instance
_GZIP = 31  # zlib's number for "gzip header and trailer"


def gunzip(chunks: Iterable[bytes], name: str) -> Iterator[bytes]:
    """The content of a gzip file of one or more members. Raises CopyFailed for anything else or half a file."""
    inflate = isal_zlib.decompressobj(_GZIP)
    is_untouched = True
    try:
        for chunk in chunks:
            rest = chunk
            while rest:
                if inflate.eof:
                    inflate = isal_zlib.decompressobj(_GZIP)
                is_untouched = False
                if block := inflate.decompress(rest, _BLOCK):
                    yield block
                rest = inflate.unused_data if inflate.eof else inflate.unconsumed_tail
        if block := inflate.flush():
            yield block
    except _NOT_DEFLATE as exc:
        raise load_error(f"failed to inflate: invalid or incomplete deflate data in {name}", f"zlib: {exc}") from exc
    if is_untouched or not inflate.eof:
        raise load_error(
            f"failed to inflate: invalid or incomplete deflate data in {name}",
            "zlib error code: -5. The object ends before its gzip data does: it was cut off when it was written.",
        )


def split_lines(chunks: Iterable[bytes]) -> Iterator[list[bytes]]:
    """Lines in blocks. A line that is too long comes as its beginning, one byte longer than the longest."""
    tail = b""
    for chunk in chunks:
        lines = chunk.split(b"\n")
        lines[0] = tail + lines[0]
        tail = lines.pop()[: LONGEST_LINE + 1]
        if lines:
            yield lines
    if tail:
        yield [tail]
