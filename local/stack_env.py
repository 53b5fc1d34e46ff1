"""Owns what the product is told of the stack: the names and values in stack.env, which its settings read."""

import json
import string
from pathlib import Path
from typing import Any

from local import airbyte, files
from local.ports import HOST
from local.settings import StackSettings

REGION = "us-east-1"
ACCOUNT = "123456789012"
LAKE_BUCKET = "spacex-lake"
DOCS_BUCKET = "spacex-docs"
WAREHOUSE_SECRET = "spacex-elt/warehouse"  # noqa: S105 (the secret's name)
AIRBYTE_SECRET = "spacex-elt/airbyte"  # noqa: S105 (the secret's name)
WAREHOUSE_DATABASE = "spacex"
WAREHOUSE_USER = "loader"
WAREHOUSE_CLUSTER = "spacex-elt"  # also the name of its serverless workgroup
TASK_ROLE = "spacex-elt-task"
WAREHOUSE_ROLE_USER = f"IAMR:{TASK_ROLE}"  # who logs in with the task's role; may do what the user above may
COPY_ROLE = f"arn:aws:iam::{ACCOUNT}:role/spacex-elt-copy"
ALERTS = "spacex-elt-alerts"  # topic and queue
ECS_CLUSTER = "spacex-elt"
TASK_FAMILY = "spacex-elt"
STEP_FAMILIES = ("LOADER", "TRANSFORMER", "PUBLISHER", "MAINTAINER")
TASK_IMAGE = "spacex-elt:local"
CONTAINER = "pipeline"  # as the task definition calls it
LOG_GROUP = "/ecs/spacex-elt"
LOG_STREAM_PREFIX = "pipeline"
SUBNETS = ("subnet-0a11ce00000000001", "subnet-0a11ce00000000002")
SECURITY_GROUP = "sg-0a11ce00000000001"


def env_path(state_dir: Path) -> Path:
    """Where the product's settings find the stack."""
    return state_dir / "stack.env"


def ca_path(state_dir: Path) -> Path:
    """The certificate authority that signed the Redshift stand-in's certificate."""
    return state_dir / "tls" / "ca.pem"


def url(settings: StackSettings, port_name: str) -> str:
    """Return the base address of a part that speaks HTTP, without a slash at the end."""
    return f"http://{HOST}:{settings.ports[port_name]}"


def stack_env(settings: StackSettings, state_dir: Path) -> dict[str, str]:
    """Return every variable the product needs to meet the stack instead of AWS."""
    ca = str(ca_path(state_dir))
    return {
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ACCESS_KEY_ID": settings.s3_access_key,
        "AWS_SECRET_ACCESS_KEY": settings.s3_secret_key,
        "AWS_ENDPOINT_URL": url(settings, "aws"),
        "AWS_ENDPOINT_URL_S3": url(settings, "s3"),
        "AWS_EC2_METADATA_DISABLED": "true",
        "NO_PROXY": "127.0.0.1,localhost",
        "SPACEX_ELT_ENVIRONMENT": "laptop",
        "SPACEX_ELT_WORK_DIR": str(state_dir / "work"),
        "SPACEX_ELT_LAKE_BUCKET": LAKE_BUCKET,
        "SPACEX_ELT_DOCS_BUCKET": DOCS_BUCKET,
        "SPACEX_ELT_DOCS_URL": f"{url(settings, 's3')}/{DOCS_BUCKET}",
        "SPACEX_ELT_WAREHOUSE_SECRET_ID": WAREHOUSE_SECRET,
        "SPACEX_ELT_WAREHOUSE_CLUSTER": "",
        "SPACEX_ELT_WAREHOUSE_WORKGROUP": "",
        "SPACEX_ELT_WAREHOUSE_DATABASE": "",
        "SPACEX_ELT_COPY_ROLE_ARN": COPY_ROLE,
        "SPACEX_ELT_ALERT_TOPIC_ARN": f"arn:aws:sns:{REGION}:{ACCOUNT}:{ALERTS}",
        "SPACEX_ELT_METRICS_NAMESPACE": "",  # nothing here makes metrics of a log
        "SPACEX_ELT_ALERT_QUEUE_URL": f"{url(settings, 'aws')}/{ACCOUNT}/{ALERTS}",
        "SPACEX_ELT_QUARANTINE_RETENTION_DAYS": "90",
        "SPACEX_ELT_LAKE_RETENTION_DAYS": "400",
        "SPACEX_ELT_AIRBYTE_URL": url(settings, "airbyte"),
        "SPACEX_ELT_AIRBYTE_CONNECTION_ID": airbyte.CONNECTION_ID,
        "SPACEX_ELT_AIRBYTE_SOURCE_ID": airbyte.SOURCE_ID,
        "SPACEX_ELT_AIRBYTE_SECRET_ID": AIRBYTE_SECRET,
        "SSL_CERT_FILE": ca,
        "PGSSLROOTCERT": ca,
        "PGSSLMODE": "verify-full",
    }


def aws_env(settings: StackSettings, state_dir: Path) -> dict[str, str]:
    """Return the variables that lead an AWS SDK to the stack, for its own parts."""
    return {name: value for name, value in stack_env(settings, state_dir).items() if name.startswith("AWS_")}


def container_env(settings: StackSettings, state_dir: Path) -> dict[str, str]:
    """Return the variables that lead a container to the stack: what AWS' agent and the image's trust store give it."""
    given = ("AWS_", "NO_PROXY", "SSL_CERT_FILE", "PGSSL")
    return {name: value for name, value in stack_env(settings, state_dir).items() if name.startswith(given)}


def task_definition(settings: StackSettings, state_dir: Path, template: str) -> dict[str, Any]:
    """Return the pipeline's task definition, from the template that production's is made of."""
    told = stack_env(settings, state_dir)
    values = {
        "family": TASK_FAMILY,
        "image": TASK_IMAGE,
        "cpu": "1024",
        "memory": "4096",
        "execution_role_arn": f"arn:aws:iam::{ACCOUNT}:role/spacex-elt-execution",
        "task_role_arn": f"arn:aws:iam::{ACCOUNT}:role/{TASK_ROLE}",
        "region": REGION,
        "log_group": LOG_GROUP,
        "log_stream_prefix": LOG_STREAM_PREFIX,
    }
    # The template's other names are those of the product's settings: lake_bucket is SPACEX_ELT_LAKE_BUCKET.
    values |= {name.removeprefix("SPACEX_ELT_").lower(): value for name, value in told.items()}
    definition: dict[str, Any] = json.loads(string.Template(template).substitute(values))
    return definition


def write(settings: StackSettings, state_dir: Path) -> None:
    """Write stack.env: one KEY=VALUE a line, no quotes; the values hold neither spaces nor line ends but in paths."""
    lines = [f"{name}={value}\n" for name, value in stack_env(settings, state_dir).items()]
    files.write_private(env_path(state_dir), "".join(lines))


def read(state_dir: Path) -> dict[str, str]:
    """Return what stack.env says; empty when there is none."""
    try:
        text = env_path(state_dir).read_text(encoding="utf-8")
    except FileNotFoundError:
        return {}
    return dict(line.split("=", 1) for line in text.splitlines() if "=" in line)
