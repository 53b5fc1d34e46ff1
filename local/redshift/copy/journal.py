"""Owns Redshift's records of loads: stl_load_errors, sys_load_error_detail, sys_load_history (../copy_tables.sql).

Written on a connection of its own, so that they outlive the rollback of the load they tell of.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

import orjson

from local.redshift.backend import Backend, PostgresAddress, PostgresSaid, Unreachable
from local.redshift.copy.failure import load_error
from local.redshift.copy.grammar import CopyCommand
from local.redshift.copy.rows import RowError, RowMaker
from local.redshift.copy.store import SourceObject
from local.redshift.copy.target import Target
from local.redshift.stream import ConnectionLost

_AT_ONCE = 500
_QUERY_ID = "select nextval('stand_in.query_id')::text"
_ERRORS = """
insert into stand_in.load_errors
select * from json_populate_recordset(null::stand_in.load_errors, $1::json)
"""
_HISTORY = """
insert into stand_in.loads
select * from json_populate_recordset(null::stand_in.loads, $1::json)
"""


@dataclass(slots=True)
class LoadRecord:
    """One COPY that has begun."""

    session_key: str
    process_id: int
    target: Target
    command: CopyCommand
    started_at: datetime
    objects: Sequence[SourceObject]
    query_id: int | None = None


class Journal:
    """Writes the records of loads into one database."""

    def __init__(self, address: PostgresAddress, database: str) -> None:
        self._address = address
        self._database = database

    async def errors(self, record: LoadRecord, errors: Sequence[RowError]) -> None:
        """Record lines that could not be loaded."""
        async with self._writing() as backend:
            await self._identify(backend, record)
            for start in range(0, len(errors), _AT_ONCE):
                rows = [_error_row(record, error) for error in errors[start : start + _AT_ONCE]]
                await backend.run(_ERRORS, [orjson.dumps(rows).decode()])

    async def completed(self, record: LoadRecord, maker: RowMaker) -> None:
        """Record a load whose rows lie in the client's transaction."""
        await self._finish(record, maker, "completed", maker.row_count)

    async def failed(self, record: LoadRecord, maker: RowMaker) -> None:
        """Record a load that left nothing."""
        await self._finish(record, maker, "failed", 0)

    async def _finish(self, record: LoadRecord, maker: RowMaker, status: str, loaded: int) -> None:
        if errors := maker.take_errors():
            await self.errors(record, errors)
        async with self._writing() as backend:
            await self._identify(backend, record)
            row = _history_row(record, status, loaded, maker.error_count)
            await backend.run(_HISTORY, [orjson.dumps([row]).decode()])

    @asynccontextmanager
    async def _writing(self) -> AsyncIterator[Backend]:
        try:
            backend = await Backend.open(self._address, self._address.log_in(self._database))
            try:
                yield backend
            finally:
                await backend.close()
        except (PostgresSaid, Unreachable, ConnectionLost) as exc:
            raise load_error(f"The load could not be recorded, so it is not done: {exc}") from exc

    @staticmethod
    async def _identify(backend: Backend, record: LoadRecord) -> None:
        if record.query_id is None:
            ((query_id,),) = await backend.run(_QUERY_ID)
            record.query_id = int(query_id or 0)


def _error_row(record: LoadRecord, error: RowError) -> dict[str, object]:
    column = error.column
    return {
        "user_name": record.target.user,
        "query_id": record.query_id,
        "session_id": record.process_id,
        "database_name": record.target.database,
        "table_id": record.target.oid,
        "start_time": record.started_at.replace(tzinfo=None),
        "file_name": error.file_name,
        "line_number": error.line_number,
        "column_name": column.name if column else "",
        "column_type": column.type if column else "",
        "column_length": column.length if column else "",
        "raw_line": error.raw_line,
        "raw_value": error.raw_value,
        "error_code": error.code,
        "error_message": error.reason,
    }


def _history_row(record: LoadRecord, status: str, loaded: int, error_count: int) -> dict[str, object]:
    return {
        "session_key": record.session_key,
        "user_name": record.target.user,
        "query_id": record.query_id,
        "session_id": record.process_id,
        "database_name": record.target.database,
        "status": status,
        "table_name": record.target.table,
        "start_time": record.started_at.replace(tzinfo=None),
        "end_time": datetime.now(UTC).replace(tzinfo=None),
        "data_source": str(record.command.source),
        "file_format": record.command.options.format.value,
        "loaded_rows": loaded,
        "source_file_count": len(record.objects),
        "source_file_bytes": sum(found.size for found in record.objects),
        "error_count": error_count,
    }
