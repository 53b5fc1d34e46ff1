"""Bringing the warehouse in line with contracts, against the stand-in's own catalog."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from contracts.errors import ContractInvalid, UsageError
from contracts.model import Contract, Role, RuleKind
from loader.migrate import look, migrate, refuse_behind, refuse_refused
from tests.loader.rig import Rig, thing, things

pytestmark = pytest.mark.stack

ROLES = (Role("loader", "write", ""), Role("transformer", "read", ""), Role("reader", "read", ""))


def test_it(rig: Rig) -> None:
    c = replace(rig.contract, roles=ROLES)
    with rig.session() as session:
        plan = look(session, {c.dataset: c})
        for s in plan.steps: print(s)
        migrate(session, {c.dataset: c})
        plan = look(session, {c.dataset: c})
        print(plan)
        assert not plan.steps
