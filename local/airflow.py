"""Owns Airflow on a laptop, where Amazon MWAA is in production: what it is told, and one run of a DAG.

It is Airflow itself, in an environment of its own, and the DAG files as they are deployed. What data a run meets is the
command line's to say; its scheduler and user interface are local/airflow_server.py's.
"""

import contextlib
import hashlib
import json
import re
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from local import settings, stack_env
from local.files import tail
from local.keeper import MARK
from local.ports import HOST
from local.problem import StackProblem
from local.processes import ProcessName, kill, marked, terminate, wait_until_gone
from local.settings import StackSettings

_ROOT = Path(__file__).resolve().parent.parent

#: `airflow standalone` starts its parts by this name. Their log servers would listen on every address of the machine.
_WRAPPER = """#!/bin/sh
case "$1" in
    scheduler | triggerer) exec "{airflow}" "$@" --skip-serve-logs ;;
    *) exec "{airflow}" "$@" ;;
esac
"""
_RETRY_AFTER_S = 3  # Airflow's own default is five minutes
STOPS_WITHIN_S = 20

_BEGAN = re.compile(r"Created dag run\..*?: (?P<run_id>manual__[^,\s]+),")
_TASK_BEGAN = re.compile(r"\[DAG TEST\] starting task_id=(?P<task>\S+) map_index=(?P<index>-?\d+)")
_TASK_CHANGED = re.compile(r"Task instance state updated .*\bnew_state=(?P<state>\w+)")
_TASK_ENDED = re.compile(r"\[DAG TEST\] end task task_id=(?P<task>\S+) map_index=(?P<index>-?\d+)")
_LOGGED = re.compile(r"^\d{4}-\d\d-\d\dT\S+ \[")
_RAISED = re.compile(r"^(?:[\w.]+\.)?(?P<kind>Step\w+|\w*Exception|\w+Error): (?P<message>.+)")


@dataclass(frozen=True, slots=True)
class Installation:
    """An environment with Airflow in it. Each has a database of its own: versions do not share one."""

    folder: Path
    lock: Path

    @property
    def binaries(self) -> Path:
        """Where its programs are."""
        return self.folder / "bin"

    def home(self, state_dir: Path) -> Path:
        """Where Airflow keeps its database and logs."""
        return state_dir.absolute() / self.lock.stem


INSTALLED = Installation(_ROOT / ".venv-airflow", _ROOT / "requirements" / "airflow.txt")


@dataclass(frozen=True, slots=True)
class TaskTry:
    """One try of one task of a DAG run."""

    task_id: str
    map_index: int  # -1: not mapped
    state: str  # success | failed | skipped | up_for_retry | …
    seconds: float
    message: str  # why it failed, "" when it did not


@dataclass(frozen=True, slots=True)
class DagRunOutcome:
    """What one run of a DAG came to."""

    dag_id: str
    run_id: str
    is_success: bool
    tries: Sequence[TaskTry]
    seconds: float  # all of it: Airflow's own start as well
    container_seconds: float  # of it in containers, one after the other
    log: Path


def environment(state_dir: Path, installation: Installation = INSTALLED) -> dict[str, str]:
    """Everything that Airflow is told. Raises StackProblem when there is no stack to tell it of."""
    chosen = _settings(state_dir)
    home = installation.home(state_dir)
    address = stack_env.url(chosen, "airflow")
    airbyte_connection = {
        "conn_type": "airbyte",
        "host": f"{stack_env.url(chosen, 'airbyte')}/api/public/v1",
        "login": chosen.airbyte_client_id,
        "password": chosen.airbyte_client_secret,
        "schema": "/api/public/v1/applications/token",
    }
    return {
        "PATH": f"{home / 'bin'}:{installation.binaries}:/usr/local/bin:/usr/bin:/bin",
        "HOME": str(home),
        "LANG": "C.UTF-8",
        "DO_NOT_TRACK": "1",
        MARK: f"{chosen.identity}/airflow",
        "SPT_NOENV": "1",  # else the title that Airflow gives a process is written over its environment, the mark too
        **stack_env.aws_env(chosen, state_dir),
        "NO_PROXY": "127.0.0.1,localhost",
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__DAGS_FOLDER": str(_ROOT / "dags"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__PARALLELISM": "4",  # processes that wait for tasks; the tasks themselves wait in the triggerer
        "AIRFLOW__CORE__DEFAULT_TASK_RETRY_DELAY": str(_RETRY_AFTER_S),
        # How late a worker may see that a task's process ended. When its container ends before that, Airflow 3.3.1
        # takes the deferred task for a lost one and tries it again (apache/airflow#72716); the default is 5.
        "AIRFLOW__WORKERS__MIN_HEARTBEAT_INTERVAL": "1",
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{address}/execution/",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": "True",
        "AIRFLOW__API__HOST": HOST,
        "AIRFLOW__API__PORT": str(chosen.ports["airflow"]),
        "AIRFLOW__API__BASE_URL": address,
        "AIRFLOW__DAG_PROCESSOR__REFRESH_INTERVAL": "10",
        "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
        "AIRFLOW_CONN_AWS_DEFAULT": "aws://",
        "AIRFLOW_CONN_AIRBYTE_DEFAULT": json.dumps(airbyte_connection),
        **_deployment(stack_env.stack_env(chosen, state_dir)),
    }


