"""Owns the jobs and their states. What they sync is workspace.py's to know, HTTP is server.py's job.

Every job is kept in a file under the state folder, so a server that was killed knows what it was asked to do.
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

from local.airbyte import CONNECTION_ID
from local.airbyte.landing import Destination, Generation
from local.airbyte.refused import Refused
from local.airbyte.setup import Record, Setup
from local.airbyte.worker import SyncOrder, SyncReport, work
from local.airbyte.workspace import Workspace, write_json

RUNNING = ("pending", "running")
_LOG_LINES = 200
_PATH_FORMAT = "${NAMESPACE}/${STREAM_NAME}/${YEAR}_${MONTH}_${DAY}_${EPOCH}_"  # Airbyte's own


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
    connection_id: str = CONNECTION_ID
    told: tuple[str, ...] = ()  # what its next answers say of its status, on request

    def total(self, name: str) -> int:
        """The sum of one count over the streams."""
        return sum(stream[name] for stream in self.stats.values())


class JobBook:
    """Starts syncs and remembers them. One sync at a time for each connection."""

    def __init__(self, setup: Setup) -> None:
        self._setup = setup
        self._folder = setup.state / "jobs"
        self._folder.mkdir(parents=True, exist_ok=True)
        self._lock = threading.RLock()
        self.workspace = Workspace(setup)
        self._processes: dict[int, ForkServerProcess] = {}
        self._jobs = {job.job_id: job for job in map(_read_job, sorted(self._folder.glob("*.json")))}
        for job in list(self._jobs.values()):
            if job.status in RUNNING:
                self._close(
                    job, "failed", [_platform_failure("the Airbyte server stopped while this sync was running")]
                )
        self._context = warm_context()

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

    def answer(self, job_id: int) -> Job:
        """One job, as an answer tells it: its status, or what was ordered to be told first."""
        with self._lock:
            job = self.job(job_id)
            if not job.told:
                return job
            self._keep(replace(job, told=job.told[1:]))
            return replace(job, status=job.told[0])

    def start(self, connection_id: object) -> Job:
        """Starts a sync of the streams that a connection selects, and answers with it."""
        with self._lock:
            connection = self.workspace.one("connection", connection_id)
            self._refuse_second(connection)
            source = self.workspace.one("source", connection["sourceId"])
            destination = self.workspace.one("destination", connection["destinationId"])
            refuse_unknown_writing(connection, destination)
            faults = self.workspace.take_job_faults(source["sourceId"])
            streams = tuple(stream["name"] for stream in connection["configurations"]["streams"])
            now = time.time()
            job = Job(
                job_id=max(self._jobs, default=0) + 1,
                status="pending",
                streams=streams,
                generation_id=max((job.generation_id for job in self._jobs.values()), default=0) + 1,
                created_at=now,
                updated_at=now,
                stats={stream: _nothing() for stream in streams},
                connection_id=connection["connectionId"],
                told=faults.told or (("running",) if faults.fails else ()),
            )
            self._keep(job)
            if faults.fails:
                self._close(job, "failed", [_ordered_failure()])
            else:
                self._launch(job, source, destination)
            return self.answer(job.job_id)

    def _refuse_second(self, connection: Record) -> None:
        """One sync at a time, and none for a connection that is switched off."""
        if connection["status"] != "active":
            raise Refused(409, f"the connection {connection['connectionId']} is {connection['status']}.")
        for job in self._jobs.values():
            if job.connection_id == connection["connectionId"] and job.status in RUNNING:
                raise Refused(
                    409, f"a sync is already running for this connection: job {job.job_id}. Wait for its end."
                )

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

    def _launch(self, job: Job, source: Record, destination: Record) -> None:
        config = dict(source["configuration"])
        written = destination["configuration"]
        manifest = self._folder / f"{job.job_id:08d}.manifest"
        write_json(manifest, self.workspace.one("definition", source["definitionId"])["manifest"])
        order = SyncOrder(
            manifest=manifest,
            damage=tuple(config.pop("destination_faults", None) or ()),
            config=config,
            streams=job.streams,
            bucket=written["s3_bucket_name"],
            destination=Destination(
                written["s3_bucket_path"], written.get("s3_path_format") or _PATH_FORMAT, self._setup.part_bytes
            ),
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


def refuse_unknown_writing(connection: Record, destination: Record) -> None:
    """Raises Refused for settings that the real server obeys and this one does not."""
    modes = {stream["syncMode"] for stream in connection["configurations"]["streams"]}
    mappers = [stream["name"] for stream in connection["configurations"]["streams"] if stream.get("mappers")]
    form = destination["configuration"]["format"]
    is_known = (
        modes == {"full_refresh_append"}
        and not mappers
        and not connection.get("prefix")
        and form.get("format_type") == "JSONL"
        and form.get("flattening", "No flattening") == "No flattening"
        and form.get("compression", {}).get("compression_type") == "GZIP"
    )
    if not is_known:
        raise Refused(422, "this stand-in appends whole records as JSONL, compressed by gzip, and nothing else.")


def _read_job(path: Path) -> Job:
    kept = json.loads(path.read_text("utf-8"))
    return Job(**{**kept, "streams": tuple(kept["streams"]), "told": tuple(kept.get("told", ()))})


def _nothing() -> dict[str, int]:
    return {"records_emitted": 0, "bytes_emitted": 0, "records_committed": 0, "bytes_committed": 0}


def _platform_failure(message: str) -> dict[str, Any]:
    return _failure("airbyte_platform", message, retryable=True)


def _ordered_failure() -> dict[str, Any]:
    return _failure("source", "the source failed, as it was ordered to", retryable=False)


def _failure(origin: str, message: str, *, retryable: bool) -> dict[str, Any]:
    return {
        "failureOrigin": origin,
        "failureType": "system_error",
        "externalMessage": message,
        "internalMessage": message,
        "streamDescriptor": None,
        "retryable": retryable,
        "timestamp": int(datetime.now(UTC).timestamp() * 1000),
    }
