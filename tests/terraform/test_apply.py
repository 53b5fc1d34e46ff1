"""Tests that what is described can be made, is then as described, and can be removed: with the real provider."""

from typing import Any

import pytest

from tests.terraform.conftest import INPUTS, Made

pytestmark = [pytest.mark.terraform, pytest.mark.timeout(900)]

#: What the server does not tell again as it was told; AWS does. By type: attributes that may differ.
NOT_READ_BACK: dict[str, set[str]] = {}


def differences(plan: dict[str, Any]) -> dict[str, set[str]]:
    """By address: the attributes that a plan would change."""
    found = {}
    for each in plan["resource_changes"]:
        change = each["change"]
        if each["mode"] != "managed" or change["actions"] == ["no-op"]:
            continue
        before, after = change["before"] or {}, change["after"] or {}
        found[each["address"]] = {name for name in {*before, *after} if before.get(name) != after.get(name)} | {
            f"({action})" for action in change["actions"] if action != "update"
        }
    return found


def test_everything_that_was_asked_for_is_there(made: Made) -> None:
    assert len(made.targets) > 200
    assert set(made.targets) - set(made.deployment.state()) == set()


def test_a_second_plan_changes_nothing(made: Made) -> None:
    plan = made.deployment.plan(INPUTS, targets=made.targets)
    kinds = {each["address"]: each["type"] for each in plan["resource_changes"]}
    left = {
        address: attributes - NOT_READ_BACK.get(kinds[address], set())
        for address, attributes in differences(plan).items()
    }
    assert {address: attributes for address, attributes in left.items() if attributes} == {}
