"""Tests who may do what, by a simulator of AWS' policies, on the policies that the real provider rendered."""

from dataclasses import dataclass
from typing import Any

import pytest

from tests.terraform.aws import ACCOUNT, REGION
from tests.terraform.conftest import DOCS_DOMAIN, listed, of_type, policy
from tests.terraform.simulate import Policies, Request, simulate, why_not

pytestmark = [pytest.mark.terraform, pytest.mark.timeout(900), pytest.mark.xdist_group("made")]

LAKE = f"arn:aws:s3:::spacex-elt-test-lake-{ACCOUNT}"
DOCS = f"arn:aws:s3:::{DOCS_DOMAIN}"
AIRFLOW = f"arn:aws:s3:::spacex-elt-test-airflow-{ACCOUNT}"
TOPIC = f"arn:aws:sns:{REGION}:{ACCOUNT}:spacex-elt-test-alerts"
CLUSTER = f"arn:aws:ecs:{REGION}:{ACCOUNT}:cluster/spacex-elt-test"
DATABASE = f"arn:aws:redshift:{REGION}:{ACCOUNT}:dbname:spacex-elt-test/spacex"
LANDED = f"{LAKE}/landing/launches/2026_11_27_1790000000000_0.jsonl.gz"
QUARANTINED = f"{LAKE}/quarantine/launches/3f9c/2026_11_27_1790000000000_0.jsonl.gz"
RUN = f"{LAKE}/runs/run-1/plan.json"
ROLES = ("loader", "transformer", "publisher", "maintainer", "execution", "airbyte", "airflow", "copy")


def role(name: str) -> str:
    return f"spacex-elt-test-{name}"


def role_arn(name: str) -> str:
    return f"arn:aws:iam::{ACCOUNT}:role/{name}"


def secret(name: str) -> str:
    return f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:spacex-elt-test/{name}-a1B2c3"


def definition(family: str) -> str:
    return f"arn:aws:ecs:{REGION}:{ACCOUNT}:task-definition/{family}:7"


@dataclass(frozen=True)
class Case:
    """One line of the table."""

    who: str
    action: str
    resource: str
    is_allowed: bool
    context: tuple[tuple[str, str], ...] = ()

    def __str__(self) -> str:
        place = self.resource.rsplit(":", 1)[-1]
        return f"{self.who}-{'may' if self.is_allowed else 'may-not'}-{self.action}-{place}"


def may(who: str, action: str, resource: str, **context: str) -> Case:
    return Case(who, action, resource, True, tuple(context.items()))


def may_not(who: str, action: str, resource: str, **context: str) -> Case:
    return Case(who, action, resource, False, tuple(context.items()))


LANDING = {"s3:prefix": "landing/launches/"}
RUNS = {"s3:prefix": "runs/"}
PASSED = {"iam:PassedToService": "ecs-tasks.amazonaws.com"}
ON_OUR_CLUSTER = {"ecs:cluster": CLUSTER}

