"""Owns keeping one part running: start, wait until ready, and again when it ends, until told to stop.

Which parts there are is local/parts.py's, all of them together local/supervisor.py's job.
"""

import logging
import subprocess
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

from local.files import tail
from local.parts import Launch, Part
from local.problem import StackProblem
from local.processes import ProcessName, kill, marked
from local.record import PartRecord

log = logging.getLogger("local.supervisor")

MARK = "SPACEX_ELT_STACK"  # set for each process of the stack, to "<identity>/<part>"
_MOST_FAILURES = 5  # in a row
_STEADY_AFTER_S = 10  # having run for so long, a part that ends has not failed to start
_READY_WITHIN_S = 60
_LONGEST_PAUSE_S = 10.0
_PROBE_EVERY_S = 0.05


def pause_s(failure_count: int) -> float:
    """Return how long to wait before the next start after so many failures in a row."""
    return float(min(0.1 * 3 ** (failure_count - 1), _LONGEST_PAUSE_S))


class Keeper:
    """Keeps one part running, in a thread of its own, until `stop`."""

    def __init__(
        self, part: Part, mark: str, environment: Mapping[str, str], log_path: Path, changed: Callable[["Keeper"], None]
    ) -> None:
        self.part = part
        self.record = PartRecord(part.name, "waiting", part.ports)
        self.was_ready = threading.Event()
        self._mark = mark
        self._environment = environment
        self._log_path = log_path
        self._changed = changed
        self._stopping = threading.Event()
        self._process: subprocess.Popen[bytes] | None = None
        self._lock = threading.Lock()  # a start and a stop must not cross
        self._thread = threading.Thread(target=self._keep, name=part.name, daemon=True)

    def start(self, needs: tuple[threading.Event, ...]) -> None:
        """Begin, once the events have happened."""
        self._needs = needs
        self._thread.start()

    def ask_to_stop(self) -> None:
        """Send the part its stop signal and start it no more. Does not wait."""
        with self._lock:
            self._stopping.set()
            if self._process and self._process.poll() is None:
                self._process.send_signal(self.part.stop_signal)

    def finish(self) -> None:
        """Wait until the part has ended; kill it when its patience is over."""
        process = self._process
        if process:
            try:
                process.wait(timeout=self.part.patience_s)
            except subprocess.TimeoutExpired:
                log.warning("%s did not stop within %s s: killed", self.part.name, self.part.patience_s)
                process.kill()
                process.wait()
        self._thread.join()
        self._clear()
        self._tell(replace(self.record, status="stopped", process=None))

    def _keep(self) -> None:
        while not all(need.wait(0.2) for need in self._needs):
            if self._stopping.is_set():
                return
        failure_count = 0
        while not self._stopping.is_set():
            problem, lasted_s = self._run_once()
            if self._stopping.is_set():
                return
            failure_count = 1 if lasted_s > _STEADY_AFTER_S else failure_count + 1
            gives_up = failure_count >= _MOST_FAILURES
            log.error("%s: %s%s", self.part.name, problem, "; giving up" if gives_up else "; starting it again")
            status = "failed" if gives_up else "restarting"
            count = self.record.restart_count + (not gives_up)
            self._tell(
                PartRecord(self.part.name, status, self.part.ports, problem=problem, restart_count=count)  # type: ignore[arg-type]
            )
            if gives_up or self._stopping.wait(pause_s(failure_count)):
                return

    def _run_once(self) -> tuple[str, float]:
        """Run the part until it ends. Returns why it ended and for how many seconds it had been ready."""
        try:
            self._clear()
            process = self._launch(self.part.prepare())
            if process is None:
                return "stopped", 0
            self._wait_until_ready(process)
            self.part.once_ready()
        except (StackProblem, OSError) as error:
            self._end()
            return str(error), 0
        except Exception as error:
            log.exception("%s: unexpected", self.part.name)
            self._end()
            return f"{type(error).__name__}: {error}", 0
        ready_at = time.monotonic()
        self._tell(replace(self.record, status="running", problem=None))
        self.was_ready.set()
        code = process.wait()
        return f"ended unasked with code {code}. The end of {self._log_path}:\n{tail(self._log_path)}", (
            time.monotonic() - ready_at
        )

    def _launch(self, launch: Launch) -> subprocess.Popen[bytes] | None:
        with self._lock, self._log_path.open("ab") as output:
            if self._stopping.is_set():
                return None
            account = launch.account
            self._process = process = subprocess.Popen(
                launch.command,
                cwd=launch.directory,
                env={**self._environment, **launch.environment, MARK: self._mark},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
                user=account.uid if account else None,
                group=account.gid if account else None,
                extra_groups=[] if account else None,
            )
        name = ProcessName.of(process.pid)
        self._tell(replace(self.record, status="starting", process=name))
        return process

    def _wait_until_ready(self, process: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + _READY_WITHIN_S
        while not self.part.is_ready():
            if process.poll() is not None:
                raise self._problem(f"ended with code {process.returncode} before it was ready")
            if time.monotonic() > deadline:
                raise self._problem(f"was not ready after {_READY_WITHIN_S} s")
            if self._stopping.wait(_PROBE_EVERY_S):
                raise StackProblem("stopped before it was ready")

    def _problem(self, what: str) -> StackProblem:
        return StackProblem(f"{what}. The end of its log, {self._log_path}:\n{tail(self._log_path)}")

    def _end(self) -> None:
        with self._lock:
            if self._process and self._process.poll() is None:
                self._process.kill()
                self._process.wait()

    def _clear(self) -> None:
        """End and remove what an earlier process of this part left."""
        kill(marked(MARK, self._mark))
        self.part.clear()

    def _tell(self, record: PartRecord) -> None:
        self.record = record
        self._changed(self)
