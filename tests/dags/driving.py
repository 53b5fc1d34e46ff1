"""Owns running the DAG in tests: the real `airflow dags test` on the session's stack, and what may go wrong there."""

import contextlib
import json
import select
import socket
import socketserver
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import boto3

from local import airflow
from local.airflow import INSTALLED, DagRunOutcome, Installation, TaskTry
from local.stack import StackState
from local.stack_env import ECS_CLUSTER, STEP_FAMILIES
from observability.run_record import RunRecord
from spacex_elt import dag
from spacex_elt.run import point_at
from spacex_elt.settings import read_settings
from spacex_elt.sources import SourceRequest, open_source
from spacex_elt.wiring import airbyte_http, open_pipeline
from tests.e2e.harness import MARTS, request

ROOT = Path(__file__).resolve().parents[2]
SMALL = request("sample", launches=30, datasets=MARTS)
GOOD = [(name, "success") for name in ("sync", "plan", "gate", "load", "transform", "publish")]
BEHIND = "spacex-elt-behind-a-door"  # a family of task definitions of its own


def run_dag(
    stack: StackState,
    asked: SourceRequest,
    conf: Mapping[str, object] | None = None,
    on_change: Callable[[TaskTry], None] = lambda task: None,
    *,
    job_faults: tuple[str, ...] = (),
    installation: Installation = INSTALLED,
    told: Mapping[str, str] | None = None,
) -> DagRunOutcome:
    """One run of the daily DAG over a source."""
    with open_pipeline("driver") as pipeline, open_source(asked, tuple(pipeline.contracts)) as source:
        point_at(pipeline.sync_server, source)
        if job_faults:
            order_job_faults(job_faults)
        return airflow.run_dag(stack.state_dir, dag.DAG, conf or {}, on_change, installation=installation, told=told)


def record_of(run_id: str) -> RunRecord:
    """The record that a run left."""
    with open_pipeline("look") as pipeline:
        record = dag.find_record(pipeline, run_id)
    assert record is not None
    return record


def states(outcome: DagRunOutcome) -> list[tuple[str, str]]:
    """Each try of each task, in order: its name and how it ended."""
    return [(each.task_id, each.state) for each in outcome.tries]


def order_job_faults(faults: tuple[str, ...]) -> None:
    """The next sync goes through these states of a job (the Airbyte stand-in's own order)."""
    settings = read_settings()
    body = {"configuration": {"job_faults": list(faults)}}
    path = f"/api/public/v1/sources/{settings.airbyte_source_id}"
    airbyte_http(settings).call("PATCH", path, body, lambda answer: None)


def order_ecs_faults(stack: StackState, **counts: int) -> None:
    """The next containers fail to start (the ECS stand-in's own order)."""
    url = f"{stack.env['AWS_ENDPOINT_URL']}/_faults/ecs"
    order = urllib.request.Request(url, data=json.dumps(counts).encode(), method="PUT")
    order.add_header("Content-Type", "application/json")
    with urllib.request.urlopen(order, timeout=10) as answer:
        assert answer.status == 200


def ecs() -> Any:
    return boto3.client("ecs")


def s3_port(stack: StackState) -> int:
    return int(stack.env["AWS_ENDPOINT_URL_S3"].rsplit(":", 1)[1])


def wait_for_containers(run_id: str, step: str, status: str) -> list[str]:
    """The ARNs of the containers behind the door that run a step of a run, once there is one in that state."""
    client = ecs()
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        arns = client.list_tasks(cluster=ECS_CLUSTER, family=BEHIND, desiredStatus=status)["taskArns"]
        told = client.describe_tasks(cluster=ECS_CLUSTER, tasks=arns)["tasks"] if arns else []
        wanted = [step, "--run-id", run_id]
        mine = [each for each in told if each["overrides"]["containerOverrides"][0]["command"][:3] == wanted]
        if mine and all(each["lastStatus"] == status for each in mine):
            return [str(each["taskArn"]) for each in mine]
        time.sleep(0.2)
    raise AssertionError(f"no container of {step} is {status}")


@contextlib.contextmanager
def task_definition(changes: Mapping[str, str]) -> Iterator[dict[str, str]]:
    """The pipeline's task definition under another name, some variables set otherwise. Yields what Airflow is told."""
    client = ecs()
    known = client.describe_task_definition(taskDefinition="spacex-elt")["taskDefinition"]
    container = known["containerDefinitions"][0]
    kept = [each for each in container["environment"] if each["name"] not in changes]
    container["environment"] = kept + [{"name": name, "value": value} for name, value in changes.items()]
    given = ("networkMode", "cpu", "memory", "executionRoleArn", "taskRoleArn", "requiresCompatibilities")
    made = client.register_task_definition(
        family=BEHIND,
        **{name: known[name] for name in given},
        volumes=known.get("volumes", []),
        containerDefinitions=[container],
    )["taskDefinition"]
    try:
        yield {f"SPACEX_ELT_{family}_TASK": f"{made['family']}:{made['revision']}" for family in STEP_FAMILIES}
    finally:
        client.deregister_task_definition(taskDefinition=made["taskDefinitionArn"])


class Door(socketserver.ThreadingTCPServer):
    """A TCP port before another one: open, shut (whoever comes is hung up on) or ajar (whoever comes waits)."""

    daemon_threads = True
    block_on_close = False

    def __init__(self, port: int) -> None:
        super().__init__(("127.0.0.1", 0), _PassOn)
        self.target = ("127.0.0.1", port)
        self.url = f"http://127.0.0.1:{self.server_address[1]}"
        self.is_shut = False
        self.let_in = threading.Event()
        self.let_in.set()

    def __enter__(self) -> "Door":
        threading.Thread(target=self.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.let_in.set()
        self.shutdown()
        self.server_close()


class _PassOn(socketserver.BaseRequestHandler):
    server: Door

    def handle(self) -> None:
        if self.server.is_shut:
            return
        self.server.let_in.wait(60)
        with contextlib.suppress(OSError), socket.create_connection(self.server.target) as target:
            others = {self.request: target, target: self.request}
            while True:
                for ready in select.select(list(others), [], [])[0]:
                    received = ready.recv(1 << 16)
                    if not received:
                        return
                    others[ready].sendall(received)
