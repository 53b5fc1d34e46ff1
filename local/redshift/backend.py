"""Owns a connection to PostgreSQL: opening it, asking it something of our own, feeding it rows, cancelling, closing.

What clients say to it passes through the session (session.py).
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass

from local.redshift import messages
from local.redshift.messages import Problem
from local.redshift.stream import ConnectionLost, MessageStream

_OURS = "redshift_stand_in"  # name of statements and portals of our own, so that a client's stay as they are
_WRITE_AHEAD = 1 << 20
_ROWS_AT_ONCE = 1 << 19  # bytes


@dataclass(frozen=True, slots=True)
class PostgresAddress:
    """Where PostgreSQL listens: a socket in a private directory, so that nobody else can log in."""

    socket_path: str
    superuser: str

    def log_in(self, database: str) -> dict[str, str]:
        """What the superuser says to log in."""
        return {
            "user": self.superuser,
            "database": database,
            "TimeZone": "UTC",
            "application_name": "redshift stand-in",
        }


class Unreachable(Exception):
    """PostgreSQL does not accept connections."""


class PostgresSaid(Exception):
    """PostgreSQL answered with an error; `raw` is its whole message."""

    def __init__(self, raw: bytes) -> None:
        self.raw = raw
        self.fields = messages.read_problem(raw[5:])
        super().__init__(self.fields.get("M", "PostgreSQL refused without a word"))


class Backend:
    """One connection to PostgreSQL. `open` makes one that is ready for a first statement."""

    def __init__(self, stream: MessageStream, writer: asyncio.StreamWriter) -> None:
        self.stream = stream
        self.key = b""
        self.settings: dict[str, str] = {}
        self.notices: list[bytes] = []
        self._writer = writer
        self._has_failed = False  # and ignores everything until Sync

    @classmethod
    async def open(cls, address: PostgresAddress, parameters: Mapping[str, str]) -> "Backend":
        """Log in. Raises Unreachable, or PostgresSaid when PostgreSQL turns the user or database down."""
        try:
            reader, writer = await asyncio.open_unix_connection(address.socket_path, limit=1 << 18)
        except OSError as exc:
            raise Unreachable(f"PostgreSQL does not answer at {address.socket_path}: {exc}") from exc
        writer.transport.set_write_buffer_limits(high=_WRITE_AHEAD)
        backend = cls(MessageStream(reader), writer)
        try:
            backend.write(messages.startup(parameters))
            await backend._log_in()
        except ConnectionLost as exc:
            backend.abort()
            raise Unreachable(f"PostgreSQL at {address.socket_path} hung up during log-in: {exc}") from exc
        except BaseException:
            backend.abort()
            raise
        return backend

    @property
    def pid(self) -> int:
        """PostgreSQL's process for this connection."""
        return int.from_bytes(self.key[:4], "big")

    def write(self, raw: bytes) -> None:
        """Queue bytes for PostgreSQL. Never waits: a reader that waited here could wait for itself."""
        self._writer.write(raw)

    async def fetch(self, sql: str, values: Sequence[str | None] = ()) -> list[list[str | None]]:
        """Ask in the current transaction, without ending it. Raises PostgresSaid, after which a Sync is due."""
        self.write(
            messages.close(b"S", _OURS)
            + messages.parse(_OURS, sql)
            + messages.bind(_OURS, _OURS, values)
            + messages.execute(_OURS)
            + messages.close(b"S", _OURS)
            + messages.close(b"P", _OURS)
            + messages.FLUSH
        )
        rows: list[list[str | None]] = []
        closed = 0
        while closed < 3:
            raw = await self._next()
            if raw[:1] == b"D":
                rows.append(messages.read_row(raw[5:]))
            closed += raw[:1] == b"3"
        return rows

    async def run(self, sql: str, values: Sequence[str | None] = ()) -> list[list[str | None]]:
        """Ask in a transaction of its own."""
        rows = await self.fetch(sql, values)
        await self.sync()
        return rows

    async def script(self, sql: str) -> None:
        """Run several statements as one transaction. Raises PostgresSaid."""
        self.write(messages.query(sql))
        problem = None
        while (raw := await self.stream.next())[:1] != b"Z":
            self._keep(raw)
            problem = raw if raw[:1] == b"E" else problem
        if problem:
            raise PostgresSaid(problem)

    async def sync(self) -> bytes:
        """End the series of messages; the transaction's state afterwards."""
        self.write_sync()
        while (raw := await self.stream.next())[:1] != b"Z":
            self._keep(raw)
        return raw[5:]

    def write_sync(self, before: bytes = b"") -> None:
        """Queue the end of the series of messages, after the last of them."""
        self._has_failed = False
        self.write(before + messages.SYNC)

    async def fail(self) -> None:
        """Make PostgreSQL see an error, so that its transaction fails as the client's statement did. A Sync is due."""
        if self._has_failed:
            return
        with contextlib.suppress(PostgresSaid):
            await self.fetch("statement failed in front of the database")

    async def copy_in(self, sql: str, chunks: AsyncIterator[bytes]) -> None:
        """Feed a `copy … from stdin` in the current transaction.

        Raises PostgresSaid, after which a Sync is due. When `chunks` raises, PostgreSQL is told to forget the rows.
        """
        opening = messages.parse(_OURS, sql) + messages.bind(_OURS, _OURS) + messages.execute(_OURS)
        self.write(messages.close(b"S", _OURS) + opening + messages.FLUSH)
        while (await self._next())[:1] != b"G":
            pass
        try:
            async for chunk in chunks:
                self.write(messages.message(b"d", chunk))
                await self.drain()
                while (raw := await self.stream.poll()) is not None:
                    self._keep(raw)
                    self._raise_error(raw)
        except PostgresSaid:
            raise
        except BaseException:
            self.write(messages.copy_fail("the rows could not be read") + messages.FLUSH)
            raise
        closing = messages.close(b"S", _OURS) + messages.close(b"P", _OURS)
        self.write(messages.COPY_DONE + closing + messages.FLUSH)
        closed = 0
        while closed < 2:
            closed += (await self._next())[:1] == b"3"

    async def describe(self, sql: str) -> list[tuple[str, int, int]]:
        """Name, type and type's modifier of each column a query has. Raises PostgresSaid, after which a Sync is due."""
        asked = messages.parse(_OURS, sql) + messages.describe_statement(_OURS) + messages.close(b"S", _OURS)
        self.write(messages.close(b"S", _OURS) + asked + messages.FLUSH)
        columns: list[tuple[str, int, int]] = []
        closed = 0
        while closed < 2:
            raw = await self._next()
            if raw[:1] == b"T":
                columns = messages.read_description(raw)
            closed += raw[:1] == b"3"
        return columns

    async def copy_out(self, sql: str) -> AsyncIterator[list[bytes]]:
        """The rows of a `copy … to stdout` in the current transaction, many at a time.

        Raises PostgresSaid, after which a Sync is due.
        """
        opening = messages.parse(_OURS, sql) + messages.bind(_OURS, _OURS) + messages.execute(_OURS)
        closing = messages.close(b"S", _OURS) + messages.close(b"P", _OURS)
        self.write(messages.close(b"S", _OURS) + opening + closing + messages.FLUSH)
        rows: list[bytes] = []
        size = 0
        closed = 0
        while closed < 3:
            raw = await self._next()
            closed += raw[:1] == b"3"
            if raw[:1] == b"d":
                rows.append(raw[5:])
                size += len(raw)
                if size >= _ROWS_AT_ONCE:
                    yield rows
                    rows, size = [], 0
        if rows:
            yield rows

    async def skip_error(self) -> None:
        """Read on to the error that a broken-off `copy_in` leaves."""
        with contextlib.suppress(PostgresSaid):
            while True:
                await self._next()

    async def drain(self) -> None:
        """Wait until PostgreSQL has taken most of what was written. Raises ConnectionLost."""
        try:
            await self._writer.drain()
        except (ConnectionError, OSError) as exc:
            raise ConnectionLost(str(exc)) from exc

    def abort(self) -> None:
        """Hang up; PostgreSQL rolls back what is open."""
        self._writer.transport.abort()

    async def close(self) -> None:
        """Say goodbye and hang up."""
        with contextlib.suppress(ConnectionError, OSError):
            self._writer.write(messages.message(b"X"))
            self._writer.close()
            await self._writer.wait_closed()

    def take_notices(self) -> list[bytes]:
        """What PostgreSQL said besides its answers since the last time."""
        taken, self.notices = self.notices, []
        return taken

    async def _log_in(self) -> None:
        while (raw := await self._next())[:1] != b"Z":
            if raw[:1] == b"K":
                self.key = raw[5:]
            elif raw[:1] == b"R" and raw[5:9] != b"\0\0\0\0":
                asked = Problem("28000", "PostgreSQL asks the stand-in for a password; its socket must trust it")
                raise PostgresSaid(asked.encode())

    async def _next(self) -> bytes:
        raw = await self.stream.next()
        self._keep(raw)
        self._raise_error(raw)
        return raw

    def _keep(self, raw: bytes) -> None:
        if raw[:1] == b"S":
            name, start = messages.read_text(raw, 5)
            self.settings[name] = messages.read_text(raw, start)[0]
        elif raw[:1] == b"N":
            self.notices.append(raw)

    def _raise_error(self, raw: bytes) -> None:
        if raw[:1] == b"E":
            self._has_failed = True
            raise PostgresSaid(raw)


async def cancel(address: PostgresAddress, key: bytes) -> None:
    """Ask PostgreSQL to stop what the connection with this key is doing. Silent, as the protocol wants it."""
    with contextlib.suppress(OSError):
        _, writer = await asyncio.open_unix_connection(address.socket_path)
        writer.write(messages.cancel_request(key))
        writer.close()
        await writer.wait_closed()
