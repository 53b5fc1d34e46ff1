"""Owns telling our processes from everybody else's, and ending them. What they are for is not known here.

A pid alone names nobody: it is handed out again. A process is named by its pid and the instant it started.
"""

import contextlib
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import psutil  # type: ignore[import-untyped,unused-ignore]


@dataclass(frozen=True, slots=True)
class ProcessName:
    """One process for good: the same pid with another start is another process."""

    pid: int
    started_at: float  # seconds since the epoch, as the operating system tells it

    @classmethod
    def of(cls, pid: int) -> "ProcessName | None":
        """Name the process that has this pid now; None if there is none."""
        try:
            return cls(pid, psutil.Process(pid).create_time())
        except psutil.Error:
            return None


def is_alive(name: ProcessName) -> bool:
    """Tell whether that very process still runs. One that ended and waits to be reaped does not."""
    return _find(name) is not None


def memory_bytes(name: ProcessName) -> int:
    """Return the memory of the process and its descendants; 0 when it is gone.

    A page that several processes share is divided among them where the system tells (Linux), else counted for each.
    """
    process = _find(name)
    total = 0
    with contextlib.suppress(psutil.Error):
        for member in [process, *process.children(recursive=True)] if process else []:
            with contextlib.suppress(psutil.Error):
                memory = member.memory_full_info()
                total += int(getattr(memory, "pss", memory.rss))
    return total


def marked(variable: str, prefix: str) -> list[ProcessName]:
    """Return every process that was started with this environment variable beginning with `prefix`."""
    return _matching(lambda process: process.environ().get(variable, "").startswith(prefix))


def working_in(directory: Path, program: str) -> list[ProcessName]:
    """Return every process of this program whose current directory is `directory`."""
    return _matching(lambda process: process.name().startswith(program) and Path(process.cwd()) == directory)


def terminate(name: ProcessName) -> None:
    """Ask the process to end."""
    with contextlib.suppress(psutil.Error):
        process = _find(name)
        if process:
            process.terminate()


def kill(names: Iterable[ProcessName], patience_s: float = 10) -> list[ProcessName]:
    """End the processes without asking, and wait until they are gone. Returns those that are not."""
    asked = list(names)
    for name in asked:
        with contextlib.suppress(psutil.Error):
            process = _find(name)
            if process:
                process.kill()
    return wait_until_gone(asked, patience_s)


def wait_until_gone(names: Iterable[ProcessName], patience_s: float) -> list[ProcessName]:
    """Wait until the processes have ended. Returns those that have not when patience runs out."""
    deadline = time.monotonic() + patience_s
    alive = [name for name in names if is_alive(name)]
    while alive and time.monotonic() < deadline:
        time.sleep(0.02)
        alive = [name for name in alive if is_alive(name)]
    return alive


def _find(name: ProcessName) -> psutil.Process | None:
    with contextlib.suppress(psutil.Error):
        process = psutil.Process(name.pid)
        if process.create_time() == name.started_at and process.status() != psutil.STATUS_ZOMBIE:
            return process
    return None


def _matching(predicate: Callable[[psutil.Process], bool]) -> list[ProcessName]:
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            if process.status() != psutil.STATUS_ZOMBIE and predicate(process):
                found.append(ProcessName(process.pid, process.create_time()))
    return found
