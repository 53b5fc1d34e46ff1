"""Tests who can talk to whom: walks subnets, routes, network ACLs and security groups as the plan has them."""

from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import ip_network
from typing import Any

import pytest

from tests.terraform.conftest import Made, of_type

pytestmark = [pytest.mark.terraform, pytest.mark.timeout(900), pytest.mark.xdist_group("made")]

Resources = dict[str, dict[str, Any]]
ANYWHERE = "0.0.0.0/0"


@dataclass(frozen=True)
class Place:
    """A component as the network sees it: where it stands, in which groups, whether it has a public address."""

    subnets: tuple[str, ...]
    groups: tuple[str, ...]
    has_public_address: bool


@dataclass(frozen=True)
class Rule:
    """What a security group lets through: to or from whom, on which ports."""

    group: str
    peer: str  # a group, a prefix list or an address range
    ports: range

    def takes(self, port: int) -> bool:
        return port in self.ports


class Network:
    """Routes and rules of the plan."""

    def __init__(self, resources: Resources) -> None:
        self.resources = resources
        self.table_of = {
            each["subnet_id"]: each["route_table_id"] for each in of_type(resources, "aws_route_table_association")
        }
        self.subnets = {each["id"]: each for each in of_type(resources, "aws_subnet")}
        self.routes = of_type(resources, "aws_route")
        # Without one of our own, a subnet has the VPC's default ACL, which lets everything through.
        self.has_acls = any(each["type"].startswith("aws_network_acl") for each in resources.values())
        self.ingress = tuple(self._rules("ingress"))
        self.egress = tuple(self._rules("egress"))
        (gateway,) = [each for each in of_type(resources, "aws_vpc_endpoint") if each["vpc_endpoint_type"] == "Gateway"]
        self.s3_tables = set(gateway["route_table_ids"])
        self.inside = ip_network(of_type(resources, "aws_vpc")[0]["cidr_block"])

    def _rules(self, direction: str) -> Iterator[Rule]:
        for each in of_type(self.resources, f"aws_vpc_security_group_{direction}_rule"):
            peer = (
                each["referenced_security_group_id"] or each["prefix_list_id"] or each["cidr_ipv4"] or each["cidr_ipv6"]
            )
            assert peer, each
            is_all = each["ip_protocol"] == "-1"
            yield Rule(
                each["security_group_id"],
                peer,
                range(65536) if is_all else range(each["from_port"], each["to_port"] + 1),
            )

    def ways_out(self, subnet: str) -> set[str]:
        """What a subnet's default route leads to: `internet`, `nat`, or nothing."""
        routes = [each for each in self.routes if each["route_table_id"] == self.table_of[subnet]]
        return {
            "internet" if each["gateway_id"] else "nat" for each in routes if each["destination_cidr_block"] == ANYWHERE
        }

    def open_to_the_internet(self, place: Place) -> bool:
        """Whether somebody outside could open a connection: an address, a route back, and a rule that lets them in."""
        has_route = any("internet" in self.ways_out(subnet) for subnet in place.subnets)
        return place.has_public_address and has_route and bool(self._public_rules(place))

    def _public_rules(self, place: Place) -> list[Rule]:
        return [
            rule
            for rule in self.ingress
            if rule.group in place.groups and "/" in rule.peer and not ip_network(rule.peer).is_private
        ]

    def can_call(self, caller: Place, called: Place, port: int) -> bool:
        """Whether both ends' groups let it through; inside the VPC there is always a route."""
        out = any(
            rule.group in caller.groups and rule.peer in called.groups and rule.takes(port) for rule in self.egress
        )
        back = any(
            rule.group in called.groups and rule.peer in caller.groups and rule.takes(port) for rule in self.ingress
        )
        return out and back

    def can_reach_s3(self, caller: Place) -> bool:
        """By the gateway: every subnet's routes have it and the group lets HTTPS out to S3's addresses."""
        routed = all(self.table_of[subnet] in self.s3_tables for subnet in caller.subnets)
        return routed and any(
            rule.group in caller.groups and rule.peer.startswith("pl-") and rule.takes(443) for rule in self.egress
        )


@pytest.fixture(scope="module")
def network(resources: Resources) -> Network:
    return Network(resources)


@pytest.fixture(scope="module")
def places(made: Made, resources: Resources) -> dict[str, Place]:
    """Every component, as its own resource or the DAGs' deployment file places it."""
    deployment = made.plan["planned_values"]["outputs"]["deployment"]["value"]
    (cluster,) = of_type(resources, "aws_redshift_cluster")
    (subnet_group,) = of_type(resources, "aws_redshift_subnet_group")
    (airflow,) = of_type(resources, "aws_mwaa_environment")
    (airbyte,) = of_type(resources, "aws_instance")
    (balancer,) = of_type(resources, "aws_lb")
    airflow_network = airflow["network_configuration"][0]
    groups = {each["name"]: each["id"] for each in of_type(resources, "aws_security_group")}
    # moto does not tell an instance's groups again; the configuration names the one.
    airbyte_groups = airbyte["vpc_security_group_ids"] or [groups["spacex-elt-test-airbyte"]]
    return {
        "pipeline": Place(
            tuple(deployment["SPACEX_ELT_SUBNET_IDS"].split(",")),
            tuple(deployment["SPACEX_ELT_SECURITY_GROUP_IDS"].split(",")),
            has_public_address=False,  # the DAGs ask for none: dags/spacex_airflow/step.py
        ),
        "warehouse": Place(
            tuple(subnet_group["subnet_ids"]), tuple(cluster["vpc_security_group_ids"]), cluster["publicly_accessible"]
        ),
        "orchestration": Place(
            tuple(airflow_network["subnet_ids"]),
            tuple(airflow_network["security_group_ids"]),
            airflow["webserver_access_mode"] != "PRIVATE_ONLY",
        ),
        "airbyte": Place((airbyte["subnet_id"],), tuple(airbyte_groups), airbyte["associate_public_ip_address"]),
        "docs": Place(tuple(balancer["subnets"]), tuple(balancer["security_groups"]), not balancer["internal"]),
    }


