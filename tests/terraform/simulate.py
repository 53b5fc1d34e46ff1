"""Owns asking a simulator of AWS' policies (tests/terraform/simulator, a program for Node) who may do what."""

import json
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from tests.terraform.aws import ACCOUNT

FOLDER = Path(__file__).parent / "simulator"


@dataclass(frozen=True)
class Request:
    """Somebody wants to do something: a role's name (or a service's or another account's), an action, on what."""

    who: str
    action: str
    resource: str
    context: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Policies:
    """What speaks about a request: the role's own policies and the resource's."""

    identity: Sequence[dict[str, Any]] = ()
    resource: dict[str, Any] | None = None


def simulate(asked: Sequence[tuple[Request, Policies]]) -> list[str]:
    """What each request comes to: Allowed, ImplicitlyDenied or ExplicitlyDenied. Wrong requests fail the test."""
    done = subprocess.run(
        ["node", "simulate.mjs"],
        cwd=FOLDER,
        input=json.dumps([_simulation(request, policies) for request, policies in asked]),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    answers = json.loads(done.stdout)
    wrong = [
        (request, answer["errors"]) for (request, _), answer in zip(asked, answers, strict=True) if answer["errors"]
    ]
    assert wrong == []
    return [answer["result"] for answer in answers]


def _simulation(request: Request, policies: Policies) -> dict[str, Any]:
    principal = request.who if request.who.startswith("arn:") else f"arn:aws:iam::{ACCOUNT}:role/{request.who}"
    context = {
        "aws:SecureTransport": "true",
        "aws:PrincipalArn": principal,
        "aws:PrincipalAccount": principal.split(":")[4],
    }
    return {
        "request": {
            "action": request.action,
            "principal": principal,
            "resource": {"resource": request.resource, "accountId": ACCOUNT},
            "contextVariables": {**context, "aws:ResourceAccount": ACCOUNT, **request.context},
        },
        "identityPolicies": [
            {"name": f"policy-{number}", "policy": document} for number, document in enumerate(policies.identity)
        ],
        "serviceControlPolicies": [],
        "resourceControlPolicies": [],
        "resourcePolicy": policies.resource,
    }


@cache
def why_not() -> str:
    """Why the simulator cannot be asked; empty when it can."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        return "there is no Node and npm on the path"
    if (FOLDER / "node_modules").is_dir():
        return ""
    done = subprocess.run(
        ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=FOLDER, capture_output=True, check=False
    )
    return "" if done.returncode == 0 else "npm could not install tests/terraform/simulator"
