"""Owns Airflow's scheduler and user interface on a laptop, while somebody looks. What it is told is airflow.py's."""

import contextlib
import json
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from local.airflow import STOPS_WITHIN_S, environment, prepare, refuse_second, run_program
from local.files import tail
from local.keeper import MARK
from local.problem import StackProblem
from local.processes import kill, marked, terminate, wait_until_gone

_READY_WITHIN_S = 180


@contextlib.contextmanager
def serve(
    state_dir: Path,
    dag_id: str,
    tell: Callable[[str], None] = lambda doing: None,
    told: Mapping[str, str] | None = None,
) -> Iterator[str]:
    """Airflow with its scheduler and user interface, as long as the context; the DAG unpaused. Yields its address.

    Whoever reaches it is an administrator: it listens on 127.0.0.1 only. `tell` is told what it is doing until it is
    up; `told` are variables that Airflow is told besides. Raises StackProblem when it does not come up.
    """
    address = environment(state_dir)["AIRFLOW__API__BASE_URL"]
    refuse_second(state_dir)
    tell("its database")
    variables = prepare(state_dir, told)
    home = Path(variables["AIRFLOW_HOME"])
    log = home / "standalone.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            ("airflow", "standalone"), env=variables, cwd=home, stdout=output, stderr=output,
            stdin=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
    try:
        _wait_until_healthy(process, address, log, tell)
        tell("its DAGs")
        run_program(("airflow", "dags", "reserialize"), variables, home)
        run_program(("airflow", "dags", "unpause", "--yes", dag_id), variables, home)
        yield address
    finally:
        _stop(variables[MARK])
        process.wait()


def _wait_until_healthy(
    process: "subprocess.Popen[bytes]", address: str, log: Path, tell: Callable[[str], None]
) -> None:
    deadline = time.monotonic() + _READY_WITHIN_S
    while missing := _not_healthy(address):
        tell(f"waits for {', '.join(missing)}")
        if process.poll() is not None or time.monotonic() > deadline:
            raise StackProblem(f"Airflow does not come up. The end of its log, {log}:\n{tail(log)}")
        time.sleep(0.5)


def _not_healthy(address: str) -> Sequence[str]:
    """The parts of Airflow that are not up."""
    try:
        with urllib.request.urlopen(f"{address}/api/v2/monitor/health", timeout=5) as answer:  # noqa: S310 our own
            health = json.load(answer)
    except (OSError, ValueError):
        return ("api-server",)
    parts = ("scheduler", "dag_processor", "triggerer")
    return [part.replace("_", "-") for part in parts if health[part]["status"] != "healthy"]


def _stop(mark: str) -> None:
    """Ends Airflow and all that it started. Each part ends well by SIGTERM; `standalone` passes on SIGINT only."""
    left = marked(MARK, mark)
    for name in left:
        terminate(name)
    kill(wait_until_gone(left, STOPS_WITHIN_S))
    kill(marked(MARK, mark))  # started meanwhile
