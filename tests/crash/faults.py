"""Owns what is done to a load at a point, and at which points it makes sense."""

import os
import re
import signal
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tests.crash.points import Answer, Point
from tests.crash.servers import Servers
from tests.crash.snapshots import DATASETS

#: What is killed at a point.
VICTIMS = ("loader", "redshift", "postgres", "seaweedfs")

_TELLING = 48  # characters of a label
_A_NAME = re.compile(rf"(?<=raw_spacex\.)\w+|{'|'.join(DATASETS)}")


@dataclass(frozen=True, slots=True)
class Fault:
    """What is done at a point: once, or to every later request like it as well."""

    name: str
    act: Callable[[Servers, int], Answer]  # is given the loader's pid
    lasts: bool = False


def _kill_loader(servers: Servers, loader: int) -> Answer:
    os.kill(loader, signal.SIGKILL)
    return Answer.PASS


def _killing(server: str) -> Callable[[Servers, int], Answer]:
    def act(servers: Servers, loader: int) -> Answer:
        servers.kill(server)
        return Answer.PASS

    return act


def _answering(answer: Answer) -> Callable[[Servers, int], Answer]:
    return lambda servers, loader: answer


def _stall_until_stopped(servers: Servers, loader: int) -> Answer:
    os.kill(loader, signal.SIGTERM)  # as a container is stopped that takes too long
    return Answer.STALL


KILLS = {
    "loader": Fault("kill the loader", _kill_loader),
    **{name: Fault(f"kill {name}", _killing(name)) for name in VICTIMS[1:]},
}
RESET = Fault("reset the connection", _answering(Answer.RESET))
STALL = Fault("stall, then SIGTERM", _stall_until_stopped)
S3_ERRORS = (
    Fault("S3 says 500 once", _answering(Answer.FAIL_500)),
    Fault("S3 says 503 throughout", _answering(Answer.FAIL_503), lasts=True),
)
S3_BODIES = (
    Fault("S3 is slow", _answering(Answer.SLOW)),
    Fault("the body is cut once", _answering(Answer.TRUNCATE)),
    Fault("the body is cut throughout", _answering(Answer.TRUNCATE), lasts=True),
)


@dataclass(frozen=True, slots=True)
class Case:
    """One point and what is done there."""

    number: int  # of the point in an undisturbed load, from 1
    point: Point
    fault: Fault


def every_kill(points: Sequence[Point]) -> list[Case]:
    """Everything is killed at every point."""
    return [Case(number, point, fault) for number, point in enumerate(points, 1) for fault in KILLS.values()]


def every_network_fault(points: Sequence[Point]) -> list[Case]:
    """What the network may do, at every point where it can."""
    cases = []
    for number, point in enumerate(points, 1):
        cases.append(Case(number, point, RESET))
        if point.label.startswith("copy ") or (_is_read_by_copy(point) and point.when == "before"):
            cases.append(Case(number, point, STALL))
        if point.place == "S3" and point.when == "after":
            has_body = point.label.startswith("get ")
            cases += [Case(number, point, fault) for fault in (S3_ERRORS + S3_BODIES if has_body else S3_ERRORS)]
    return cases


def _is_read_by_copy(point: Point) -> bool:
    return point.label.startswith(("get manifests/", "get accepted/", "get landing/"))


def some_kills(points: Sequence[Point]) -> list[Case]:
    """One of each kind of point, for a commit one before and one after: what is killed, the moment and the dataset take
    turns.
    """
    chosen = []
    for turn, of_kind in enumerate(_by_kind(every_kill(points))):
        faults = list(KILLS.values())
        matching = [case for case in of_kind if case.fault is faults[turn % len(faults)]]
        chosen.append(matching[0] if turn // len(faults) % 2 else matching[-1])
    return chosen


def some_network_faults(points: Sequence[Point]) -> list[Case]:
    """A reset before and after each kind of commit, and each other fault at the first and the last point it can hit."""
    cases = every_network_fault(points)
    resets = [case for case in cases if case.fault is RESET and case.point.label.startswith("commit")]
    chosen = [of_kind[-1] for of_kind in _by_kind(resets)]
    for fault in (STALL, *S3_ERRORS, *S3_BODIES):
        hit = [case for case in cases if case.fault is fault]
        chosen += [hit[0], hit[-1]]
    return chosen


def _by_kind(cases: Sequence[Case]) -> list[list[Case]]:
    by_kind: dict[str, list[Case]] = {}
    for case in cases:
        by_kind.setdefault(_kind(case.point), []).append(case)
    return list(by_kind.values())


def _kind(point: Point) -> str:
    """What points have in common that differ in a name or the moment only."""
    if point.place == "load gate":
        return f"{point.when} a check"
    if point.place == "S3":
        return f"{point.when} {point.label.partition('/')[0]}"
    when = point.when if point.label.startswith("commit") else ""
    return when + _A_NAME.sub("<name>", point.label)[:_TELLING]
