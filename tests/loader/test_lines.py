"""Gzipped lines: what is a line, what is damage, and how little is held of what is huge."""

import gzip
import io
import tracemalloc
import zlib
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loader.lines import BLOCK_BYTES, GzipWriter, count_lines, iter_lines, landed_lines, plain_blocks
from tests.validation.hand_made import ListSink, contract, good, line
from validation.envelope import LINE_LIMIT_BYTES
from validation.lines import LandedLine, ObjectDamaged, OverlongLine
from validation.raw_gate import RawGate

LINES = [b"%d %s" % (number, b"x" * (number % 50)) for number in range(3000)]
WHOLE = gzip.compress(b"\n".join(LINES) + b"\n", mtime=0)


def read(packed: bytes) -> list[LandedLine]:
    return list(landed_lines(io.BytesIO(packed)))


def read_until_damage(packed: bytes) -> tuple[list[LandedLine], str | None]:
    found: list[LandedLine] = []
    try:
        for one in landed_lines(io.BytesIO(packed)):
            found.append(one)
    except ObjectDamaged as damage:
        return found, str(damage)
    return found, None


@pytest.mark.parametrize(
    ("plain", "lines"),
    [
        (b"", []),
        (b"\n", [b""]),
        (b"a", [b"a"]),  # a last line without a newline counts
        (b"a\n", [b"a"]),
        (b"a\n\nb\n", [b"a", b"", b"b"]),  # an empty line is a line
        (b"a\r\nb\r\n", [b"a\r", b"b\r"]),  # a carriage return is white space of JSON, and part of the line
        (b"\xef\xbb\xbfa\n", [b"\xef\xbb\xbfa"]),  # a byte order mark too
    ],
)
def test_what_is_a_line(plain: bytes, lines: list[bytes]) -> None:
    packed = gzip.compress(plain)

    assert read(packed) == lines == list(iter_lines(io.BytesIO(packed)))
    assert count_lines(io.BytesIO(packed)) == (len(lines), None)


@pytest.mark.parametrize(
    "packed",
    [WHOLE, WHOLE + bytes(700), gzip.compress(b"", mtime=0) + WHOLE, WHOLE[:0]],
    ids=["one member", "padded with zeros", "an empty member first", "no bytes at all"],
)
def test_what_is_whole(packed: bytes) -> None:
    assert read(packed) == (LINES if packed else [])


def test_an_object_of_several_members_is_read_through() -> None:
    parts = [gzip.compress(plain) for plain in (b"a\nb", b"c\nd\n", b"e\n")]

    assert read(b"".join(parts)) == [b"a", b"bc", b"d", b"e"]


@pytest.mark.parametrize(
    ("packed", "at_least"),
    [
        (WHOLE[:-500], 1),
        (WHOLE[:-4], len(LINES)),
        (WHOLE + b"garbage", len(LINES)),
        (WHOLE + b"g", len(LINES)),
        (WHOLE[:-8] + b"\0" * 8, 0),
        (WHOLE[:12] + b"\xff\xff\xff" + WHOLE[15:], 0),
        (WHOLE[:5], 0),
        (b"\x1f", 0),
        (b"not gzip", 0),
        (bytes(10), 0),
    ],
)
def test_what_is_damaged_gives_the_lines_before_the_damage_and_says_so(packed: bytes, at_least: int) -> None:
    found, damage = read_until_damage(packed)

    assert damage is not None
    assert at_least <= len(found) <= len(LINES)
    assert found == LINES[: len(found)]
    count, told = count_lines(io.BytesIO(packed))
    assert (count, told) == (len(found), f"the gzip stream is damaged: {damage}")


@given(st.lists(st.binary(max_size=30).map(lambda one: one.replace(b"\n", b"")), max_size=30), st.booleans())
def test_every_reader_counts_the_same_lines(lines: list[bytes], ends: bool) -> None:
    packed = gzip.compress(b"\n".join(lines) + (b"\n" if ends else b""))

    found = read(packed)

    assert list(iter_lines(io.BytesIO(packed))) == found
    assert count_lines(io.BytesIO(packed)) == (len(found), None)


