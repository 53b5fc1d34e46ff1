"""Owns the environment of the loader's tests that need the session's stack."""

from collections.abc import Callable, Iterator
from contextlib import closing

import pytest

from contracts.model import Contract
from loader.s3 import S3Store
from loader.warehouse import connect
from local.stack import StackState
from spacex_elt.secrets import read_warehouse_address
from tests.e2e.harness import environment
from tests.loader.rig import Rig, things


@pytest.fixture(scope="module")
def on_stack(stack: StackState) -> Iterator[StackState]:
    """The stack, with this process's environment leading to it."""
    with environment({**stack.env, "SPACEX_ELT_ENV_FILE": str(stack.state_dir / "stack.env")}):
        yield stack


@pytest.fixture(scope="module")
def new_rig(on_stack: StackState) -> Iterator[Callable[[Contract], Rig]]:
    """Makes a rig for a contract. What the rigs published is gone when the module's tests are over."""
    address = read_warehouse_address(on_stack.env["SPACEX_ELT_WAREHOUSE_SECRET_ID"])
    with closing(S3Store(on_stack.env["SPACEX_ELT_LAKE_BUCKET"])) as store:
        yield lambda contract: Rig(store, address, on_stack.env["SPACEX_ELT_COPY_ROLE_ARN"], contract).prepare()
    with connect(address) as session:
        for schema in ("raw_spacex", "staging_spacex", "pipeline"):
            session.run(f"drop schema if exists {schema} cascade")
        session.commit()


@pytest.fixture
def rig(new_rig: Callable[[Contract], Rig]) -> Rig:
    """A rig for a dataset that no other test has."""
    return new_rig(things())
