"""Measures the load of launches into a stack of its own, by size, and what share each stage has. `make bench-load`.

Not a test: machines are shared, so nothing here passes or fails. The numbers go to docs/benchmarks.md. Each size gets
an empty warehouse and two loads: a first snapshot, and a second one of which an eighth of the rows are others. Plan and
raw gate come before, in another process, and are not in the times (`make bench-gate` measures those).
"""

import argparse
import gzip
import json
import os
import re
import resource
import subprocess
import sys
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar, Final

from loader.pipeline import Pipeline
from loader.plan import Request, make_plan
from loader.steps import gate_step, load_step
from loader.warehouse import Session
from local import stack
from observability.trace import read_spans
from spacex_elt.wiring import open_pipeline
from tests.bench.corpus import launches, line_of
from tests.loader.landing import DAY_S, EPOCH_MS, EPOCH_S, sync_job
from validation.load_gate import warm_up

ROOT: Final = Path(__file__).resolve().parents[2]
RUNS: Final = ("first", "second")
OBJECTS: Final = 8
#: What a statement is for, by its first words: the first match counts. What is not listed is "other".
STAGES: Final = (
    ("COPY", r"copy |select pg_last_copy_count"),
    ("hash", r"update staging_spacex"),
    ("count, compare", r"select count|select\s+coalesce\(sum"),
    ("publish", r"update raw_spacex|delete from raw_spacex|insert into raw_spacex|insert into pipeline|lock table"),
)
ALL_STAGES: Final = (*(name for name, _ in STAGES), "load gate", "reduce", "other")
_EVERY_S = 0.2


@dataclass(frozen=True, slots=True)
class Measured:
    """One load."""

    rows: int
    plain_bytes: int  # of JSON, envelope included
    wall_s: float
    stages_s: dict[str, float]
    loader_mb: float
    servers_mb: dict[str, float]


class TimedSession(Session):
    """Adds up how long statements take, a commit as a part of what it makes last."""

    spent_s: ClassVar[defaultdict[str, float]] = defaultdict(float)
    stage = "other"

    def run(self, sql: str, parameters: Sequence[Any] = ()) -> int:
        with self._timed(_stage(sql)):
            return super().run(sql, parameters)

    def table(self, sql: str, parameters: Sequence[Any] = ()) -> tuple[list[str], list[tuple[Any, ...]]]:
        with self._timed(_stage(sql)):
            return super().table(sql, parameters)

    def commit(self) -> None:
        with self._timed(self.stage):
            super().commit()

    @contextmanager
    def _timed(self, stage: str) -> Iterator[None]:
        self.stage, began = stage, time.monotonic()
        try:
            yield
        finally:
            type(self).spent_s[stage] += time.monotonic() - began


def _stage(sql: str) -> str:
    return next((name for name, words in STAGES if re.match(words, sql.lstrip())), "other")


class TimedPipeline(Pipeline):
    """A pipeline whose statements are timed."""

    @contextmanager
    def warehouse(self) -> Iterator[Session]:
        with super().warehouse() as session:
            session.__class__ = TimedSession
            yield session


def main() -> None:
    """Prints a table by size."""
    asked = _parser().parse_args()
    if asked.prepare:
        return print(prepare(asked.prepare, asked.rows[0]))
    if asked.load:
        return print(json.dumps(load(asked.load)))
    load_average = ", ".join(f"{value:.1f}" for value in os.getloadavg())
    print(f"{os.cpu_count()} cores, load {load_average}, Python {sys.version.split()[0]}")
    print(
        "| rows | load | s | rows/s | MB/s | " + " | ".join(ALL_STAGES) + " | loader MB | stand-in MB | PostgreSQL MB |"
    )
    print("|---" * (8 + len(ALL_STAGES)) + "|")
    for rows in asked.rows:
        for run_id, measured in zip(RUNS, measure(rows), strict=True):
            _print_row(run_id, measured)


def measure(rows: int) -> list[Measured]:
    """Both loads of a size, on a stack of its own."""
    with tempfile.TemporaryDirectory(prefix="spacex-elt-bench-") as folder:
        state_dir = Path(folder) / "state"
        try:
            stack.up(state_dir, say=lambda text: None, owner=os.getpid())
            return [_measured(state_dir, run_id, rows) for run_id in RUNS]
        finally:
            stack.reset(state_dir, say=lambda text: None)


def _measured(state_dir: Path, run_id: str, rows: int) -> Measured:
    plain_bytes = int(_in_its_own_process(state_dir, "--prepare", run_id, "--rows", str(rows)))
    with sampled_memory(state_dir, "redshift", "postgres") as peaks:
        told = json.loads(_in_its_own_process(state_dir, "--load", run_id).splitlines()[-1])
    return Measured(**told, plain_bytes=plain_bytes, servers_mb={name: peak / 1e6 for name, peak in peaks.items()})


