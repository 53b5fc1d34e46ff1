"""Owns running Terraform on a copy of the configuration, with a local state, against a server on this machine."""

import json
import os
import shutil
import subprocess
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from tests.terraform.aws import REGION

ROOT = Path(__file__).resolve().parents[2] / "terraform"
MIRRORS = ("TERRAFORM_PROVIDER_MIRROR",)  # a folder laid out as `terraform providers mirror` does
DOWNLOADED = ROOT.parent / ".venv-terraform" / "provider"  # what was downloaded once, for want of a mirror
PLACES = (
    Path("/opt/tf-plugins"),
    Path.home() / ".terraform.d/plugins",
    Path("/usr/share/terraform/plugins"),
    DOWNLOADED / ".terraform/providers",
)
_SECONDS = 600

# What only a test wants: no state in S3, no ten minutes of patience with a call that the server does not know, and no
# host name made of a bucket's.
_OVERRIDE = """
terraform {
  backend "local" {}
}

provider "aws" {
  max_retries       = 3
  s3_use_path_style = true
}
"""


class TerraformFailed(AssertionError):
    """Terraform ended with an error; the message has its last words."""


@dataclass(frozen=True)
class Deployment:
    """One copy of the configuration with its state."""

    folder: Path
    endpoint: str

    def run(self, *arguments: str) -> str:
        """What `terraform <arguments>` says. Raises TerraformFailed."""
        done = subprocess.run(
            ["terraform", *arguments],
            cwd=self.folder,
            env=environment(self.endpoint),
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            check=False,
        )
        if done.returncode:
            raise TerraformFailed(f"terraform {arguments[0]} ended with {done.returncode}:\n{done.stderr[-6000:]}")
        return done.stdout

    def plan(self, *inputs: Path, targets: Sequence[str] = ()) -> dict[str, Any]:
        """The plan, as `terraform show -json` tells it."""
        options = [f"-var-file={each}" for each in inputs] + [f"-target={target}" for target in targets]
        self.run("plan", "-input=false", "-no-color", "-out=plan", *options)
        told: dict[str, Any] = json.loads(self.run("show", "-json", "plan"))
        return told

    def apply(self, inputs: Path, targets: Sequence[str]) -> None:
        """Makes what the targets name."""
        options = [f"-target={target}" for target in targets]
        self.run(
            "apply", "-input=false", "-no-color", "-auto-approve", "-parallelism=30", f"-var-file={inputs}", *options
        )

    def destroy(self, inputs: Path) -> None:
        """Removes all that was made."""
        self.run("destroy", "-input=false", "-no-color", "-auto-approve", "-parallelism=30", f"-var-file={inputs}")

    def state(self) -> set[str]:
        """The addresses of what there is; what is only read is left out."""
        return {address for address in self.run("state", "list").splitlines() if ".data." not in f".{address}"}


def copy_to(folder: Path, endpoint: str) -> Deployment:
    """A copy of the configuration, initialised."""
    shutil.copytree(ROOT, folder, ignore=shutil.ignore_patterns(".terraform*", "*.tfstate*"))
    (folder / "test_override.tf").write_text(_OVERRIDE)
    deployment = Deployment(folder, endpoint)
    deployment.run("init", "-input=false", "-no-color", *init_options())
    return deployment


def environment(endpoint: str = "") -> dict[str, str]:
    """Of a Terraform that meets no real AWS and asks nobody for a newer version."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "TF_"))}
    told = {
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_REGION": REGION,
        "AWS_EC2_METADATA_DISABLED": "true",
        "CHECKPOINT_DISABLE": "1",
    }
    return kept | told | ({"AWS_ENDPOINT_URL": endpoint} if endpoint else {})


def mirror() -> Path | None:
    """A local mirror of the provider, named by TERRAFORM_PROVIDER_MIRROR or in one of the usual places."""
    named = [Path(os.environ[name]) for name in MIRRORS if os.environ.get(name)]
    provider = "registry.terraform.io/hashicorp/aws"
    return next((place for place in (*named, *PLACES) if (place / provider).is_dir()), None)


def init_options() -> list[str]:
    """How `terraform init` finds the provider: in the mirror, else by a download."""
    place = mirror()
    return [f"-plugin-dir={place}"] if place else []


@cache
def why_not() -> str:
    """Why Terraform cannot be run here; empty when it can."""
    if shutil.which("terraform") is None:
        return "there is no terraform on the path"
    if mirror() is not None:
        return ""
    scratch = DOWNLOADED.with_name(f"provider-{os.getpid()}")
    scratch.mkdir(parents=True)
    try:
        (scratch / "versions.tf").write_text((ROOT / "modules/keys/versions.tf").read_text())
        done = subprocess.run(
            ["terraform", "init", "-input=false", "-no-color"],
            cwd=scratch,
            env=environment(),
            capture_output=True,
            check=False,
        )
        if done.returncode == 0:
            with suppress(OSError):  # another process was first
                scratch.rename(DOWNLOADED)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    return "" if done.returncode == 0 else "there is no mirror of the AWS provider here, and it cannot be downloaded"
