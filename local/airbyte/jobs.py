"""Owns the server's memory: source and connection settings, and the jobs with their states. HTTP is server.py's job.

Everything is kept in files under the state folder, so a server that was killed knows what it was asked to do.
"""

import json
import multiprocessing
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from multiprocessing import forkserver
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerContext, ForkServerProcess
from pathlib import Path
from typing import Any

from local.airbyte import DESTINATION_ID, WORKSPACE_ID
from local.airbyte.damage import check_damage
from local.airbyte.landing import Generation
from local.airbyte.setup import Setup
from local.airbyte.worker import SyncOrder, SyncReport, work

RUNNING = ("pending", "running")
_LOG_LINES = 200


class Refused(Exception):
    """The request cannot be done. `status` is the HTTP status the real server gives."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True, slots=True)
class Job:
    """One sync, as it is kept. Instants are epoch seconds."""

    job_id: int
    status: str
    streams: tuple[str, ...]
    generation_id: int
    created_at: float
    updated_at: float
    ended_at: float | None = None
    stats: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    failures: Sequence[Mapping[str, Any]] = ()
    damage: Sequence[Mapping[str, Any]] = ()

    def total(self, name: str) -> int:
        """The sum of one count over the streams."""
        return sum(stream[name] for stream in self.stats.values())


class Settings:
    """Settings that requests may change, kept in one file."""

    def __init__(self, setup: Setup) -> None:
        self._file = setup.state / "connection.json"
        kept = json.loads(self._file.read_text("utf-8")) if self._file.exists() else {}
        self._known = setup.known_streams
        self.source_config: dict[str, Any] = kept.get("source_config", dict(setup.source_config))
        self.streams: list[str] = kept.get("streams", list(setup.streams))
        self.generation_id: int = kept.get("generation_id", 0)

    def configure_source(self, changes: Mapping[str, Any]) -> None:
        """Merges settings into the source's. Damage is asked for anew with each change, and refused when unknown."""
        check_damage(changes.get("destination_faults") or ())
        self.source_config.pop("destination_faults", None)
        self.source_config.update(changes)
        self._keep()

    def select(self, streams: Sequence[str]) -> None:
        """Chooses what the next sync extracts."""
        unknown = sorted(set(streams) - set(self._known))
        if unknown or not streams:
            raise Refused(
                400,
                f"the source has no stream {', '.join(unknown) or '(none named)'}. It has: {', '.join(self._known)}.",
            )
        self.streams = list(dict.fromkeys(streams))
        self._keep()

    def next_generation(self) -> int:
        """A number above every earlier one, kept before it is used."""
        self.generation_id += 1
        self._keep()
        return self.generation_id

    def _keep(self) -> None:
        write_json(
            self._file,
            {"source_config": self.source_config, "streams": self.streams, "generation_id": self.generation_id},
        )


