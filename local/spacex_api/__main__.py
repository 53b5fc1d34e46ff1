"""Starts the SpaceX API stand-in: `python -m local.spacex_api`. Prints one JSON line once it listens."""

import argparse
import json
import os
import signal
import sys
import threading
import time
from pathlib import Path

from local.spacex_api.rates import FaultRefused
from local.spacex_api.server import SpacexApi
from local.spacex_api.source import FAULTS, Replay, Sample, Source, spoil


def main(arguments: list[str] | None = None) -> int:
    """Serves until it is told to stop (SIGTERM, SIGINT)."""
    asked = _parser().parse_args(arguments)
    try:
        api = SpacexApi(spoil(_source(asked), asked.fault, asked.seed), asked.port)
    except (FaultRefused, OSError, ValueError) as exc:
        print(f"the SpaceX API stand-in could not start: {exc}", file=sys.stderr)  # noqa: T201
        return 2
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: threading.Thread(target=api.close).start())
    if asked.die_with_parent:
        threading.Thread(target=_leave_with, args=(os.getppid(),), daemon=True).start()
    told = {"url": api.url, "port": api.port, "source": api.spoiled.words, "fault_count": len(api.spoiled.struck)}
    print(json.dumps(told), flush=True)  # noqa: T201
    api.serve_forever()
    return 0


def _source(asked: argparse.Namespace) -> Source:
    return Sample(asked.launches, asked.seed) if asked.source == "sample" else Replay(Path(asked.source))


def _leave_with(parent: int) -> None:
    """Ends the process when the one that started it is gone, however it ended."""
    while os.getppid() == parent:
        time.sleep(0.5)
    os._exit(0)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m local.spacex_api",
        description="Stands in for the SpaceX API on 127.0.0.1.",
        epilog=f"Faults: {', '.join(FAULTS)}.",
    )
    parser.add_argument("--source", default="sample", help="'sample', or a folder of recorded answers")
    parser.add_argument("--launches", type=int, default=205, help="how many launches the sample has")
    parser.add_argument("--seed", type=int, default=42, help="what the sample and its faults follow from")
    parser.add_argument(
        "--fault", action="append", default=[], metavar="[DATASET/]NAME:RATE", help="such as bad-id:1%%"
    )
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--die-with-parent", action="store_true", help="end when the starting process is gone")
    return parser


if __name__ == "__main__":
    sys.exit(main())
