"""Owns what sys_query_history tells of finished statements. It is written in bunches, and before anybody reads it.

What each statement was and how it ended is the session's to say (session.py), the view copy_tables.sql's.
"""

import asyncio
import logging
import re
from dataclasses import dataclass
from datetime import UTC, datetime

import orjson

from local.redshift.backend import Backend, PostgresAddress, PostgresSaid, Unreachable
from local.redshift.stream import ConnectionLost

log = logging.getLogger(__name__)

_AT_ONCE = 500
_MOST_KEPT = 20_000  # while PostgreSQL is away
_LONGEST_TEXT = 4000
_INSERT = """
insert into stand_in.queries (
    query_id, user_name, session_id, database_name, query_label, query_type, status, start_time, end_time,
    returned_rows, error_message, query_text
)
select
    coalesce(query_id, nextval('stand_in.query_id')), user_name, session_id, database_name, query_label, query_type,
    status, start_time, end_time, returned_rows, error_message, query_text
from json_populate_recordset(null::stand_in.queries, $1::json)
on conflict do nothing
"""
_WORDS = re.compile(r"\s*(?:--[^\n]*\n\s*|/\*.*?\*/\s*)*\(*\s*(\w+)(?:\s+(\w+))?", re.DOTALL)
_QUERY_GROUP = re.compile(
    r"\s*(?:set\s+(?:session\s+)?query_group\s*(?:=|\bto\b)\s*(?P<value>'[^']*'|\w+)|reset\s+query_group)\s*;?\s*",
    re.IGNORECASE,
)
_TYPES = {
    "select": "SELECT", "with": "SELECT", "insert": "INSERT", "update": "UPDATE", "delete": "DELETE",
    "merge": "MERGE", "copy": "COPY", "unload": "UNLOAD", "create": "DDL", "alter": "DDL", "drop": "DDL",
    "truncate": "DDL", "grant": "DDL", "revoke": "DDL", "comment": "DDL",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Finished:
    """A statement that has ended."""

    query_id: int | None  # None where the statement was given none on its way
    user_name: str
    session_id: int
    database_name: str
    query_label: str
    query_type: str
    status: str
    start_time: datetime
    end_time: datetime
    returned_rows: int
    error_message: str
    query_text: str


class History:
    """The history of one database."""

    def __init__(self, address: PostgresAddress, database: str) -> None:
        self._address = address
        self._database = database
        self._pending: list[Finished] = []
        self._writing = asyncio.Lock()
        self._task: asyncio.Task[None] | None = None

    def add(self, finished: Finished) -> None:
        """Remember a statement. It is written down at some time."""
        self._pending.append(finished)
        if len(self._pending) >= _AT_ONCE and (self._task is None or self._task.done()):
            self._task = asyncio.create_task(self.flush())

    async def flush(self) -> None:
        """Write down everything added before. What cannot be written now stays for the next time."""
        async with self._writing:
            taken, self._pending = self._pending, []
            if not taken:
                return
            try:
                backend = await Backend.open(self._address, self._address.log_in(self._database))
                try:
                    await backend.run(_INSERT, [orjson.dumps(taken).decode()])
                finally:
                    await backend.close()
            except (PostgresSaid, Unreachable, ConnectionLost) as exc:
                log.warning("the history of queries is not written: %s", exc)
                self._pending = [*taken, *self._pending][-_MOST_KEPT:]


class SessionHistory:
    """One session's part of it: what is running, and the query group it is in."""

    def __init__(self, history: History, user: str, session_id: int, database: str) -> None:
        self._history = history
        self._user = user
        self._session_id = session_id
        self._database = database
        self._label = "default"
        self._running: list[tuple[str, datetime]] = []

    def began(self, text: str) -> None:
        """A statement is about to run, after those that have begun before."""
        self._running.append((text, datetime.now(UTC)))

    def succeeded(self, tag: str, query_id: int | None = None) -> None:
        """The first of what is running is done, with this command tag."""
        if not self._running:
            return
        text, _ = self._running[0]
        word, _, count = tag.rpartition(" ")
        self._end("success", int(count) if word == "SELECT" and _type_of(text) == "SELECT" else 0, "", query_id)
        if found := _QUERY_GROUP.fullmatch(text):
            value = (found["value"] or "default").strip("'")
            self._label = value if value else "default"

    def failed(self, sqlstate: str, message: str, query_id: int | None = None) -> None:
        """The first of what is running ended with an error, and what was to follow it does not run."""
        if self._running:
            self._end("canceled" if sqlstate == "57014" else "failed", 0, message, query_id)
        self._running.clear()

    async def prepare_for(self, text: str) -> None:
        """Make what has been run readable, if the text may read it."""
        if "sys_query" in text.lower():
            await self._history.flush()

    def _end(self, status: str, returned_rows: int, error: str, query_id: int | None) -> None:
        text, began_at = self._running.pop(0)
        self._history.add(
            Finished(
                query_id=query_id,
                user_name=self._user,
                session_id=self._session_id,
                database_name=self._database,
                query_label=self._label,
                query_type=_type_of(text),
                status=status,
                start_time=began_at.replace(tzinfo=None),
                end_time=datetime.now(UTC).replace(tzinfo=None),
                returned_rows=returned_rows,
                error_message=error[:512],
                query_text=text.replace("\0", "")[:_LONGEST_TEXT],
            )
        )


def _type_of(text: str) -> str:
    found = _WORDS.match(text)
    if found is None:
        return "OTHER"
    first = found[1].lower()
    if first == "create" and re.search(r"\btable\b[^;(]*\bas\b", text, re.IGNORECASE):
        return "CTAS"
    return _TYPES.get(first, "UTILITY")