class JobBook:
    """Starts syncs and remembers them. One sync at a time, as one connection allows."""

    def __init__(self, setup: Setup) -> None:
        self._setup = setup
        self._folder = setup.state / "jobs"
        self._folder.mkdir(parents=True, exist_ok=True)
        self._lock = threading.RLock()
        self.settings = Settings(setup)
        self._processes: dict[int, ForkServerProcess] = {}
        self._jobs = {job.job_id: job for job in map(_read_job, sorted(self._folder.glob("*.json")))}
        for job in list(self._jobs.values()):
            if job.status in RUNNING:
                self._close(
                    job, "failed", [_platform_failure("the Airbyte server stopped while this sync was running")]
                )
        self._context = warm_context()

    def destination(self) -> dict[str, Any]:
        """The destination's settings, in Airbyte's words."""
        setup = self._setup
        settings = {"s3_bucket_name": setup.bucket, "s3_bucket_path": setup.destination.bucket_path}
        return {
            "destinationId": DESTINATION_ID,
            "name": "Lake",
            "destinationType": "s3",
            "workspaceId": WORKSPACE_ID,
            "configuration": {**settings, "s3_path_format": setup.destination.path_format},
        }

    def job(self, job_id: int) -> Job:
        """One job. Raises Refused when there is none of that id."""
        with self._lock:
            if job_id not in self._jobs:
                raise Refused(404, f"there is no job {job_id}.")
            return self._jobs[job_id]

    def jobs(self) -> list[Job]:
        """Every job, newest first."""
        with self._lock:
            return sorted(self._jobs.values(), key=lambda job: -job.job_id)

    def log_lines(self, job_id: int) -> list[str]:
        """The end of what a sync said."""
        path = self._log_file(job_id)
        return path.read_text("utf-8", "replace").splitlines()[-_LOG_LINES:] if path.exists() else []

    def start(self) -> Job:
        """Starts a sync of the selected streams."""
        with self._lock:
            running = [job.job_id for job in self._jobs.values() if job.status in RUNNING]
            if running:
                raise Refused(
                    409, f"a sync is already running for this connection: job {running[0]}. Wait for its end."
                )
            now = time.time()
            job = Job(
                job_id=max(self._jobs, default=0) + 1,
                status="pending",
                streams=tuple(self.settings.streams),
                generation_id=self.settings.next_generation(),
                created_at=now,
                updated_at=now,
                stats={stream: _nothing() for stream in self.settings.streams},
            )
            self._keep(job)
            self._launch(job)
            return job

    def cancel(self, job_id: int) -> Job:
        """Ends a running sync. What it has landed stays; a job that has ended stays as it is."""
        with self._lock:
            job = self.job(job_id)
            if job.status in RUNNING:
                self._processes[job_id].kill()
                self._close(job, "cancelled", [])
            return self.job(job_id)

    def close(self) -> None:
        """Ends what is running; its job is reported as failed by the next server."""
        with self._lock:
            for process in self._processes.values():
                process.kill()

    def _launch(self, job: Job) -> None:
        config = dict(self.settings.source_config)
        order = SyncOrder(
            manifest=self._setup.manifest,
            damage=tuple(config.pop("destination_faults", None) or ()),
            config=config,
            streams=job.streams,
            bucket=self._setup.bucket,
            destination=self._setup.destination,
            generation=Generation(job.job_id, job.generation_id, datetime.now(UTC)),
            log_file=self._log_file(job.job_id),
        )
        ours, theirs = self._context.Pipe(duplex=False)
        process = self._context.Process(target=work, args=(order, theirs), daemon=True)
        process.start()
        theirs.close()
        self._processes[job.job_id] = process
        threading.Thread(target=self._follow, args=(job.job_id, process, ours), daemon=True).start()

    def _follow(self, job_id: int, process: ForkServerProcess, pipe: Connection) -> None:
        try:
            while True:
                report: SyncReport = pipe.recv()
                self._take(job_id, report)
        except (EOFError, OSError):
            process.join()
        finally:
            pipe.close()
        with self._lock:
            self._processes.pop(job_id, None)
            if self._jobs[job_id].status in RUNNING:
                died = _platform_failure(f"the sync's process ended without a word (exit code {process.exitcode})")
                self._close(self._jobs[job_id], "failed", [died])

    def _take(self, job_id: int, report: SyncReport) -> None:
        with self._lock:
            job = self._jobs[job_id]
            if job.status not in RUNNING:
                return
            job = replace(job, status="running", updated_at=time.time(), stats=report.streams, damage=report.damage)
            if report.status == "running":
                self._keep(job)
            else:
                self._close(job, report.status, report.failures)

    def _close(self, job: Job, status: str, failures: Sequence[Mapping[str, Any]]) -> None:
        now = time.time()
        self._keep(replace(job, status=status, updated_at=now, ended_at=now, failures=tuple(failures)))

    def _keep(self, job: Job) -> None:
        self._jobs[job.job_id] = job
        write_json(self._folder / f"{job.job_id:08d}.json", {name: getattr(job, name) for name in Job.__slots__})

    def _log_file(self, job_id: int) -> Path:
        return self._folder / f"{job_id:08d}.log"


def warm_context() -> ForkServerContext:
    """Processes forked from one that has imported the CDK already: the import takes seconds, the fork none."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["local.airbyte.sync"])
    forkserver.ensure_running()
    return context


def write_json(path: Path, value: Any) -> None:
    """Writes a file so that a kill leaves the old one or the new one."""
    written = path.with_suffix(".tmp")
    written.write_text(json.dumps(value), "utf-8")
    written.replace(path)


def _read_job(path: Path) -> Job:
    kept = json.loads(path.read_text("utf-8"))
    return Job(**{**kept, "streams": tuple(kept["streams"])})


def _nothing() -> dict[str, int]:
    return {"records_emitted": 0, "bytes_emitted": 0, "records_committed": 0, "bytes_committed": 0}


def _platform_failure(message: str) -> dict[str, Any]:
    return {
        "failureOrigin": "airbyte_platform",
        "failureType": "system_error",
        "externalMessage": message,
        "internalMessage": message,
        "streamDescriptor": None,
        "retryable": True,
        "timestamp": int(datetime.now(UTC).timestamp() * 1000),
    }
