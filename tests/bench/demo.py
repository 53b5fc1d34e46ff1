"""Measures `make demo` on a stack of its own: wall time, Airflow's share, memory of everything. `make bench`.

Not a test: machines are shared, so nothing here passes or fails. The numbers go to docs/benchmarks.md.
"""

import os
import re
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from local import stack

ROOT = Path(__file__).resolve().parents[2]
_STEP = re.compile(r"^[✓!] (\w+)(?:\[\d+\])? .*\((\d+\.\d) s\)$", re.MULTILINE)
_IN_CONTAINERS = re.compile(r"of which (\d+\.\d) s in containers")
_EVERY_S = 0.2


@dataclass(frozen=True, slots=True)
class Measured:
    """One `make demo`, or one `spacex-elt run`: the same steps in one process, without Airflow."""

    wall_s: float
    container_s: float | None
    steps_s: dict[str, float]
    peak_rss_mb: float  # the run's resident sets and the stack's proportional ones


def main() -> None:
    """Prints a table: a first demo on an empty stack, a second one on the same, and the steps without Airflow."""
    with tempfile.TemporaryDirectory(prefix="spacex-elt-bench-") as folder:
        state_dir = Path(folder) / "state"
        try:
            demo, alone = ["make", "demo"], [".venv/bin/spacex-elt", "run"]
            runs = {"first demo": measure(state_dir, demo), "second demo": measure(state_dir, demo)}
            runs["spacex-elt run"] = measure(state_dir, alone)
            idle_mb = stack.status(state_dir).memory_bytes / 1e6
        finally:
            stack.reset(state_dir, say=lambda text: None)
    load = ", ".join(f"{value:.1f}" for value in os.getloadavg())
    print(f"{os.cpu_count()} cores, load {load}, Python {sys.version.split()[0]}; stack idle: {idle_mb:.0f} MB")
    print("| | wall s | steps s | in containers s | " + " | ".join(next(iter(runs.values())).steps_s) + " | peak MB |")
    for name, run in runs.items():
        steps = " | ".join(f"{seconds:.1f}" for seconds in run.steps_s.values())
        inside = "–" if run.container_s is None else f"{run.container_s:.1f}"
        whole = sum(run.steps_s.values())
        print(f"| {name} | {run.wall_s:.1f} | {whole:.1f} | {inside} | {steps} | {run.peak_rss_mb:.0f} |")


def measure(state_dir: Path, command: list[str]) -> Measured:
    """Runs a command once."""
    environment = {**os.environ, "SPACEX_ELT_STATE_DIR": str(state_dir)}
    began = time.monotonic()
    with (
        subprocess.Popen(
            command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        ) as demo,
        sampled_memory(demo.pid, state_dir) as peak,
    ):
        told, _ = demo.communicate()
    wall_s = time.monotonic() - began
    if demo.returncode:
        raise SystemExit(told)
    steps = {name: float(seconds) for name, seconds in _STEP.findall(told)}
    inside = _IN_CONTAINERS.search(told)
    return Measured(wall_s, float(inside[1]) if inside else None, steps, max(peak) / 1e6)


@contextmanager
def sampled_memory(pid: int, state_dir: Path) -> Iterator[list[int]]:
    """Samples the memory of a process's tree and of the stack until the end of the block."""
    samples, is_over = [0], threading.Event()

    def sample() -> None:
        while not is_over.wait(_EVERY_S):
            samples.append(_tree_bytes(pid) + stack.status(state_dir).memory_bytes)

    thread = threading.Thread(target=sample)
    thread.start()
    try:
        yield samples
    finally:
        is_over.set()
        thread.join()


def _tree_bytes(pid: int) -> int:
    total = 0
    with suppress(psutil.Error):
        root = psutil.Process(pid)
        for process in (root, *root.children(recursive=True)):
            with suppress(psutil.Error):
                total += process.memory_info().rss
    return total


if __name__ == "__main__":
    main()
