"""Runs one sync in a process of its own: reads the manifest's streams with airbyte-cdk and lands their records.

Starting such processes and keeping what they report is the server's job (local/airbyte/jobs.py). The platform's
connection check before a sync is left out: it would ask for collections that nobody selected.
"""

import logging
import multiprocessing
import os
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import asdict
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any

import boto3
import botocore.exceptions
import yaml
from airbyte_cdk.models.airbyte_protocol import AirbyteMessage
from airbyte_cdk.sources.declarative.concurrent_declarative_source import ConcurrentDeclarativeSource
from airbyte_cdk.utils.traced_exception import AirbyteTracedException
from airbyte_protocol_dataclasses.models import (  # type: ignore[import-untyped]
    AirbyteStreamStatus,
    ConfiguredAirbyteCatalog,
    ConfiguredAirbyteStream,
    DestinationSyncMode,
    SyncMode,
    TraceType,
    Type,
)

from local.airbyte.damage import LandingDamage, check_damage
from local.airbyte.landing import S3Bucket, StreamWriter
from local.airbyte.worker import SyncOrder, SyncReport

log = logging.getLogger("airbyte")
_TOLD_EVERY_S = 0.25


def run(order: SyncOrder, pipe: Connection) -> None:
    """The process: reports through the pipe until its last report says succeeded or failed."""
    _die_with_parent()
    _log_into(order.log_file)
    sync = _Sync(order, pipe)
    try:
        sync.run()
    except Exception as exc:
        # The outermost edge of this process: what is not told now is never known.
        log.exception("sync failed")
        sync.fail(None, "airbyte_platform", "system_error", f"{type(exc).__name__}: {exc}", retryable=False)
    sync.report.status = "failed" if sync.report.failures else "succeeded"
    sync.tell()


class _Sync:
    def __init__(self, order: SyncOrder, pipe: Connection) -> None:
        self.report = SyncReport()
        self._order = order
        self._pipe = pipe
        self._told_at = time.monotonic()
        self._writers: dict[str, StreamWriter] = {}

    def run(self) -> None:
        """Reads every selected stream; a stream that fails does not stop the others."""
        self._open_writers()
        try:
            for message in self._read():
                self._take(message)
        except botocore.exceptions.BotoCoreError as exc:
            self.fail(None, "destination", "transient_error", self._cannot_write(exc), retryable=True)
        except botocore.exceptions.ClientError as exc:
            self.fail(None, "destination", "config_error", self._cannot_write(exc), retryable=False)
        except AirbyteTracedException as exc:
            # Raised after the last stream when one of them failed; each failure was told by its stream already.
            if not self.report.failures:
                self.fail(None, "source", "system_error", exc.message or str(exc), retryable=False)

    def fail(self, stream: str | None, origin: str, kind: str, message: str, *, retryable: bool) -> None:
        """Notes one failure in the platform's words."""
        self.report.failures.append(
            {
                "failureOrigin": origin,
                "failureType": kind,
                "externalMessage": f"stream {stream}: {message}" if stream else message,
                "internalMessage": message,
                "streamDescriptor": {"name": stream} if stream else None,
                "retryable": retryable,
                "timestamp": int(time.time() * 1000),
            }
        )

    def tell(self) -> None:
        """Sends the report as it stands."""
        self.report.streams = {name: asdict(writer.counts) for name, writer in self._writers.items()}
        self._pipe.send(self.report)
        self._told_at = time.monotonic()

    def _open_writers(self) -> None:
        bucket = S3Bucket(boto3.client("s3"), self._order.bucket)
        specs = check_damage(self._order.damage)
        for stream in self._order.streams:
            damage = LandingDamage(specs, stream, record=self.report.damage)
            asked = damage if any(spec.dataset == stream for spec in specs) else None
            self._writers[stream] = StreamWriter(stream, self._order.destination, self._order.generation, bucket, asked)

    def _read(self) -> Iterator[AirbyteMessage]:
        manifest = yaml.safe_load(self._order.manifest.read_text("utf-8"))
        config = dict(self._order.config)
        known = ConcurrentDeclarativeSource(config=config, source_config=manifest).discover(log, config).streams
        catalog = ConfiguredAirbyteCatalog(
            streams=[
                ConfiguredAirbyteStream(
                    stream=stream, sync_mode=SyncMode.full_refresh, destination_sync_mode=DestinationSyncMode.append
                )
                for stream in known
                if stream.name in self._writers
            ]
        )
        source = ConcurrentDeclarativeSource(catalog=catalog, config=config, source_config=manifest)
        yield from source.read(log, config, catalog, [])

    def _take(self, message: AirbyteMessage) -> None:
        if message.type == Type.RECORD and message.record is not None:
            self._writers[message.record.stream].write(message.record.data, int(message.record.emitted_at))
        elif message.type == Type.TRACE and message.trace is not None:
            self._take_trace(message.trace)
        elif message.type == Type.LOG and message.log is not None:
            log.info(message.log.message)
        if time.monotonic() - self._told_at > _TOLD_EVERY_S:
            self.tell()

    def _take_trace(self, trace: Any) -> None:
        if trace.type == TraceType.ERROR:
            stream = trace.error.stream_descriptor.name if trace.error.stream_descriptor else None
            kind = trace.error.failure_type.value if trace.error.failure_type else "system_error"
            self.fail(stream, "source", kind, str(trace.error.message), retryable=kind == "transient_error")
        elif trace.type == TraceType.STREAM_STATUS and trace.stream_status.status == AirbyteStreamStatus.COMPLETE:
            self._writers[trace.stream_status.stream_descriptor.name].finish()
            self.tell()

    def _cannot_write(self, exc: Exception) -> str:
        where = f"s3://{self._order.bucket}/{self._order.destination.bucket_path}/"
        return f"could not write to {where}: {exc}. Expected the lake to be up and the credentials to allow it."


def _log_into(path: Path) -> None:
    """Everything said by this process, the CDK's own prints too, goes to the sync's log."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(descriptor, 1)
    os.dup2(descriptor, 2)
    os.close(descriptor)
    logging.basicConfig(
        stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s", force=True
    )


def _die_with_parent() -> None:
    """A sync whose server was killed must land nothing more: its job will be reported as failed."""
    parent = multiprocessing.parent_process()
    if parent is None:
        return

    def watch() -> None:
        wait([parent.sentinel])
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
