"""Tests ECS' stand-in through boto3: its server runs in a process of its own, as in the local stack."""

import functools
import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from local import ports, stack_env
from local.keeper import MARK
from local.processes import kill, marked, wait_until_gone
from local.stack import StackState

REPOSITORY = Path(__file__).resolve().parents[2]
NETWORK = {"awsvpcConfiguration": {"subnets": ["subnet-1"], "securityGroups": ["sg-1"]}}
# Says that it is ready to be stopped; SIGTERM ends it with 3.
POLITE = (
    "import signal, sys, time\n"
    "signal.signal(signal.SIGTERM, lambda *_: (print('asked to stop', flush=True), sys.exit(3)))\n"
    "print('ready', flush=True)\n"
    "while True: time.sleep(60)\n"
)
STUBBORN = POLITE.replace("(print('asked to stop', flush=True), sys.exit(3))", "print('no', flush=True)")


def definition(**container: Any) -> dict[str, Any]:
    """A task definition for Fargate whose image runs Python on its command."""
    logs = {"awslogs-group": "/ecs/test", "awslogs-region": "us-east-1", "awslogs-stream-prefix": "prefix"}
    told = {
        "name": "main",
        "image": "python",
        "environment": [{"name": "GIVEN", "value": "by the definition"}, {"name": "KEPT", "value": "too"}],
        "logConfiguration": {"logDriver": "awslogs", "options": logs},
        **container,
    }
    fargate = {"networkMode": "awsvpc", "requiresCompatibilities": ["FARGATE"], "cpu": "256", "memory": "512"}
    return {"family": f"test-{uuid.uuid4().hex}", "containerDefinitions": [told], **fargate}


@functools.cache
def client_of(url: str, service: Any) -> Any:
    return boto3.session.Session("any", "any", region_name="us-east-1").client(service, endpoint_url=url)


@dataclass(frozen=True)
class Server:
    """The stand-in, and how an AWS SDK reaches it."""

    process: subprocess.Popen[bytes]
    url: str
    mark: str

    def client(self, service: Any) -> Any:
        return client_of(self.url, service)

    def run(self, code: str = "", family: str = "test", **request: Any) -> str:
        """Starts one task that runs the code; returns its ARN."""
        override = {"name": "main", "command": ["-c", code]} if code else {"name": "main"}
        asked = {"launchType": "FARGATE", "networkConfiguration": NETWORK, "taskDefinition": family, **request}
        asked = {"overrides": {"containerOverrides": [override]}, **asked}
        answer = self.client("ecs").run_task(cluster="test", **asked)
        assert answer["failures"] == []
        return str(answer["tasks"][0]["taskArn"])

    def task(self, arn: str) -> Mapping[str, Any]:
        answer = self.client("ecs").describe_tasks(cluster="test", tasks=[arn])
        assert answer["failures"] == []
        return dict(answer["tasks"][0])

    def ended(self, arn: str) -> Mapping[str, Any]:
        """The task once it is STOPPED, by the waiter that Airflow uses."""
        waiter = self.client("ecs").get_waiter("tasks_stopped")
        waiter.wait(cluster="test", tasks=[arn], WaiterConfig={"Delay": 0.05, "MaxAttempts": 600})
        return self.task(arn)

    def lines(self, arn: str) -> list[str]:
        stream = f"prefix/main/{arn.rsplit('/', 1)[1]}"
        told = self.client("logs").get_log_events(logGroupName="/ecs/test", logStreamName=stream, startFromHead=True)
        return [event["message"] for event in told["events"]]

    def register(self, **container: Any) -> str:
        asked = definition(**container)
        self.client("ecs").register_task_definition(**asked)
        return str(asked["family"])

    def faults(self, method: str = "GET", ordered: object = None) -> dict[str, Any]:
        body = json.dumps(ordered).encode() if ordered is not None else None
        request = urllib.request.Request(f"{self.url}/_faults/ecs", method=method, data=body)
        with urllib.request.urlopen(request, timeout=10) as answer:
            return dict(json.loads(answer.read()))


