"""Owns what a RunTask request asks for: checked as ECS checks it, task definition and overrides put together.

Running it is local/ecs/task.py's job.
"""

import json
import re
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

_LONGEST_OVERRIDES = 8192
_STOP_TIMEOUT_S = 30  # when the task definition does not say
_OVERRIDABLE = {"name", "command", "environment", "cpu", "memory", "memoryReservation"}
_NOT_RUN = ("secrets", "environmentFiles", "dependsOn", "workingDirectory")  # of a container definition

Body = Mapping[str, Any]


class Refused(Exception):
    """A request that ECS would refuse, with its error code."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class Network:
    """The subnets and security groups that are there. The first group is the VPC's default."""

    subnets: tuple[str, ...]
    security_groups: tuple[str, ...]

    def attachments(self, body: Body) -> list[Body]:
        """The network interface a task gets. Raises Refused when the request names what is not there, or no network."""
        asked = (body.get("networkConfiguration") or {}).get("awsvpcConfiguration")
        if not asked or not asked.get("subnets"):
            raise Refused(
                "InvalidParameterException",
                "Network Configuration must be provided when networkMode 'awsvpc' is specified.",
            )
        _check_known("subnet", asked["subnets"], self.subnets)
        _check_known("security group", asked.get("securityGroups") or self.security_groups[:1], self.security_groups)
        details = [{"name": "subnetId", "value": asked["subnets"][0]}]
        return [{"id": str(uuid.uuid4()), "type": "ElasticNetworkInterface", "status": "ATTACHED", "details": details}]


@dataclass(frozen=True, slots=True)
class Order:
    """The container to run, task definition and overrides put together."""

    name: str
    image: str
    entry_point: tuple[str, ...]  # empty: the image's own
    command: tuple[str, ...]
    environment: Mapping[str, str]
    log_group: str | None
    log_stream_prefix: str
    stop_timeout_s: int


def _check_known(what: str, asked: Iterable[str], known: tuple[str, ...]) -> None:
    for name in asked:
        if name not in known:
            raise Refused(
                "InvalidParameterException",
                f"Error retrieving {what} information for [{name}]: The {what} '{name}' does not exist. "
                f"This stand-in has {', '.join(known)}.",
            )


def check_launch(body: Body) -> None:
    """Raise Refused for what ECS would not start on Fargate."""
    providers = {one.get("capacityProvider") for one in body.get("capacityProviderStrategy") or []}
    if body.get("launchType") and providers:
        raise Refused("InvalidParameterException", "Specify a launch type or a capacity provider strategy, not both.")
    if body.get("launchType") != "FARGATE" and not (providers and providers <= {"FARGATE", "FARGATE_SPOT"}):
        raise Refused("InvalidParameterException", "No Container Instances were found in your cluster.")
    if not re.fullmatch(r"[A-Za-z0-9/_-]{0,128}", body.get("startedBy") or ""):
        raise Refused(
            "InvalidParameterException",
            f"startedBy is {body['startedBy']!r}. Expected up to 128 letters, digits, hyphens, slashes, underscores.",
        )


def facts_of(body: Body, cluster: str, definition: Body) -> dict[str, Any]:
    """What DescribeTasks tells of a task that is known before it starts."""
    overrides = body.get("overrides") or {}
    facts = {
        "clusterArn": cluster,
        "taskDefinitionArn": definition["taskDefinitionArn"],
        "group": body.get("group") or f"family:{definition['family']}",
        "launchType": body.get("launchType") or "FARGATE",
        "startedBy": body.get("startedBy"),
        "overrides": {"containerOverrides": [], "inferenceAcceleratorOverrides": [], **overrides},
        "cpu": overrides.get("cpu") or definition.get("cpu"),
        "memory": overrides.get("memory") or definition.get("memory"),
        "platformFamily": "Linux",
        "platformVersion": "1.4.0",
        "tags": body.get("tags") or [],
    }
    return {name: value for name, value in facts.items() if value is not None}


def order_of(definition: Body, overrides: Body) -> Order:
    """Put the container definition and what overrides it together. Raises Refused."""
    if len(json.dumps(overrides, separators=(",", ":"))) > _LONGEST_OVERRIDES:
        raise Refused("InvalidParameterException", f"Overrides may have at most {_LONGEST_OVERRIDES} characters.")
    container = _container(definition)
    command, environment = container.get("command"), _pairs(container.get("environment"))
    for override in overrides.get("containerOverrides") or []:
        if override.get("name") != container["name"]:
            raise Refused(
                "InvalidParameterException",
                f"Override for container named {override.get('name')} is not a container in the TaskDefinition.",
            )
        if set(override) - _OVERRIDABLE:
            names = ", ".join(sorted(set(override) - _OVERRIDABLE))
            raise Refused("InvalidParameterException", f"this stand-in does not override {names}.")
        command = override.get("command") or command
        environment |= _pairs(override.get("environment"))
    logs = (container.get("logConfiguration") or {}).get("options") or {}
    return Order(
        name=container["name"],
        image=container["image"],
        entry_point=tuple(container.get("entryPoint") or ()),
        command=tuple(command or ()),
        environment=environment,
        log_group=logs.get("awslogs-group"),
        log_stream_prefix=logs.get("awslogs-stream-prefix", ""),
        stop_timeout_s=container.get("stopTimeout", _STOP_TIMEOUT_S),
    )


def _container(definition: Body) -> Body:
    containers: list[Body] = definition["containerDefinitions"]
    if len(containers) != 1:
        raise Refused("ClientException", f"this stand-in runs one container a task, not {len(containers)}.")
    unknown = [name for name in _NOT_RUN if containers[0].get(name)]
    if unknown:
        raise Refused("ClientException", f"this stand-in does not run a container with {', '.join(unknown)}.")
    return containers[0]


def _pairs(told: list[dict[str, str]] | None) -> dict[str, str]:
    return {pair["name"]: pair["value"] for pair in told or []}
