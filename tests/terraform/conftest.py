"""Makes the deployment that tests of this folder look at: once, against a server on this machine."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.terraform.aws import client, moto_server
from tests.terraform.deployment import Deployment, copy_to, why_not

INPUTS = Path(__file__).parent / "everything.tfvars"
DOCS_DOMAIN = "docs.internal.example.com"

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
    """What could be made is made. Tests look at what was written down here: one of them removes it."""

    deployment: Deployment
    targets: frozenset[str]  # the addresses of what was to be made
    state: frozenset[str]  # of what was made
    plan: dict[str, Any]  # the second one, of everything: nearly all that is known only afterwards is known in it


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Made]:
    """The deployment with everything switched on. What is left of it ends with the server."""
    reason = why_not()
    if reason:
        pytest.skip(f"Terraform cannot be run: {reason}")
    folder = tmp_path_factory.mktemp("terraform")
    with moto_server(folder) as endpoint:
        deployment = copy_to(folder / "configuration", endpoint)
        _write_docs_site(deployment)
        targets = frozenset(
            change["address"]
            for change in deployment.plan(INPUTS)["resource_changes"]
            if change["mode"] == "managed" and change["type"] not in NOT_HELD
        )
        deployment.apply(INPUTS, sorted(targets))
        yield Made(deployment, targets, frozenset(deployment.state()), deployment.plan(INPUTS))


def _write_docs_site(deployment: Deployment) -> None:
    """The private site's inputs, which name a certificate that is there already."""
    asked = client("acm", deployment.endpoint).request_certificate(DomainName=DOCS_DOMAIN)
    site = {"domain": DOCS_DOMAIN, "certificate_arn": asked["CertificateArn"], "reader_cidrs": ["10.0.0.0/8"]}
    (deployment.folder / "docs.auto.tfvars.json").write_text(json.dumps({"docs_site": site}))


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


def listed(value: str | list[str]) -> list[str]:
    """What a policy says once as itself and several times as a list."""
    return [value] if isinstance(value, str) else value


def policy(text: str) -> dict[str, Any]:
    """A policy document."""
    document: dict[str, Any] = json.loads(text)
    return document
