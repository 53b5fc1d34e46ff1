"""Owns the local stack as a whole: up, down, status, reset. This is what the command line calls.

Keeping the parts running is the supervisor's job (local/supervisor.py); what they are is local/parts.py's.
"""

import contextlib
import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from local import ports, postgres_home, record, seaweedfs, settings, stack_env
from local.files import tail
from local.keeper import MARK
from local.parts import TASK_DEFINITION, postgres_directory
from local.problem import StackProblem
from local.processes import ProcessName, is_alive, kill, marked, memory_bytes, terminate, wait_until_gone
from local.record import PartRecord, PartStatus, StackRecord
from local.supervisor import log_path

__all__ = ["PartState", "StackProblem", "StackState", "down", "reset", "status", "up"]

Say = Callable[[str], None]

_LEAST_FREE_BYTES = 1_000_000_000
_UP_WITHIN_S = 120
_DOWN_WITHIN_S = 60
_LONGEST_LOG_BYTES = 20_000_000
_OURS = (
    "settings.json", "stack.json", "stack.env", "command.lock", "logs", "tls",
    "s3", "s3-identities.json", "aws-resources.json", "redshift-credentials.json", "redshift-signing-key",
    "airbyte-credentials.json", "airbyte", "airflow", "tasks", "work",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class PartState:
    """One part as it is now."""

    name: str
    status: PartStatus
    pid: int | None
    ports: Mapping[str, int]
    memory_bytes: int
    restart_count: int
    problem: str | None
    log: Path


@dataclass(frozen=True, slots=True)
class StackState:
    """The stack as it is now. `env` is what the product is told of it, also while it is down."""

    state_dir: Path
    supervisor_pid: int | None
    parts: tuple[PartState, ...]
    env: Mapping[str, str] = field(repr=False)  # holds the key to the lake
    memory_bytes: int  # of everything, the supervisor included

    @property
    def is_running(self) -> bool:
        """Tell whether every part runs."""
        return bool(self.parts) and all(part.status == "running" for part in self.parts)

    def to_json(self) -> dict[str, object]:
        """Return what may be shown, in JSON's types: everything but the environment's values."""
        shown = {
            **asdict(self),
            "state_dir": str(self.state_dir),
            "env": sorted(self.env),
            "is_running": self.is_running,
        }
        shown["parts"] = [{**asdict(part), "log": str(part.log)} for part in self.parts]
        return shown


def up(state_dir: Path, say: Say, owner: int | None = None) -> StackState:
    """Start the stack, or what is missing of it, and return when every part is ready. Twice is harmless.

    With `owner`, a pid, the stack ends when that process does. Raises StackProblem; nothing is left running then.
    """
    state_dir = state_dir.absolute()
    with _only_one(state_dir):
        _check_needs(state_dir)
        fingerprint = _fingerprint()
        running = _running(state_dir)
        if running and (running.fingerprint != fingerprint or any(part.status == "failed" for part in running.parts)):
            say("The running stack is of other code or has a part that failed: it is started afresh.")
            _stop(state_dir, say)
            running = None
        try:
            if running is None:
                _stop_left_behind(state_dir, say)
                with ports.alone():
                    _start(state_dir, fingerprint, owner)
                    _wait_until_running(state_dir, say)
            else:
                _wait_until_running(state_dir, say)
        except StackProblem:
            _stop(state_dir, say)
            raise
        return status(state_dir)


def down(state_dir: Path, say: Say) -> None:
    """Stop the stack and wait until no process of it is left. Its data stay. Harmless when it is not running."""
    state_dir = state_dir.absolute()
    if state_dir.is_dir():
        with _only_one(state_dir):
            _stop(state_dir, say)


def reset(state_dir: Path, say: Say) -> None:
    """Stop the stack and remove every file it made, its data included, also those outside the state directory."""
    state_dir = state_dir.absolute()
    with _only_one(state_dir):  # makes the directory, too: what lies outside goes also when it was deleted by hand
        _stop(state_dir, say)
        postgres_home.discard(postgres_directory(state_dir))
        for name in _OURS:
            for path in (state_dir / name, *state_dir.glob(f"{name}.????????")):
                _remove(path)
    with contextlib.suppress(OSError):  # somebody else's files are in it
        state_dir.rmdir()
    say(f"Removed the local stack's files in {state_dir}.")


def status(state_dir: Path) -> StackState:
    """Return the stack as it is now; one that was never started has no parts."""
    state_dir = state_dir.absolute()
    running = _running(state_dir)
    recorded = record.read(state_dir)
    known = settings.read(state_dir)
    return StackState(
        state_dir=state_dir,
        supervisor_pid=running.supervisor.pid if running else None,
        parts=tuple(_part_state(part, state_dir, running is not None) for part in (recorded.parts if recorded else ())),
        env=stack_env.read(state_dir),
        memory_bytes=sum(memory_bytes(name) for name in _roots(known)) if known else 0,
    )


def _part_state(part: PartRecord, state_dir: Path, is_supervised: bool) -> PartState:
    alive = part.process if part.process and is_alive(part.process) else None
    return PartState(
        name=part.name,
        status=part.status if is_supervised else "stopped",
        pid=alive.pid if alive else None,
        ports=part.ports,
        memory_bytes=memory_bytes(alive) if alive else 0,
        restart_count=part.restart_count,
        problem=part.problem,
        log=log_path(state_dir, part.name),
    )


def _roots(known: settings.StackSettings) -> list[ProcessName]:
    """Return the supervisor only: every other process of a running stack descends from it."""
    return marked(MARK, f"{known.identity}/supervisor")


@contextlib.contextmanager
def _only_one(state_dir: Path) -> Iterator[None]:
    """Hold the state directory against other commands. Makes it if need be."""
    try:
        state_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = (state_dir / "command.lock").open("a")
    except OSError as error:
        raise StackProblem(
            f"The local stack cannot write into its state directory {state_dir}: {error.strerror}. "
            "Expected a directory that you own; choose another or mend its permissions."
        ) from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise StackProblem(
                f"Another `spacex-elt local` command is at work on {state_dir}. "
                "Wait until it has ended, then try again."
            ) from error
        yield


def _check_needs(state_dir: Path) -> None:
    seaweedfs.find_weed()
    postgres_home.check_installed()
    check_space(state_dir, shutil.disk_usage(state_dir).free)


def check_space(directory: Path, free_bytes: int) -> None:
    """Raise StackProblem when so few free bytes are not enough to start with."""
    if free_bytes < _LEAST_FREE_BYTES:
        raise StackProblem(
            f"Too little disk space for the local stack: {free_bytes / 1e9:.1f} GB free at {directory}, "
            f"{_LEAST_FREE_BYTES / 1e9:.0f} GB needed. Free some space, then try again."
        )


def _fingerprint() -> str:
    """Name the code that the stack would run now."""
    digest = hashlib.sha256(sys.executable.encode())
    here = Path(__file__).resolve().parent
    for path in sorted(here.rglob("*")):
        if path.suffix in (".py", ".sql"):
            digest.update(str(path.relative_to(here)).encode() + b"\0" + path.read_bytes())
    digest.update(TASK_DEFINITION.read_bytes())
    return digest.hexdigest()[:16]


def _running(state_dir: Path) -> StackRecord | None:
    """Return the record of the stack whose supervisor is alive."""
    recorded = record.read(state_dir)
    return recorded if recorded and is_alive(recorded.supervisor) else None


def _start(state_dir: Path, fingerprint: str, owner: int | None) -> None:
    chosen = settings.make(state_dir)
    stack_env.write(chosen, state_dir)
    logs = log_path(state_dir, "supervisor")
    logs.parent.mkdir(mode=0o700, exist_ok=True)
    _shorten_logs(logs.parent)
    command = [sys.executable, "-m", "local.supervisor", str(state_dir), "--fingerprint", fingerprint]
    command += ["--owner", str(owner)] if owner else []
    with logs.open("ab") as output:
        outcome = subprocess.run(
            command,
            cwd=Path(__file__).resolve().parent.parent,
            env={**os.environ, MARK: f"{chosen.identity}/supervisor"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=output,
            check=False,
        )
    if outcome.returncode != 0:
        raise StackProblem(f"The local stack's supervisor did not start. The end of its log, {logs}:\n{tail(logs)}")
    supervisor = ProcessName.of(int(outcome.stdout))
    if supervisor:  # else it has ended already: the wait will find no record
        record.write(StackRecord(supervisor, fingerprint), state_dir)


def _wait_until_running(state_dir: Path, say: Say) -> None:
    deadline = time.monotonic() + _UP_WITHIN_S
    announced: set[str] = set()
    while True:
        running = _running(state_dir)
        if running is None:
            logs = log_path(state_dir, "supervisor")
            raise StackProblem(f"The local stack's supervisor ended. The end of its log, {logs}:\n{tail(logs)}")
        for part in running.parts:
            if part.status == "running" and part.name not in announced:
                announced.add(part.name)
                say(f"{part.name} is running")
            if part.status == "failed":
                raise StackProblem(f"The local stack's {part.name} does not come up: {part.problem}")
        if running.parts and len(announced) == len(running.parts):
            return
        if time.monotonic() > deadline:
            raise _too_late(running, state_dir)
        time.sleep(0.05)


def _too_late(running: StackRecord, state_dir: Path) -> StackProblem:
    missing = next(part for part in running.parts if part.status != "running")
    logs = log_path(state_dir, missing.name)
    return StackProblem(
        f"The local stack's {missing.name} is still {missing.status} after {_UP_WITHIN_S} s. "
        f"{missing.problem or ''} The end of its log, {logs}:\n{tail(logs)}"
    )


def _stop(state_dir: Path, say: Say) -> None:
    running = _running(state_dir)
    if running:
        terminate(running.supervisor)
        kill(wait_until_gone([running.supervisor], _DOWN_WITHIN_S))
    _stop_left_behind(state_dir, say)
    if running:
        say("The local stack is down.")


def _stop_left_behind(state_dir: Path, say: Say) -> None:
    """End every process of this stack that no supervisor looks after."""
    known = settings.read(state_dir)
    left = marked(MARK, f"{known.identity}/") if known else []
    left += postgres_home.processes(postgres_directory(state_dir))
    if left:
        say(f"Ending {len(set(left))} processes that a killed supervisor left behind.")
        for name in left:
            terminate(name)
        stubborn = kill(wait_until_gone(left, patience_s=10))
        if stubborn:
            pids = ", ".join(str(name.pid) for name in stubborn)
            raise StackProblem(f"These processes of the local stack cannot be ended: {pids}. End them yourself.")
    if known:
        seaweedfs.clear_left_behind(known)
    record.record_path(state_dir).unlink(missing_ok=True)


def _shorten_logs(directory: Path) -> None:
    for path in directory.glob("*.log"):
        if path.stat().st_size > _LONGEST_LOG_BYTES:
            path.replace(path.with_suffix(".log.1"))


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
