"""Owns which tasks there are: RunTask, DescribeTasks, ListTasks and StopTask, and the failures that were ordered.

What a request may ask for is local/ecs/orders.py's, running a task local/ecs/task.py's job.
"""

import threading
import time
import uuid
from typing import Any

from botocore.exceptions import ClientError

from local.ecs.orders import Body, Network, Order, Refused, check_launch, facts_of, order_of
from local.ecs.task import Machine, Task

_NO_CAPACITY = "Capacity is unavailable at this time. Please try again later or in a different availability zone"
_FAIL_TO_START = "ResourceInitializationError: the stand-in was told to fail this start (/_faults/ecs)"
_FAULTS = ("fail_to_start", "no_capacity")
_MOST_TASKS = 10  # of one RunTask
_LISTABLE = {"cluster", "family", "startedBy", "desiredStatus", "launchType"}


class TaskBook:
    """Every task since the start. Bodies in, bodies out; no HTTP."""

    def __init__(self, ecs: Any, machine: Machine, network: Network) -> None:
        """`ecs` is a client for moto's ECS."""
        self._ecs = ecs
        self._machine = machine
        self._network = network
        self._lock = threading.Lock()
        self._tasks: dict[str, Task] = {}
        self._faults = dict.fromkeys(_FAULTS, 0)
        self._is_closed = False

    def run_task(self, body: Body) -> Body:
        """Starts tasks, or says why there is no room for them."""
        cluster = self._cluster(body)
        definition = self._definition(body.get("taskDefinition"))
        check_launch(body)
        facts = facts_of(body, cluster, definition) | {"attachments": self._network.attachments(body)}
        order = order_of(definition, body.get("overrides") or {})
        count = body.get("count") or 1
        if not 0 < count <= _MOST_TASKS:
            raise Refused("InvalidParameterException", f"count is {count}. Expected 1 to {_MOST_TASKS}.")
        if self._next_is("no_capacity"):
            return {"tasks": [], "failures": [{"arn": cluster, "reason": _NO_CAPACITY}]}
        fault = _FAIL_TO_START if self._next_is("fail_to_start") else None
        tasks = [self._add(facts, order, fault) for _ in range(count)]
        told = [_without_tags(task.describe()) for task in tasks]
        for task in tasks:
            task.start()
        return {"tasks": told, "failures": []}

    def describe_tasks(self, body: Body) -> Body:
        """Tells how tasks are, and which it does not know."""
        cluster = self._cluster(body)
        asked = body.get("tasks") or []
        if not asked:
            raise Refused("InvalidParameterException", "Tasks cannot be empty.")
        found = {name: self._find(cluster, name) for name in asked}
        shown = (lambda told: told) if "TAGS" in (body.get("include") or []) else _without_tags
        arn = cluster.replace(":cluster/", ":task/")
        return {
            "tasks": [shown(task.describe()) for task in found.values() if task],
            "failures": [
                {"arn": name if name.startswith("arn:") else f"{arn}/{name}", "reason": "MISSING"}
                for name, task in found.items()
                if not task
            ],
        }

    def list_tasks(self, body: Body) -> Body:
        """Lists a cluster's tasks that shall run, or those that shall not."""
        unknown = sorted(set(body) - _LISTABLE - {"maxResults"})
        if unknown:
            raise Refused("InvalidParameterException", f"this stand-in does not list tasks by {', '.join(unknown)}.")
        wanted = {
            "clusterArn": self._cluster(body),
            "desiredStatus": body.get("desiredStatus") or "RUNNING",
            "startedBy": body.get("startedBy"),
            "launchType": body.get("launchType"),
        }
        family = f"/{body['family']}:" if body.get("family") else ""
        with self._lock:
            told = [task.describe() for task in self._tasks.values()]
        return {
            "taskArns": [
                one["taskArn"]
                for one in told
                if family in one["taskDefinitionArn"]
                and all(value is None or one.get(name) == value for name, value in wanted.items())
            ]
        }

    def stop_task(self, body: Body) -> Body:
        """Asks a task to end."""
        task = self._find(self._cluster(body), body.get("task") or "")
        if task is None:
            raise Refused("InvalidParameterException", "The referenced task was not found.")
        task.stop(body.get("reason") or "Task stopped by user")
        return {"task": task.describe()}

    def order_faults(self, body: Body) -> Body:
        """Makes so many of the next RunTask calls fail: no room for the task, or a task that fails to start."""
        if set(body) - set(_FAULTS) or any(type(count) is not int or count < 0 for count in body.values()):
            raise Refused("InvalidFaults", f"Expected a count of RunTask calls for any of: {', '.join(_FAULTS)}.")
        with self._lock:
            self._faults |= body
        return self.faults(body)

    def faults(self, _body: Body) -> Body:
        """The ordered failures that are still to come."""
        with self._lock:
            return dict(self._faults)

    def close(self, patience_s: float) -> None:
        """End every task, start no more, and return when they have ended."""
        with self._lock:
            self._is_closed = True
            tasks = [task for task in self._tasks.values() if not task.ended.is_set()]
        for task in tasks:
            task.stop("ECS ends")
        deadline = time.monotonic() + patience_s
        for task in tasks:
            if not task.ended.wait(max(0.0, deadline - time.monotonic())):
                task.kill()
        for task in tasks:
            task.ended.wait(patience_s)

    def _add(self, facts: Body, order: Order, fault: str | None) -> Task:
        arn = f"{facts['clusterArn'].replace(':cluster/', ':task/')}/{uuid.uuid4().hex}"
        task = Task({**facts, "taskArn": arn}, order, self._machine, fault)
        with self._lock:
            if self._is_closed:
                raise Refused("ServerException", "ECS is ending.")
            self._tasks[arn] = task
        return task

    def _find(self, cluster: str, name: str) -> Task | None:
        arn = name if name.startswith("arn:") else f"{cluster.replace(':cluster/', ':task/')}/{name}"
        with self._lock:
            return self._tasks.get(arn)

    def _next_is(self, fault: str) -> bool:
        with self._lock:
            is_ordered = self._faults[fault] > 0
            self._faults[fault] -= is_ordered
            return is_ordered

    def _cluster(self, body: Body) -> str:
        found = self._ecs.describe_clusters(clusters=[body.get("cluster") or "default"])["clusters"]
        if not found or found[0]["status"] != "ACTIVE":
            raise Refused("ClusterNotFoundException", "Cluster not found.")
        return str(found[0]["clusterArn"])

    def _definition(self, name: str | None) -> Body:
        try:
            definition: Body = self._ecs.describe_task_definition(taskDefinition=name or "")["taskDefinition"]
        except ClientError as exc:
            raise Refused("ClientException", "TaskDefinition not found.") from exc
        if definition["status"] != "ACTIVE":
            raise Refused("ClientException", "TaskDefinition is inactive")
        return definition


def _without_tags(told: Body) -> Body:
    return {name: value for name, value in told.items() if name != "tags"}
