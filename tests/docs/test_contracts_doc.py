"""The commands that docs/contracts.md tells people to type."""

import shlex

import pytest

from tests.docs.test_commands import ROOT, told_commands
from tests.spacex_elt.program import start

COMMANDS = told_commands((ROOT / "docs" / "contracts.md").read_text())


def test_there_are_commands_to_run() -> None:
    assert len(COMMANDS) > 8


@pytest.mark.parametrize("command", COMMANDS)
def test_what_people_are_told_to_type_works(command: str) -> None:
    done = start(*shlex.split(command)[1:])

    assert done.returncode == 0, done.stderr
    assert done.stdout or "contracts are right" in done.stderr
