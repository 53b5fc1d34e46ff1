"""Owns the port to an Airbyte server and its HTTP adapter: start a sync, follow it, read what it says it landed.

Shapes: Airbyte's public API for sources, connections and jobs; its configuration API for the counts per stream, which
the public one does not give. Tokens and refusals are loader/airbyte_http.py's job.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from contracts.errors import ServiceUnavailable, UsageError
from loader.airbyte_http import PUBLIC, AirbyteHttp

_RUNNING = {"pending", "queued", "running", "incomplete"}


@dataclass(frozen=True, slots=True)
class SyncJob:
    """What Airbyte says about one sync. `committed_counts` is per stream, records written to the lake."""

    job_id: str
    status: str
    created_at_s: int  # epoch seconds; what the job landed is named with an instant from then on …
    updated_at_s: int  # … up to this one, when it is over
    committed_counts: Mapping[str, int]
    failure: str | None

    @property
    def is_running(self) -> bool:
        """Whether the job may still land objects."""
        return self.status in _RUNNING


class SyncServer(Protocol):
    """Extracts the source's streams into the lake. Every method raises ServiceUnavailable or UsageError."""

    def point_source_at(self, base_url: str, name: str) -> None:
        """Configures the source's API address, and the name it goes by: words for where the data comes from."""
        ...

    def source_name(self) -> str:
        """The words that the source goes by now."""
        ...

    def select_streams(self, names: Sequence[str]) -> None:
        """Chooses what a sync extracts."""
        ...

    def start_sync(self) -> str:
        """Starts a sync and returns its job id."""
        ...

    def running_job_id(self) -> str | None:
        """The job that is running now, if any: the server refuses to start a second one."""
        ...

    def selected_streams(self) -> tuple[str, ...]:
        """What a sync started now would extract."""
        ...

    def job(self, job_id: str) -> SyncJob:
        """What the server says of a job now."""
        ...


@dataclass(frozen=True, slots=True)
class AirbyteServer:
    """An Airbyte server over HTTP."""

    http: AirbyteHttp
    connection_id: str
    source_id: str

    def point_source_at(self, base_url: str, name: str) -> None:
        """Configures the source's API address, and the name it goes by."""
        body = {"name": name, "configuration": {"base_url": base_url}}
        self.http.call("PATCH", f"{PUBLIC}/sources/{self.source_id}", body, _nothing)

    def source_name(self) -> str:
        """The words that the source goes by now."""
        return self.http.call("GET", f"{PUBLIC}/sources/{self.source_id}", None, lambda answer: str(answer["name"]))

    def select_streams(self, names: Sequence[str]) -> None:
        """Chooses what a sync extracts."""
        streams = [{"name": name, "syncMode": "full_refresh_append"} for name in names]
        path = f"{PUBLIC}/connections/{self.connection_id}"
        self.http.call("PATCH", path, {"configurations": {"streams": streams}}, _nothing)

    def start_sync(self) -> str:
        """Starts a sync and returns its job id."""
        body = {"connectionId": self.connection_id, "jobType": "sync"}
        return self.http.call("POST", f"{PUBLIC}/jobs", body, lambda answer: str(answer["jobId"]))

    def running_job_id(self) -> str | None:
        """The job that is running now, if any."""
        path = f"{PUBLIC}/jobs?connectionId={self.connection_id}&jobType=sync&orderBy=createdAt|DESC"
        return self.http.call("GET", path, None, _first_running)

    def selected_streams(self) -> tuple[str, ...]:
        """What a sync started now would extract."""
        path = f"{PUBLIC}/connections/{self.connection_id}"
        return self.http.call("GET", path, None, _stream_names)

    def job(self, job_id: str) -> SyncJob:
        """What the server says of a job now. A stream whose count it does not tell has none here."""
        if not (job_id.isascii() and job_id.isdecimal()):
            raise UsageError(f"{job_id!r} is no Airbyte job id. Expected a number, as the sync printed it.")
        return self.http.call("POST", "/api/v1/jobs/get", {"id": int(job_id)}, lambda answer: _read_job(job_id, answer))


def _nothing(answer: Any) -> None:
    """Of an answer that only says that it was done."""


def _stream_names(answer: Any) -> tuple[str, ...]:
    return tuple(stream["name"] for stream in answer["configurations"]["streams"])


def _first_running(answer: Any) -> str | None:
    return next((str(job["jobId"]) for job in answer["data"] if job["status"] in _RUNNING), None)


def _read_job(job_id: str, answer: Any) -> SyncJob:
    attempts = [entry["attempt"] for entry in answer.get("attempts", [])]
    last = attempts[-1] if attempts else {}
    counts = {
        stream["streamName"]: int(stream["stats"]["recordsCommitted"])
        for stream in last.get("streamStats") or []
        if stream["stats"].get("recordsCommitted") is not None
    }
    failures = (last.get("failureSummary") or {}).get("failures", [])
    job = answer["job"]
    return SyncJob(
        job_id, str(job["status"]), int(job["createdAt"]), int(job["updatedAt"]), counts, _in_short(failures)
    )


def _in_short(failures: Sequence[Mapping[str, Any]]) -> str | None:
    """The first failure in a line; the others are mostly the same for the next stream."""
    messages = [" ".join(str(item.get("externalMessage")).split()) for item in failures]
    if not messages:
        return None
    first = messages[0] if len(messages[0]) <= 400 else messages[0][:400] + "…"
    return first if len(messages) == 1 else f"{first} (and {len(messages) - 1} more streams)"


def wait_for_end(server: SyncServer, job_id: str, timeout_s: float) -> SyncJob:
    """Follows a job to its end, good or bad. Raises ServiceUnavailable when it takes too long."""
    deadline = time.monotonic() + timeout_s
    while (job := server.job(job_id)).is_running:
        if time.monotonic() > deadline:
            raise ServiceUnavailable(f"Airbyte job {job_id} is still {job.status} after {timeout_s:.0f} s. Look at it.")
        time.sleep(0.2)
    return job


def wait_for(server: SyncServer, job_id: str, timeout_s: float) -> SyncJob:
    """Follows a job to its good end. Raises ServiceUnavailable when it fails or takes too long."""
    return refuse_unfinished(wait_for_end(server, job_id, timeout_s))


def refuse_unfinished(job: SyncJob) -> SyncJob:
    """The job, when it succeeded. Raises ServiceUnavailable otherwise: what it landed is not a whole snapshot."""
    if job.is_running:
        raise ServiceUnavailable(f"Airbyte job {job.job_id} is still {job.status}. Run again when it has ended.")
    if job.status != "succeeded":
        raise ServiceUnavailable(
            f"Airbyte job {job.job_id} ended {job.status}: {job.failure or 'it gave no reason'}. Nothing was loaded; "
            "the warehouse serves what it served before. Run again when the source answers."
        )
    return job
