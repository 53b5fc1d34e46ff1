"""Makes the deployment that tests of this folder look at: once, against a server on this machine."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.terraform.aws import moto_server
from tests.terraform.deployment import Deployment, copy_to, why_not

INPUTS = Path(__file__).parent / "everything.tfvars"
PRIVATE_DOCS = Path(__file__).parent / "private_docs.tfvars"

#: What the server knows nothing of: planned with the real provider, made with a mocked one (terraform/tests).
NOT_HELD = frozenset(
    {
        "aws_mwaa_environment",
        "aws_cloudwatch_composite_alarm",
        "aws_xray_group",
        "aws_xray_sampling_rule",
        "aws_budgets_budget",
        "aws_chatbot_slack_channel_configuration",
    }
)


@dataclass(frozen=True)
class Made:
    """What could be made is made; `plan` is of everything, so that what is known only afterwards is known in it."""

    deployment: Deployment
    targets: tuple[str, ...]
    plan: dict[str, Any]


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Made]:
    """The deployment with everything switched on. What is left of it ends with the server."""
    reason = why_not()
    if reason:
        pytest.skip(f"Terraform cannot be run: {reason}")
    folder = tmp_path_factory.mktemp("terraform")
    with moto_server(folder) as endpoint:
        deployment = copy_to(folder / "configuration", endpoint)
        first = deployment.plan(INPUTS)
        targets = tuple(
            change["address"]
            for change in first["resource_changes"]
            if change["mode"] == "managed" and change["type"] not in NOT_HELD
        )
        deployment.apply(INPUTS, targets)
        yield Made(deployment, targets, deployment.plan(INPUTS, PRIVATE_DOCS))


@pytest.fixture(scope="session")
def resources(made: Made) -> dict[str, dict[str, Any]]:
    """Every resource as it is or will be, by its address."""
    return {each["address"]: each for each in planned(made.plan["planned_values"]["root_module"])}


def planned(module: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The managed resources of a module and of those in it."""
    yield from (each for each in module.get("resources", ()) if each["mode"] == "managed")
    for child in module.get("child_modules", ()):
        yield from planned(child)


def of_type(resources: dict[str, dict[str, Any]], kind: str) -> list[dict[str, Any]]:
    """The values of all resources of a type; there is at least one."""
    found = [each["values"] for each in resources.values() if each["type"] == kind]
    assert found, f"the plan has no {kind}"
    return found


def policy(text: str) -> dict[str, Any]:
    """A policy document."""
    document: dict[str, Any] = json.loads(text)
    return document
