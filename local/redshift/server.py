"""Owns the listener: one client, one session, one connection to PostgreSQL; what ends one never ends another.

Who may come in is startup.py's business, the conversation session.py's, set-up and arguments __main__.py's.
"""

import asyncio
import contextlib
import logging
import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

from local.redshift import backend, startup
from local.redshift.backend import Backend, PostgresAddress, PostgresSaid, Unreachable
from local.redshift.copy.journal import Journal
from local.redshift.copy.load import CopyRunner
from local.redshift.copy.rules import CopyRules
from local.redshift.copy.s3 import S3Store
from local.redshift.copy.target import quoted
from local.redshift.history import History, SessionHistory
from local.redshift.messages import Problem
from local.redshift.session import Client, Session
from local.redshift.startup import CancelRequest, Door, Guest, Refusal
from local.redshift.statements import Translate
from local.redshift.stream import ClientGone, ConnectionLost, MessageStream
from local.redshift.unload.run import UnloadRunner

log = logging.getLogger(__name__)

_LOG_IN_S = 60
_READ_AHEAD = 1 << 18
_ENSURE_USER = """do $user$
begin
    create role {name} login;
exception when duplicate_object or unique_violation then
    null;
end
$user$"""
_COPY_TABLES = Path(__file__).with_name("copy_tables.sql")


@dataclass(frozen=True, slots=True)
class Server:
    """A Redshift cluster to its clients."""

    postgres: PostgresAddress
    door: Door
    translate: Translate
    store: S3Store
    copy_rules: CopyRules
    _histories: dict[str, History] = field(default_factory=dict)

    async def close(self) -> None:
        """Write down what is still to be written."""
        for history in self._histories.values():
            await history.flush()

    async def install(self, database: str) -> None:
        """Make the tables that records of loads and queries go to. Doing it twice is harmless."""
        connection = await Backend.open(self.postgres, self.postgres.log_in(database))
        try:
            await connection.script(_COPY_TABLES.read_text(encoding="utf-8"))
        finally:
            await connection.close()

    async def listen(self, host: str, port: int) -> asyncio.Server:
        """Take clients from now on; port 0 picks a free one."""
        return await asyncio.start_server(self._serve, host, port, limit=_READ_AHEAD)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        stream = MessageStream(reader)
        try:
            await self._converse(Client(stream, writer))
        except Refusal as exc:
            await _say(writer, exc.problem)
        except PostgresSaid as exc:
            await _say(writer, Problem(exc.fields.get("C", "XX000"), str(exc), severity="FATAL"))
        except Unreachable as exc:
            await _say(
                writer, Problem("57P03", "the database system is not accepting connections", str(exc), severity="FATAL")
            )
        except (ClientGone, ConnectionLost, TimeoutError) as exc:
            log.debug("a client left: %s", exc)
            writer.transport.abort()
        except asyncio.CancelledError:  # the server stops; asyncio's streams complain of a task that ends so
            writer.transport.abort()
        except Exception:
            log.exception("a conversation broke off")
            await _say(writer, Problem("XX000", "the Redshift stand-in failed; its log says why", severity="FATAL"))
        finally:
            writer.close()  # what is still to be sent is sent in the background

    async def _converse(self, client: Client) -> None:
        async with asyncio.timeout(_LOG_IN_S):
            guest = await self.door.admit(client.stream, client.writer)
            if isinstance(guest, CancelRequest):
                return await backend.cancel(self.postgres, guest.key)
        if guest.creates_user:
            await self._ensure_user(guest)
        session_key = secrets.token_hex(16)
        async with self._backend(guest, session_key) as connection:
            client.send(startup.greeting(connection.settings, connection.key))
            copy = CopyRunner(self.store, Journal(self.postgres, guest.database), self.copy_rules)
            history = self._histories.setdefault(guest.database, History(self.postgres, guest.database))
            told = SessionHistory(history, guest.user, connection.pid, guest.database)
            unload = UnloadRunner(self.store, self.copy_rules, self.translate)
            session = Session(client, connection, self.translate, copy, unload, session_key, told)
            try:
                await session.run()
            except ConnectionLost:
                ended = "terminating connection: the database behind it went away. What was not committed is undone."
                await _say(client.writer, Problem("57P01", ended, severity="FATAL"))

    async def _ensure_user(self, guest: Guest) -> None:
        """Make the user at its first log-in, without rights, as Redshift does for an IAM identity."""
        connection = await Backend.open(self.postgres, self.postgres.log_in(guest.database))
        try:
            await connection.script(_ENSURE_USER.format(name=quoted(guest.user)))
        finally:
            await connection.close()

    @contextlib.asynccontextmanager
    async def _backend(self, guest: Guest, session_key: str) -> AsyncIterator[Backend]:
        connection = await Backend.open(
            self.postgres,
            {
                "TimeZone": "UTC",
                **guest.settings,
                "client_encoding": "UTF8",
                "user": guest.user,
                "database": guest.database,
                "options": f"-c stand_in.session_key={session_key}",
            },
        )
        try:
            yield connection
        except BaseException:
            # Nobody waits for the answer any more: PostgreSQL shall stop working on it and roll back.
            await backend.cancel(self.postgres, connection.key)
            connection.abort()
            raise
        else:
            await connection.close()


async def _say(writer: asyncio.StreamWriter, problem: Problem) -> None:
    with contextlib.suppress(ConnectionError, OSError):
        writer.write(problem.encode())
        await writer.drain()
