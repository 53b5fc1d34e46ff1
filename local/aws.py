"""Owns the stand-in for AWS' small services (Secrets Manager, SSM, SNS, SQS, CloudWatch, Logs, ECS): a moto server.

It keeps everything in memory, so each start makes the stack's own resources anew, under the same names and addresses,
before anybody can connect. S3 is SeaweedFS' (local/seaweedfs.py), Redshift is local/redshift's.

Run as a program: `python -m local.aws --port PORT --resources FILE`.
"""

import argparse
import json
import logging
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from local.files import write_private
from local.ports import HOST
from local.settings import StackSettings
from local.stack_env import AIRBYTE_SECRET, ALERTS, REGION, WAREHOUSE_DATABASE, WAREHOUSE_SECRET, WAREHOUSE_USER


def command(settings: StackSettings, state_dir: Path) -> tuple[str, ...]:
    """The command that runs it in the foreground."""
    port = str(settings.ports["aws"])
    return (sys.executable, "-m", "local.aws", "--port", port, "--resources", str(_resources_path(state_dir)))


def prepare(settings: StackSettings, state_dir: Path) -> None:
    """Write down the resources that every start makes."""
    warehouse = {
        "host": HOST,
        "port": settings.ports["redshift"],
        "database": WAREHOUSE_DATABASE,
        "username": WAREHOUSE_USER,
        "password": settings.warehouse_password,
    }
    airbyte = {"client_id": settings.airbyte_client_id, "client_secret": settings.airbyte_client_secret}
    resources = {"secrets": {WAREHOUSE_SECRET: warehouse, AIRBYTE_SECRET: airbyte}, "alerts": ALERTS}
    write_private(_resources_path(state_dir), json.dumps(resources))


def _resources_path(state_dir: Path) -> Path:
    return state_dir / "aws-resources.json"


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
    """Make the stack's resources, then serve until killed."""
    parser = argparse.ArgumentParser(prog="python -m local.aws", description="Stand in for AWS' small services.")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--resources", type=Path, required=True, help="JSON written by the stack")
    options = parser.parse_args(arguments)
    logging.getLogger("werkzeug").setLevel(logging.WARNING)

    from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
    from werkzeug.serving import make_server

    application = DomainDispatcherApplication(create_backend_app)
    resources = json.loads(options.resources.read_text(encoding="utf-8"))
    _while_serving(application, lambda endpoint: _provision(resources, endpoint))
    # Whoever can connect finds everything in place.
    make_server(HOST, options.port, application, threaded=True).serve_forever()


if __name__ == "__main__":
    main()
