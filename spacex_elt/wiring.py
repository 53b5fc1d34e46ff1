"""Owns the wiring: which adapter serves which port. The only place that chooses."""

import re
import secrets
import shutil
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import boto3

from contracts import read
from contracts.errors import PipelineError, UsageError
from loader import layout
from loader.airbyte import AirbyteServer
from loader.airbyte_http import AirbyteHttp
from loader.pipeline import Pipeline
from loader.s3 import S3Store
from observability.alerts_sns import ReceivedAlert, SnsAlerts, SqsInbox
from observability.aws_errors import translated
from observability.otlp import send_spans
from observability.telemetry import SPANS_FILE, start
from spacex_elt.console import print_line
from spacex_elt.secrets import read_airbyte_credentials
from spacex_elt.settings import AirbyteSettings, Settings, load_env_file, read_settings, traceparent
from spacex_elt.warehouse_login import warehouse_login

if TYPE_CHECKING:
    from mypy_boto3_sns import SNSClient

#: Airflow's own run ids fit ("scheduled__2026-11-23T00:00:00+00:00"), and they fit the ledger's varchar(64).
_RUN_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:+-]{0,63}")


@contextmanager
def open_pipeline(run_id: str) -> Iterator[Pipeline]:
    """A pipeline on the services that the settings name. Its telemetry is kept with the run when it closes."""
    if not _RUN_ID.fullmatch(run_id):
        raise UsageError(
            f"{run_id!r} is no run id. Expected up to 64 letters, digits and . _ : + -, a letter or digit first."
        )
    settings = read_settings()
    contracts = read.read_contracts(read.FOLDER)
    settings.work_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder = settings.work_dir / "telemetry" / run_id / secrets.token_hex(4)
    folder.mkdir(parents=True)
    with (
        closing(S3Store(settings.lake_bucket)) as lake,
        closing(S3Store(settings.docs_bucket)) as docs,
        closing(_sns(settings)) as sns,
    ):
        try:
            with start(
                run_id,
                folder,
                environment=settings.environment,
                traceparent=traceparent(),
                metrics_namespace=settings.metrics_namespace,
                # Where the step's result goes: a log keeps the order of one stream, and the result comes last.
                say=print_line,
            ) as telemetry:
                yield Pipeline(
                    environment=settings.environment,
                    contracts=contracts,
                    lake=lake,
                    docs=docs,
                    docs_url=settings.docs_url,
                    sync_server=AirbyteServer(
                        airbyte_http(settings), settings.airbyte_connection_id, settings.airbyte_source_id
                    ),
                    warehouse_address=warehouse_login(settings),
                    copy_role_arn=settings.copy_role_arn,
                    alerts=SnsAlerts(sns, settings.alert_topic_arn),
                    telemetry=telemetry,
                    telemetry_dir=folder,
                    dbt_project_dir=settings.dbt_project_dir,
                    work_dir=settings.work_dir,
                    now=lambda: datetime.now(UTC),
                )
        finally:
            if settings.collector_url:
                send_spans(settings.collector_url, folder / SPANS_FILE)
            _keep_telemetry(lake, run_id, folder)


def _sns(settings: Settings) -> "SNSClient":
    with translated(f"SNS topic {settings.alert_topic_arn}", "SPACEX_ELT_ALERT_TOPIC_ARN"):
        return boto3.client("sns")


def airbyte_http(settings: AirbyteSettings) -> AirbyteHttp:
    """The Airbyte server, asked with a token when a secret for one is set."""
    secret_id = settings.airbyte_secret_id
    return AirbyteHttp(settings.airbyte_url, (lambda: read_airbyte_credentials(secret_id)) if secret_id else None)


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


@contextmanager
def open_bucket(name: str) -> Iterator[S3Store]:
    """Any bucket, to look into, with the credentials of this process."""
    load_env_file()
    with closing(S3Store(name)) as bucket:
        yield bucket


def read_alerts() -> tuple[ReceivedAlert, ...]:
    """What was announced, as far as the queue holds it. Raises UsageError when no queue is set."""
    url = read_settings().alert_queue_url
    if not url:
        raise UsageError("SPACEX_ELT_ALERT_QUEUE_URL is not set. Expected an SQS queue subscribed to the alert topic.")
    with translated(f"SQS queue {url}", "SPACEX_ELT_ALERT_QUEUE_URL"), closing(boto3.client("sqs")) as sqs:
        return SqsInbox(sqs, url).read(limit=1000)  # SQS hands out in no order: fewer could miss the newest
