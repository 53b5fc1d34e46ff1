"""Owns gzipped lines as streams: reading and writing them. What a line holds is validation's business."""

from collections.abc import Generator, Iterator
from types import TracebackType
from typing import BinaryIO, Protocol, Self, cast

from isal import isal_zlib

from validation.envelope import LINE_LIMIT_BYTES
from validation.lines import HEAD_BYTES, LandedLine, ObjectDamaged, OverlongLine

BLOCK_BYTES = 1 << 20  # of plain bytes: what a reader holds, however much a compressed byte stands for

_READ_BYTES = 1 << 18
_GZIP = 31  # zlib's number for deflate with gzip's header and checksum
_MAGIC = b"\x1f\x8b"
_NOT_DEFLATE = cast(type[Exception], isal_zlib.error)  # its stubs call the class an instance
_FAST = 1  # a higher level would cost more than the whole gate


class Readable(Protocol):
    """What a store opens: bytes, one after the other."""

    def read(self, size: int = -1, /) -> bytes:
        """At most that many bytes, none at the end."""
        ...


def plain_blocks(compressed: Readable) -> Iterator[bytes]:
    """The plain bytes of a gzip stream of one or more members, in blocks of at most BLOCK_BYTES.

    An object of no bytes at all has no content; zeros after a member are padding. Raises ObjectDamaged after the last
    block that could be read.
    """
    rest = compressed.read(_READ_BYTES)
    while rest:
        rest = yield from _member(compressed, rest)
        while not (rest := rest.lstrip(b"\0")):
            if not (rest := compressed.read(_READ_BYTES)):
                return


def _member(compressed: Readable, rest: bytes) -> Generator[bytes, None, bytes]:
    """The blocks of one member that begins with `rest`; returns what was read beyond its end."""
    if len(rest) < len(_MAGIC):
        rest += compressed.read(_READ_BYTES)
    if not rest.startswith(_MAGIC):
        raise ObjectDamaged(f"it is no gzip stream where one should begin: {rest[:2]!r}")
    member = isal_zlib.decompressobj(_GZIP)
    while not member.eof:
        try:
            block = member.decompress(rest, BLOCK_BYTES)
        except _NOT_DEFLATE as exc:
            raise ObjectDamaged(str(exc)) from exc
        if block:
            yield block
        rest = member.unconsumed_tail
        if not rest and not member.eof and len(block) < BLOCK_BYTES and not (rest := compressed.read(_READ_BYTES)):
            raise ObjectDamaged("it ends before its end-of-stream marker")
    return member.unused_data


def landed_lines(compressed: Readable) -> Iterator[LandedLine]:
    """The lines of a landed object without their newline, in bounded memory whatever they are.

    A last line without a newline counts, and a line of no bytes is a line. One longer than LINE_LIMIT_BYTES comes as
    an OverlongLine. Raises ObjectDamaged after the last whole line that could be read.
    """
    rest = b""
    skipped_bytes = 0  # of a line that is already too long, of which `rest` is the head
    for block in plain_blocks(compressed):
        lines = block.split(b"\n")
        if len(lines) == 1:  # no line ends here
            if skipped_bytes:
                skipped_bytes += len(block)
            elif len(rest) + len(block) > LINE_LIMIT_BYTES:
                skipped_bytes = len(rest) + len(block)
                rest = (rest + block)[:HEAD_BYTES]
            else:
                rest += block
            continue
        if skipped_bytes:
            yield OverlongLine(rest, skipped_bytes + len(lines[0]))
            skipped_bytes = 0
        else:
            yield _whole(rest + lines[0])
        rest = lines.pop()
        del lines[0]
        yield from lines
    if skipped_bytes:
        yield OverlongLine(rest, skipped_bytes)
    elif rest:
        yield _whole(rest)


def _whole(line: bytes) -> LandedLine:
    return line if len(line) <= LINE_LIMIT_BYTES else OverlongLine(line[:HEAD_BYTES], len(line))


def iter_lines(compressed: Readable) -> Iterator[bytes]:
    """The lines of an object that we wrote or found clean, without their newline. Raises ObjectDamaged like above."""
    rest = b""
    for block in plain_blocks(compressed):
        lines = (rest + block).split(b"\n")
        rest = lines.pop()
        yield from lines
    if rest:
        yield rest


def count_lines(compressed: Readable) -> tuple[int, str | None]:
    """How many lines a gzip stream holds, and what stopped the reading early, if anything did."""
    count = 0
    is_open = False  # whether bytes followed the last newline
    try:
        for block in plain_blocks(compressed):
            count += block.count(b"\n")
            is_open = not block.endswith(b"\n")
    except ObjectDamaged as exc:
        return count, f"the gzip stream is damaged: {exc}"
    return count + is_open, None


class GzipWriter:
    """Writes a gzip file whose bytes depend on its content alone: no name, no time, and not how it was handed over."""

    def __init__(self, target: BinaryIO) -> None:
        self._target = target
        self._compress = isal_zlib.compressobj(_FAST, isal_zlib.DEFLATED, _GZIP)
        self._pending = bytearray()  # isal's bytes depend on where its input is cut: always in the same places

    def write(self, plain: bytes) -> None:
        """Takes bytes."""
        self._pending += plain
        while len(self._pending) >= BLOCK_BYTES:
            self._target.write(self._compress.compress(bytes(self._pending[:BLOCK_BYTES])))
            del self._pending[:BLOCK_BYTES]

    def write_line(self, line: bytes) -> None:
        """Takes a line without its end."""
        self._pending += line
        self._pending += b"\n"
        if len(self._pending) >= BLOCK_BYTES:
            self.write(b"")

    def close(self) -> None:
        """Writes what is left. The target stays open."""
        self._target.write(self._compress.compress(bytes(self._pending)) + self._compress.flush())
        self._pending.clear()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
