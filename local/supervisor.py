"""Owns the one process that keeps the stack's parts running (local/keeper.py) and records them in stack.json.

Starting and stopping this process is local/stack.py's job. Run as
`python -m local.supervisor STATE_DIR --fingerprint TEXT [--owner PID]`: it prints the pid of the process that stays.
"""

import argparse
import json
import logging
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path

from local import record, settings
from local.keeper import MARK, Keeper
from local.parts import parts
from local.ports import HOST
from local.processes import ProcessName, is_alive
from local.record import StackRecord

log = logging.getLogger("local.supervisor")

_WATCH_EVERY_S = 1.0
# The parts get addresses and keys from us; what the user has set for the real AWS is not for them.
_NOT_FOR_PARTS = ("AWS_", "MOTO_", "WEED_", "PG", "SSL_CERT", "S3_", "SPACEX_ELT_")


class Supervisor:
    """Keeps every part of one stack running until told to stop, its state directory vanishes or its owner ends."""

    def __init__(self, state_dir: Path, chosen: settings.StackSettings, fingerprint: str, owner: ProcessName | None):
        self._state_dir = state_dir
        self._settings = chosen
        self._fingerprint = fingerprint
        self._owner = owner
        self._stopping = threading.Event()
        self._lock = threading.Lock()
        self._guard = _Guard(_inherited(os.environ) | {MARK: f"{chosen.identity}/guard"})
        self._keepers = tuple(
            Keeper(
                part,
                mark=f"{chosen.identity}/{part.name}",
                environment=_inherited(os.environ),
                log_path=log_path(state_dir, part.name),
                changed=self._changed,
            )
            for part in parts(chosen, state_dir)
        )

    def ask_to_stop(self) -> None:
        """Make `run` end everything and return."""
        self._stopping.set()

    def run(self) -> None:
        """Start the parts, watch, and end them when asked to."""
        self._write()
        ready = {keeper.part.name: keeper.was_ready for keeper in self._keepers}
        for keeper in self._keepers:
            keeper.start(tuple(ready[need] for need in keeper.part.needs))
        while not self._stopping.wait(_WATCH_EVERY_S) and self._is_wanted():
            self._guard.watch()
        self._end_parts()
        self._guard.dismiss()
        if self._is_our_directory():
            record.record_path(self._state_dir).unlink(missing_ok=True)

    def _end_parts(self) -> None:
        log.info("stopping")
        dependants = [keeper for keeper in self._keepers if keeper.part.needs]
        for group in (dependants, [keeper for keeper in self._keepers if keeper not in dependants]):
            for keeper in group:
                keeper.ask_to_stop()
            for keeper in group:
                keeper.finish()

    def _is_wanted(self) -> bool:
        if not self._is_our_directory():
            log.warning("%s is no longer this stack's: stopping", self._state_dir)
            return False
        return self._owner is None or is_alive(self._owner)

    def _is_our_directory(self) -> bool:
        found = settings.read(self._state_dir)
        return found is not None and found.identity == self._settings.identity

    def _changed(self, keeper: Keeper) -> None:
        told = keeper.record
        log.info("%s is %s%s", told.name, told.status, f" (pid {told.process.pid})" if told.process else "")
        if told.process:
            self._guard.tell(told.name, told.process)
        self._write()

    def _write(self) -> None:
        supervisor = ProcessName.of(os.getpid())
        if supervisor is None or not self._is_our_directory():
            return
        with self._lock:
            told = tuple(keeper.record for keeper in self._keepers)
            record.write(StackRecord(supervisor, self._fingerprint, told), self._state_dir)


class _Guard:
    """The process that ends the parts when this one is killed (local/guard.py); itself started again when it ends."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment
        self._told: dict[str, ProcessName] = {}
        self._lock = threading.Lock()
        self._process = self._start()

    def tell(self, part: str, process: ProcessName) -> None:
        with self._lock:
            self._told[part] = process
            self._write(part, process)

    def watch(self) -> None:
        with self._lock:
            if self._process.poll() is not None:
                self._process = self._start()
                for part, process in self._told.items():
                    self._write(part, process)

    def dismiss(self) -> None:
        with self._lock:
            if self._process.stdin:
                self._process.stdin.close()
            self._process.wait()

    def _start(self) -> subprocess.Popen[str]:
        return subprocess.Popen(
            (sys.executable, "-m", "local.guard"),
            cwd=Path(__file__).resolve().parent.parent,
            env=self._environment,
            stdin=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def _write(self, part: str, process: ProcessName) -> None:
        line = json.dumps({"part": part, "pid": process.pid, "started_at": process.started_at})
        try:
            assert self._process.stdin  # noqa: S101 (for the type checker: it was opened as a pipe)
            self._process.stdin.write(line + "\n")
            self._process.stdin.flush()
        except OSError:
            log.warning("the guard has ended; it is started again")  # by the next watch, which tells it everything


def log_path(state_dir: Path, part: str) -> Path:
    """Where a part's output goes."""
    return state_dir / "logs" / f"{part}.log"


def _inherited(environment: Mapping[str, str]) -> dict[str, str]:
    kept = {name: value for name, value in environment.items() if not name.startswith(_NOT_FOR_PARTS)}
    beside_proxy = {name: f"{kept[name]},{HOST}" if kept.get(name) else HOST for name in ("no_proxy", "NO_PROXY")}
    return kept | beside_proxy


def _detach() -> None:
    """Continue in a process that no terminal and no parent holds; the one we were prints its pid and ends."""
    pid = os.fork()
    if pid:
        print(pid, flush=True)  # noqa: T201 (read by local/stack.py)
        os._exit(0)
    os.setsid()
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1):
        os.dup2(nowhere, stream)
    os.close(nowhere)


def main(arguments: list[str] | None = None) -> None:
    """Keep the stack of a state directory running until SIGTERM."""
    parser = argparse.ArgumentParser(prog="python -m local.supervisor")
    parser.add_argument("state_dir", type=Path)
    parser.add_argument("--fingerprint", required=True)
    parser.add_argument("--owner", type=int, help="end when the process with this pid does")
    options = parser.parse_args(arguments)
    chosen = settings.read(options.state_dir)
    owner = ProcessName.of(options.owner) if options.owner else None
    if chosen is None or (options.owner and owner is None):
        parser.error(f"{options.state_dir} has no settings, or the owner has ended")
    _detach()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s", stream=sys.stderr)
    supervisor = Supervisor(options.state_dir, chosen, options.fingerprint, owner)
    signal.signal(signal.SIGTERM, lambda *_: supervisor.ask_to_stop())
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    supervisor.run()


if __name__ == "__main__":
    main()
