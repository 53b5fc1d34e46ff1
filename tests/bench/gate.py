"""Measures the raw gate against what reading alone costs, and against other tools. `make bench-gate`.

Not a test: machines are shared, so nothing here passes or fails. The numbers go to docs/benchmarks.md. Each contender
runs in a process of its own; imports, and making schemas of the contract, are not in its time.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import psutil

from tests.bench import contenders
from tests.bench.contenders import Found
from tests.bench.corpus import Corpus, corpora

ROOT: Final = Path(__file__).resolve().parents[2]
REPEATS: Final = 3


@dataclass(frozen=True, slots=True)
class Contender:
    """What is measured, on which corpus."""

    name: str
    corpus: str
    make: Callable[[Iterable[Path]], Callable[[], Found] | None]  # None where it is not installed
    is_slow: bool = False  # takes the first file only, once


CONTENDERS: Final = (
    Contender("limit: gunzip, split, decode", "clean", contenders.limit),
    Contender("gate, clean", "clean", contenders.gate),
    Contender("gate, clean, two processes", "clean", contenders.gate_in_two_processes),
    Contender("gate, dirty, rewriting", "dirty", contenders.gate_with_rewrite),
    Contender("jsonschema-rs, all errors", "dirty", contenders.json_schema_alone),
    Contender("pandera on Polars (the judge alone)", "dirty", contenders.judge_alone, is_slow=True),
    Contender("Great Expectations on pandas", "dirty", contenders.great_expectations, is_slow=True),
    Contender("datacontract-cli, whole process", "clean", contenders.datacontract, is_slow=True),
)


@dataclass(frozen=True, slots=True)
class Measured:
    """The best of the repeats of one contender."""

    wall_s: float
    cpu_s: float  # of this process and its children
    peak_mb: float  # of the largest process
    found: list[str]


def main() -> None:
    """Prints a table of ratios to the first contender's speed."""
    asked = _parser().parse_args()
    folder = Path(asked.folder or tempfile.gettempdir()) / "spacex-elt-bench-gate"
    made = corpora(folder, asked.megabytes, asked.files)
    if asked.run is not None:
        told = measure(CONTENDERS[asked.run], _part(CONTENDERS[asked.run], made))
        print(json.dumps(told and asdict(told)))
        return
    _print_head(made)
    base: Measured | None = None
    for index, contender in enumerate(CONTENDERS):
        told = _in_its_own_process(index)
        base = base or told
        if told is None or base is None:
            print(f"| {contender.name} | not installed |")
        else:
            _print_row(contender, told, _part(contender, made), base, made["clean"].plain_bytes)


def _part(contender: Contender, made: dict[str, Corpus]) -> Corpus:
    corpus = made[contender.corpus]
    return corpus.first_file() if contender.is_slow else corpus


def measure(contender: Contender, corpus: Corpus) -> Measured | None:
    """Runs a contender in this process; None where it is not installed."""
    check = contender.make(corpus.files)
    if check is None:
        return None
    times = [_timed(check) for _ in range(1 if contender.is_slow else REPEATS)]
    wall_s, cpu_s, found = min(times, key=lambda one: one[0])
    largest = max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return Measured(wall_s, cpu_s, largest / 1e3, sorted(found))


def _timed(check: Callable[[], Found]) -> tuple[float, float, Found]:
    began_s, began_cpu_s = time.monotonic(), _cpu_s()
    found = check()
    return time.monotonic() - began_s, _cpu_s() - began_cpu_s, found


def _cpu_s() -> float:
    """What this process and its children have used, also those that are still running."""
    me = psutil.Process()
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    times = [process.cpu_times() for process in (me, *me.children(recursive=True))]
    return sum(one.user + one.system for one in times) + ended.ru_utime + ended.ru_stime


def _in_its_own_process(index: int) -> Measured | None:
    command = [sys.executable, "-m", "tests.bench.gate", *sys.argv[1:], "--run", str(index)]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
    told = json.loads(done.stdout.splitlines()[-1])
    return Measured(**told) if told else None


def _print_head(made: dict[str, Corpus]) -> None:
    clean = made["clean"]
    load = ", ".join(f"{value:.1f}" for value in os.getloadavg())
    compressed = sum(file.stat().st_size for file in clean.files)
    print(f"{os.cpu_count()} cores, load {load}, Python {sys.version.split()[0]}")
    print(
        f"{clean.line_count:,} lines of {clean.plain_bytes / clean.line_count:,.0f} bytes in {len(clean.files)} files,"
        f" {clean.plain_bytes / 1e6:.0f} MB ({clean.plain_bytes / compressed:.1f}:1 as gzip)"
    )
    print("| | MB/s | of the limit | of the limit, CPU | lines/s | peak MB | kinds of fault found | false alarms |")
    print("|---|---|---|---|---|---|---|---|")


def _print_row(contender: Contender, told: Measured, corpus: Corpus, base: Measured, base_bytes: int) -> None:
    bytes_per_s, bytes_per_cpu_s = corpus.plain_bytes / told.wall_s, corpus.plain_bytes / told.cpu_s
    planted = Counter(corpus.faults.values())
    caught = Counter(corpus.faults[place] for place in told.found if place in corpus.faults)
    kinds = sum(caught[kind] == planted[kind] for kind in planted)
    found = f"{kinds} of {len(planted)}" if planted else "–"
    alarms = sum(place not in corpus.faults for place in told.found)
    of_limit, of_limit_cpu = bytes_per_s / (base_bytes / base.wall_s), bytes_per_cpu_s / (base_bytes / base.cpu_s)
    print(
        f"| {contender.name} | {bytes_per_s / 1e6:.0f} | {of_limit:.2f} | {of_limit_cpu:.2f}"
        f" | {corpus.line_count / told.wall_s:,.0f} | {told.peak_mb:.0f} | {found} | {alarms} |",
        flush=True,
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.gate", description=__doc__)
    parser.add_argument("--megabytes", type=int, default=60, help="of JSON in each corpus, uncompressed")
    parser.add_argument("--files", type=int, default=4)
    parser.add_argument("--folder", help="where the corpora are kept; the system's temporary folder if not said")
    parser.add_argument("--run", type=int, help=argparse.SUPPRESS)
    return parser


if __name__ == "__main__":
    main()