def endpoints(resources: Resources) -> dict[str, Place]:
    """The interface endpoints by service."""
    return {
        each["service_name"].removeprefix("com.amazonaws.eu-central-1."): Place(
            tuple(each["subnet_ids"]), tuple(each["security_group_ids"]), has_public_address=False
        )
        for each in of_type(resources, "aws_vpc_endpoint")
        if each["vpc_endpoint_type"] == "Interface"
    }


def test_nothing_is_open_to_the_internet(network: Network, places: dict[str, Place]) -> None:
    assert {name: network.open_to_the_internet(place) for name, place in places.items()} == dict.fromkeys(places, False)


def test_no_rule_of_any_group_lets_the_internet_in(network: Network) -> None:
    assert [rule for rule in network.ingress if "/" in rule.peer and not ip_network(rule.peer).is_private] == []


def test_the_walk_would_see_an_open_door(network: Network, places: dict[str, Place]) -> None:
    """Airbyte's instance has the address and the route: one rule more would open it."""
    airbyte = places["airbyte"]
    assert airbyte.has_public_address
    assert network.ways_out(airbyte.subnets[0]) == {"internet"}
    network.ingress = (*network.ingress, Rule(airbyte.groups[0], ANYWHERE, range(8000, 8001)))
    try:
        assert network.open_to_the_internet(airbyte)
    finally:
        network.ingress = network.ingress[:-1]


@pytest.mark.parametrize(
    ("component", "ways"),
    [("pipeline", set()), ("warehouse", set()), ("docs", set()), ("orchestration", {"nat"}), ("airbyte", {"internet"})],
    ids=["pipeline", "warehouse", "docs", "orchestration", "airbyte"],
)
def test_only_who_must_has_a_way_out(
    network: Network, places: dict[str, Place], component: str, ways: set[str]
) -> None:
    place = places[component]
    assert place.subnets
    assert {way for subnet in place.subnets for way in network.ways_out(subnet)} == ways


CALLS = [
    ("pipeline", "warehouse", 5439, True),
    ("pipeline", "airbyte", 8000, True),
    ("orchestration", "airbyte", 8000, True),
    ("orchestration", "warehouse", 5439, False),  # Airflow orders steps and touches no data
    ("airbyte", "warehouse", 5439, False),
    ("airbyte", "pipeline", 443, False),
    ("airbyte", "orchestration", 443, False),
    ("docs", "warehouse", 5439, False),
    ("pipeline", "airbyte", 22, False),
    ("orchestration", "airbyte", 22, False),
    ("warehouse", "pipeline", 443, False),
]


@pytest.mark.parametrize(("caller", "called", "port", "expected"), CALLS, ids=[f"{a}-{b}-{p}" for a, b, p, _ in CALLS])
def test_who_may_call_whom(
    network: Network, places: dict[str, Place], caller: str, called: str, port: int, expected: bool
) -> None:
    assert network.can_call(places[caller], places[called], port) is expected


@pytest.mark.parametrize("component", ["pipeline", "warehouse", "orchestration"])
def test_who_needs_s3_reaches_it_by_the_gateway(network: Network, places: dict[str, Place], component: str) -> None:
    assert network.can_reach_s3(places[component])


NEEDED = {
    "pipeline": [
        "ecr.api", "ecr.dkr", "logs", "secretsmanager", "kms", "sns", "sts", "xray", "redshift", "redshift-serverless",
    ],
    "orchestration": [
        "ecr.api", "ecr.dkr", "ecs", "logs", "monitoring", "kms", "sqs", "sns", "secretsmanager", "xray", "sts",
        "airflow.api", "airflow.env", "airflow.ops",
    ],
}  # fmt: skip


@pytest.mark.parametrize("component", sorted(NEEDED))
def test_each_needed_service_has_an_endpoint_that_the_component_reaches(
    network: Network, resources: Resources, places: dict[str, Place], component: str
) -> None:
    there = endpoints(resources)
    reached = [service for service in NEEDED[component] if network.can_call(places[component], there[service], 443)]
    assert reached == NEEDED[component]


def test_the_docs_site_reaches_its_own_s3_endpoint_and_is_for_private_networks(
    network: Network, resources: Resources, places: dict[str, Place]
) -> None:
    assert network.can_call(places["docs"], endpoints(resources)["s3"], 443)
    readers = [rule.peer for rule in network.ingress if rule.group in places["docs"].groups]
    assert readers == ["10.0.0.0/8"]


def test_every_rule_and_group_says_what_it_is_for(resources: Resources) -> None:
    kinds = ("aws_security_group", "aws_vpc_security_group_ingress_rule", "aws_vpc_security_group_egress_rule")
    told = [each["description"] for kind in kinds for each in of_type(resources, kind)]
    assert all(told)


def test_no_subnet_hands_out_public_addresses_and_no_acl_is_left_unread(resources: Resources, network: Network) -> None:
    assert [each["id"] for each in of_type(resources, "aws_subnet") if each["map_public_ip_on_launch"]] == []
    assert not network.has_acls, "a network ACL of our own: teach the walk to read it"