def _deployment(told: Mapping[str, str]) -> dict[str, str]:
    """The names that the startup script exports on MWAA; those that the pipeline has as well are the same."""
    shared = ("ENVIRONMENT", "LAKE_BUCKET", "ALERT_TOPIC_ARN", "AIRBYTE_CONNECTION_ID")
    return {
        **{f"SPACEX_ELT_{name}": told[f"SPACEX_ELT_{name}"] for name in shared},
        "SPACEX_ELT_ECS_CLUSTER": stack_env.ECS_CLUSTER,
        # One task definition for all families: there are no roles here to tell apart.
        **{f"SPACEX_ELT_{family}_TASK": stack_env.TASK_FAMILY for family in stack_env.STEP_FAMILIES},
        "SPACEX_ELT_LOG_GROUP": stack_env.LOG_GROUP,
        "SPACEX_ELT_SUBNET_IDS": ",".join(stack_env.SUBNETS),
        "SPACEX_ELT_SECURITY_GROUP_IDS": stack_env.SECURITY_GROUP,
        "SPACEX_ELT_DEADLINE_HOURS": "1",
    }


def refuse_second(state_dir: Path) -> None:
    """Raises StackProblem when an Airflow is at work: two would run each other's tasks, out of one database."""
    variables = environment(state_dir)
    found = marked(MARK, variables[MARK])
    if found:
        raise StackProblem(
            f"Airflow is already at work on this stack (process {min(name.pid for name in found)}; its user interface, "
            f"if it has one: {variables['AIRFLOW__API__BASE_URL']}). Wait for its run's end, or stop it with Ctrl-C "
            "where it was started. What a killed one left behind ends with the stack: spacex-elt local down"
        )


def run_dag(
    state_dir: Path,
    dag_id: str,
    conf: Mapping[str, object],
    on_change: Callable[[TaskTry], None] = lambda task: None,
    *,
    installation: Installation = INSTALLED,
    told: Mapping[str, str] | None = None,
) -> DagRunOutcome:
    """One run of a DAG with `airflow dags test`: its real operators, one task after the other, no scheduler.

    `on_change` is told each try twice: when it begins ("running") and when it has ended. `told` are variables that
    Airflow is told instead. Raises StackProblem when the run could not even begin.
    """
    # Airflow 3.3.1's `dags test` breaks down at the end of a run that has a deadline, and looks at none before.
    told = {"SPACEX_ELT_DEADLINE_HOURS": "0", **(told or {})}
    refuse_second(state_dir)
    began = time.monotonic()
    variables = prepare(state_dir, told, installation)
    log = Path(variables["AIRFLOW_HOME"]) / "dags-test.log"
    command = ("airflow", "dags", "test", dag_id, "--conf", json.dumps(conf))
    with log.open("w", encoding="utf-8") as copy, _started(command, variables) as process:
        assert process.stdout is not None  # noqa: S101 it was asked for
        reader = _Reader(on_change)
        for line in process.stdout:
            copy.write(line)
            reader.take(line)
        exit_code = process.wait()
    if not reader.run_id:
        raise StackProblem(f"Airflow did not begin a run of {dag_id}. The end of its log, {log}:\n{tail(log)}")
    seconds = time.monotonic() - began
    in_containers = _container_seconds(_settings(state_dir), reader.run_id)
    return DagRunOutcome(dag_id, reader.run_id, exit_code == 0, tuple(reader.tries), seconds, in_containers, log)


