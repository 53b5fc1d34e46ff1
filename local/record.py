"""Owns the record of a running stack, stack.json: which process runs each part. The supervisor writes it."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from local.files import write_private
from local.processes import ProcessName

PartStatus = Literal["waiting", "starting", "running", "restarting", "failed", "stopped"]


@dataclass(frozen=True, slots=True)
class PartRecord:
    """What the supervisor knows of one part. `problem` is the last thing that went wrong, if anything did."""

    name: str
    status: PartStatus
    ports: Mapping[str, int]
    process: ProcessName | None = None
    restart_count: int = 0
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class StackRecord:
    """What the supervisor knows of the stack."""

    supervisor: ProcessName
    fingerprint: str  # of the code that runs
    parts: tuple[PartRecord, ...] = field(default_factory=tuple)


def record_path(state_dir: Path) -> Path:
    """Where the record lies while a supervisor runs, and after one was killed."""
    return state_dir / "stack.json"


def write(record: StackRecord, state_dir: Path) -> None:
    """Put the record in place of the last one."""
    write_private(record_path(state_dir), json.dumps(asdict(record), indent=2))


def read(state_dir: Path) -> StackRecord | None:
    """Return the record; None when there is none or it is damaged."""
    try:
        told = json.loads(record_path(state_dir).read_text(encoding="utf-8"))
        parts = tuple(_part(part) for part in told["parts"])
        return StackRecord(ProcessName(**told["supervisor"]), told["fingerprint"], parts)
    except (OSError, ValueError, TypeError, KeyError):
        return None


def _part(told: dict[str, Any]) -> PartRecord:
    process = ProcessName(**told["process"]) if told["process"] else None
    return PartRecord(**{**told, "process": process})