@pytest.mark.parametrize("size", [LINE_LIMIT_BYTES, LINE_LIMIT_BYTES + 1, 3 * LINE_LIMIT_BYTES])
@pytest.mark.parametrize("end", [b"", b"\n", b"\nnext\n"])
def test_a_line_longer_than_the_limit_is_told_by_its_first_bytes_and_its_size(size: int, end: bytes) -> None:
    first, *others = read(gzip.compress(b"y" * size + end, 1))

    assert len(first) == size
    assert isinstance(first, OverlongLine) is (size > LINE_LIMIT_BYTES)
    assert others == ([b"next"] if b"next" in end else [])


class Endless(io.RawIOBase):
    """A gzip bomb: a stream of so many plain bytes, compressed while it is read."""

    def __init__(self, plain: bytes, times: int) -> None:
        self._packed = self._pack(plain, times)
        self._rest = b""

    @staticmethod
    def _pack(plain: bytes, times: int) -> Iterator[bytes]:
        packing = zlib.compressobj(9, zlib.DEFLATED, 31)
        for _ in range(times):
            yield packing.compress(plain)
        yield packing.flush()

    def read(self, size: int = -1, /) -> bytes:
        while len(self._rest) < size and (more := next(self._packed, None)) is not None:
            self._rest += more
        taken, self._rest = self._rest[:size], self._rest[size:]
        return taken


@pytest.mark.parametrize("plain", [b"z" * 1_000_000, b"z\n" * 500_000], ids=["one endless line", "endless lines"])
def test_a_gzip_bomb_streams_through_in_bounded_memory(plain: bytes) -> None:
    bomb = Endless(plain, 30)
    tracemalloc.start()
    try:
        size = sum(len(one) for one in landed_lines(bomb))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert size >= 15_000_000
    assert peak < 60_000_000  # of the shortest lines, as Python holds them, a block takes this much


def test_a_block_is_bounded_however_much_a_byte_stands_for() -> None:
    packed = gzip.compress(bytes(20_000_000), 9)

    assert max(map(len, plain_blocks(io.BytesIO(packed)))) <= BLOCK_BYTES


@given(st.lists(st.binary(max_size=300_000), max_size=12), st.integers(1, 400_000))
def test_a_written_file_depends_on_its_content_alone(parts: list[bytes], size: int) -> None:
    whole = b"".join(parts)

    written = [packed(parts), packed([whole]), packed([whole[at : at + size] for at in range(0, len(whole), size)])]

    assert gzip.decompress(written[0]) == whole
    assert len(set(written)) == 1


def packed(parts: list[bytes]) -> bytes:
    target = io.BytesIO()
    with GzipWriter(target) as writer:
        for part in parts:
            writer.write(part)
    return target.getvalue()


def judged(plain: bytes) -> tuple[int, list[str]]:
    sink = ListSink()
    found = RawGate(contract()).check_shard("b", "0", [("a", landed_lines(io.BytesIO(gzip.compress(plain))))], sink)
    return found.accepted_count, [rejection.violations[0].message for rejection in sink.rejections]


def test_what_the_gate_makes_of_odd_line_ends() -> None:
    good_line = line(good()).rstrip()

    assert judged(good_line) == (1, [])
    assert judged(good_line + b"\r\n") == (1, [])
    assert judged(good_line + b"\n\r\n\n") == (1, ["line 2 is empty", "line 3 is empty"])
    assert judged(b"\xef\xbb\xbf" + good_line) == (0, ["line 1 starts with a byte order mark"])
    assert judged(b"") == (0, [])


def test_a_line_of_fifty_megabytes_is_told_and_the_next_is_judged() -> None:
    plain = b'{"_airbyte_data":"' + b"w" * 50_000_000 + b'"}\n' + line(good())

    accepted_count, (message,) = judged(plain)

    assert accepted_count == 1
    assert message == f"line 1 is {50_000_020} bytes long; Redshift loads at most {LINE_LIMIT_BYTES}"
