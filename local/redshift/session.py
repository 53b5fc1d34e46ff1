"""Owns one client's conversation after log-in: each statement translated, run by PostgreSQL or COPY, and answered.

Log-in is the server's job (server.py); what a statement becomes is sql/'s, how COPY loads is copy/'s.
"""

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

from local.redshift import messages
from local.redshift.backend import Backend, PostgresSaid
from local.redshift.copy.failure import CopyFailed
from local.redshift.copy.load import CopyRunner
from local.redshift.history import SessionHistory
from local.redshift.messages import Problem
from local.redshift.sql import Refused
from local.redshift.statements import Statement, Translate
from local.redshift.stream import ClientGone, ConnectionLost, MessageStream
from local.redshift.unload.grammar import is_unload
from local.redshift.unload.run import UnloadRunner

# Stands in for a statement that PostgreSQL need not run: it answers as a statement without rows does, takes part in
# the transaction, and fails when the transaction has failed.
_NOTHING = "set session stand_in.nothing = ''"
_LOOK_AFTER_CLIENT_S = 1.0
_SENT_AT_ONCE = 1 << 16
_IN_TRANSACTION = Problem("25001", "ALTER TABLE ALTER COLUMN TYPE cannot run inside a transaction block")


@dataclass(frozen=True, slots=True)
class Prepared:
    """What must be remembered of a statement that PostgreSQL has prepared."""

    tag: str | None = None
    copy: str | None = None
    text: str = ""
    commits: bool = False


@dataclass(frozen=True, slots=True)
class Client:
    """The client's side of the conversation."""

    stream: MessageStream
    writer: asyncio.StreamWriter
    _waiting: bytearray = field(default_factory=bytearray)

    def send(self, raw: bytes) -> None:
        """Queue a message. Several go out together: each time costs a round of encryption and a system call."""
        self._waiting.extend(raw)

    @property
    def has_much_to_send(self) -> bool:
        """Whether it is worth a flush by itself."""
        return len(self._waiting) >= _SENT_AT_ONCE

    async def flush(self) -> None:
        """Send what is queued, and wait until the client has taken most of it. Raises ClientGone."""
        if not self._waiting:
            return
        self.writer.write(bytes(self._waiting))
        self._waiting.clear()
        try:
            await self.writer.drain()
        except (ConnectionError, OSError) as exc:
            raise ClientGone from exc

    async def next(self) -> bytes:
        """The client's next message. Raises ClientGone."""
        try:
            return await self.stream.next()
        except ConnectionLost as exc:
            raise ClientGone from exc


