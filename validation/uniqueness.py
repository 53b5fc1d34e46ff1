"""Owns what is remembered to tell a repeated record from two records that claim one key.

There are two memories. KeyMemory holds all that it met, and so says what a batch read from its first line to its last
comes to: that is what repeats mean. ObjectMemory is bounded: it knows the repeats within one object that are equal byte
for byte and leaves all else, as digests, to whoever sees the whole batch (validation/digests.py). Taking the verdict
is validation/set_checks.py's job.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from enum import Enum
from struct import Struct
from typing import Any, Final, Protocol

import orjson
import xxhash

from validation.findings import KeySet

#: What tells a record from others: its key as text, None where it has none, and its values that must not repeat.
Identity = tuple[Any, ...]

MOST_KEYS_HELD: Final = 500_000  # about 130 bytes each
_DATA: Final = b'"_airbyte_data"'
_NOTHING: Final = bytes(16)


class Novelty(Enum):
    """What a record is to those that came before it."""

    FIRST = "first"  # as far as the memory goes
    REPEAT = "repeat"  # equal to an earlier record of its key, whatever the order of its fields
    CONFLICT = "conflict"  # its key was seen with other content


class Memory(Protocol):
    """Meets the records that may go on, those of one key in the order they lie."""

    def meet(self, identity: Identity, line: bytes, number: int, byte_offset: int) -> Novelty:
        """Remembers a record: its line, which is the object's number `number` and begins at `byte_offset`."""
        ...

    def take_repeated(self) -> Mapping[str, tuple[str, ...]]:
        """The values, by path, that were met again and must not be, since this was asked last."""
        ...


def identity(key: object, values: Iterable[object] = ()) -> Identity:
    """The identity of a record with this key, and with these values that must not repeat."""
    return (str(key) if type(key) is int else key if type(key) is str else None, *values)


def content_of(record: Mapping[str, Any]) -> bytes:
    """What is the same for equal records, whatever the order of their fields."""
    return hashlib.blake2b(orjson.dumps(record, option=orjson.OPT_SORT_KEYS), digest_size=16).digest()


def text_of(value: object) -> str | None:
    """A value that must not repeat, as text that is the same for equal values; None for what cannot be equal."""
    if type(value) is str:
        return value
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return str(int(value) if isinstance(value, bool) else value) if isinstance(value, str | int | float) else None


class KeyMemory:
    """Everything it met: about 200 bytes a record."""

    def __init__(self, unique_names: Sequence[str] = ()) -> None:
        self._first: dict[str, bytes] = {}
        self._others: dict[str, set[bytes]] = {}
        self._values: dict[str, set[tuple[bool, str]]] = {name: set() for name in unique_names}
        self._repeated: dict[str, KeySet] = {}

    def meet(self, identity: Identity, line: bytes, number: int, byte_offset: int) -> Novelty:
        """Remembers a record. How many are repeats and conflicts does not depend on the order they come in."""
        key, *values = identity
        novelty = Novelty.FIRST if key is None else self._meet_key(key, content_of(orjson.loads(line)["_airbyte_data"]))
        if novelty is Novelty.FIRST:
            self._meet_values(values)
        return novelty

    def _meet_key(self, key: str, content: bytes) -> Novelty:
        first = self._first.setdefault(key, content)
        if first is content:
            return Novelty.FIRST
        if first == content or content in self._others.get(key, ()):
            return Novelty.REPEAT
        self._others.setdefault(key, set()).add(content)
        return Novelty.CONFLICT

    def _meet_values(self, values: Sequence[object]) -> None:
        for (name, seen), value in zip(self._values.items(), values, strict=True):
            if (text := text_of(value)) is None:
                continue
            marked = isinstance(value, str), text
            if marked in seen:
                self._repeated.setdefault(name, KeySet()).add(text)
            seen.add(marked)

    def take_repeated(self) -> Mapping[str, tuple[str, ...]]:
        """The values, by path, that came again."""
        repeated = {name: values.first() for name, values in self._repeated.items()}
        self._repeated = {}
        return repeated


class Rows(Protocol):
    """Where digests go."""

    def write(self, row: bytes, /) -> object:
        """Takes one row."""
        ...


class ObjectMemory:
    """The digests of one object's records, of which it holds so many and hands all on as rows of fixed width.

    A row is as validation/digests.py reads it. It tells of repeats that are equal byte for byte to the first record of
    their key; what else shares a key is first here, and undecided.
    """

    def __init__(self, rows: Rows, unique_names: Sequence[str] = (), most_held: int = MOST_KEYS_HELD) -> None:
        self._rows = rows
        self._most_held = most_held
        self._first: dict[int, int] = {}
        self._values: dict[str, set[bytes]] = {name: set() for name in unique_names}
        self._pack = Struct("<16sQQQ").pack
        self.is_undecided = False  # whether the object alone may hold repeats that were not told

    def meet(self, identity: Identity, line: bytes, number: int, byte_offset: int) -> Novelty:
        """Remembers a record."""
        key = identity[0]
        content = xxhash.xxh3_64_intdigest(line[max(line.find(_DATA), 0) :])
        digest = _NOTHING
        if key is not None:
            short = xxhash.xxh3_128_intdigest(key.encode())
            held = self._first.get(short)
            if held is None:
                self._hold(short, content)
            elif held == content:
                return Novelty.REPEAT
            else:
                self.is_undecided = True
            digest = short.to_bytes(16, "little")
        values = map(self._value, self._values.values(), identity[1:])
        self._rows.write(b"".join((self._pack(digest, content, number, byte_offset), *values)))
        return Novelty.FIRST

    def _hold(self, digest: int, content: int) -> None:
        if len(self._first) < self._most_held:
            self._first[digest] = content
        else:
            self.is_undecided = True

    def _value(self, seen: set[bytes], value: object) -> bytes:
        if (text := text_of(value)) is None:
            return _NOTHING
        digest = xxhash.xxh3_128_digest((("s" if text is value else "n") + text).encode())
        if digest in seen or len(seen) >= self._most_held:
            self.is_undecided = True
        else:
            seen.add(digest)
        return digest

    def take_repeated(self) -> Mapping[str, tuple[str, ...]]:
        """None: whether a value repeats is decided over the whole batch."""
        return {}
