"""Owns the connection to Redshift: opening it, running statements, telling service trouble from refusals.

What the statements say is loader/load.py's and loader/publication.py's job.
"""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from contracts.errors import ServiceUnavailable, UsageError

if TYPE_CHECKING:
    from redshift_connector.core import Connection
    from redshift_connector.cursor import Cursor

#: SQLSTATE classes that mean "not now": connection, resources, shutdown.
_RETRYABLE = ("08", "53", "57")
_CONFLICT = ("40001", "40P01")
_CONFLICT_WORDS = re.compile(r"serializable isolation violation|deadlock detected|concurrent transaction", re.I)
#: The driver waits this long for the login and for every answer: the longest COPY must fit in.
_SILENCE_S = 1800
_REFUSED_LOGIN = {"28000", "28P01", "3D000"}


@dataclass(frozen=True, slots=True)
class WarehouseAddress:
    """Where the warehouse is and who we are there. The password never shows in a repr."""

    host: str
    port: int
    database: str
    user: str
    password: str = field(repr=False)

    def __str__(self) -> str:
        return f"redshift://{self.user}@{self.host}:{self.port}/{self.database}"


class StatementRefused(Exception):
    """The warehouse refused a statement: `sqlstate` and its own words. Whoever ran it says what that means."""

    def __init__(self, sqlstate: str, message: str) -> None:
        super().__init__(message)
        self.sqlstate = sqlstate


class Session:
    """One connection. A transaction begins with the first statement and ends with commit() or rollback()."""

    def __init__(self, connection: "Connection", address: WarehouseAddress) -> None:
        self._connection = connection
        self._address = address

    def run(self, sql: str, parameters: Sequence[Any] = ()) -> int:
        """Runs one statement and returns the rows it changed (-1 when it does not say)."""
        with self._explained(), self._connection.cursor() as cursor:
            cursor.execute(sql, tuple(parameters))
            return int(cursor.rowcount)

    def run_outside(self, sql: str) -> None:
        """Runs one statement that stands in no transaction, as VACUUM must. What was not committed before is undone."""
        self.rollback()
        self._connection.autocommit = True
        try:
            self.run(sql)
        finally:
            self._connection.autocommit = False

    def rows(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """The rows of one query, small results only."""
        return self.table(sql, parameters)[1]

    def table(self, sql: str, parameters: Sequence[Any] = ()) -> tuple[list[str], list[tuple[Any, ...]]]:
        """Column names and rows of one query, small results only."""
        with self._explained(), self._connection.cursor() as cursor:
            cursor.execute(sql, tuple(parameters))
            return _fetched(cursor)

    def table_as_written(self, sql: str) -> tuple[list[str], list[tuple[Any, ...]]]:
        """Column names and rows of a query without parameters, in which a `%` is Redshift's own."""
        with self._explained(), self._connection.cursor() as cursor:
            cursor.paramstyle = "qmark"  # the style whose mark no SQL of Redshift has
            cursor.execute(sql)
            return _fetched(cursor)

    def commit(self) -> None:
        """Makes the transaction's work last."""
        with self._explained():
            self._connection.commit()

    def rollback(self) -> None:
        """Undoes the transaction's work."""
        with self._explained():
            self._connection.rollback()

    @contextmanager
    def _explained(self) -> Iterator[None]:
        from redshift_connector.error import Error

        try:
            yield
        except (Error, OSError, IndexError) as exc:  # IndexError: its reader's word for "hung up"
            raise _explain(exc, self._address) from exc


@contextmanager
def connect(address: WarehouseAddress) -> Iterator[Session]:
    """A session on the warehouse, rolled back and closed at the end unless committed.

    Raises ServiceUnavailable when nobody answers, UsageError when the login is refused.
    """
    with _connected(address) as connection:
        connection.autocommit = True
        session = Session(connection, address)
        session.run("set timezone to 'UTC'")  # the text of an instant, which rows are hashed by, follows the session's
        connection.autocommit = False
        yield session


def query_read_only(address: WarehouseAddress, sql: str) -> tuple[list[str], list[tuple[Any, ...]]]:
    """Column names and rows of one query in a read-only transaction. Raises UsageError when it is refused."""
    with _connected(address) as connection:
        connection.autocommit = True  # or the driver would begin a transaction of its own, which may write
        session = Session(connection, address)
        session.run("begin read only")
        try:
            return session.table_as_written(sql)
        except StatementRefused as exc:
            raise UsageError(
                f"the warehouse refused the query: {exc} ({exc.sqlstate or 'the driver'}). Expected one select."
            ) from exc


@contextmanager
def _connected(address: WarehouseAddress) -> Iterator["Connection"]:
    import redshift_connector
    from redshift_connector.error import Error

    try:
        connection = redshift_connector.connect(
            host=address.host,
            port=address.port,
            database=address.database,
            user=address.user,
            password=address.password,
            ssl=True,
            sslmode="verify-full",
            timeout=_SILENCE_S,
        )
    except (Error, OSError) as exc:
        raise _explain(exc, address) from exc
    try:
        yield connection
    finally:
        with suppress(Error, OSError):  # gone already, and with it what was not committed
            connection.close()


def _explain(error: Exception, address: WarehouseAddress) -> Exception:
    """The error of ours that a driver's error stands for. Without an SQLSTATE, it is the driver's own word."""
    from redshift_connector.error import DataError, NotSupportedError, ProgrammingError

    details = error.args[0] if error.args and isinstance(error.args[0], dict) else {}
    sqlstate, message = str(details.get("C", "")), str(details.get("M", error))
    if sqlstate in _REFUSED_LOGIN or sqlstate.startswith("28"):
        return UsageError(f"{address} refused our login: {message}. Check the secret that holds user and password.")
    is_client_trouble = isinstance(error, ProgrammingError | DataError | NotSupportedError)
    if sqlstate.startswith(_RETRYABLE) or not (sqlstate or is_client_trouble):
        return ServiceUnavailable(
            f"the warehouse {address} did not answer: {message or type(error).__name__}. Expected an open port with "
            "TLS; check it (locally: spacex-elt local status), then run the step again."
        )
    if sqlstate in _CONFLICT or _CONFLICT_WORDS.search(message):  # Redshift's code for most of them is XX000
        return ServiceUnavailable(
            f"the warehouse {address} undid our transaction for another one's sake: {message}. Run the step again."
        )
    return StatementRefused(sqlstate, message)


def _fetched(cursor: "Cursor") -> tuple[list[str], list[tuple[Any, ...]]]:
    names = [name.decode() if isinstance(name, bytes) else str(name) for name, *_ in cursor.description or ()]
    return names, [tuple(row) for row in cursor.fetchall()] if names else []
