"""Tests the one source of the pipeline's task definition: what it sets is what the pipeline's settings need."""

import json
import re
import string
from pathlib import Path
from typing import Any

import botocore.session
import pytest
from botocore.validate import validate_parameters

from local import stack_env
from spacex_elt.settings import Settings

TEMPLATE = Path(__file__).resolve().parents[2] / "terraform" / "task_definition.json.tftpl"
PREFIX = "SPACEX_ELT_"
# Read by the one command that applies the connection to an Airbyte server.
OF_A_COMMAND = {"SPACEX_ELT_AIRBYTE_SECRET_ID"}


@pytest.fixture(scope="module")
def definition() -> dict[str, Any]:
    """The template with each name's own name as its value."""
    template = string.Template(TEMPLATE.read_text())
    told: dict[str, Any] = json.loads(template.substitute({name: f"<{name}>" for name in template.get_identifiers()}))
    return told


def environment(definition: dict[str, Any]) -> dict[str, str]:
    return {pair["name"]: pair["value"] for pair in definition["containerDefinitions"][0]["environment"]}


def test_terraform_and_python_read_the_template_alike() -> None:
    text = TEMPLATE.read_text()
    assert re.findall(r"\$\{[a-z_]+\}", text)
    assert re.findall(r"%\{|\$\$|\$(?!\{[a-z_]+\})", text) == []


def test_ecs_takes_it(definition: dict[str, Any]) -> None:
    shape = botocore.session.get_session().get_service_model("ecs").operation_model("RegisterTaskDefinition")
    assert shape.input_shape is not None
    validate_parameters(definition, shape.input_shape)


def test_every_setting_without_a_default_is_set_and_no_unknown_one(definition: dict[str, Any]) -> None:
    needed = {PREFIX + name.upper() for name, field in Settings.model_fields.items() if field.is_required()}
    known = {PREFIX + name.upper() for name in Settings.model_fields} | OF_A_COMMAND
    told = environment(definition)
    assert needed
    assert needed - set(told) == set()
    assert set(told) - known == set()


def test_a_settings_value_is_named_as_the_setting(definition: dict[str, Any]) -> None:
    told = environment(definition)
    assert told == {name: f"<{name.removeprefix(PREFIX).lower()}>" for name in told}


def test_the_container_can_write_to_tmp_only_and_is_nobody(definition: dict[str, Any]) -> None:
    (container,) = definition["containerDefinitions"]
    assert container["readonlyRootFilesystem"] is True
    assert container["user"] not in ("", "0", "root")
    volumes = {volume["name"] for volume in definition["volumes"]}
    assert {(point["sourceVolume"], point["containerPath"]) for point in container["mountPoints"]} == {("tmp", "/tmp")}
    assert volumes == {"tmp"}


def test_the_local_stack_knows_the_container_by_its_name(definition: dict[str, Any]) -> None:
    assert [container["name"] for container in definition["containerDefinitions"]] == [stack_env.CONTAINER]