def started(folder: Path) -> Server:
    port = ports.choose(["aws"], with_grpc=(), recorded={})["aws"]
    ecs = {
        "cluster": "test",
        "log_group": "/ecs/test",
        "task_definition": definition(command=["-c", "print('the default')"]) | {"family": "test"},
        "images": {"python": [sys.executable]},
        "environment": {"AGENT": "was here", "PATH": "/usr/bin:/bin"},
        "folder": str(folder / "tasks"),
        "subnets": ["subnet-1"],
        "security_groups": ["sg-1"],
    }
    warehouse = {"name": "test", "host": "127.0.0.1", "port": 1, "database": "test"}
    warehouse |= {"key": "a key", "own_access_key": "test", "own_role": "test"}
    resources = folder / "resources.json"
    resources.write_text(json.dumps({"secrets": {}, "alerts": "test", "ecs": ecs, "redshift": warehouse}))
    mark = f"test-{uuid.uuid4().hex}"
    process = subprocess.Popen(
        (sys.executable, "-m", "local.aws", "--port", str(port), "--resources", str(resources)),
        cwd=REPOSITORY,
        env={**os.environ, "OF_THE_CALLER": "not for tasks", MARK: mark},
    )
    wait_until(lambda: ports.answers(port) or process.poll() is not None)
    return Server(process, f"http://127.0.0.1:{port}", mark)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    running = started(tmp_path_factory.mktemp("ecs"))
    yield running
    running.process.terminate()
    assert running.process.wait(timeout=20) == 0
    assert marked(MARK, running.mark) == []


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline, "it did not happen within a minute"
        time.sleep(0.02)


def refusal(error: pytest.ExceptionInfo[ClientError]) -> tuple[str, str]:
    told = error.value.response["Error"]
    return told["Code"], told["Message"]


def test_a_task_runs_its_command_and_tells_its_exit_code_output_and_times(server: Server) -> None:
    arn = server.run(family="test", overrides={})
    task = server.ended(arn)
    (container,) = task["containers"]
    assert (task["lastStatus"], task["desiredStatus"]) == ("STOPPED", "STOPPED")
    assert (task["stopCode"], task["stoppedReason"]) == (
        "EssentialContainerExited",
        "Essential container in task exited",
    )
    assert (container["name"], container["lastStatus"], container["exitCode"]) == ("main", "STOPPED", 0)
    assert task["createdAt"] <= task["startedAt"] <= task["stoppedAt"]
    assert server.lines(arn) == ["the default"]


def test_a_task_is_provisioning_then_running_then_stopped(server: Server) -> None:
    answer = server.client("ecs").run_task(
        cluster="test",
        taskDefinition="test",
        launchType="FARGATE",
        networkConfiguration=NETWORK,
        overrides={"containerOverrides": [{"name": "main", "command": ["-c", POLITE]}]},
    )
    (task,) = answer["tasks"]
    assert (task["lastStatus"], task["containers"][0]["lastStatus"]) == ("PROVISIONING", "PENDING")
    wait_until(lambda: server.task(task["taskArn"])["lastStatus"] == "RUNNING")
    for _ in range(20):  # looking at it does not move it
        assert server.task(task["taskArn"])["containers"][0]["lastStatus"] == "RUNNING"
    server.client("ecs").stop_task(cluster="test", task=task["taskArn"])
    assert server.ended(task["taskArn"])["lastStatus"] == "STOPPED"


def test_output_and_errors_lie_in_the_log_group_in_order_when_the_task_has_stopped(server: Server) -> None:
    code = (
        "import sys\n"
        "for n in range(3000): print(n, file=sys.stderr if n % 2 else sys.stdout, flush=True)\n"
        "print('x' * 300_000); print(); print('{\"result\": 1}', end='')"
    )
    arn = server.run(code)
    server.ended(arn)
    stream = f"prefix/main/{arn.rsplit('/', 1)[1]}"
    last = server.client("logs").get_log_events(logGroupName="/ecs/test", logStreamName=stream, limit=1)
    assert [event["message"] for event in last["events"]] == ['{"result": 1}']
    lines = server.lines(arn)
    assert lines[:3000] == [str(n) for n in range(3000)]
    assert [len(line) for line in lines[3000:]] == [262_118, 300_000 - 262_118, len('{"result": 1}')]


def test_output_can_be_read_while_the_task_runs(server: Server) -> None:
    arn = server.run(POLITE)
    wait_until(lambda: server.task(arn)["lastStatus"] == "RUNNING")
    wait_until(lambda: server.lines(arn) == ["ready"])
    server.client("ecs").stop_task(cluster="test", task=arn)
    server.ended(arn)


