"""Every command that a task starts runs from what the image holds, as its user, with only /tmp to write to."""

from collections.abc import Iterator

import pytest
from typer.core import TyperGroup
from typer.main import get_command

from spacex_elt.cli import app
from tests.image.conftest import Image

pytestmark = pytest.mark.timeout(900)  # the first test installs the image


def _commands() -> Iterator[tuple[str, ...]]:
    """Every command but the laptop's own."""
    program = get_command(app)
    assert isinstance(program, TyperGroup)
    for name, command in program.commands.items():
        if isinstance(command, TyperGroup):
            yield from ((name, each) for each in command.commands if name != "local")
        else:
            yield (name,)


COMMANDS = sorted(_commands())


def test_the_steps_are_among_the_commands() -> None:
    assert {("plan",), ("gate",), ("load",), ("transform",), ("publish",)} <= set(COMMANDS)


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_a_command_starts(image: Image, command: tuple[str, ...]) -> None:
    answer = image.run(*command, "--help")
    assert (answer.returncode, answer.stderr) == (0, "")
    assert f"spacex-elt {' '.join(command)}" in answer.stdout


def test_the_contracts_are_in_it_and_right(image: Image) -> None:
    answer = image.run("contracts", "lint")
    assert answer.returncode == 0, answer.stderr
    assert answer.stderr.endswith("contracts are right.\n")


def test_a_step_without_settings_says_which_are_missing(image: Image) -> None:
    answer = image.run("transform", "--run-id", "nightly-1")
    assert answer.returncode == 2
    assert "SPACEX_ELT_COPY_ROLE_ARN (field required)" in answer.stderr
    assert "Traceback" not in answer.stderr


def test_dbt_finds_its_project(image: Image) -> None:
    project = image.environment["SPACEX_ELT_DBT_PROJECT_DIR"]
    where = {"DBT_PROJECT_DIR": project, "DBT_PROFILES_DIR": project}
    where |= {"DBT_TARGET_PATH": str(image.root / "tmp" / "target"), "DBT_LOG_PATH": str(image.root / "tmp" / "logs")}
    names = ("DBT_WAREHOUSE_HOST", "DBT_WAREHOUSE_DATABASE", "DBT_WAREHOUSE_USER", "DBT_ENV_SECRET_WAREHOUSE_PASSWORD")
    address = dict.fromkeys(names, "nowhere") | {"DBT_WAREHOUSE_PORT": "5439"}
    flags = ("--no-version-check", "--no-send-anonymous-usage-stats")
    answer = image.execute("dbt", *flags, "parse", **where, **address)
    assert answer.returncode == 0, answer.stdout


@pytest.mark.parametrize("command", [("local", "up"), ("local", "status")], ids=" ".join)
def test_the_laptops_commands_say_that_they_are_not_in_it(image: Image, command: tuple[str, ...]) -> None:
    answer = image.run(*command)
    assert answer.returncode == 2
    assert "no stand-ins" in answer.stderr


def test_nothing_is_written_but_in_tmp(image: Image) -> None:
    assert image.run("contracts", "lint").returncode == 0
    assert len(image.before) > 1000
    assert image.written() == []
