"""Owns running the PostgreSQL behind the Redshift stand-in, also one of a test's own.

Where it lives is local/postgres_home.py's job, keeping the stack's running the supervisor's (local/supervisor.py).
"""

import contextlib
import signal
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from local.files import tail
from local.postgres_home import SOCKET_PORT, SUPERUSER, PostgresHome, discard, forget_dead_server, prepare
from local.problem import StackProblem

__all__ = ["SOCKET_PORT", "SUPERUSER", "PostgresHome", "RunningPostgres", "prepare", "running_postgres"]


@dataclass(frozen=True, slots=True)
class RunningPostgres:
    """A PostgreSQL that answers."""

    home: PostgresHome
    pid: int

    @property
    def host(self) -> str:
        """The directory of its socket, which libpq takes in the place of a host."""
        return str(self.home.socket_directory)

    @property
    def port(self) -> int:
        """The number in the socket's name; libpq wants it."""
        return SOCKET_PORT

    @property
    def socket_path(self) -> str:
        """The socket itself, for clients that speak the protocol themselves."""
        return str(self.home.socket_path)

    def dsn(self, database: str = SUPERUSER) -> str:
        """Return libpq's connection string for the superuser, who needs no password."""
        return self.home.dsn(database)


@contextlib.contextmanager
def running_postgres(directory: Path) -> Iterator[RunningPostgres]:
    """Run a PostgreSQL of one's own below `directory` for as long as the block lasts; its files go with it."""
    home = prepare(directory)
    with (directory / "postgres.log").open("ab") as log:
        process = start(home, log.fileno())
    try:
        wait_until_ready(home, process, directory / "postgres.log")
        yield RunningPostgres(home, process.pid)
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            forget_dead_server(directory)
        discard(directory)


def start(home: PostgresHome, log: int) -> subprocess.Popen[bytes]:
    """Start the server in the foreground of a new session, its output going to the file descriptor `log`."""
    return subprocess.Popen(
        home.command,
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=log,
        cwd=home.data,
        start_new_session=True,
        user=home.account.uid if home.account else None,
        group=home.account.gid if home.account else None,
        extra_groups=[] if home.account else None,
    )


def is_ready(home: PostgresHome) -> bool:
    """Tell whether the server answers a query."""
    import psycopg2

    try:
        with contextlib.closing(psycopg2.connect(home.dsn(), connect_timeout=2)) as connection:
            connection.cursor().execute("select 1")
    except psycopg2.OperationalError:
        return False
    return True


def wait_until_ready(home: PostgresHome, process: subprocess.Popen[bytes], log: Path) -> None:
    """Wait until the server answers a query. Raises StackProblem when it ends or a minute has passed."""
    deadline = time.monotonic() + 60
    while not is_ready(home):
        if process.poll() is not None or time.monotonic() > deadline:
            raise StackProblem(f"PostgreSQL in {home.data} did not come up. The end of its log, {log}:\n{tail(log)}")
        time.sleep(0.05)