def test_overrides_win_over_the_definition_and_nothing_comes_from_the_caller(server: Server) -> None:
    override = {
        "name": "main",
        "command": ["-c", "import json, os; print(json.dumps(dict(os.environ)))"],
        "environment": [{"name": "GIVEN", "value": "by the override"}],
    }
    arn = server.run(overrides={"containerOverrides": [override]})
    server.ended(arn)
    seen = json.loads(server.lines(arn)[-1])
    assert (seen["GIVEN"], seen["KEPT"], seen["AGENT"]) == ("by the override", "too", "was here")
    assert set(seen) - {"LC_CTYPE"} == {"GIVEN", "KEPT", "AGENT", "PATH", "HOME", "TMPDIR", "LANG", MARK}


def test_a_task_starts_in_an_empty_folder_and_its_own_folder_goes_with_it(server: Server) -> None:
    code = (
        "import os, pathlib, tempfile; print(os.listdir('.'), oct(os.stat('.').st_mode & 0o777));"
        "pathlib.Path(tempfile.gettempdir(), 'left').touch(); print(os.environ['HOME']); print(tempfile.gettempdir())"
    )
    first, second = server.run(code), server.run(code)
    server.ended(first)
    server.ended(second)
    empty, home, temporary = server.lines(first)
    assert empty == "[] 0o555"
    assert home == temporary != server.lines(second)[1]
    assert not Path(home).exists()


def test_a_failing_command_stops_with_its_exit_code(server: Server) -> None:
    task = server.ended(server.run("import sys; sys.exit(12)"))
    assert task["stopCode"] == "EssentialContainerExited"
    assert task["containers"][0]["exitCode"] == 12


def test_a_command_that_kills_itself_stops_with_128_and_the_signal(server: Server) -> None:
    task = server.ended(server.run("import os; os.kill(os.getpid(), 9)"))
    assert task["containers"][0]["exitCode"] == 137


def test_what_a_command_leaves_running_ends_with_it(server: Server) -> None:
    code = (
        "import subprocess, sys\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'], start_new_session=True)\n"
        "print(child.pid)"
    )
    arn = server.run(code)
    server.ended(arn)
    assert len(server.lines(arn)) == 1
    assert marked(MARK, f"{server.mark}/") == []


def test_a_stopped_task_gets_sigterm_and_tells_why_it_ended(server: Server) -> None:
    arn = server.run(POLITE)
    wait_until(lambda: server.task(arn)["lastStatus"] == "RUNNING")
    wait_until(lambda: server.lines(arn) == ["ready"])
    asked = server.client("ecs").stop_task(cluster="test", task=arn, reason="cleared")["task"]
    assert asked["desiredStatus"] == "STOPPED"
    task = server.ended(arn)
    assert (task["stopCode"], task["stoppedReason"]) == ("UserInitiated", "cleared")
    assert task["containers"][0]["exitCode"] == 3
    assert server.lines(arn) == ["ready", "asked to stop"]


def test_a_task_that_does_not_listen_is_killed_after_its_stop_timeout(server: Server) -> None:
    arn = server.run(STUBBORN, family=server.register(stopTimeout=1))
    wait_until(lambda: server.task(arn)["lastStatus"] == "RUNNING")
    wait_until(lambda: server.lines(arn) == ["ready"])
    server.client("ecs").stop_task(cluster="test", task=arn)
    task = server.ended(arn)
    assert server.lines(arn) == ["ready", "no"]
    assert (task["stopCode"], task["containers"][0]["exitCode"]) == ("UserInitiated", 137)


def test_a_running_task_is_found_again_by_who_started_it(server: Server) -> None:
    ecs, mine = server.client("ecs"), uuid.uuid4().hex
    server.ended(server.run("print(1)", startedBy=mine))
    arn = server.run(POLITE, startedBy=mine)
    listed = {"cluster": "test", "startedBy": mine}
    assert ecs.list_tasks(**listed, desiredStatus="RUNNING")["taskArns"] == [arn]
    assert ecs.list_tasks(**listed)["taskArns"] == [arn]
    assert ecs.list_tasks(cluster="test", startedBy="somebody-else")["taskArns"] == []
    assert ecs.list_tasks(**listed, family="test")["taskArns"] == [arn]
    assert ecs.list_tasks(**listed, family="tes")["taskArns"] == []
    ecs.stop_task(cluster="test", task=arn)
    server.ended(arn)
    assert ecs.list_tasks(**listed)["taskArns"] == []
    assert len(ecs.list_tasks(**listed, desiredStatus="STOPPED")["taskArns"]) == 2


