"""Tests that what is described can be made, is then as described, and can be removed: with the real provider."""

from typing import Any

import pytest

from tests.terraform.aws import client
from tests.terraform.conftest import INPUTS, NOT_HELD, Made

pytestmark = [pytest.mark.terraform, pytest.mark.timeout(900), pytest.mark.xdist_group("made")]

#: What the server does not tell again as it was told; AWS does. By type: attributes that may differ.
NOT_READ_BACK = {
    "aws_instance": {
        "maintenance_options",  # never told
        "vpc_security_group_ids",  # told of the instance's interface alone, where it was asked for a public address
    },
    "aws_redshift_cluster": {
        "availability_zone_relocation_enabled",  # our addition to the server says "disabled" of every cluster
        "cluster_type",  # the provider counts the nodes, which the server does not list
        "default_iam_role_arn",
        "maintenance_track_name",
        "manual_snapshot_retention_period",
        "master_password_secret_kms_key_id",
    },
}
#: What a destroyed deployment leaves, by service and kind.
#: Keys wait for a month; a definition's revisions stay, for a rollback (skip_destroy).
STAYS = {"kms:key", "ecs:task-definition"}
#: What AWS goes on to tell of for a while after its end, and in which state.
IS_REMEMBERED = {"ec2:instance": {"terminated"}, "ec2:natgateway": {"deleted"}, "ecs:cluster": {"INACTIVE"}}


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
    assert made.state == made.targets


def test_a_second_plan_changes_nothing(made: Made) -> None:
    kinds = {each["address"]: each["type"] for each in made.plan["resource_changes"]}
    left = {
        address: attributes - NOT_READ_BACK.get(kinds[address], set())
        for address, attributes in differences(made.plan).items()
        if kinds[address] not in NOT_HELD
    }
    assert {address: attributes for address, attributes in left.items() if attributes} == {}


def test_everything_that_was_made_can_be_removed(made: Made) -> None:
    assert len(tagged(made)) > 60
    made.deployment.destroy(INPUTS)
    assert made.deployment.state() == set()
    kinds = {arn.split(":")[2] + ":" + arn.split(":")[5].split("/")[0] for arn in tagged(made)}
    assert kinds <= {*STAYS, *IS_REMEMBERED}
    assert last_states(made) == IS_REMEMBERED


def last_states(made: Made) -> dict[str, set[str]]:
    """The states of what is remembered."""
    ec2, ecs = (client(service, made.deployment.endpoint) for service in ("ec2", "ecs"))
    reservations = ec2.describe_instances()["Reservations"]
    return {
        "ec2:instance": {each["State"]["Name"] for found in reservations for each in found["Instances"]},
        "ec2:natgateway": {each["State"] for each in ec2.describe_nat_gateways()["NatGateways"]},
        "ecs:cluster": {each["status"] for each in ecs.describe_clusters(clusters=["spacex-elt-test"])["clusters"]},
    }


def tagged(made: Made) -> list[str]:
    """The ARNs of what has our tag at the server."""
    pages = client("resourcegroupstaggingapi", made.deployment.endpoint).get_paginator("get_resources")
    asked = pages.paginate(TagFilters=[{"Key": "Application", "Values": ["spacex-elt"]}])
    return [each["ResourceARN"] for page in asked for each in page["ResourceTagMappingList"]]
