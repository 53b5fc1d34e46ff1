"""The Dockerfile says what is true of the repository. Building it for real needs a container engine."""

import json
import re
import tomllib

from packaging.requirements import Requirement

from tests.image.conftest import ROOT, instructions

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())


def _arguments(instruction: str) -> list[str]:
    found = [arguments for name, arguments in instructions() if name == instruction]
    assert found
    return found


def _sources() -> set[str]:
    return {word for line in _arguments("COPY") if not line.startswith("--from") for word in line.split()[:-1]}


def test_everything_it_copies_is_there() -> None:
    assert [name for name in _sources() if not (ROOT / name).exists()] == []


def test_it_copies_the_packages_of_the_wheel_and_no_stand_ins_or_tests() -> None:
    packages = set(PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"])
    folders = {name for name in _sources() if (ROOT / name).is_dir()}
    assert folders == packages | {"dbt"}
    assert "local" not in packages


def test_the_build_context_lets_through_what_it_copies_and_nothing_else() -> None:
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    assert lines[1] == "*"
    assert {line[1:] for line in lines if line.startswith("!")} == _sources()


def test_its_entry_point_is_the_script_of_the_wheel() -> None:
    assert [json.loads(line) for line in _arguments("ENTRYPOINT")] == [[name] for name in PROJECT["project"]["scripts"]]


def test_its_base_is_an_argument_without_a_default() -> None:
    assert _arguments("ARG") == ["BASE_IMAGE"]
    assert {line.split()[0] for line in _arguments("FROM")} == {"${BASE_IMAGE}"}


def test_it_ends_as_a_user_without_rights() -> None:
    assert _arguments("USER")[-1] == "10001:10001"


def test_its_lock_holds_nothing_that_only_developers_or_stand_ins_need() -> None:
    asked = {
        group: {Requirement(line).name for line in PROJECT["dependency-groups"][group]} for group in ("dev", "local")
    }
    direct = {Requirement(line).name for line in PROJECT["project"]["dependencies"]}
    pinned = set(re.findall(r"^([a-z0-9._-]+)==", (ROOT / "requirements" / "pipeline.txt").read_text(), re.MULTILINE))
    wanted_by_the_product_too = {"packaging", "cryptography"}  # by dbt; by redshift-connector
    assert direct <= pinned
    assert pinned & (asked["dev"] | asked["local"]) - direct <= wanted_by_the_product_too


def test_what_the_task_mounts_is_a_volume_of_the_image_which_gives_it_its_mode() -> None:
    text = (ROOT / "Dockerfile").read_text()
    template = (ROOT / "terraform" / "task_definition.json.tftpl").read_text()
    mounted = re.findall(r'"containerPath": "([^"]+)"', template)
    assert mounted
    assert [path for path in mounted if f'VOLUME ["{path}"]' not in text] == []
