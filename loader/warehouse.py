"""Owns the connection to Redshift: opening it, running statements, trying again, telling trouble from refusals.

What the statements say is loader/load.py's and loader/publication.py's job.
"""

import re
import socket
import ssl
import struct
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from contracts.errors import PipelineError, ServiceUnavailable, UsageError

if TYPE_CHECKING:
    from redshift_connector.core import Connection
    from redshift_connector.cursor import Cursor

Result = TypeVar("Result")

#: SQLSTATE classes that mean "not now": connection, resources, shutdown.
_RETRYABLE = ("08", "53", "57")
_CANCELLED = "57014"
_CONFLICT = ("40001", "40P01")
_CONFLICT_WORDS = re.compile(r"serializable isolation violation|deadlock detected|concurrent transaction", re.I)
#: The warehouse ends a statement that takes longer; the longest COPY must fit in.
_STATEMENT_LIMIT_S = 1500
#: The driver waits this long for the login and for every answer: longer than the warehouse works on any.
_SILENCE_S = 1800
_REFUSED_LOGIN = {"28000", "28P01", "3D000"}
#: After each of the first tries of a transaction. Then it is the scheduler's turn.
_WAITS_S = (0.5, 2.0, 8.0)

_CANCEL_WAIT_S = 10
_SSL_REQUEST, _CANCEL_REQUEST = 80877103, 80877102


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


class Unsettled(ServiceUnavailable):
    """The connection broke, or a transaction was undone for another's sake: begun anew, it may succeed at once."""


class Session:
    """One connection at a time. A transaction begins with the first statement and ends with commit() or rollback()."""

    def __init__(
        self,
        connection: "Connection",
        address: WarehouseAddress,
        find_address: Callable[[], WarehouseAddress] | None = None,
    ) -> None:
        self._connection = connection
        self._address = address
        self._find_address = find_address or (lambda: address)
        self._step = ""
        self._is_broken = False

    def work_as(self, step: str) -> None:
        """Names the step that works from here on, for the warehouse's own records and queues."""
        self._step = step
        self._set_up()

    def transaction(self, work: Callable[[], Result]) -> Result:
        """Runs `work` and commits: all of it again, a few times, when the connection broke or we were undone.

        Whether a commit that broke did last is not known: `work` must first see whether it is done already.
        """
        for wait_s in (*_WAITS_S, None):
            try:
                if self._is_broken:
                    self._open_anew()
                done = work()
                self.commit()
                return done
            except Unsettled:
                if wait_s is None:
                    raise
                self.close()  # whether it still answers is not worth finding out
                self._is_broken = True
                time.sleep(wait_s)
            except (PipelineError, StatementRefused):
                with suppress(Unsettled):
                    self.rollback()
                raise
        raise AssertionError("the last try returns or raises")

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

    def close(self) -> None:
        """Ends the connection, and with it what was not committed."""
        from redshift_connector.error import Error

        with suppress(Error, OSError):  # gone already
            self._connection.close()

    def _open_anew(self) -> None:
        self._address = self._find_address()  # a password for an hour may be over
        self._connection = _open(self._address)
        self._is_broken = False
        self._set_up()

    def _set_up(self) -> None:
        self.rollback()
        self._connection.autocommit = True
        # Rows are hashed by their text: an instant's follows the session's zone, a double's has 15 digits of its 17.
        self.run("set timezone to 'UTC'")
        self.run("set extra_float_digits to 2")
        self.run(f"set statement_timeout to {_STATEMENT_LIMIT_S * 1000}")
        if self._step:
            self.run(f"set query_group to 'spacex-elt:{self._step}'")
        self._connection.autocommit = False

    @contextmanager
    def _explained(self) -> Iterator[None]:
        from redshift_connector.error import Error

        try:
            yield
        except (Error, OSError, IndexError) as exc:  # IndexError: its reader's word for "hung up"
            raise _explain(exc, self._address) from exc
        except KeyboardInterrupt:  # or SIGTERM (spacex_elt/cli.py): without us the warehouse would work on for nobody
            with suppress(OSError):
                _cancel(self._connection, self._address)
            raise


