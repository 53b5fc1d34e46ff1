"""Owns the shapes of Airbyte's answers: jobs as its public API and as its configuration API give them.

Sources, destinations and connections are kept in the public API's shape already (workspace.py).
"""

from datetime import UTC, datetime
from typing import Any

from local.airbyte import WORKSPACE_ID
from local.airbyte.jobs import Job


def public_job(job: Job) -> dict[str, Any]:
    """`JobResponse` of the public API: counts of the whole job only."""
    return {
        "jobId": job.job_id,
        "status": job.status,
        "jobType": "sync",
        "startTime": _instant(job.created_at),
        "connectionId": job.connection_id,
        "lastUpdatedAt": _instant(job.updated_at),
        "duration": _duration(round(job.updated_at - job.created_at)),
        "bytesSynced": job.total("bytes_committed"),
        "rowsSynced": job.total("records_committed"),
    }


def config_job(job: Job, log_lines: list[str]) -> dict[str, Any]:
    """`JobInfoRead` of the configuration API: one attempt, with counts per stream. Times are epoch seconds."""
    times = {"createdAt": int(job.created_at), "updatedAt": int(job.updated_at)}
    attempt: dict[str, Any] = {
        "id": 0,
        "status": job.status if job.ended_at else "running",
        **times,
        "endedAt": int(job.ended_at) if job.ended_at else None,
        "bytesSynced": job.total("bytes_committed"),
        "recordsSynced": job.total("records_committed"),
        "totalStats": _stats({name: job.total(name) for name in next(iter(job.stats.values()))}),
        "streamStats": [
            {"streamName": name, "streamNamespace": None, "stats": _stats(dict(counts))}
            for name, counts in job.stats.items()
        ],
    }
    if job.failures:
        landed = any(counts["records_committed"] for counts in job.stats.values())
        attempt["failureSummary"] = {"failures": list(job.failures), "partialSuccess": landed}
    return {
        "job": {
            "id": job.job_id,
            "configType": "sync",
            "configId": job.connection_id,
            **times,
            "startedAt": int(job.created_at),
            "status": job.status,
        },
        "attempts": [{"attempt": attempt, "logs": {"logLines": log_lines}}],
    }


def workspace() -> dict[str, Any]:
    """`WorkspaceResponse` of the public API: the one that this server has."""
    return {"workspaceId": WORKSPACE_ID, "name": "Default Workspace", "dataResidency": "auto", "notifications": {}}


def _stats(counts: dict[str, int]) -> dict[str, int]:
    return {
        "recordsEmitted": counts["records_emitted"],
        "bytesEmitted": counts["bytes_emitted"],
        "stateMessagesEmitted": 0,
        "recordsCommitted": counts["records_committed"],
        "bytesCommitted": counts["bytes_committed"],
        "estimatedRecords": 0,
        "estimatedBytes": 0,
    }


def _instant(epoch_s: float) -> str:
    return datetime.fromtimestamp(int(epoch_s), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _duration(seconds: int) -> str:
    """ISO 8601, as the server writes it: PT8H6M12S."""
    hours, rest = divmod(seconds, 3600)
    minutes, left = divmod(rest, 60)
    parts = [f"{value}{unit}" for value, unit in ((hours, "H"), (minutes, "M")) if value]
    return "PT" + "".join(parts) + (f"{left}S" if left or not parts else "")
