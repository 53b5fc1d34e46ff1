"""Owns running one ECS task on this machine: its process, its states, its output to a log group.

Which tasks there are is local/ecs/book.py's job. Of a container it keeps the environment, the working directory,
signals and the exit code; not the file system, the user, the network or the limits.
"""

import contextlib
import logging
import os
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from botocore.exceptions import BotoCoreError, ClientError

from local.ecs.orders import Order
from local.processes import kill, marked

log = logging.getLogger("local.ecs")

# So much is read at once: it cannot hold more lines than PutLogEvents takes, 10,000.
_READ_BYTES = 16_384
_LONGEST_EVENT_BYTES = 262_118  # where the awslogs driver cuts a line


@dataclass(frozen=True, slots=True)
class Machine:
    """What every task runs on. `mark` names a variable and the beginning of its value in each process of ours."""

    images: Mapping[str, tuple[str, ...]]  # an image's name: its entry point
    environment: Mapping[str, str]  # what each container is given beside its task definition's
    folder: Path
    logs: Any  # a client for CloudWatch Logs
    mark: tuple[str, str]


class _NotStarted(Exception):
    """The container cannot start; the message is the task's stoppedReason."""


class Task:
    """One task, from PROVISIONING to STOPPED. `facts` is what DescribeTasks tells of it that never changes."""

    def __init__(self, facts: Mapping[str, Any], order: Order, machine: Machine, fault: str | None = None) -> None:
        self.ended = threading.Event()
        self.arn: str = facts["taskArn"]
        self.id = self.arn.rsplit("/", 1)[1]
        self._order = order
        self._machine = machine
        self._fault = fault
        self._home = machine.folder / self.id
        self._stream = f"{order.log_stream_prefix}/{order.name}/{self.id}"
        self._lock = threading.Lock()  # held for each change and to signal: a start and a stop must not cross
        self._process: subprocess.Popen[bytes] | None = None
        self._told = {**facts, "lastStatus": "PROVISIONING", "desiredStatus": "RUNNING", "createdAt": time.time()}
        self._container: dict[str, Any] = {
            "containerArn": f"{self.arn.replace(':task/', ':container/')}/{order.name}",
            "taskArn": self.arn,
            "name": order.name,
            "image": order.image,
            "lastStatus": "PENDING",
            "networkInterfaces": [],
        }

    def start(self) -> None:
        """Begin, in a thread of its own."""
        threading.Thread(target=self._run, name=self.id, daemon=True).start()

    def stop(self, reason: str) -> None:
        """Ask it to end: SIGTERM now, SIGKILL after its stop timeout. Does not wait."""
        with self._lock:
            if self._told["desiredStatus"] == "STOPPED":
                return
            self._told |= {"desiredStatus": "STOPPED", "stoppingAt": time.time()}
            self._told |= {"stopCode": "UserInitiated", "stoppedReason": reason}
            self._signal(signal.SIGTERM)
        threading.Thread(target=self._kill_if_late, daemon=True).start()

    def kill(self) -> None:
        """End it without asking."""
        with self._lock:
            self._signal(signal.SIGKILL)

    def describe(self) -> dict[str, Any]:
        """Return what DescribeTasks tells of it."""
        with self._lock:
            return {**self._told, "containers": [dict(self._container)]}

    def _kill_if_late(self) -> None:
        if not self.ended.wait(self._order.stop_timeout_s):
            self.kill()

    def _signal(self, number: signal.Signals) -> None:
        if self._process and self._process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, number)

    def _run(self) -> None:
        self._tell(lastStatus="PENDING")
        try:
            process = self._start_process()
        except (_NotStarted, OSError) as exc:
            self._end("TaskFailedToStart", str(exc), {"reason": str(exc)})
            return
        if process is None:
            self._end("UserInitiated", "", {})
            return
        assert process.stdout  # noqa: S101 (for the type checker: it was opened as a pipe)
        copier = threading.Thread(target=self._copy_output, args=(process.stdout,), daemon=True)
        copier.start()
        code = process.wait()
        self._end_what_is_left(process)
        copier.join()
        self._end("EssentialContainerExited", "Essential container in task exited", {"exitCode": _exit_code(code)})

    def _start_process(self) -> "subprocess.Popen[bytes] | None":
        """Start the container; None when the task was stopped before. Raises _NotStarted."""
        if self._fault:
            raise _NotStarted(self._fault)
        entry_point = self._order.entry_point or self._entry_point()
        self._make_log_stream()
        self._home.mkdir(mode=0o700, parents=True)
        with self._lock:
            if self._told["desiredStatus"] == "STOPPED":
                return None
            try:
                process = subprocess.Popen(
                    (*entry_point, *self._order.command),
                    cwd=_empty_folder(self._machine.folder),
                    env=self._environment(),
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                )
            except OSError as exc:
                raise _NotStarted(f"CannotStartContainerError: {exc}") from exc
            self._process = process
            self._told |= {"lastStatus": "RUNNING", "startedAt": time.time(), "connectivity": "CONNECTED"}
            self._container |= {"lastStatus": "RUNNING", "runtimeId": f"{self.id}-{process.pid}"}
        return process

    def _entry_point(self) -> tuple[str, ...]:
        image = self._order.image
        if image not in self._machine.images:
            raise _NotStarted(
                "CannotPullContainerError: pull image manifest has been retried 1 time(s): "
                f"failed to resolve ref {image}: {image}: not found"
            )
        return self._machine.images[image]

    def _make_log_stream(self) -> None:
        if self._order.log_group is None:
            return
        try:
            self._machine.logs.create_log_stream(logGroupName=self._order.log_group, logStreamName=self._stream)
        except (BotoCoreError, ClientError) as exc:
            raise _NotStarted(
                "ResourceInitializationError: failed to validate logger args: create stream has been retried 1 times: "
                f"failed to create Cloudwatch log stream in {self._order.log_group}: {exc}"
            ) from exc

    def _environment(self) -> dict[str, str]:
        own = {"HOME": str(self._home), "TMPDIR": str(self._home), "LANG": "C.UTF-8"}
        return {**own, **self._machine.environment, **self._order.environment, **self._mark()}

    def _mark(self) -> dict[str, str]:
        variable, beginning = self._machine.mark
        return {variable: f"{beginning}/{self.id}"}

    def _copy_output(self, output: IO[bytes]) -> None:
        """Hand the output on as it comes, whole lines, until its last writer has ended."""
        with output:
            rest = b""
            while chunk := os.read(output.fileno(), _READ_BYTES):
                *lines, rest = (rest + chunk).split(b"\n")
                if len(rest) >= _LONGEST_EVENT_BYTES:
                    lines.append(rest[:_LONGEST_EVENT_BYTES])
                    rest = rest[_LONGEST_EVENT_BYTES:]
                self._put_events(lines)
            self._put_events([rest])

    def _put_events(self, lines: list[bytes]) -> None:
        now = int(time.time() * 1000)
        events = [{"timestamp": now, "message": line.decode(errors="replace")} for line in lines if line]
        if not events or not self._order.log_group:  # an empty line is no event in CloudWatch either
            return
        try:
            self._machine.logs.put_log_events(
                logGroupName=self._order.log_group, logStreamName=self._stream, logEvents=events
            )
        except (BotoCoreError, ClientError) as exc:
            log.warning("task %s: %d lines of output are lost: %s", self.id, len(events), exc)

    def _end_what_is_left(self, process: "subprocess.Popen[bytes]") -> None:
        """A container ends whole, whatever its first process has left running."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        ((variable, value),) = self._mark().items()
        kill(marked(variable, value))

    def _end(self, code: str, reason: str, container: Mapping[str, Any]) -> None:
        shutil.rmtree(self._home, ignore_errors=True)
        with self._lock:
            why = {"stopCode": code, "stoppedReason": reason}
            self._told = why | self._told | {"lastStatus": "STOPPED", "desiredStatus": "STOPPED"}
            self._told |= {"stoppedAt": time.time(), "executionStoppedAt": time.time()}
            self._container |= {**container, "lastStatus": "STOPPED"}
        self.ended.set()

    def _tell(self, **changes: Any) -> None:
        with self._lock:
            self._told |= changes


def _exit_code(code: int) -> int:
    return code if code >= 0 else 128 - code


def _empty_folder(folder: Path) -> Path:
    """Where containers start: nothing lies there and, but for root, nothing can be put there."""
    empty = folder / "empty"
    empty.mkdir(mode=0o555, parents=True, exist_ok=True)
    return empty
