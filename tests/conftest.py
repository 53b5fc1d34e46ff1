"""Starts the local stack of a test session, for tests marked `stack`: one for each process that runs tests."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from local import stack as local_stack


@pytest.fixture(scope="session", autouse=True)
def no_stack_of_the_checkout(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Whoever runs the tests may have a local stack up, with data: no test meets it."""
    before = os.environ.get("SPACEX_ELT_STATE_DIR")
    os.environ["SPACEX_ELT_STATE_DIR"] = str(tmp_path_factory.mktemp("no-stack"))
    yield
    if before is None:
        del os.environ["SPACEX_ELT_STATE_DIR"]
    else:
        os.environ["SPACEX_ELT_STATE_DIR"] = before


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[local_stack.StackState]:
    """The running stack; `stack.env` is what the product is told of it. It ends with the session, however that ends."""
    state_dir: Path = tmp_path_factory.mktemp("stack") / "state"
    yield local_stack.up(state_dir, say=print, owner=os.getpid())
    local_stack.reset(state_dir, say=print)
