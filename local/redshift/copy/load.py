"""Owns running a COPY: inside the client's own transaction, all rows or none, in bounded memory.

Its statement is read by grammar.py, its objects chosen by source.py, its rows made by rows.py.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from datetime import UTC, datetime

from local.redshift.backend import Backend, PostgresSaid
from local.redshift.copy.blocks import BlockField, BlockMaker
from local.redshift.copy.convert import converter
from local.redshift.copy.csv_rows import CsvRowMaker
from local.redshift.copy.failure import CopyFailed, load_error, not_supported
from local.redshift.copy.grammar import CopyCommand, Format, Location, Match, Options, parse_copy
from local.redshift.copy.journal import Journal, LoadRecord
from local.redshift.copy.jsonpaths import Step, compile_path, read_jsonpaths
from local.redshift.copy.lines import gunzip, split_lines
from local.redshift.copy.parquet import parquet_rows
from local.redshift.copy.rows import Field, RowMaker, TooManyErrors
from local.redshift.copy.rules import CopyRules
from local.redshift.copy.source import objects_to_load
from local.redshift.copy.store import ObjectMissing, ObjectStore, SourceObject, StoreFailed
from local.redshift.copy.target import Target, find_target
from local.redshift.messages import Problem
from local.redshift.stream import ClientGone, MessageStream

_CHUNK = 1 << 18  # characters handed to PostgreSQL at once
_REMEMBER_COUNT = "select pg_catalog.set_config('stand_in.last_copy_count', $1, false)"
_ERRORS_KEPT = 1000  # in memory, before they are written down


class CopyRunner:
    """Runs COPY statements."""

    def __init__(self, store: ObjectStore, journal: Journal, rules: CopyRules) -> None:
        self._store = store
        self._journal = journal
        self._rules = rules
        self.query_id: int | None = None  # the last COPY's, if it came so far as to have one

    async def run(self, statement: str, backend: Backend, client: MessageStream, session_key: str) -> list[Problem]:
        """Load, in the transaction that is open on `backend`; what to tell the client besides that it is done.

        Raises CopyFailed (the transaction is then still to be failed) or PostgresSaid (a Sync is due either way).
        Raises ClientGone when the client is seen to have gone.
        """
        command = parse_copy(statement)
        self._rules.check(command.options.role_arn, command.options.region)
        target = await find_target(backend, command)
        load = await asyncio.to_thread(_Load.prepare, self._store, command, target)
        record = LoadRecord(session_key, backend.pid, target, command, datetime.now(UTC), load.objects)
        try:
            await self._run(load, record, backend, client)
        finally:
            self.query_id = record.query_id
        return _notices(target, load.maker)

    async def _run(self, load: "_Load", record: LoadRecord, backend: Backend, client: MessageStream) -> None:
        target = record.target
        try:
            await backend.copy_in(target.copy_sql, self._chunks(load, record, client))
        except TooManyErrors:
            await backend.skip_error()
            await self._journal.failed(record, load.maker)
            raise self._load_failed(target) from None
        except (CopyFailed, ClientGone):
            await backend.skip_error()
            await self._journal.failed(record, load.maker)
            raise
        except PostgresSaid:
            await self._journal.failed(record, load.maker)
            raise
        await self._journal.completed(record, load.maker)
        # Told to the session itself: in a transaction whose snapshot is older, the journal's new row cannot be seen.
        await backend.fetch(_REMEMBER_COUNT, (str(load.maker.row_count),))

    async def _chunks(self, load: "_Load", record: LoadRecord, client: MessageStream) -> AsyncIterator[bytes]:
        while (chunk := await asyncio.to_thread(load.next_chunk)) is not None:
            if client.is_at_end:
                raise ClientGone
            if errors := load.maker.take_errors():
                await self._journal.errors(record, errors)
            if chunk:
                yield chunk

    @staticmethod
    def _load_failed(target: Target) -> CopyFailed:
        return load_error(
            f"Load into table '{target.table}' failed.  Check 'stl_load_errors' system table for details."
        )


class _Load:
    """The part of a COPY that blocks: reading objects and making rows. Lives in a worker thread."""

    def __init__(self, chunks: Iterator[bytes], objects: Sequence[SourceObject], maker: RowMaker) -> None:
        self.objects = objects
        self.maker = maker
        self._chunks = chunks

    @classmethod
    def prepare(cls, store: ObjectStore, command: CopyCommand, target: Target) -> "_Load":
        """Choose the objects and compile the columns."""
        options = command.options
        fields = _fields(store, command, target)
        maker = _row_maker(fields, options)
        objects = objects_to_load(store, command)
        return cls(_row_chunks(store, objects, maker, command, target), objects, maker)

    def next_chunk(self) -> bytes | None:
        """Rows for PostgreSQL, None when there are no more."""
        return next(self._chunks, None)


def _row_maker(fields: Sequence[BlockField], options: Options) -> RowMaker:
    singly = [Field(field.column, field.extract, field.convert) for field in fields]
    if options.format is Format.CSV:
        return CsvRowMaker(singly, options)
    match = options.json if isinstance(options.json, Match) else None
    blocks = BlockMaker(fields, options) if options.format is Format.JSON else None
    return RowMaker(singly, match, options.max_error_count, options.invalid_replacement, blocks)


def _fields(store: ObjectStore, command: CopyCommand, target: Target) -> list[BlockField]:
    fields = []
    for column, steps in zip(target.columns, _paths(store, command, target), strict=True):
        convert = converter(column, command.options)
        if convert is None:
            raise not_supported(f"column {column.name} of type {column.type}")
        fields.append(BlockField(column, steps, compile_path(steps), convert))
    return fields


def _paths(store: ObjectStore, command: CopyCommand, target: Target) -> list[tuple[Step, ...]]:
    where = command.options.json
    if command.options.format is not Format.JSON:
        return [(place,) for place in range(len(target.columns))]
    if not isinstance(where, Location):
        return [(column.name,) for column in target.columns]
    try:
        paths = read_jsonpaths(store.read(where), where)
    except (ObjectMissing, StoreFailed) as exc:
        raise load_error(f"Problem reading JSONPaths file - {exc}", f"JSONPaths file: {where}") from exc
    if len(paths) != len(target.columns):
        raise load_error(
            "Number of jsonpaths and the number of columns should match. JSONPath size: "
            f"{len(paths)}, Number of columns in table or column list: {len(target.columns)}"
        )
    return paths


def _row_chunks(
    store: ObjectStore, objects: Sequence[SourceObject], maker: RowMaker, command: CopyCommand, target: Target
) -> Iterator[bytes]:
    waiting: list[str] = []
    size = 0
    for source in objects:
        for rows in _object_rows(store, source, maker, command, target):
            waiting += rows
            size += sum(map(len, rows))
            if size >= _CHUNK or len(maker.errors) >= _ERRORS_KEPT:
                yield "\n".join([*waiting, ""]).encode()
                waiting, size = [], 0
    if waiting:
        yield "\n".join([*waiting, ""]).encode()


def _object_rows(
    store: ObjectStore, source: SourceObject, maker: RowMaker, command: CopyCommand, target: Target
) -> Iterator[list[str]]:
    name = str(source.location)
    try:
        content = store.stream(source.location)
        if command.options.format is Format.PARQUET:
            yield from parquet_rows(content, target.columns, maker, name)
            return
        line_number = 1
        for lines in split_lines(gunzip(content, name) if command.options.is_gzip else content):
            yield maker.rows(lines, line_number, name)
            line_number += len(lines)
        yield maker.finish(name)
    except (ObjectMissing, StoreFailed) as exc:
        raise load_error(str(exc), f"object: {name}. It was there when the load began; nothing was loaded.") from exc


def _notices(target: Target, maker: RowMaker) -> list[Problem]:
    loaded = f"Load into table '{target.table}' completed, {maker.row_count} record(s) loaded successfully."
    notices = [Problem("00000", loaded, severity="INFO")]
    if maker.error_count:
        missed = f"Load into table '{target.table}' completed, {maker.error_count} record(s) could not be loaded.  "
        notices.append(Problem("00000", missed + "Check 'stl_load_errors' system table for details.", severity="INFO"))
    return notices