@contextmanager
def connect(address: WarehouseAddress, find_address: Callable[[], WarehouseAddress] | None = None) -> Iterator[Session]:
    """A session on the warehouse, rolled back and closed at the end unless committed.

    `find_address` is asked when the session has to connect again. Raises ServiceUnavailable when nobody answers,
    UsageError when the login is refused.
    """
    session = Session(_open(address), address, find_address)
    try:
        session._set_up()
        yield session
    finally:
        session.close()


def query_read_only(address: WarehouseAddress, sql: str) -> tuple[list[str], list[tuple[Any, ...]]]:
    """Column names and rows of one query in a read-only transaction. Raises UsageError when it is refused."""
    connection = _open(address)
    session = Session(connection, address)
    try:
        connection.autocommit = True  # or the driver would begin a transaction of its own, which may write
        session.run("begin read only")
        try:
            return session.table_as_written(sql)
        except StatementRefused as exc:
            raise UsageError(
                f"the warehouse refused the query: {exc} ({exc.sqlstate or 'the driver'}). Expected one select."
            ) from exc
    finally:
        session.close()


def _open(address: WarehouseAddress) -> "Connection":
    import redshift_connector
    from redshift_connector.error import Error

    try:
        return redshift_connector.connect(
            host=address.host,
            port=address.port,
            database=address.database,
            user=address.user,
            password=address.password,
            ssl=True,
            sslmode="verify-full",
            timeout=_SILENCE_S,
            application_name="spacex-elt",
        )
    except (Error, OSError) as exc:
        raise _explain(exc, address) from exc


def _cancel(connection: "Connection", address: WarehouseAddress) -> None:
    """Asks the warehouse, on another connection, to end what it does on ours: the driver has no such request."""
    key = connection._backend_key_data
    if key is None:
        return
    with socket.create_connection((address.host, address.port), _CANCEL_WAIT_S) as plain:
        plain.sendall(struct.pack("!ii", 8, _SSL_REQUEST))
        if plain.recv(1) != b"S":
            return
        with ssl.create_default_context().wrap_socket(plain, server_hostname=address.host) as channel:
            channel.sendall(struct.pack("!ii", 8 + len(key), _CANCEL_REQUEST) + key)
            channel.recv(1)  # hung up on, once it is passed on


def _explain(error: Exception, address: WarehouseAddress) -> Exception:
    """The error of ours that a driver's error stands for. Without an SQLSTATE, it is the driver's own word."""
    from redshift_connector.error import DataError, NotSupportedError, ProgrammingError

    details = error.args[0] if error.args and isinstance(error.args[0], dict) else {}
    sqlstate, message = str(details.get("C", "")), str(details.get("M", error))
    if sqlstate in _REFUSED_LOGIN or sqlstate.startswith("28"):
        return UsageError(f"{address} refused our login: {message}. Check what SPACEX_ELT_WAREHOUSE_… leads to.")
    is_client_trouble = isinstance(error, ProgrammingError | DataError | NotSupportedError)
    if sqlstate == _CANCELLED:
        return ServiceUnavailable(
            f"the warehouse {address} ended a statement of ours: {message}. Expected an answer within "
            f"{_STATEMENT_LIMIT_S} s; see whether it is overloaded, then run the step again."
        )
    if sqlstate.startswith(_RETRYABLE) or not (sqlstate or is_client_trouble):
        return Unsettled(
            f"the warehouse {address} did not answer: {message or type(error).__name__}. Expected an open port with "
            "TLS; check it (locally: spacex-elt local status), then run the step again."
        )
    if sqlstate in _CONFLICT or _CONFLICT_WORDS.search(message):  # Redshift's code for most of them is XX000
        return Unsettled(
            f"the warehouse {address} undid our transaction for another one's sake: {message}. Run the step again."
        )
    return StatementRefused(sqlstate, message)


def _fetched(cursor: "Cursor") -> tuple[list[str], list[tuple[Any, ...]]]:
    names = [name.decode() if isinstance(name, bytes) else str(name) for name, *_ in cursor.description or ()]
    return names, [tuple(row) for row in cursor.fetchall()] if names else []
