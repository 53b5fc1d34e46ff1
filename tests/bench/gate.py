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

from tests.bench import contenders
from tests.bench.contenders import Found
from tests.bench.corpus import FAULTS, Corpus, corpora

ROOT: Final = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class Contender:
    """What is measured, on which corpus."""

    name: str
    corpus: str
    make: Callable[[Iterable[Path]], Callable[[], Found]]
    repeats: int = 3


CONTENDERS: Final = (
    Contender("limit: gunzip, split, decode", "clean", contenders.limit),
    Contender("gate, clean", "clean", contenders.gate),
    Contender("gate, clean, two processes", "clean", contenders.gate_in_two_processes),
    Contender("gate, dirty, rewriting", "dirty", contenders.gate_with_rewrite),
    Contender("jsonschema-rs, all errors", "dirty", contenders.json_schema),
    Contender("pandera on Polars (the judge alone)", "dirty", contenders.judge_alone, repeats=1),
    Contender("Great Expectations on pandas", "dirty", contenders.great_expectations, repeats=1),
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
        told = measure(CONTENDERS[asked.run], made[CONTENDERS[asked.run].corpus])
        print(json.dumps(asdict(told)))
        return
    _print_head(made)
    base: Measured | None = None
    for index, contender in enumerate(CONTENDERS):
        told = _in_its_own_process(index)
        base = base or told
        _print_row(contender, told, made[contender.corpus], base)


def measure(contender: Contender, corpus: Corpus) -> Measured:
    """Runs a contender in this process."""
    check = contender.make(corpus.files)
    times = [_timed(check) for _ in range(contender.repeats)]
    wall_s, cpu_s, found = min(times, key=lambda one: one[0])
    largest = max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return Measured(wall_s, cpu_s, largest / 1e3, sorted(found))


def _timed(check: Callable[[], Found]) -> tuple[float, float, Found]:
    began_s, began_cpu_s = time.monotonic(), time.process_time()
    found = check()
    return time.monotonic() - began_s, time.process_time() - began_cpu_s, found


def _in_its_own_process(index: int) -> Measured:
    command = [sys.executable, "-m", "tests.bench.gate", *sys.argv[1:], "--run", str(index)]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
    return Measured(**json.loads(done.stdout.splitlines()[-1]))


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


def _print_row(contender: Contender, told: Measured, corpus: Corpus, base: Measured) -> None:
    planted = Counter(corpus.faults.values())
    caught = Counter(corpus.faults[place] for place in told.found if place in corpus.faults)
    kinds = sum(caught[kind] == planted[kind] for kind in planted)
    found = f"{kinds} of {len(FAULTS)}" if planted else "–"
    alarms = sum(place not in corpus.faults for place in told.found)
    print(
        f"| {contender.name} | {corpus.plain_bytes / told.wall_s / 1e6:.0f} | {base.wall_s / told.wall_s:.2f}"
        f" | {base.cpu_s / told.cpu_s if told.cpu_s else 0:.2f} | {corpus.line_count / told.wall_s:,.0f}"
        f" | {told.peak_mb:.0f} | {found} | {alarms} |",
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