def _in_its_own_process(state_dir: Path, *arguments: str) -> str:
    command = [sys.executable, "-m", "tests.bench.load", *arguments]
    variables = {"SPACEX_ELT_ENV_FILE": str(state_dir / "stack.env")}
    return subprocess.run(
        command, cwd=ROOT, env={**os.environ, **variables}, stdout=subprocess.PIPE, text=True, check=True
    ).stdout


@contextmanager
def sampled_memory(state_dir: Path, *names: str) -> Iterator[dict[str, int]]:
    """The peaks of the memory of the stack's parts by name, sampled until the end of the block."""
    peaks, is_over = dict.fromkeys(names, 0), threading.Event()

    def sample() -> None:
        while not is_over.wait(_EVERY_S):
            for part in stack.status(state_dir).parts:
                if part.name in peaks:
                    peaks[part.name] = max(peaks[part.name], part.memory_bytes)

    thread = threading.Thread(target=sample)
    thread.start()
    try:
        yield peaks
    finally:
        is_over.set()
        thread.join()


def prepare(run_id: str, rows: int) -> int:
    """Lands a snapshot in several objects, and takes it through plan and raw gate. Returns its bytes, uncompressed."""
    sync_id = RUNS.index(run_id) + 1
    plain_bytes = 0
    lines = _lines(rows, sync_id, changed=run_id != RUNS[0])
    with open_pipeline(run_id) as pipeline:
        for part in range(OBJECTS):
            count = rows * (part + 1) // OBJECTS - rows * part // OBJECTS
            key = f"landing/launches/2026_03_21_{EPOCH_MS + sync_id * DAY_S * 1000}_{part}.jsonl.gz"
            with tempfile.NamedTemporaryFile(suffix=".gz") as file:
                plain_bytes += _write(Path(file.name), (next(lines) for _ in range(count)))
                pipeline.lake.put_file(key, Path(file.name), "application/gzip")
        job = sync_job(sync_id, {"launches": rows})
        now = datetime.fromtimestamp(EPOCH_S, UTC)
        plan = make_plan(pipeline.lake, Request(run_id, "a benchmark", job, ("launches",), pipeline.contracts, now))
        pipeline.run_folder(run_id).write("plan.json", plan)
        for shard in plan.shards:
            gate_step(pipeline, run_id, shard.shard_id)
    return plain_bytes


def _write(path: Path, lines: Iterable[bytes]) -> int:
    with gzip.GzipFile(path, "wb", compresslevel=6, mtime=0) as file:
        return sum(file.write(line + b"\n") for line in lines)


def _lines(rows: int, sync_id: int, *, changed: bool) -> Iterator[bytes]:
    for number, record in zip(range(rows), launches(), strict=False):
        record |= {"flight_number": number + 1, "name": f"{record['name']} {number}"}
        if changed and number % OBJECTS == 0:
            record |= {"details": f"Changed since. {record['details'] or ''}"}
        yield line_of(record, sync_id)


def load(run_id: str) -> dict[str, Any]:
    """One load in this process; imports are not in its time."""
    warm_up()
    with open_pipeline(run_id) as opened:
        pipeline = TimedPipeline(**{each.name: getattr(opened, each.name) for each in fields(opened)})
        began = time.monotonic()
        with pipeline.telemetry.step("load"):
            output = load_step(pipeline, run_id, "launches")
        wall_s = time.monotonic() - began
        stages = dict(TimedSession.spent_s)
        stages |= {name: _span_s(pipeline, name) for name in ("load gate", "reduce")}
        stages["other"] = wall_s - sum(seconds for name, seconds in stages.items() if name != "other")
    assert output.published is not None, output
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {"rows": output.published.staged, "wall_s": wall_s, "stages_s": stages, "loader_mb": peak / 1e3}


def _span_s(pipeline: Pipeline, name: str) -> float:
    return sum(span.seconds for span in read_spans(pipeline.own_spans()) if span.name == name)


def _print_row(run_id: str, told: Measured) -> None:
    shares = " | ".join(
        f"{told.stages_s.get(name, 0):.1f} ({told.stages_s.get(name, 0) / told.wall_s:.0%})" for name in ALL_STAGES
    )
    memory = " | ".join(f"{each:.0f}" for each in (told.loader_mb, *told.servers_mb.values()))
    print(
        f"| {told.rows:,} | {run_id} | {told.wall_s:.1f} | {told.rows / told.wall_s:,.0f} "
        f"| {told.plain_bytes / told.wall_s / 1e6:.1f} | {shares} | {memory} |",
        flush=True,
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.load", description=__doc__)
    parser.add_argument("--rows", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--prepare", help=argparse.SUPPRESS)
    parser.add_argument("--load", help=argparse.SUPPRESS)
    return parser


if __name__ == "__main__":
    main()
