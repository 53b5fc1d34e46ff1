"""Tests that the stack survives what happens to it: kills, taken ports, a deleted directory; and what it leaves."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import boto3
import psutil  # type: ignore[import-untyped,unused-ignore]
import psycopg2
import pytest

from local import postgres_home, seaweedfs, settings, stack_env
from local.keeper import MARK
from local.processes import ProcessName, marked
from local.stack import StackProblem, StackState, down, reset, status, up

pytestmark = pytest.mark.stack


@pytest.fixture(scope="module")
def state_dir(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A stack of its own: nobody else's tests suffer from what is done to it."""
    directory = tmp_path_factory.mktemp("survival") / "state"
    yield directory
    reset(directory, say=print)


def start(state_dir: Path) -> StackState:
    return up(state_dir, say=print, owner=os.getpid())


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline, "it did not happen within a minute"
        time.sleep(0.05)


def ours(state_dir: Path) -> list[int]:
    known = settings.read(state_dir)
    assert known is not None
    left = [*marked(MARK, f"{known.identity}/"), *postgres_home.processes(state_dir / "postgres")]
    return sorted({name.pid for name in left})


def lake(stack: StackState) -> object:
    env = stack.env
    session = boto3.session.Session(env["AWS_ACCESS_KEY_ID"], env["AWS_SECRET_ACCESS_KEY"], region_name="us-east-1")
    return session.resource("s3", endpoint_url=env["AWS_ENDPOINT_URL_S3"]).Bucket("spacex-lake")


def secret(stack: StackState) -> str:
    session = boto3.session.Session("any", "any", region_name="us-east-1")
    client = session.client("secretsmanager", endpoint_url=stack.env["AWS_ENDPOINT_URL"])
    return str(client.get_secret_value(SecretId="spacex-elt/warehouse")["SecretString"])


def warehouse(stack: StackState, *statements: str) -> list[tuple[object, ...]]:
    told = json.loads(secret(stack))
    login = {"host": told["host"], "port": told["port"], "dbname": told["database"]}
    login |= {"user": told["username"], "password": told["password"]}
    login |= {"sslmode": stack.env["PGSSLMODE"], "sslrootcert": stack.env["PGSSLROOTCERT"]}
    with closing(psycopg2.connect(**login)) as connection, connection, connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
        return cursor.fetchall() if cursor.description else []


def run_sleeper(stack: StackState) -> None:
    """Runs a task that sleeps for long."""
    session = boto3.session.Session("any", "any", region_name="us-east-1")
    ecs = session.client("ecs", endpoint_url=stack.env["AWS_ENDPOINT_URL"])
    ecs.register_task_definition(
        family="sleeper",
        networkMode="awsvpc",
        requiresCompatibilities=["FARGATE"],
        cpu="256",
        memory="512",
        containerDefinitions=[{"name": "main", "image": "any", "entryPoint": ["sleep"], "command": ["600"]}],
    )
    ecs.run_task(
        cluster=stack_env.ECS_CLUSTER,
        taskDefinition="sleeper",
        launchType="FARGATE",
        networkConfiguration={"awsvpcConfiguration": {"subnets": [stack_env.SUBNETS[0]]}},
    )


def sleepers(state_dir: Path) -> list[ProcessName]:
    known = settings.read(state_dir)
    assert known is not None
    return marked(MARK, f"{known.identity}/aws/")


def part_names() -> list[str]:
    return ["seaweedfs", "postgres", "aws", "airbyte", "redshift"]


@pytest.mark.parametrize("name", part_names())
def test_a_killed_part_comes_back_with_what_it_held(state_dir: Path, name: str) -> None:
    before = start(state_dir)
    lake(before).put_object(Key=f"survival/{name}", Body=name.encode())  # type: ignore[attr-defined]
    warehouse(
        before, "create schema if not exists survival", f"create table survival.of_{name} as select 'kept' as word"
    )
    secret_before = secret(before)
    killed = next(part for part in before.parts if part.name == name)
    assert killed.pid is not None

    os.kill(killed.pid, signal.SIGKILL)
    wait_until(lambda: any(p.name == name and p.pid not in (None, killed.pid) for p in status(state_dir).parts))
    after = start(state_dir)

    assert after.is_running
    assert after.env == before.env
    assert {p.name: p.ports for p in after.parts} == {p.name: p.ports for p in before.parts}
    assert {p.pid for p in after.parts} - {p.pid for p in before.parts} != set()
    assert lake(after).Object(f"survival/{name}").get()["Body"].read() == name.encode()  # type: ignore[attr-defined]
    assert secret(after) == secret_before
    assert warehouse(after, f"select word from survival.of_{name}") == [("kept",)]


