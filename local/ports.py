"""Owns finding free ports on 127.0.0.1. Remembering them over a restart is local/settings.py's job."""

import contextlib
import fcntl
import os
import random
import socket
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from local.problem import StackProblem

HOST = "127.0.0.1"
GRPC_OFFSET = 10_000  # SeaweedFS listens for gRPC on each port + 10,000, and its own parts rely on it
# Below the range from which Linux draws outgoing ports (32768 and up), even with the offset added:
# a port that is ours is then not taken by chance while the stack is down.
_CANDIDATES = range(12_000, 22_000)
_ATTEMPTS = 400
LOCK = Path("/tmp") / f"spacex-elt-{os.geteuid()}.lock"  # noqa: S108 (the same for all whatever TMPDIR says)


@contextlib.contextmanager
def alone() -> Iterator[None]:
    """Keep the user's other stacks from choosing ports; waits while one of them does.

    Held from the choice until everything listens: a port that was chosen and does not yet listen looks free to others.
    """
    try:
        lock = os.open(LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        raise StackProblem(
            f"{LOCK}: expected a file of user {os.geteuid()} that stacks lock while they choose their ports, but it "
            f"cannot be opened: {error.strerror}. Remove it, then try again."
        ) from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


def is_free(port: int) -> bool:
    """Tell whether nothing listens on the port and we may."""
    with contextlib.closing(socket.socket(socket.AF_INET, socket.SOCK_STREAM)) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return not answers(port)


def answers(port: int) -> bool:
    """Tell whether something accepts connections on the port."""
    try:
        with socket.create_connection((HOST, port), timeout=2):
            return True
    except OSError:
        return False


def choose(names: Iterable[str], with_grpc: Iterable[str], recorded: Mapping[str, int]) -> dict[str, int]:
    """Give each name a free port of its own: the recorded one if it is still free, otherwise another.

    A port of a name in `with_grpc` has a free companion, GRPC_OFFSET higher. Raises StackProblem if there is none.
    """
    paired = frozenset(with_grpc)
    chosen: dict[str, int] = {}
    taken: set[int] = set()
    for name in names:
        offsets = (0, GRPC_OFFSET) if name in paired else (0,)
        port = _first_free(_proposals(recorded.get(name)), offsets, taken, name)
        chosen[name] = port
        taken |= {port + offset for offset in offsets}
    return chosen


def _proposals(recorded: int | None) -> list[int]:
    at_random = random.sample(_CANDIDATES, _ATTEMPTS)
    return at_random if recorded is None else [recorded, *at_random]


def _first_free(proposals: list[int], offsets: tuple[int, ...], taken: set[int], name: str) -> int:
    for port in proposals:
        wanted = {port + offset for offset in offsets}
        if not wanted & taken and all(is_free(each) for each in wanted):
            return port
    raise StackProblem(
        f"No free port for {name}: {_ATTEMPTS} ports of {HOST} between {_CANDIDATES.start} and {_CANDIDATES.stop} were "
        "tried and all are taken. Stop some of the programs that listen on this machine, then try again."
    )
