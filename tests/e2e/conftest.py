"""Owns the environment of the end-to-end tests: the session's stack, empty at the start of each module."""

import multiprocessing
from collections.abc import Iterator
from multiprocessing.context import ForkServerContext

import pytest

from local.stack import StackState
from spacex_elt.wiring import open_pipeline
from tests.e2e.harness import environment, wipe


@pytest.fixture(scope="module")
def stack_environment(stack: StackState, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The variables that lead a process to the stack, set in this one."""
    variables = {
        "SPACEX_ELT_ENV_FILE": str(stack.state_dir / "stack.env"),
        "SPACEX_ELT_WORK_DIR": str(tmp_path_factory.mktemp("work")),
    }
    with environment(variables):
        yield variables


@pytest.fixture(scope="module")
def fresh(stack_environment: dict[str, str]) -> None:
    """An empty lake and warehouse."""
    with open_pipeline("wipe") as pipeline:
        wipe(pipeline)


@pytest.fixture(scope="session")
def processes() -> ForkServerContext:
    """Processes that start warm: importing the judges takes seconds."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.e2e.test_crashes", "validation.load_gate"])
    return context
