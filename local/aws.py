"""Owns the stand-in for AWS' small services (Secrets Manager, SSM, SNS, SQS, CloudWatch, Logs, ECS): a moto server.

It keeps everything in memory, so each start makes the stack's own resources anew, under the same names and addresses,
before anybody can connect. S3 is SeaweedFS' (local/seaweedfs.py), Redshift and logging in to it with an IAM identity
are local/redshift's, running ECS' tasks is local/ecs'.

Run as a program: `python -m local.aws --port PORT --resources FILE`.
"""

import argparse
import json
import logging
import os
import shutil
import signal
import sys
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from local.files import write_private
from local.ports import HOST
from local.settings import StackSettings
from local.stack_env import (
    AIRBYTE_SECRET,
    ALERTS,
    ECS_CLUSTER,
    LOG_GROUP,
    REGION,
    SECURITY_GROUP,
    SUBNETS,
    TASK_IMAGE,
    TASK_ROLE,
    WAREHOUSE_CLUSTER,
    WAREHOUSE_DATABASE,
    WAREHOUSE_SECRET,
    WAREHOUSE_USER,
    container_env,
    task_definition,
)

if TYPE_CHECKING:
    from local.ecs.book import TaskBook

_TASKS_END_WITHIN_S = 2


def command(settings: StackSettings, state_dir: Path) -> tuple[str, ...]:
    """The command that runs it in the foreground."""
    port = str(settings.ports["aws"])
    return (sys.executable, "-m", "local.aws", "--port", port, "--resources", str(_resources_path(state_dir)))


@dataclass(frozen=True, slots=True)
class Pipeline:
    """What ECS is to run: the task definition's template, its image's entry point, the image's own environment."""

    template: Path
    entry_point: tuple[str, ...]
    environment: Mapping[str, str]


def prepare(settings: StackSettings, state_dir: Path, pipeline: Pipeline) -> None:
    """Write down the resources that every start makes. Removes the folders of tasks that were killed."""
    shutil.rmtree(_tasks_path(state_dir), ignore_errors=True)
    warehouse = {
        "host": HOST,
        "port": settings.ports["redshift"],
        "database": WAREHOUSE_DATABASE,
        "username": WAREHOUSE_USER,
        "password": settings.warehouse_password,
    }
    airbyte = {"client_id": settings.airbyte_client_id, "client_secret": settings.airbyte_client_secret}
    ecs = {
        "cluster": ECS_CLUSTER,
        "log_group": LOG_GROUP,
        "task_definition": task_definition(settings, state_dir, pipeline.template.read_text(encoding="utf-8")),
        "images": {TASK_IMAGE: pipeline.entry_point},
        "environment": {**container_env(settings, state_dir), **pipeline.environment},
        "folder": str(_tasks_path(state_dir)),
        "subnets": SUBNETS,
        "security_groups": [SECURITY_GROUP],
    }
    redshift = {
        "name": WAREHOUSE_CLUSTER,
        "host": HOST,
        "port": settings.ports["redshift"],
        "database": WAREHOUSE_DATABASE,
        "key": settings.warehouse_signing_key,
        "own_access_key": settings.s3_access_key,
        "own_role": TASK_ROLE,
    }
    secrets = {WAREHOUSE_SECRET: warehouse, AIRBYTE_SECRET: airbyte}
    resources = {"secrets": secrets, "alerts": ALERTS, "ecs": ecs, "redshift": redshift}
    write_private(_resources_path(state_dir), json.dumps(resources))


def _resources_path(state_dir: Path) -> Path:
    return state_dir / "aws-resources.json"


def _tasks_path(state_dir: Path) -> Path:
    return state_dir / "tasks"


def _provision(resources: dict[str, Any], endpoint: str) -> None:
    import boto3

    session = boto3.session.Session("stack", "stack", region_name=REGION)
    secrets = session.client("secretsmanager", endpoint_url=endpoint)
    for name, value in resources["secrets"].items():
        secrets.create_secret(Name=name, SecretString=json.dumps(value))
    name = resources["alerts"]
    topics = session.client("sns", endpoint_url=endpoint)
    queues = session.client("sqs", endpoint_url=endpoint)
    topic = topics.create_topic(Name=name)["TopicArn"]
    queue = queues.create_queue(QueueName=name)["QueueUrl"]
    described = queues.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])
    topics.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=described["Attributes"]["QueueArn"])
    ecs = session.client("ecs", endpoint_url=endpoint)
    ecs.create_cluster(clusterName=resources["ecs"]["cluster"])
    ecs.register_task_definition(**resources["ecs"]["task_definition"])
    session.client("logs", endpoint_url=endpoint).create_log_group(logGroupName=resources["ecs"]["log_group"])


def _task_book(told: Mapping[str, Any], endpoint: str) -> "TaskBook":
    import boto3

    from local.ecs.book import TaskBook
    from local.ecs.orders import Network
    from local.ecs.task import Machine
    from local.keeper import MARK

    session = boto3.session.Session("stack", "stack", region_name=REGION)
    machine = Machine(
        images={image: tuple(entry_point) for image, entry_point in told["images"].items()},
        environment=told["environment"],
        folder=Path(told["folder"]),
        logs=session.client("logs", endpoint_url=endpoint),
        # Found by who ends what this process has left: the tasks' marks begin as its own.
        mark=(MARK, os.environ.get(MARK, str(os.getpid()))),
    )
    network = Network(tuple(told["subnets"]), tuple(told["security_groups"]))
    return TaskBook(session.client("ecs", endpoint_url=endpoint), machine, network)


def _while_serving(application: Any, action: Callable[[str], None]) -> None:
    """Serve the application on a port nobody knows for as long as the action takes."""
    from werkzeug.serving import make_server

    server = make_server(HOST, 0, application, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        action(f"http://{HOST}:{server.port}")
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def main(arguments: list[str] | None = None) -> None:
    """Make the stack's resources, then serve until told to stop (SIGTERM, SIGINT)."""
    parser = argparse.ArgumentParser(prog="python -m local.aws", description="Stand in for AWS' small services.")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--resources", type=Path, required=True, help="JSON written by the stack")
    options = parser.parse_args(arguments)
    logging.getLogger("werkzeug").setLevel(logging.WARNING)

    from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
    from werkzeug.serving import make_server

    from local.ecs.server import Ecs
    from local.redshift.control_plane import Cluster, ControlPlane

    application = DomainDispatcherApplication(create_backend_app)
    resources = json.loads(options.resources.read_text(encoding="utf-8"))
    _while_serving(application, lambda endpoint: _provision(resources, endpoint))
    # Whoever can connect finds everything in place.
    book = _task_book(resources["ecs"], f"http://{HOST}:{options.port}")
    redshift = Cluster(**{**resources["redshift"], "key": resources["redshift"]["key"].encode()})
    server = make_server(HOST, options.port, Ecs(book, ControlPlane(redshift, application)), threaded=True)

    def stop() -> None:
        book.close(patience_s=_TASKS_END_WITHIN_S)  # first: what they still say goes to this server
        server.shutdown()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: threading.Thread(target=stop).start())
    server.serve_forever()


if __name__ == "__main__":
    main()