def test_tags_are_told_to_who_asks_for_them(server: Server) -> None:
    arn = server.run("print(1)", tags=[{"key": "run", "value": "1"}])
    told = server.client("ecs").describe_tasks(cluster="test", tasks=[arn], include=["TAGS"])["tasks"][0]
    assert told["tags"] == [{"key": "run", "value": "1"}]
    assert "tags" not in server.ended(arn)


def test_an_unknown_task_is_missing_and_cannot_be_stopped(server: Server) -> None:
    answer = server.client("ecs").describe_tasks(cluster="test", tasks=["f" * 32])
    arn = f"arn:aws:ecs:us-east-1:123456789012:task/test/{'f' * 32}"
    assert (answer["tasks"], answer["failures"]) == ([], [{"arn": arn, "reason": "MISSING"}])
    with pytest.raises(ClientError) as error:
        server.client("ecs").stop_task(cluster="test", task="f" * 32)
    assert refusal(error) == ("InvalidParameterException", "The referenced task was not found.")


@pytest.mark.parametrize(
    ("container", "reason"),
    [
        ({"image": "elsewhere/pipeline:1"}, "CannotPullContainerError: .*elsewhere/pipeline:1: not found"),
        (
            {"logConfiguration": {"logDriver": "awslogs", "options": {"awslogs-group": "/ecs/typo"}}},
            "ResourceInitializationError: .*/ecs/typo.*The specified log group does not exist",
        ),
        ({"entryPoint": ["no-such-program"]}, "CannotStartContainerError: .*no-such-program"),
    ],
    ids=["image", "log group", "entry point"],
)
def test_a_task_that_cannot_start_stops_and_says_why(server: Server, container: Any, reason: str) -> None:
    task = server.ended(server.run("print(1)", family=server.register(**container)))
    assert task["stopCode"] == "TaskFailedToStart"
    assert re.match(reason, task["stoppedReason"])
    assert "startedAt" not in task
    assert "exitCode" not in task["containers"][0]
    assert task["containers"][0]["reason"] == task["stoppedReason"]


def test_the_next_starts_fail_when_they_are_told_to(server: Server) -> None:
    server.faults("PUT", {"fail_to_start": 1})
    task = server.ended(server.run("print(1)"))
    assert task["stopCode"] == "TaskFailedToStart"
    assert task["stoppedReason"].startswith("ResourceInitializationError")
    assert server.ended(server.run("print(1)"))["containers"][0]["exitCode"] == 0


def test_there_is_no_capacity_for_the_next_tasks_when_told_so(server: Server) -> None:
    ecs = server.client("ecs")
    asked = {"cluster": "test", "taskDefinition": "test", "launchType": "FARGATE", "networkConfiguration": NETWORK}
    assert server.faults("PUT", {"no_capacity": 2}) == {"fail_to_start": 0, "no_capacity": 2}
    answers = [ecs.run_task(**asked) for _ in range(2)]
    assert [answer["tasks"] for answer in answers] == [[], []]
    assert {answer["failures"][0]["reason"].split(" at ")[0] for answer in answers} == {"Capacity is unavailable"}
    assert server.faults() == {"fail_to_start": 0, "no_capacity": 0}
    assert len(ecs.run_task(**asked)["tasks"]) == 1


@pytest.mark.parametrize("ordered", [{"no_such_fault": 1}, {"no_capacity": -1}, {"no_capacity": "many"}])
def test_an_unknown_fault_is_refused(server: Server, ordered: object) -> None:
    with pytest.raises(urllib.error.HTTPError, match="400") as error:
        server.faults("PUT", ordered)
    with error.value as answer:
        assert "fail_to_start, no_capacity" in answer.read().decode()