def _container_seconds(chosen: StackSettings, run_id: str) -> float:
    """How long the run's containers ran, all of them together, as ECS tells it."""
    import boto3

    session = boto3.session.Session("stack", "stack", region_name=stack_env.REGION)
    ecs = session.client("ecs", endpoint_url=stack_env.url(chosen, "aws"))
    arns = ecs.list_tasks(cluster=stack_env.ECS_CLUSTER, desiredStatus="STOPPED")["taskArns"]
    seconds = 0.0
    for start in range(0, len(arns), 100):  # the most that ECS describes at once
        for task in ecs.describe_tasks(cluster=stack_env.ECS_CLUSTER, tasks=arns[start : start + 100])["tasks"]:
            commands = [each.get("command", []) for each in task["overrides"].get("containerOverrides", [])]
            if any(run_id in command for command in commands) and "startedAt" in task:
                seconds += (task["stoppedAt"] - task["startedAt"]).total_seconds()
    return seconds


class _Reader:
    """Follows what `airflow dags test` says: it tells of tasks in its log only."""

    def __init__(self, on_change: Callable[[TaskTry], None]) -> None:
        self.run_id = ""
        self.tries: list[TaskTry] = []
        self._on_change = on_change
        self._began = time.monotonic()
        self._state = ""
        self._message: list[str] = []

    def take(self, line: str) -> None:
        """One line."""
        if match := _BEGAN.search(line):
            self.run_id = match["run_id"]
        elif match := _TASK_BEGAN.search(line):
            self._began, self._state, self._message = time.monotonic(), "", []
            self._on_change(TaskTry(match["task"], int(match["index"]), "running", 0.0, ""))
        elif match := _TASK_CHANGED.search(line):
            self._state = match["state"]
        elif match := _RAISED.search(line):
            self._message = [match["message"]]
        elif match := _TASK_ENDED.search(line):
            self._end(match["task"], int(match["index"]))
        elif self._message and not _LOGGED.match(line):  # an exception's message may have several lines
            self._message.append(line.strip())

    def _end(self, task_id: str, map_index: int) -> None:
        message = "" if self._state in ("success", "skipped") else " ".join(filter(None, self._message))
        ended = TaskTry(task_id, map_index, self._state, time.monotonic() - self._began, message)
        self.tries.append(ended)
        self._on_change(ended)


def prepare(
    state_dir: Path, told: Mapping[str, str] | None = None, installation: Installation = INSTALLED
) -> Mapping[str, str]:
    """Everything that Airflow is told (`told` besides, or instead), with its database made or brought up to date.

    Once for each lock: asking Airflow whether it is due takes as long. Raises StackProblem.
    """
    variables = {**environment(state_dir, installation), **(told or {})}
    if not (installation.binaries / "airflow").exists():
        raise StackProblem(f"Airflow's environment is not in {installation.folder}. Make it: make setup")
    home = installation.home(state_dir)
    done = home / "migrated"
    lock = hashlib.sha256(installation.lock.read_bytes()).hexdigest()
    if done.exists() and done.read_text(encoding="utf-8") == lock:
        return variables
    wrapper = home / "bin" / "airflow"
    wrapper.parent.mkdir(parents=True, exist_ok=True)
    wrapper.write_text(_WRAPPER.format(airflow=installation.binaries / "airflow"), encoding="utf-8")
    wrapper.chmod(0o755)
    run_program(("airflow", "db", "migrate"), variables, home)
    done.write_text(lock, encoding="utf-8")
    return variables


def run_program(command: Sequence[str], variables: Mapping[str, str], home: Path) -> None:
    """Runs one of Airflow's commands to its end. Raises StackProblem with the end of what it said when it fails."""
    done = subprocess.run(
        command, env=variables, cwd=home, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        said = "\n".join((done.stdout + done.stderr).splitlines()[-15:])
        raise StackProblem(f"`{' '.join(command)}` ended with {done.returncode}:\n{said}")


@contextlib.contextmanager
def _started(command: Sequence[str], variables: Mapping[str, str]) -> Iterator["subprocess.Popen[str]"]:
    """A program whose output is read, ended with the context."""
    with subprocess.Popen(
        command, env=variables, cwd=variables["AIRFLOW_HOME"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True, encoding="utf-8", errors="replace",
    ) as process:  # fmt: skip
        try:
            yield process
        finally:
            name = ProcessName.of(process.pid)
            if name and process.poll() is None:
                terminate(name)
                kill(wait_until_gone([name], STOPS_WITHIN_S))


def _settings(state_dir: Path) -> StackSettings:
    known = settings.read(state_dir)
    if known is None:
        raise StackProblem("There is no local stack. Start it: spacex-elt local up")
    return known
