"""Owns running the DAG in tests: the real `airflow dags test` on the session's stack, and what may go wrong there."""

import contextlib
import json
import select
import socket
import socketserver
import threading
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import boto3

from local import airflow
from local.airflow import INSTALLED, DagRunOutcome, Installation, TaskTry
from local.stack import StackState
from spacex_elt import dag
from spacex_elt.run import point_at
from spacex_elt.settings import read_settings
from spacex_elt.sources import SourceRequest, open_source
from spacex_elt.wiring import airbyte_http, open_pipeline


def run_dag(
    stack: StackState,
    request: SourceRequest,
    conf: Mapping[str, object] | None = None,
    on_change: Callable[[TaskTry], None] = lambda task: None,
    *,
    job_faults: tuple[str, ...] = (),
    installation: Installation = INSTALLED,
    told: Mapping[str, str] | None = None,
) -> DagRunOutcome:
    """One run of the daily DAG over a source."""
    with open_pipeline("driver") as pipeline, open_source(request, tuple(pipeline.contracts)) as source:
        point_at(pipeline.sync_server, source)
        if job_faults:
            order_job_faults(job_faults)
        return airflow.run_dag(stack.state_dir, dag.DAG, conf or {}, on_change, installation=installation, told=told)


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


@contextlib.contextmanager
def task_definition(changes: Mapping[str, str]) -> Iterator[str]:
    """The pipeline's task definition under another name, with some variables set otherwise. Yields that name."""
    client = ecs()
    known = client.describe_task_definition(taskDefinition="spacex-elt")["taskDefinition"]
    container = known["containerDefinitions"][0]
    kept = [each for each in container["environment"] if each["name"] not in changes]
    container["environment"] = kept + [{"name": name, "value": value} for name, value in changes.items()]
    given = ("networkMode", "cpu", "memory", "executionRoleArn", "taskRoleArn", "requiresCompatibilities")
    made = client.register_task_definition(
        family="spacex-elt-otherwise",
        **{name: known[name] for name in given},
        volumes=known.get("volumes", []),
        containerDefinitions=[container],
    )["taskDefinition"]
    try:
        yield f"{made['family']}:{made['revision']}"
    finally:
        client.deregister_task_definition(taskDefinition=made["taskDefinitionArn"])


class Door(socketserver.ThreadingTCPServer):
    """A TCP port before another one, that can be shut: then whoever comes is hung up on. A context manager."""

    daemon_threads = True
    block_on_close = False

    def __init__(self, port: int) -> None:
        super().__init__(("127.0.0.1", 0), _PassOn)
        self.target = ("127.0.0.1", port)
        self.port: int = self.server_address[1]
        self.is_open = True

    def __enter__(self) -> "Door":
        threading.Thread(target=self.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self.server_close()


class _PassOn(socketserver.BaseRequestHandler):
    server: Door

    def handle(self) -> None:
        if not self.server.is_open:
            return
        with contextlib.suppress(OSError), socket.create_connection(self.server.target) as target:
            others = {self.request: target, target: self.request}
            while True:
                for ready in select.select(list(others), [], [])[0]:
                    received = ready.recv(1 << 16)
                    if not received:
                        return
                    others[ready].sendall(received)