@pytest.mark.parametrize(
    ("request_", "code", "message"),
    [
        (
            {"overrides": {"containerOverrides": [{"name": "other", "command": ["x"]}]}},
            "InvalidParameterException",
            "Override for container named other is not a container in the TaskDefinition.",
        ),
        (
            {"overrides": {"containerOverrides": [{"name": "main", "command": ["x" * 8192]}]}},
            "InvalidParameterException",
            "at most 8192",
        ),
        ({"family": "unknown"}, "ClientException", "TaskDefinition not found."),
        ({"launchType": "EC2"}, "InvalidParameterException", "No Container Instances were found"),
        ({"networkConfiguration": {}}, "InvalidParameterException", "Network Configuration must be provided"),
        (
            {"networkConfiguration": {"awsvpcConfiguration": {"subnets": ["subnet-2"]}}},
            "InvalidParameterException",
            "The subnet 'subnet-2' does not exist",
        ),
        ({"startedBy": "a b"}, "InvalidParameterException", "startedBy is 'a b'"),
        ({"count": 11}, "InvalidParameterException", "count is 11"),
    ],
    ids=lambda value: "" if isinstance(value, dict) else value[:24],
)
def test_what_ecs_would_refuse_is_refused(server: Server, request_: dict[str, Any], code: str, message: str) -> None:
    with pytest.raises(ClientError) as error:
        server.run(**request_)
    told = refusal(error)
    assert told[0] == code
    assert message in told[1]


def test_an_unknown_cluster_is_refused(server: Server) -> None:
    with pytest.raises(ClientError) as error:
        server.client("ecs").list_tasks(cluster="unknown")
    assert refusal(error) == ("ClusterNotFoundException", "Cluster not found.")


def test_without_security_groups_the_default_one_is_taken(server: Server) -> None:
    arn = server.run("print(1)", networkConfiguration={"awsvpcConfiguration": {"subnets": ["subnet-1"]}})
    assert server.ended(arn)["containers"][0]["exitCode"] == 0


@pytest.mark.parametrize("code", [POLITE, STUBBORN], ids=["polite", "stubborn"])
def test_tasks_end_when_the_server_is_told_to(tmp_path: Path, code: str) -> None:
    server = started(tmp_path)
    arn = server.run(code)
    wait_until(lambda: server.task(arn)["lastStatus"] == "RUNNING")
    wait_until(lambda: server.lines(arn) == ["ready"])
    assert len(marked(MARK, server.mark)) == 2
    server.process.terminate()
    assert server.process.wait(timeout=20) == 0
    assert marked(MARK, server.mark) == []
    assert [path.name for path in (tmp_path / "tasks").iterdir()] == ["empty"]


def test_tasks_are_found_by_the_servers_mark_when_it_was_killed(tmp_path: Path) -> None:
    server = started(tmp_path)
    arn = server.run(POLITE)
    wait_until(lambda: server.lines(arn) == ["ready"])  # sooner, it would end of saying so to a server that is gone
    server.process.send_signal(signal.SIGKILL)
    server.process.wait(timeout=20)
    left = marked(MARK, server.mark)
    assert len(left) == 1
    assert kill(left) == wait_until_gone(left, patience_s=10) == []


@pytest.mark.stack
def test_the_local_stack_runs_a_step_from_the_task_definition_that_production_has(stack: StackState) -> None:
    ecs = client_of(stack.env["AWS_ENDPOINT_URL"], "ecs")
    network = {"subnets": list(stack_env.SUBNETS), "securityGroups": [stack_env.SECURITY_GROUP]}
    override = {"name": stack_env.CONTAINER, "command": ["plan", "--help"]}
    answer = ecs.run_task(
        cluster=stack_env.ECS_CLUSTER,
        taskDefinition=stack_env.TASK_FAMILY,
        launchType="FARGATE",
        networkConfiguration={"awsvpcConfiguration": network},
        overrides={"containerOverrides": [override]},
    )
    arn = answer["tasks"][0]["taskArn"]
    waiter = ecs.get_waiter("tasks_stopped")
    waiter.wait(cluster=stack_env.ECS_CLUSTER, tasks=[arn], WaiterConfig={"Delay": 0.2, "MaxAttempts": 500})
    (task,) = ecs.describe_tasks(cluster=stack_env.ECS_CLUSTER, tasks=[arn])["tasks"]
    assert task["containers"][0]["exitCode"] == 0, task

    told = client_of(stack.env["AWS_ENDPOINT_URL"], "logs").get_log_events(
        logGroupName=stack_env.LOG_GROUP,
        logStreamName=f"{stack_env.LOG_STREAM_PREFIX}/{stack_env.CONTAINER}/{arn.rsplit('/', 1)[1]}",
    )
    assert any("Usage: spacex-elt plan" in event["message"] for event in told["events"])
