"""Owns the environment of the loader's tests that need the session's stack."""

from collections.abc import Iterator

import pytest

from local.stack import StackState
from tests.e2e.harness import environment


@pytest.fixture(scope="module")
def on_stack(stack: StackState) -> Iterator[StackState]:
    """The stack, with this process's environment leading to it."""
    with environment(dict(stack.env)):
        yield stack
