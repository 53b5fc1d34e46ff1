"""Owns running an UNLOAD: the rows of a query, read in the client's own transaction, become objects on S3.

Its statement is read by grammar.py, its files are made by files.py.
"""

import asyncio
import io
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import IO

import orjson
from polars.exceptions import PolarsError

from local.redshift.backend import Backend
from local.redshift.copy.failure import CopyFailed, load_error, syntax_error
from local.redshift.copy.grammar import Location
from local.redshift.copy.rules import CopyRules
from local.redshift.copy.store import ObjectMissing, StoreFailed, WritableStore
from local.redshift.messages import Problem
from local.redshift.sql import Refused
from local.redshift.statements import Translate
from local.redshift.stream import ClientGone, MessageStream
from local.redshift.unload.files import Column, Part, copy_sql, part
from local.redshift.unload.grammar import Format, UnloadCommand, not_supported, parse_unload

_SLICES = 2


@dataclass(frozen=True, slots=True)
class UnloadRunner:
    """Runs UNLOAD statements."""

    store: WritableStore
    rules: CopyRules
    translate: Translate

    async def run(self, statement: str, backend: Backend, client: MessageStream) -> list[Problem]:
        """Unload, in the transaction that is open on `backend`; what to tell the client besides that it is done.

        Raises CopyFailed (the transaction is then still to be failed) or PostgresSaid (a Sync is due either way).
        Raises ClientGone when the client is seen to have gone.
        """
        command = parse_unload(statement)
        self.rules.check(command.options.role_arn, command.options.region)
        query = self._query(command)
        columns = [Column(*told) for told in await backend.describe(query)]
        if not columns:
            raise syntax_error("UNLOAD takes a query that gives rows")
        with ExitStack() as open_parts:
            parts = [part(columns, command.options) for _ in range(_SLICES if command.options.is_parallel else 1)]
            for one in parts:
                open_parts.callback(one.close)
            await asyncio.to_thread(self._make_room, command)
            row_count = await _fill(parts, backend.copy_out(copy_sql(query, command.options)), client)
            await asyncio.to_thread(self._put, command, parts)
        return [Problem("00000", f"UNLOAD completed, {row_count} record(s) unloaded successfully.", severity="INFO")]

    def _query(self, command: UnloadCommand) -> str:
        try:
            statements = self.translate(command.query)
        except Refused as exc:
            raise CopyFailed(exc.sqlstate, exc.message, hint=exc.hint) from exc
        is_query = command.query.lstrip("( \t\r\n").lower().startswith(("select", "with"))
        if len(statements) != 1 or not statements[0].sql or not is_query:
            raise syntax_error("UNLOAD takes one SELECT")
        return statements[0].sql

    def _make_room(self, command: UnloadCommand) -> None:
        with _told():
            found = self.store.find(command.destination)
            if command.options.cleans:
                self.store.delete(found)
        if command.options.cleans:
            return
        if found and not command.options.overwrites:
            raise load_error(
                "Specified unload destination on S3 is not empty. Consider using a different bucket / prefix, manually "
                "removing the target files in S3, or using the ALLOWOVERWRITE option.",
                f"first object: {found[0].location}",
            )

    def _put(self, command: UnloadCommand, parts: Sequence[Part]) -> None:
        destination = command.destination
        entries = []
        with _told():
            for name, file in _named(command, parts):
                location = Location(destination.bucket, destination.key + name)
                self.store.write(location, file)
                entries.append({"url": str(location)})
            if command.options.writes_manifest:
                content = orjson.dumps({"entries": entries}, option=orjson.OPT_INDENT_2)
                self.store.write(Location(destination.bucket, destination.key + "manifest"), io.BytesIO(content))


async def _fill(parts: Sequence[Part], batches: AsyncIterator[list[bytes]], client: MessageStream) -> int:
    """Deal all rows; how many they were. PostgreSQL is heard out also when one of them cannot be written."""
    row_count = 0
    failed: CopyFailed | None = None
    async for rows in batches:
        if client.is_at_end:
            raise ClientGone
        row_count += len(rows)
        if failed is None:
            failed = await asyncio.to_thread(_deal, parts, rows)
    failed = failed or await asyncio.to_thread(_finish, parts)
    if failed is not None:
        raise failed
    return row_count


@contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except (ObjectMissing, StoreFailed) as exc:
        raise load_error(str(exc)) from exc


def _deal(parts: Sequence[Part], rows: Sequence[bytes]) -> CopyFailed | None:
    try:
        for number, one in enumerate(parts):
            one.add(rows[number :: len(parts)])
    except (ValueError, PolarsError) as exc:
        return not_supported(f"a value that has no place in the format: {exc}")
    return None


def _finish(parts: Sequence[Part]) -> CopyFailed | None:
    try:
        for one in parts:
            one.files()
    except (ValueError, PolarsError) as exc:
        return not_supported(f"a value that has no place in the format: {exc}")
    return None


def _named(command: UnloadCommand, parts: Sequence[Part]) -> list[tuple[str, IO[bytes]]]:
    ending = ".gz" if command.options.is_gzip else ".parquet" if command.options.format is Format.PARQUET else ""
    if not command.options.is_parallel:
        return [(f"{number:03}{ending}", file) for number, file in enumerate(parts[0].files())]
    return [
        (f"{slice_number:04}_part_{number:02}{ending}", file)
        for slice_number, one in enumerate(parts)
        for number, file in enumerate(one.files())
    ]
