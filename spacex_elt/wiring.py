"""Owns the wiring: which adapter serves which port. The only place that chooses."""

import re
import secrets
import shutil
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import boto3

from contracts import read
from contracts.errors import PipelineError, UsageError
from loader import layout
from loader.airbyte import AirbyteServer
from loader.pipeline import Pipeline
from loader.s3 import S3Store
from observability.alerts_sns import ReceivedAlert, SnsAlerts, SqsInbox
from observability.telemetry import start
from spacex_elt.secrets import read_warehouse_address
from spacex_elt.settings import Settings, read_settings, traceparent

_RUN_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,79}")


@contextmanager
def open_pipeline(run_id: str) -> Iterator[Pipeline]:
    """A pipeline on the services that the settings name. Its telemetry is kept with the run when it closes."""
    if not _RUN_ID.fullmatch(run_id):
        raise UsageError(f"{run_id!r} is no run id. Expected up to 80 letters, digits, dots, dashes and underscores.")
    settings = read_settings()
    contracts = read.read_contracts(read.FOLDER)
    folder = settings.work_dir / "telemetry" / run_id / secrets.token_hex(4)
    folder.mkdir(parents=True)
    with (
        closing(S3Store(settings.lake_bucket)) as lake,
        closing(S3Store(settings.docs_bucket)) as docs,
        closing(boto3.client("sns")) as sns,
    ):
        try:
            with start(run_id, folder, environment=settings.environment, traceparent=traceparent()) as telemetry:
                yield Pipeline(
                    environment=settings.environment,
                    contracts=contracts,
                    lake=lake,
                    docs=docs,
                    docs_url=settings.docs_url,
                    sync_server=_sync_server(settings),
                    warehouse_address=cache(lambda: read_warehouse_address(settings.warehouse_secret_id)),
                    copy_role_arn=settings.copy_role_arn,
                    alerts=SnsAlerts(sns, settings.alert_topic_arn),
                    telemetry=telemetry,
                    telemetry_dir=folder,
                    dbt_project_dir=settings.dbt_project_dir,
                    work_dir=settings.work_dir,
                    now=lambda: datetime.now(UTC),
                )
        finally:
            _keep_telemetry(lake, run_id, folder)


def _sync_server(settings: Settings) -> AirbyteServer:
    return AirbyteServer(settings.airbyte_url, settings.airbyte_connection_id, settings.airbyte_source_id)


def _keep_telemetry(lake: S3Store, run_id: str, folder: Path) -> None:
    """Stores what this process measured beside the run record; trouble here must not hide the step's own result."""
    with suppress(PipelineError):
        for path in sorted(folder.iterdir()):
            key = f"{layout.run_prefix(run_id)}telemetry/{folder.name}.{path.name}"
            lake.put(key, path.read_bytes(), "application/x-ndjson")
    shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def open_lake() -> Iterator[S3Store]:
    """The lake, to look into."""
    with closing(S3Store(read_settings().lake_bucket)) as lake:
        yield lake


def read_alerts() -> tuple[ReceivedAlert, ...]:
    """What was announced, as far as the queue holds it. Raises UsageError when no queue is set."""
    url = read_settings().alert_queue_url
    if not url:
        raise UsageError("SPACEX_ELT_ALERT_QUEUE_URL is not set. Expected an SQS queue subscribed to the alert topic.")
    with closing(boto3.client("sqs")) as sqs:
        return SqsInbox(sqs, url).read()
