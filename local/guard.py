"""Owns one promise: when the supervisor is killed, its parts do not linger.

It reads from the supervisor, one line a start, which process runs each part, and waits for the pipe to close: that
happens whatever way the supervisor ends. Then it ends the parts it was told of. Run as `python -m local.guard`.
"""

import json
import sys
from collections.abc import Iterable


def last_processes(lines: Iterable[str]) -> list[tuple[int, float]]:
    """Return pid and start of each part's latest process, in the order of their first start."""
    latest: dict[str, tuple[int, float]] = {}
    for line in lines:
        told = json.loads(line)
        latest[told["part"]] = (int(told["pid"]), float(told["started_at"]))
    return list(latest.values())


def main() -> None:
    """Wait for the supervisor's end, then end its parts."""
    told = last_processes(sys.stdin)

    from local.processes import ProcessName, kill, terminate, wait_until_gone  # memory: only when it is needed

    names = [ProcessName(pid, started_at) for pid, started_at in told]
    for name in names:
        terminate(name)
    kill(wait_until_gone(names, patience_s=20))


if __name__ == "__main__":
    main()
