"""Starts the one local stack of a test session, for tests marked `stack`."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from local import stack as local_stack


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[local_stack.StackState]:
    """The running stack; `stack.env` is what the product is told of it. It ends with the session, however that ends."""
    state_dir: Path = tmp_path_factory.mktemp("stack") / "state"
    yield local_stack.up(state_dir, say=print, owner=os.getpid())
    local_stack.reset(state_dir, say=print)
