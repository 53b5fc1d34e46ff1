"""What crosses the wall between the server and a sync's process. Light on purpose: importing it imports no CDK.

What the process does is said in local/airbyte/sync.py.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from local.airbyte.landing import Destination, Generation


@dataclass(frozen=True, slots=True)
class SyncOrder:
    """Everything a sync needs. Credentials and the S3 endpoint are taken from the environment."""

    manifest: Path
    config: Mapping[str, Any]
    streams: Sequence[str]
    bucket: str
    destination: Destination
    generation: Generation
    damage: Sequence[str]
    log_file: Path


@dataclass(slots=True)
class SyncReport:
    """What a sync has done so far. `status` is running, succeeded or failed; the last two come once, at the end."""

    status: str = "running"
    streams: dict[str, dict[str, int]] = field(default_factory=dict)
    failures: list[dict[str, Any]] = field(default_factory=list)
    damage: list[dict[str, Any]] = field(default_factory=list)


def work(order: SyncOrder, pipe: Connection) -> None:
    """The process: runs one sync to its end, reporting through the pipe."""
    from local.airbyte.sync import run

    run(order, pipe)
