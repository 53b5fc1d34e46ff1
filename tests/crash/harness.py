"""Owns one case: a load disturbed at a point, loaded again until it ends well, and compared with an undisturbed one."""

import multiprocessing
import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.context import ForkServerContext
from pathlib import Path

import boto3

from spacex_elt.exit_codes import ExitCode
from spacex_elt.wiring import open_pipeline
from tests.crash import snapshots
from tests.crash.faults import Case
from tests.crash.ground import EMPTY, Ground, State
from tests.crash.points import Answer, Point, Watch
from tests.crash.servers import Servers, running_servers
from tests.crash.snapshots import DATASETS, RUNS
from tests.e2e.harness import environment

_TRIES = 3  # as many as the scheduler gives a task: a first one and two retries
_LONGEST_S = 120
#: How a disturbed try may end: well, as service trouble, or as it was told to, by a signal.
_HONEST = {ExitCode.OK, ExitCode.UNAVAILABLE, ExitCode.STOPPED, -signal.SIGKILL, -signal.SIGTERM}


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a case went. Without problems, the load ended as if undisturbed."""

    case: Case
    exits: tuple[int, ...]
    problems: tuple[str, ...]
    seconds: float

    def __str__(self) -> str:
        exits = " → ".join(map(str, self.exits))
        return f"{self.case.number} | {self.case.point} | {self.case.fault.name} | {exits} | " + (
            "; ".join(self.problems) or "as undisturbed"
        )


@dataclass
class Harness:
    """Servers, the ground, what an undisturbed load makes of it, and the points it passes."""

    servers: Servers
    ground: Ground
    watch: Watch
    variables: dict[str, str]
    processes: ForkServerContext
    log: Path
    start: State = EMPTY
    undisturbed: State = EMPTY
    points: tuple[Point, ...] = ()

    def prepare(self, run_id: str) -> None:
        """Everything before a load."""
        with environment(self.variables), open_pipeline(run_id) as pipeline:
            snapshots.prepare(pipeline, run_id)

    def load_well(self, run_id: str) -> None:
        """A load that must succeed at once."""
        code = self.load(run_id)
        assert code == ExitCode.OK, f"an undisturbed load ended with {code}: {self._said()}"

    def run(self, case: Case) -> Outcome:
        """Disturb one load, and load again until it ends well or the tries are over."""
        began = time.monotonic()
        self.ground.put_back()
        code, was_reached = self._disturbed(case)
        exits, problems = [code], [*self._dishonest(code), *([] if was_reached else ["the point was not reached"])]
        self.servers.wait_until_ready()
        problems += self._halves()
        while exits[-1] != ExitCode.OK and len(exits) < _TRIES:
            exits.append(self.load())
            problems += self._dishonest(exits[-1])
        if exits[-1] != ExitCode.OK:
            problems.append(f"{_TRIES} tries were not enough: {self._said()}")
        problems += self.ground.state().differences(self.undisturbed)
        return Outcome(case, tuple(exits), tuple(problems), time.monotonic() - began)

    def load(self, run_id: str = RUNS[-1]) -> int:
        """One load that nobody disturbs; its exit code."""
        self.watch.begin()
        return self._ended(self._started(run_id))

    def _disturbed(self, case: Case) -> tuple[int, bool]:
        reached: list[Point] = []
        children: list[multiprocessing.process.BaseProcess] = []

        def act(point: Point) -> Answer:
            is_like_it = case.fault.lasts and reached and point.request == case.point.request
            if not (is_like_it and point.when == case.point.when) and (point != case.point or reached):
                return Answer.PASS
            reached.append(point)
            pid = children[0].pid
            assert pid is not None
            return case.fault.act(self.servers, pid)

        self.watch.begin(act)
        children.append(self._process(RUNS[-1]))
        children[0].start()
        code = self._ended(children[0])
        self.watch.begin()
        return code, bool(reached)

    def _halves(self) -> list[str]:
        """What readers must never see: a dataset that is neither as before nor as after, or a ledger that says else."""
        now = self.ground.state()
        whole = {dataset: (self.start.published(dataset), self.undisturbed.published(dataset)) for dataset in DATASETS}
        return [f"{dataset} is half-published" for dataset in DATASETS if now.published(dataset) not in whole[dataset]]

    def _dishonest(self, code: int) -> list[str]:
        """What is wrong with a try that ended with this code: trouble of a service must never be told as bad data."""
        return [] if code in _HONEST else [f"a try ended with {code}: {self._said()}"]

    def _started(self, run_id: str) -> multiprocessing.process.BaseProcess:
        child = self._process(run_id)
        child.start()
        return child

    def _process(self, run_id: str) -> multiprocessing.process.BaseProcess:
        self.log.write_text("")
        return self.processes.Process(target=_load, args=(self.variables, str(self.log), run_id))

    def _ended(self, child: multiprocessing.process.BaseProcess) -> int:
        child.join(_LONGEST_S)
        if child.exitcode is None:
            child.kill()
            child.join()
            return -signal.SIGALRM  # it hung
        return child.exitcode

    def _said(self) -> str:
        return " ".join(self.log.read_text().split())[-400:]


def _load(variables: dict[str, str], log: str, run_id: str) -> None:
    """The product's own command, in a process of its own."""
    from spacex_elt.cli import main

    os.environ.update(variables)
    said = os.open(log, os.O_WRONLY | os.O_APPEND)
    os.dup2(said, sys.stdout.fileno())
    os.dup2(said, sys.stderr.fileno())
    sys.argv = ["spacex-elt", "load", "--run-id", run_id]
    sys.argv += [word for dataset in DATASETS for word in ("--dataset", dataset)]
    main()


def warm_processes() -> ForkServerContext:
    """Processes that start with everything imported: that takes seconds."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.crash.preload"])
    return context


@contextmanager
def open_harness(folder: Path, processes: ForkServerContext) -> Iterator["Harness"]:
    """Servers with two snapshots loaded and a third one ready to load, whose undisturbed load has been recorded."""
    watch = Watch()
    boto3.DEFAULT_SESSION = None  # it may have the credentials of another stack
    processes.Process(target=_nothing).start()  # its imports take seconds, and so do the servers
    with running_servers(folder / "servers", watch) as servers:
        variables = {"SPACEX_ELT_ENV_FILE": str(folder / "servers" / "stack.env")}
        harness = Harness(servers, Ground(servers), watch, variables, processes, folder / "said.txt")
        *before, last = RUNS
        for run_id in before:
            harness.prepare(run_id)
            harness.load_well(run_id)
        harness.prepare(last)
        harness.start = harness.ground.keep()
        harness.load_well(last)
        harness.points = tuple(watch.points)
        harness.undisturbed = harness.ground.state()
        yield harness
    boto3.DEFAULT_SESSION = None


def _nothing() -> None:
    pass
