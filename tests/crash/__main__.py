"""Stops the load at every point, and tells how each time ended. `make crash-test`.

`--part 2/8` takes every eighth case, from the second on: machines may share the work.
"""

import argparse
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from tests.crash.faults import Case, every_kill, every_network_fault, some_kills, some_network_faults
from tests.crash.harness import Outcome, open_harness, warm_processes
from tests.crash.points import Point


def main() -> None:
    """Prints a line for each case, and ends with 1 when one did not end as if undisturbed."""
    asked = _parser().parse_args()
    began = time.monotonic()
    with (
        tempfile.TemporaryDirectory(prefix="spacex-elt-crash-") as folder,
        open_harness(Path(folder), warm_processes()) as harness,
    ):
        cases = _cases(harness.points, asked)
        print(f"{len(harness.points)} points, {len(cases)} cases")
        print("| s | point | | what was done | exit codes | outcome |\n|---|---|---|---|---|---|")
        outcomes = []
        for case in cases:
            outcomes.append(harness.run(case))
            print(f"| {outcomes[-1].seconds:.1f} | {outcomes[-1]} |", flush=True)
    _print_sums(outcomes, time.monotonic() - began)
    sys.exit(any(outcome.problems for outcome in outcomes))


def _cases(points: Sequence[Point], asked: argparse.Namespace) -> list[Case]:
    if asked.sample:
        cases = some_kills(points) + some_network_faults(points)
    else:
        cases = every_kill(points) + every_network_fault(points)
    part, count = map(int, asked.part.split("/"))
    return [case for case in cases if asked.only in case.fault.name][part - 1 :: count]


def _print_sums(outcomes: Sequence[Outcome], seconds: float) -> None:
    print("\n| what was done | cases | different points | not as undisturbed |\n|---|---|---|---|")
    counts = Counter(outcome.case.fault.name for outcome in outcomes)
    for name, count in counts.items():
        bad = sum(bool(outcome.problems) for outcome in outcomes if outcome.case.fault.name == name)
        points = len({outcome.case.point for outcome in outcomes if outcome.case.fault.name == name})
        print(f"| {name} | {count} | {points} | {bad} |")
    bad = sum(bool(outcome.problems) for outcome in outcomes)
    points = len({outcome.case.point for outcome in outcomes})
    print(f"| all | {len(outcomes)} | {points} | {bad} |\n\n{seconds:.0f} s")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.crash", description=__doc__)
    parser.add_argument("--sample", action="store_true", help="the cases that CI runs")
    parser.add_argument("--part", default="1/1", help="of how many parts, which one: 2/8")
    parser.add_argument("--only", default="", help="what must be in the name of what is done: 'kill postgres'")
    return parser


if __name__ == "__main__":
    main()