class Session:
    """One client and its own connection to PostgreSQL. `run` returns when the client says goodbye."""

    def __init__(
        self,
        client: Client,
        backend: Backend,
        translate: Translate,
        copy: CopyRunner,
        unload: UnloadRunner,
        session_key: str,
        history: SessionHistory,
    ) -> None:
        self._client = client
        self._backend = backend
        self._translate = translate
        self._copy = copy
        self._unload = unload
        self._session_key = session_key
        self._history = history
        self._status = b"I"
        self._is_skipping = False  # after an error, until Sync
        self._prepared: dict[str, Prepared] = {}
        self._portals: dict[str, Prepared] = {}
        self._queued = bytearray()
        self._awaited: deque[Prepared | None] = deque()  # one per answer due; a statement where it is executed

    async def run(self) -> None:
        """Converse. Raises ClientGone, or ConnectionLost when PostgreSQL went away."""
        while True:
            await self._client.flush()
            raw = await self._client.next()
            kind, body = raw[:1], raw[5:]
            if kind == b"X":
                return
            if kind == b"Q":
                await self._simple(messages.read_text(body)[0])
            elif kind == b"S":
                await self._sync()
            elif not self._is_skipping:
                await self._extended(kind, body, raw)

    # --- simple queries

    async def _simple(self, sql: str) -> None:
        self._is_skipping = False
        await self._history.prepare_for(sql)
        try:
            statements = self._translate(sql)
        except Refused as exc:
            await self._backend_fails_too()
            self._client.send(_problem(exc).encode())
            return await self._finish_simple()
        if any(one.stands_alone for one in statements) and (len(statements) > 1 or self._status != b"I"):
            await self._backend_fails_too()
            self._client.send(_IN_TRANSACTION.encode())
            return await self._finish_simple()
        if all(one.copy is None and one.sql and one.tag is None and not one.commits for one in statements):
            for statement in statements:
                self._history.began(statement.original)
            self._backend.write(messages.query("\n;\n".join(statement.sql for statement in statements)))
            return await self._relay_until_ready()
        await self._one_by_one(statements)
        await self._finish_simple()

    async def _one_by_one(self, statements: Sequence[Statement]) -> None:
        """Run statements without a Sync in between, which keeps them one transaction as in a simple query."""
        for statement in statements:
            self._queue_parse("", statement, [])
            self._queue(messages.bind("", "") + messages.describe_portal("") + messages.execute(""), 3)
            prepared = Prepared(statement.tag, statement.copy, statement.original, statement.commits)
            self._awaited[-1] = prepared
            self._history.began(statement.original)
            if prepared.copy is None:
                await self._relay_queued(shows_steps=False)
                await self._commit_after(prepared)
            else:
                self._queued.clear()
                self._awaited.clear()
                await self._run_copy(prepared.copy)
            if self._is_skipping:
                return

    async def _finish_simple(self) -> None:
        self._is_skipping = False
        self._backend.write_sync()
        await self._relay_until_ready()

    # --- extended queries

    async def _extended(self, kind: bytes, body: bytes, raw: bytes) -> None:
        if kind == b"P":
            await self._parse(*messages.read_parse(body))
        elif kind == b"B":
            portal, start = messages.read_text(body)
            self._portals[portal] = self._prepared.get(messages.read_text(body, start)[0], Prepared())
            self._queue(raw, 1)
        elif kind == b"E":
            await self._execute(self._portals.get(messages.read_text(body)[0], Prepared()), raw)
        elif kind == b"C":
            closed = self._prepared if body[:1] == b"S" else self._portals
            closed.pop(messages.read_text(body, 1)[0], None)
            self._queue(raw, 1)
        elif kind == b"D":
            self._queue(raw, 1)
        elif kind == b"H":
            if not self._client.stream.has_message:  # else the answers go out with those of what is here already
                await self._relay_queued()
        elif kind not in (b"d", b"c", b"f"):  # what is left of a client's own COPY is to be ignored
            await self._refuse(Problem("08P01", f"the message of type {kind!r} is not supported"))

    async def _parse(self, name: str, sql: str, types: list[int]) -> None:
        await self._history.prepare_for(sql)
        try:
            statements = self._translate(sql)
        except Refused as exc:
            return await self._refuse(_problem(exc))
        if len(statements) > 1:
            return await self._refuse(Problem("42601", "cannot insert multiple commands into a prepared statement"))
        if statements and statements[0].stands_alone and self._status != b"I":
            return await self._refuse(_IN_TRANSACTION)
        if statements:
            self._queue_parse(name, statements[0], types)
            first = statements[0]
            self._prepared[name] = Prepared(first.tag, first.copy, first.original, first.commits)
        else:
            self._queue(messages.parse(name, "", types), 1)
            self._prepared[name] = Prepared()

    async def _execute(self, prepared: Prepared, raw: bytes) -> None:
        if prepared.copy is None:
            self._history.began(prepared.text)
            self._queued += raw
            self._awaited.append(prepared)
            if prepared.commits:
                await self._relay_queued()
                await self._commit_after(prepared)
            return
        await self._relay_queued()
        if not self._is_skipping:
            self._history.began(prepared.text)
            await self._run_copy(prepared.copy)

    async def _sync(self) -> None:
        self._is_skipping = False
        queued = bytes(self._queued)
        self._queued.clear()
        self._backend.write_sync(queued)
        await self._relay_until_ready()

    async def _refuse(self, problem: Problem) -> None:
        await self._relay_queued()
        if not self._is_skipping:
            await self._backend_fails_too()
            self._client.send(problem.encode())
            self._is_skipping = True

    def _queue_parse(self, name: str, statement: Statement, types: list[int]) -> None:
        sql = _NOTHING if statement.copy is not None or not statement.sql else statement.sql
        self._queue(messages.parse(name, sql, types), 1)

    def _queue(self, raw: bytes, answers: int) -> None:
        self._queued += raw
        self._awaited.extend([None] * answers)

    async def _commit_after(self, prepared: Prepared) -> None:
        """End the transaction after a TRUNCATE, as Redshift does."""
        if not prepared.commits or self._is_skipping:
            return
        self._send_notices()
        try:
            await self._backend.fetch("commit")
        except PostgresSaid as exc:
            self._client.send(exc.raw)
            self._is_skipping = True
        self._backend.take_notices()  # that there was no transaction, where the statement stood alone

    # --- COPY and UNLOAD

    async def _run_copy(self, statement: str) -> None:
        tag = "UNLOAD" if is_unload(statement) else "COPY"
        self._copy.query_id = None
        try:
            if tag == "UNLOAD":
                notices = await self._unload.run(statement, self._backend, self._client.stream)
            else:
                notices = await self._copy.run(statement, self._backend, self._client.stream, self._session_key)
        except CopyFailed as exc:
            await self._backend_fails_too()
            self._history.failed(exc.problem.sqlstate, str(exc), self._copy.query_id)
            self._client.send(exc.problem.encode())
            self._is_skipping = True
        except PostgresSaid as exc:
            self._history.failed(exc.fields.get("C", ""), str(exc), self._copy.query_id)
            self._client.send(exc.raw)
            self._is_skipping = True
        else:
            for notice in notices:
                self._client.send(notice.encode())
            self._history.succeeded(tag, self._copy.query_id)
            self._client.send(messages.command_complete(tag))
        self._send_notices()

    # --- answers

    async def _relay_queued(self, *, shows_steps: bool = True) -> None:
        """Send what is queued, and pass on every answer due for it."""
        if not self._queued:
            return
        self._backend.write(bytes(self._queued) + messages.FLUSH)
        self._queued.clear()
        while self._awaited and not self._is_skipping:
            await self._relay_one(shows_steps=shows_steps)

    async def _relay_until_ready(self) -> None:
        while not await self._relay_one(shows_steps=True):
            pass
        self._awaited.clear()
        self._is_skipping = False

    async def _relay_one(self, *, shows_steps: bool) -> bool:
        """Pass on one message or several rows; True when PostgreSQL is ready for the next statement."""
        raw = await self._answer()
        kind = raw[:1]
        if kind == b"D":
            self._client.send(raw)
            if self._client.has_much_to_send:
                await self._client.flush()
            return False
        if kind in (b"1", b"2", b"3", b"n", b"T", b"C", b"I", b"s") and self._awaited:
            executed = self._awaited.popleft()
            if kind in (b"C", b"I") and executed is not None and executed.tag is not None:
                raw = messages.command_complete(executed.tag)
        if kind in (b"C", b"I"):
            self._history.succeeded(messages.read_text(raw, 5)[0] if kind == b"C" else "")
        if kind == b"T":
            raw = messages.describe_as_redshift(raw)
        elif kind == b"t":
            raw = messages.parameters_as_redshift(raw)
        elif kind == b"E":
            raw = messages.error_as_redshift(raw)
            said = messages.read_problem(raw[5:])
            self._history.failed(said.get("C", ""), said.get("M", ""))
            self._awaited.clear()
            self._is_skipping = True
        elif kind == b"Z":
            self._status = raw[5:]
        if shows_steps or kind not in (b"1", b"2", b"n"):
            self._client.send(raw)
        return kind == b"Z"

    async def _answer(self) -> bytes:
        """PostgreSQL's next message. Raises ClientGone when nobody is left to hear it."""
        while True:
            if (raw := self._backend.stream.take_block()) is not None:
                return raw
            try:
                async with asyncio.timeout(_LOOK_AFTER_CLIENT_S):
                    await self._backend.stream.more()
            except TimeoutError:
                if self._client.stream.is_at_end:
                    raise ClientGone from None

    async def _backend_fails_too(self) -> None:
        await self._backend.fail()
        self._send_notices()

    def _send_notices(self) -> None:
        for raw in self._backend.take_notices():
            self._client.send(raw)


def _problem(refused: Refused) -> Problem:
    return Problem(refused.sqlstate, refused.message, hint=refused.hint)