CASES = [
    # The loader moves data forward, and can take nothing back.
    may("loader", "s3:GetObject", LANDED),
    may("loader", "s3:ListBucket", LAKE, **LANDING),
    may("loader", "s3:PutObject", f"{LAKE}/accepted/launches/3f9c/a.jsonl.gz"),
    may("loader", "s3:PutObject", QUARANTINED),
    may("loader", "s3:PutObject", f"{LAKE}/manifests/launches/3f9c.manifest"),
    may("loader", "s3:PutObject", RUN),
    may_not("loader", "redshift:GetClusterCredentialsWithIAM", DATABASE),  # it logs in by its secret
    may("loader", "secretsmanager:GetSecretValue", secret("warehouse/loader")),
    may("loader", "secretsmanager:GetSecretValue", secret("airbyte")),
    may_not("loader", "s3:DeleteObject", LANDED),
    may_not("loader", "s3:PutObject", LANDED),
    may_not("loader", "s3:DeleteObject", QUARANTINED),
    may_not("loader", "s3:PutObject", f"{LAKE}/records/20261127_run-1.json"),
    may_not("loader", "s3:PutObject", f"{DOCS}/index.html"),
    may_not("loader", "s3:GetObject", f"{AIRFLOW}/startup.sh"),
    may_not("loader", "secretsmanager:GetSecretValue", secret("warehouse/transformer")),
    may_not("loader", "sts:AssumeRole", role_arn(role("copy"))),
    may_not("loader", "iam:PassRole", role_arn(role("copy")), **PASSED),
    may_not("loader", "sns:Publish", TOPIC),
    # dbt sees the warehouse and what the run said, not the lake's data.
    may_not("transformer", "redshift:GetClusterCredentialsWithIAM", DATABASE),
    may("transformer", "s3:GetObject", RUN),
    may("transformer", "s3:PutObject", f"{LAKE}/runs/run-1/transform.json"),
    may("transformer", "secretsmanager:GetSecretValue", secret("warehouse/transformer")),
    may_not("transformer", "s3:GetObject", LANDED),
    may_not("transformer", "s3:GetObject", f"{LAKE}/accepted/launches/3f9c/a.jsonl.gz"),
    may_not("transformer", "s3:GetObject", QUARANTINED),
    may_not("transformer", "s3:ListBucket", LAKE, **LANDING),
    may_not("transformer", "s3:PutObject", f"{DOCS}/index.html"),
    may_not("transformer", "secretsmanager:GetSecretValue", secret("warehouse/loader")),
    may_not("transformer", "secretsmanager:GetSecretValue", secret("airbyte")),
    # The publisher tells, and touches no data.
    may("publisher", "s3:PutObject", f"{DOCS}/index.html"),
    may("publisher", "s3:PutObject", f"{LAKE}/records/20261127_run-1.json"),
    may("publisher", "s3:PutObject", f"{LAKE}/incidents/0123.json"),
    may("publisher", "sns:Publish", TOPIC),
    may_not("publisher", "s3:GetObject", LANDED),
    may_not("publisher", "s3:GetObject", QUARANTINED),
    may_not("publisher", "s3:DeleteObject", f"{DOCS}/index.html"),
    may_not("publisher", "redshift:GetClusterCredentialsWithIAM", DATABASE),
    may_not("publisher", "secretsmanager:GetSecretValue", secret("warehouse/loader")),
    # The clean-up alone deletes, and never history.
    may("maintainer", "s3:DeleteObject", LANDED),
    may("maintainer", "s3:DeleteObject", QUARANTINED),
    may("maintainer", "s3:DeleteObject", RUN),
    may("maintainer", "s3:ListBucket", LAKE, **LANDING),
    may_not("maintainer", "s3:GetObject", LANDED),
    may_not("maintainer", "s3:GetObject", QUARANTINED),
    may_not("maintainer", "s3:DeleteObjectVersion", LANDED),
    may_not("maintainer", "s3:DeleteObject", f"{LAKE}/records/20261127_run-1.json"),
    may_not("maintainer", "s3:DeleteObject", f"{LAKE}/incidents/0123.json"),
    may_not("maintainer", "s3:PutObject", LANDED),
    # Airbyte lands, and sees nothing but landing.
    may("airbyte", "s3:PutObject", LANDED),
    may("airbyte", "s3:GetObject", LANDED),
    may("airbyte", "s3:DeleteObject", f"{LAKE}/landing/_airbyte_connection_test_0123"),
    may_not("airbyte", "s3:DeleteObject", LANDED),
    may_not("airbyte", "s3:GetObject", QUARANTINED),
    may_not("airbyte", "s3:PutObject", QUARANTINED),
    may_not("airbyte", "s3:PutObject", f"{LAKE}/accepted/launches/3f9c/a.jsonl.gz"),
    may_not("airbyte", "s3:ListBucket", LAKE, **RUNS),
    may_not("airbyte", "secretsmanager:GetSecretValue", secret("warehouse/loader")),
    may_not("airbyte", "ssm:GetParameter", f"arn:aws:ssm:{REGION}:{ACCOUNT}:parameter/spacex-elt-test/settings/X"),
    may_not("airbyte", "redshift:GetClusterCredentialsWithIAM", DATABASE),
    # MWAA orders steps, hands them their roles and no other, and sees no data.
    may("airflow", "ecs:RunTask", definition("spacex-elt-test-loader"), **ON_OUR_CLUSTER),
    may("airflow", "iam:PassRole", role_arn(role("loader")), **PASSED),
    may("airflow", "iam:PassRole", role_arn(role("execution")), **PASSED),
    may("airflow", "ecs:StopTask", f"arn:aws:ecs:{REGION}:{ACCOUNT}:task/spacex-elt-test/0123"),
    may("airflow", "s3:GetObject", f"{LAKE}/incidents/0123.json"),
    may("airflow", "s3:PutObject", f"{LAKE}/incidents/0123.json"),
    may("airflow", "s3:GetObject", f"{AIRFLOW}/dags/spacex_elt.py"),
    may("airflow", "sns:Publish", TOPIC),
    may("airflow", "secretsmanager:GetSecretValue", secret("airflow/connections/airbyte_default")),
    may(
        "airflow",
        "logs:GetLogEvents",
        f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:/spacex-elt-test/steps:log-stream:pipeline/pipeline/0123",
    ),
    may_not("airflow", "iam:PassRole", role_arn(role("copy")), **PASSED),
    may_not("airflow", "iam:PassRole", role_arn(role("airbyte")), **PASSED),
    may_not("airflow", "iam:PassRole", role_arn(role("airflow")), **PASSED),
    may_not("airflow", "iam:PassRole", role_arn("Administrator"), **PASSED),
    may_not("airflow", "iam:PassRole", role_arn(role("loader")), **{"iam:PassedToService": "ec2.amazonaws.com"}),
    may_not("airflow", "ecs:RunTask", definition("another"), **ON_OUR_CLUSTER),
    may_not("airflow", "ecs:RunTask", definition("spacex-elt-test-loader"), **{"ecs:cluster": f"{CLUSTER}-other"}),
    may_not("airflow", "s3:GetObject", LANDED),
    may_not("airflow", "s3:GetObject", QUARANTINED),
    may_not("airflow", "s3:PutObject", RUN),
    may_not("airflow", "s3:PutObject", f"{AIRFLOW}/dags/spacex_elt.py"),
    may_not("airflow", "secretsmanager:GetSecretValue", secret("warehouse/loader")),
    may_not("airflow", "redshift:GetClusterCredentialsWithIAM", DATABASE),
    # COPY reads batches, and the rest of the lake is not there for Redshift.
    may("copy", "s3:GetObject", LANDED),
    may("copy", "s3:GetObject", f"{LAKE}/manifests/launches/3f9c.manifest"),
    may_not("copy", "s3:GetObject", QUARANTINED),
    may_not("copy", "s3:GetObject", RUN),
    may_not("copy", "s3:PutObject", f"{LAKE}/accepted/launches/3f9c/a.jsonl.gz"),
    may_not("copy", "s3:DeleteObject", LANDED),
    # ECS starts containers, and is given no secret.
    may("execution", "ecr:BatchGetImage", f"arn:aws:ecr:{REGION}:{ACCOUNT}:repository/spacex-elt-test"),
    may_not("execution", "ecr:BatchGetImage", f"arn:aws:ecr:{REGION}:{ACCOUNT}:repository/another"),
    may_not("execution", "secretsmanager:GetSecretValue", secret("warehouse/loader")),
    may_not("execution", "s3:GetObject", LANDED),
    # Of all roles, the publisher alone writes the docs; nobody without TLS; nobody removes a landed version.
    *(may_not(who, "s3:PutObject", f"{DOCS}/index.html") for who in ROLES if who != "publisher"),
    *(may_not(who, "s3:DeleteObject", LANDED) for who in ROLES if who != "maintainer"),
    *(may_not(who, "s3:DeleteObjectVersion", LANDED) for who in ROLES),
    *(may_not(who, "iam:CreateRole", role_arn("new")) for who in ROLES),
    may_not("loader", "s3:GetObject", LANDED, **{"aws:SecureTransport": "false"}),
    may_not("airbyte", "s3:PutObject", LANDED, **{"aws:SecureTransport": "false"}),
    may_not("publisher", "sns:Publish", TOPIC, **{"aws:SecureTransport": "false"}),
]


