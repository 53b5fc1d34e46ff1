"""Owns the Airbyte stand-in as a process with a lake, for tests that ask it over HTTP."""

import gzip
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import requests

from local.airbyte import CONNECTION_ID, SOURCE_ID

ROOT = Path(__file__).parents[3]
APPEND = "full_refresh_append"
ENDED = {"succeeded", "failed", "cancelled"}
CREDENTIALS = {"aws_access_key_id": "stand-in", "aws_secret_access_key": "stand-in", "region_name": "us-east-1"}


@dataclass
class Lake:
    """A bucket behind an S3 endpoint."""

    endpoint: str
    bucket: str = "lake"

    @property
    def environment(self) -> dict[str, str]:
        return {
            **os.environ,
            "AWS_ENDPOINT_URL_S3": self.endpoint,
            "AWS_ACCESS_KEY_ID": "stand-in",
            "AWS_SECRET_ACCESS_KEY": "stand-in",
            "AWS_DEFAULT_REGION": "us-east-1",
        }

    def client(self) -> Any:
        return boto3.client("s3", endpoint_url=self.endpoint, **CREDENTIALS)  # type: ignore[call-overload]

    def keys(self, prefix: str = "landing/") -> list[str]:
        found = self.client().list_objects_v2(Bucket=self.bucket, Prefix=prefix)
        return [item["Key"] for item in found.get("Contents", [])]

    def lines(self, key: str) -> list[dict[str, Any]]:
        body = self.client().get_object(Bucket=self.bucket, Key=key)["Body"].read()
        return [json.loads(line) for line in gzip.decompress(body).splitlines()]

    def of_sync(self, stream: str, sync_id: int) -> list[dict[str, Any]]:
        """The envelopes one sync landed for a stream."""
        lines = [line for key in self.keys(f"landing/{stream}/") for line in self.lines(key)]
        return [line for line in lines if line["_airbyte_meta"]["sync_id"] == sync_id]


class Server:
    """The stand-in as a process."""

    def __init__(self, state: Path, lake: Lake, *options: str) -> None:
        command = [sys.executable, "-m", "local.airbyte", "--state", str(state), "--bucket", lake.bucket, *options]
        self.process = subprocess.Popen(command, cwd=ROOT, env=lake.environment, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        told = self.process.stdout.readline()
        assert told, "the server ended before it listened"
        self.url: str = json.loads(told)["url"]

    def call(self, method: str, path: str, body: Any = None) -> requests.Response:
        return requests.request(method, f"{self.url}{path}", json=body, timeout=10)

    def configure(
        self, base_url: str, *streams: str, faults: tuple[str, ...] = (), job_faults: tuple[str, ...] = ()
    ) -> None:
        ordered = {"destination_faults": list(faults), "job_faults": list(job_faults)}
        settings = {"base_url": base_url, "max_retries": 0, **ordered}
        answers = [
            self.call("PATCH", f"/api/public/v1/sources/{SOURCE_ID}", {"configuration": settings}),
            self.call(
                "PATCH",
                f"/api/public/v1/connections/{CONNECTION_ID}",
                {
                    "configurations": {
                        "streams": [{"name": name, "syncMode": "full_refresh_append"} for name in streams]
                    }
                },
            ),
        ]
        assert [answer.status_code for answer in answers] == [200, 200]

    def start(self) -> int:
        answer = self.call("POST", "/api/public/v1/jobs", {"connectionId": CONNECTION_ID, "jobType": "sync"})
        assert answer.status_code == 200, answer.text
        return int(answer.json()["jobId"])

    def public(self, job_id: int) -> dict[str, Any]:
        found: dict[str, Any] = self.call("GET", f"/api/public/v1/jobs/{job_id}").json()
        return found

    def attempt(self, job_id: int) -> dict[str, Any]:
        found: dict[str, Any] = self.call("POST", "/api/v1/jobs/get", {"id": job_id}).json()["attempts"][0]["attempt"]
        return found

    def committed(self, job_id: int) -> dict[str, int]:
        return {
            stream["streamName"]: stream["stats"]["recordsCommitted"] for stream in self.attempt(job_id)["streamStats"]
        }

    def failures(self, job_id: int) -> list[str]:
        summary = self.attempt(job_id).get("failureSummary", {"failures": []})
        return [failure["externalMessage"] for failure in summary["failures"]]

    def follow(self, job_id: int) -> str:
        for _ in range(600):
            status = str(self.public(job_id)["status"])
            if status in ENDED:
                return status
            time.sleep(0.05)
        raise AssertionError(f"job {job_id} did not end: {self.public(job_id)}")

    def sync(self) -> int:
        job_id = self.start()
        assert self.follow(job_id) == "succeeded", self.failures(job_id)
        return job_id

    def end(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        assert self.process.stdout is not None
        self.process.stdout.close()
        return self.process.wait(timeout=20)


@contextmanager
def running_lake() -> Iterator[Lake]:
    """A lake of its own, behind moto."""
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    lake = Lake(f"http://{host}:{port}")
    lake.client().create_bucket(Bucket=lake.bucket)
    yield lake
    server.stop()
