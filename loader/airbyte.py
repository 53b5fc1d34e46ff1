"""Owns the port to an Airbyte server and its HTTP adapter: start a sync, follow it, read what it says it landed.

Shapes: Airbyte's public API for sources, connections and jobs; its configuration API for the counts per stream, which
the public one does not give.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import requests

from contracts.errors import ServiceUnavailable, UsageError

_RUNNING = {"pending", "queued", "running", "incomplete"}


@dataclass(frozen=True, slots=True)
class SyncJob:
    """What Airbyte says about one sync. `committed_counts` is per stream, records written to the lake."""

    job_id: str
    status: str
    committed_counts: Mapping[str, int]
    failure: str | None

    @property
    def is_running(self) -> bool:
        """Whether the job may still land objects."""
        return self.status in _RUNNING


class SyncServer(Protocol):
    """Extracts the source's streams into the lake. Every method raises ServiceUnavailable or UsageError."""

    def point_source_at(self, base_url: str, destination_faults: Sequence[str]) -> None:
        """Configures the source's API address (and, on a stand-in that can, damage to do to landed objects)."""
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

    def job(self, job_id: str) -> SyncJob:
        """What the server says of a job now."""
        ...


@dataclass(frozen=True, slots=True)
class AirbyteServer:
    """An Airbyte server over HTTP."""

    url: str
    connection_id: str
    source_id: str

    def point_source_at(self, base_url: str, destination_faults: Sequence[str]) -> None:
        """Configures the source's API address."""
        configuration: dict[str, Any] = {"base_url": base_url, "destination_faults": list(destination_faults)}
        self._call("PATCH", f"/api/public/v1/sources/{self.source_id}", {"configuration": configuration})

    def select_streams(self, names: Sequence[str]) -> None:
        """Chooses what a sync extracts."""
        streams = [{"name": name, "syncMode": "full_refresh_append"} for name in names]
        path = f"/api/public/v1/connections/{self.connection_id}"
        self._call("PATCH", path, {"configurations": {"streams": streams}})

    def start_sync(self) -> str:
        """Starts a sync and returns its job id."""
        answer = self._call("POST", "/api/public/v1/jobs", {"connectionId": self.connection_id, "jobType": "sync"})
        return str(answer["jobId"])

    def running_job_id(self) -> str | None:
        """The job that is running now, if any."""
        jobs = self._call("GET", f"/api/public/v1/jobs?connectionId={self.connection_id}&jobType=sync", None)["data"]
        return next((str(job["jobId"]) for job in jobs if job["status"] in _RUNNING), None)

    def job(self, job_id: str) -> SyncJob:
        """What the server says of a job now."""
        if not job_id.isdigit():
            raise UsageError(f"{job_id!r} is no Airbyte job id. Expected a number, as the sync printed it.")
        answer = self._call("POST", "/api/v1/jobs/get", {"id": int(job_id)})
        attempts = [entry["attempt"] for entry in answer.get("attempts", [])]
        last = attempts[-1] if attempts else {}
        counts = {
            stream["streamName"]: int(stream["stats"].get("recordsCommitted", 0))
            for stream in last.get("streamStats") or []
        }
        failures = (last.get("failureSummary") or {}).get("failures", [])
        return SyncJob(job_id, answer["job"]["status"], counts, _in_short(failures))

    def _call(self, method: str, path: str, body: Mapping[str, Any] | None) -> Any:
        where = f"{method} {self.url}{path}"
        try:
            answer = requests.request(method, f"{self.url}{path}", json=body, timeout=30)
        except requests.RequestException as exc:
            raise ServiceUnavailable(
                f"the Airbyte server did not answer {where}: {exc}. Expected it to be up; "
                "check it (locally: spacex-elt local status), then run again."
            ) from exc
        if answer.status_code in {401, 403}:
            raise UsageError(f"the Airbyte server refused our credentials for {where}. Check the client id and secret.")
        if answer.status_code in {400, 404, 422}:
            raise UsageError(f"the Airbyte server does not know {where}: {answer.text[:300]}")
        if not answer.ok:
            raise ServiceUnavailable(f"the Airbyte server failed on {where}: {answer.status_code} {answer.text[:300]}")
        return answer.json()


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
    job = wait_for_end(server, job_id, timeout_s)
    if job.status != "succeeded":
        raise ServiceUnavailable(
            f"Airbyte job {job_id} ended {job.status}: {job.failure or 'it gave no reason'}. Nothing was loaded; "
            "the warehouse serves what it served before. Run again when the source answers."
        )
    return job
