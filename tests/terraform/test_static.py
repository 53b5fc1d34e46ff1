"""Tests what needs no server: format, validity, checkov, and Terraform's own tests with a mocked provider."""

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.terraform.conftest import of_type
from tests.terraform.deployment import ROOT, Deployment, copy_to, why_not

pytestmark = [pytest.mark.terraform, pytest.mark.timeout(900)]

TOOLS = ROOT.parent / ".venv-terraform" / "bin"
MODULES = sorted(path for path in (ROOT / "modules").iterdir() if path.is_dir())

#: Where parliament's RESOURCE_STAR is no fault: by the kind of resource, and why.
STAR_IS_ITSELF = {
    "aws_kms_key": "in a key's policy it is the key",
    "aws_vpc_endpoint": "an endpoint lets through what the roles' own policies allow",
}
_PARLIAMENT = """
import json, sys
from parliament import analyze_policy_string

found = []
for name, text in json.load(sys.stdin).items():
    for finding in analyze_policy_string(text).findings:
        found.append([name, finding.issue, str(finding.detail)])
json.dump(found, sys.stdout)
"""


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Deployment:
    """The configuration, initialised; no server."""
    reason = why_not()
    if reason:
        pytest.skip(f"Terraform cannot be run: {reason}")
    return copy_to(tmp_path_factory.mktemp("static") / "configuration", endpoint="")


def test_every_file_is_formatted(copy: Deployment) -> None:
    (copy.folder / "test_override.tf").rename(copy.folder / "test_override.txt")
    try:
        copy.run("fmt", "-check", "-recursive", "-no-color")
    finally:
        (copy.folder / "test_override.txt").rename(copy.folder / "test_override.tf")


def test_the_configuration_is_valid(copy: Deployment) -> None:
    assert json.loads(copy.run("validate", "-json"))["diagnostics"] == []


def test_terraforms_own_tests_pass(copy: Deployment) -> None:
    said = copy.run("test", "-no-color")
    assert re.search(r"Success! \d+ passed, 0 failed", said), said


def test_checkov_finds_nothing_and_each_exception_has_a_reason() -> None:
    done = tool("checkov", "-d", str(ROOT), "--framework", "terraform", "--skip-download", "--output", "json")
    told = json.loads(done)
    assert told["results"]["passed_checks"]
    failed = [(each["check_id"], each["resource"]) for each in told["results"]["failed_checks"]]
    assert (failed, told["results"]["parsing_errors"]) == ([], [])
    skipped = told["results"]["skipped_checks"]
    assert all(each["check_result"]["suppress_comment"].strip() for each in skipped)


@pytest.mark.parametrize("module", MODULES, ids=lambda path: str(path.name))
def test_a_module_has_under_a_dozen_variables_and_says_who_reads_its_outputs(module: Path) -> None:
    variables = re.findall(r'^variable "', (module / "variables.tf").read_text(), re.MULTILINE)
    outputs = re.findall(
        r'^output "(\w+)" \{\n  description = "([^"]+)"', (module / "outputs.tf").read_text(), re.MULTILINE
    )
    assert len(variables) < 12
    assert outputs
    assert [name for name, words in outputs if "ead by" not in words and "hand to" not in words] == []
    first = (module / "main.tf").read_text().splitlines()[0]
    assert first.startswith("# Owns "), first


def test_environments_differ_in_values_only() -> None:
    names = {
        path.name: set(re.findall(r"^(\w+)\s+=", path.read_text(), re.MULTILINE))
        for path in (ROOT / "environments").glob("*.tfvars")
    }
    assert set(names) == {"dev.tfvars", "prod.tfvars"}
    assert names["dev.tfvars"] == names["prod.tfvars"]


@pytest.mark.xdist_group("made")
class TestThePlan:
    def test_parliament_finds_nothing_in_any_policy(self, resources: dict[str, dict[str, Any]]) -> None:
        texts = {}
        for address, each in resources.items():
            text = each.get("values", {}).get("policy")
            # Not those that AWS makes itself where we give none; they have the old version.
            if isinstance(text, str) and '"Version":"2012-10-17"' in text:
                texts[address] = text
        assert len(texts) > 30
        found = json.loads(tool("python", "-c", _PARLIAMENT, stdin=json.dumps(texts)))
        excused = {address for address in texts if resources[address]["type"] in STAR_IS_ITSELF}
        assert [each for each in found if not (each[1] == "RESOURCE_STAR" and each[0] in excused)] == []

    def test_every_container_is_nobody_and_writes_to_tmp_only(self, resources: dict[str, dict[str, Any]]) -> None:
        for definition in of_type(resources, "aws_ecs_task_definition"):
            for container in json.loads(definition["container_definitions"]):
                assert container["readonlyRootFilesystem"] is True


def tool(name: str, *arguments: str, stdin: str = "") -> str:
    """What one of the tools says; they live in an environment of their own (make terraform-test makes it)."""
    if not (TOOLS / name).exists():
        pytest.skip("there is no .venv-terraform: make terraform-test")
    done = subprocess.run(
        [str(TOOLS / name), *arguments], input=stdin, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.stdout, done.stderr[-3000:]
    return done.stdout
