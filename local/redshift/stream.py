"""Owns reading messages off a connection without copying rows one by one. What they mean is messages.py's."""

import asyncio
import contextlib
import struct

_CHUNK = 1 << 16
_LENGTH = struct.Struct("!I")
_LONGEST = 1 << 30
_DATA_ROW = ord("D")


class ConnectionLost(Exception):
    """The other side went away."""


class ClientGone(Exception):
    """The client went away, so nobody waits for an answer."""


class MessageStream:
    """Messages from one side of a connection, in order."""

    def __init__(self, reader: asyncio.StreamReader) -> None:
        self._reader = reader
        self._buffer = bytearray()
        self._start = 0

    @property
    def is_at_end(self) -> bool:
        """Whether the other side is known to have gone away."""
        return self._reader.at_eof() or self._reader.exception() is not None

    @property
    def has_message(self) -> bool:
        """Whether a whole message is here already."""
        return self._end() is not None

    async def next(self) -> bytes:
        """The next whole message with its type and length. Raises ConnectionLost."""
        while (raw := self._take()) is None:
            await self._fill()
        return raw

    def take_block(self) -> bytes | None:
        """The next whole message, or as many DataRow messages in a row as are here already; None: wait for more."""
        raw = self._take()
        if raw is None or raw[0] != _DATA_ROW:
            return raw
        first = self._start
        while (end := self._end()) is not None and self._buffer[self._start] == _DATA_ROW:
            self._start = end
        return raw + bytes(self._buffer[first : self._start])

    async def more(self) -> None:
        """Wait until the other side has said more. Raises ConnectionLost."""
        await self._fill()

    async def poll(self) -> bytes | None:
        """The next whole message if it is here already. Does not wait for more."""
        if (raw := self._take()) is None:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(0):
                    await self._fill()
            raw = self._take()
        return raw

    async def exactly(self, count: int) -> bytes:
        """This many bytes, outside the messages' framing."""
        while len(self._buffer) - self._start < count:
            await self._fill()
        taken = bytes(self._buffer[self._start : self._start + count])
        self._start += count
        return taken

    @property
    def is_empty(self) -> bool:
        """Whether nothing is left over of what was read."""
        return len(self._buffer) == self._start

    def _take(self) -> bytes | None:
        end = self._end()
        if end is None:
            return None
        raw = bytes(self._buffer[self._start : end])
        self._start = end
        return raw

    def _end(self) -> int | None:
        if len(self._buffer) - self._start < 5:
            return None
        length = int(_LENGTH.unpack_from(self._buffer, self._start + 1)[0])
        if not 4 <= length <= _LONGEST:
            raise ConnectionLost(f"a message says it is {length} bytes long: this is not the protocol")
        end = self._start + 1 + length
        return end if end <= len(self._buffer) else None

    async def _fill(self) -> None:
        try:
            chunk = await self._reader.read(_CHUNK)
        except (ConnectionError, OSError) as exc:
            raise ConnectionLost(str(exc)) from exc
        if not chunk:
            raise ConnectionLost("the other side closed the connection")
        if self._start:
            del self._buffer[: self._start]
            self._start = 0
        self._buffer += chunk