@pytest.fixture(scope="module")
def outcomes(resources: dict[str, dict[str, Any]]) -> dict[Case, str]:
    """What each line of the table comes to."""
    reason = why_not()
    if reason:
        pytest.skip(f"the simulator cannot be asked: {reason}")
    identity: dict[str, list[dict[str, Any]]] = {}
    for each in of_type(resources, "aws_iam_role_policy"):
        identity.setdefault(each["role"], []).append(policy(each["policy"]))
    of_buckets = {
        f"arn:aws:s3:::{each['bucket']}": policy(each["policy"]) for each in of_type(resources, "aws_s3_bucket_policy")
    }
    (of_topic,) = of_type(resources, "aws_sns_topic_policy")
    others = {TOPIC: policy(of_topic["policy"])}

    def asked(case: Case) -> tuple[Request, Policies]:
        about = of_buckets.get(case.resource.split("/")[0]) or others.get(case.resource)
        request = Request(role(case.who), case.action, case.resource, dict(case.context))
        return request, Policies(identity[role(case.who)], about)

    return dict(zip(CASES, simulate([asked(case) for case in CASES]), strict=True))


@pytest.mark.parametrize("case", CASES, ids=str)
def test_who_may_do_what(outcomes: dict[Case, str], case: Case) -> None:
    assert (outcomes[case] == "Allowed") is case.is_allowed, outcomes[case]


def test_landing_is_denied_by_the_bucket_itself_whatever_a_role_is_granted(outcomes: dict[Case, str]) -> None:
    """An administrator of the account meets the same wall: the lake's own policy says no."""
    denied = {
        case.who for case, outcome in outcomes.items() if outcome == "ExplicitlyDenied" and case.resource == LANDED
    }
    assert denied >= {"loader", "airbyte", "copy", "airflow"}


def test_every_key_a_role_may_use_is_used_by_way_of_a_service(resources: dict[str, dict[str, Any]]) -> None:
    """A role that could decrypt by itself could read what somebody copied out of a bucket."""
    direct = []
    for each in of_type(resources, "aws_iam_role_policy"):
        for statement in policy(each["policy"])["Statement"]:
            if any(action.startswith("kms:") for action in listed(statement["Action"])):
                keys = {key for test in statement.get("Condition", {}).values() for key in test}
                direct += [] if "kms:ViaService" in keys else [(each["role"], statement["Sid"])]
    assert direct == []


def test_roles_are_for_services_and_each_says_whose_account(resources: dict[str, dict[str, Any]]) -> None:
    for each in of_type(resources, "aws_iam_role"):
        for statement in policy(each["assume_role_policy"])["Statement"]:
            assert set(statement["Principal"]) == {"Service"}, each["name"]
            services = statement["Principal"]["Service"]
            if services != "ec2.amazonaws.com":  # EC2 gives no such key for an instance's role
                assert statement["Condition"] == {"StringEquals": {"aws:SourceAccount": ACCOUNT}}, each["name"]