def test_a_killed_supervisor_takes_its_parts_with_it_and_up_starts_them_again(state_dir: Path) -> None:
    before = start(state_dir)
    assert before.supervisor_pid is not None
    os.kill(before.supervisor_pid, signal.SIGKILL)
    wait_until(lambda: ours(state_dir) == [])
    assert {part.status for part in status(state_dir).parts} == {"stopped"}

    after = start(state_dir)
    assert after.is_running
    assert after.env == before.env


@pytest.mark.parametrize("killed", ["aws", "supervisor"])
def test_a_running_task_does_not_outlive_ecs(state_dir: Path, killed: str) -> None:
    before = start(state_dir)
    run_sleeper(before)
    wait_until(lambda: len(sleepers(state_dir)) == 1)
    pids = {part.name: part.pid for part in before.parts} | {"supervisor": before.supervisor_pid}
    pid = pids[killed]
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: sleepers(state_dir) == [])


def test_parts_that_nobody_looks_after_are_ended_by_down(state_dir: Path) -> None:
    before = start(state_dir)
    assert before.supervisor_pid is not None
    known = settings.read(state_dir)
    assert known is not None
    guard = next(name for name in marked(MARK, f"{known.identity}/guard"))
    os.kill(before.supervisor_pid, signal.SIGSTOP)  # asleep, it does not start the guard again
    os.kill(guard.pid, signal.SIGKILL)
    os.kill(before.supervisor_pid, signal.SIGKILL)
    wait_until(lambda: status(state_dir).supervisor_pid is None)
    assert any(part.pid for part in status(state_dir).parts)

    down(state_dir, say=print)
    assert ours(state_dir) == []


def test_down_leaves_no_process_and_a_taken_port_is_replaced(state_dir: Path) -> None:
    before = start(state_dir)
    old = next(part for part in before.parts if part.name == "aws").ports["aws"]
    down(state_dir, say=print)
    assert ours(state_dir) == []
    assert status(state_dir).parts == ()

    with closing(socket.create_server(("127.0.0.1", old))):
        after = start(state_dir)
        assert after.env["AWS_ENDPOINT_URL"] != before.env["AWS_ENDPOINT_URL"]
        assert after.env["AWS_ENDPOINT_URL_S3"] == before.env["AWS_ENDPOINT_URL_S3"]
        assert secret(after)


def test_other_code_is_started_in_the_place_of_what_runs(state_dir: Path) -> None:
    before = start(state_dir)
    record = json.loads((state_dir / "stack.json").read_text())
    (state_dir / "stack.json").write_text(json.dumps({**record, "fingerprint": "of another version"}))
    after = start(state_dir)
    assert after.is_running
    assert after.supervisor_pid != before.supervisor_pid


def test_a_command_while_another_is_at_work_is_refused(state_dir: Path) -> None:
    hold = "import fcntl, sys; f = open(sys.argv[1], 'a'); fcntl.flock(f, fcntl.LOCK_EX); print(flush=True); input()"
    state_dir.mkdir(exist_ok=True)
    lock = str(state_dir / "command.lock")
    with subprocess.Popen((sys.executable, "-c", hold, lock), stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout and other.stdout.readline()
        with pytest.raises(StackProblem, match="Another `spacex-elt local` command is at work"):
            up(state_dir, say=print)
        other.communicate(b"\n")


def test_reset_leaves_neither_process_nor_file(tmp_path: Path) -> None:
    directory = tmp_path / "state"
    stack = start(directory)
    known = settings.read(directory)
    assert known is not None
    assert stack.is_running
    home = postgres_home.prepare(directory / "postgres")

    reset(directory, say=print)

    assert marked(MARK, known.identity) == []
    assert not directory.exists()
    assert not home.data.exists()
    assert not home.socket_directory.exists()
    assert list(seaweedfs.left_behind(known)) == []
    reset(directory, say=print)  # again is harmless


@pytest.mark.parametrize("ending", ["owner", "directory"])
def test_the_stack_ends_with_its_owner_and_with_its_directory(tmp_path: Path, ending: str) -> None:
    directory = tmp_path / "state"
    with subprocess.Popen((sys.executable, "-c", "input()"), stdin=subprocess.PIPE) as owner:
        stack = up(directory, say=print, owner=owner.pid)
        assert stack.supervisor_pid is not None
        supervisor = psutil.Process(stack.supervisor_pid)
        family = [supervisor, *supervisor.children(recursive=True)]
        assert len(family) > len(stack.parts)
        if ending == "directory":
            shutil.rmtree(directory)
            wait_until(lambda: not any(process.is_running() for process in family))
        owner.communicate(b"\n")
        wait_until(lambda: not any(process.is_running() for process in family))
    reset(directory, say=print)
