"""Tests temporary passwords: whom they let in, until when, and how unmodified clients get one from the local AWS."""

import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from typing import Any

import boto3
import pytest
import redshift_connector
from botocore.exceptions import ClientError
from redshift_connector.error import ProgrammingError

from local.redshift import temporary
from local.redshift.temporary import Pass
from local.stack import StackState
from local.stack_env import TASK_ROLE, WAREHOUSE_CLUSTER, WAREHOUSE_DATABASE
from tests.local.redshift.warehouse import SIGNING_KEY, Warehouse

LOADER = Pass("IAM:loader", "loader", "spacex", creates_user=False, expires_at=time.time() + 10_000)
ROLE = Pass("IAMR:some role", "IAMR:some role", None, creates_user=True, expires_at=time.time() + 10_000)


def password(allowed: Pass, key: bytes = SIGNING_KEY) -> str:
    return temporary.issue(key, allowed)


def test_a_temporary_password_lets_the_databases_user_in(warehouse: Warehouse) -> None:
    with closing(warehouse.connect(user="IAM:loader", password=password(LOADER))) as connection:
        assert connection.cursor().execute("select current_user").fetchone() == ["loader"]


def test_an_identity_unknown_to_the_database_becomes_a_user_without_rights(warehouse: Warehouse) -> None:
    for _ in range(2):
        with closing(warehouse.connect(user=ROLE.login, password=password(ROLE))) as connection:
            cursor = connection.cursor()
            assert cursor.execute("select current_user").fetchone() == [ROLE.user]
            with pytest.raises(ProgrammingError, match="42501"):
                cursor.execute("create schema of_mine")


@pytest.mark.parametrize(
    ("login", "given"),
    [
        ("IAM:loader", ""),
        ("IAM:loader", "wrong"),
        ("IAM:loader", "no.signature"),
        ("IAM:loader", password(LOADER, key=b"another key")),
        ("IAM:loader", password(LOADER)[:-2]),
        ("IAM:loader", password(replace(LOADER, expires_at=1.0))),
        ("IAM:loader", password(replace(LOADER, database="mars"))),
        ("IAM:postgres", password(LOADER)),
        ("loader", password(LOADER)),
    ],
    ids=range(9),
)
def test_a_wrong_or_expired_temporary_password_is_refused(warehouse: Warehouse, login: str, given: str) -> None:
    message = warehouse.login_error(user=login, password=given)
    assert f'password authentication failed for user "{login}"' in message
    assert "28P01" in message


def test_a_temporary_password_does_not_make_a_user_it_may_not_make(warehouse: Warehouse) -> None:
    nobody = replace(LOADER, login="IAM:nobody", user="nobody")
    assert 'role "nobody" does not exist' in warehouse.login_error(user="IAM:nobody", password=password(nobody))


@pytest.fixture
def on_the_stack(stack: StackState, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Any]]:
    """What leads an unmodified client to the stack's warehouse: variables, and nothing of a host or a password."""
    for name, value in stack.env.items():
        if name.startswith("AWS_") or name == "SSL_CERT_FILE":
            monkeypatch.setenv(name, value)
    boto3.DEFAULT_SESSION = None
    yield {"iam": True, "region": "us-east-1", "database": WAREHOUSE_DATABASE, "iam_disable_cache": True}
    boto3.DEFAULT_SESSION = None


@pytest.mark.stack
@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")  # redshift_connector leaves its boto3 clients open
@pytest.mark.parametrize(
    ("asked", "user"),
    [
        ({"cluster_identifier": WAREHOUSE_CLUSTER, "db_user": "loader"}, "loader"),
        ({"cluster_identifier": WAREHOUSE_CLUSTER, "group_federation": True}, f"IAMR:{TASK_ROLE}"),
        ({"is_serverless": True, "serverless_work_group": WAREHOUSE_CLUSTER}, f"IAMR:{TASK_ROLE}"),
    ],
)
def test_redshift_connector_logs_in_with_the_identity_of_its_key(
    on_the_stack: dict[str, Any], asked: dict[str, Any], user: str
) -> None:
    with closing(redshift_connector.connect(**on_the_stack, **asked)) as connection:
        cursor = connection.cursor()
        assert cursor.execute("select current_user").fetchone() == [user]
        cursor.execute("create table if not exists public.of_whom (id int)")
        connection.rollback()


def client(stack: StackState, service: Any, key: str, secret: str) -> Any:
    return boto3.client(
        service,
        endpoint_url=stack.env["AWS_ENDPOINT_URL"],
        region_name="us-east-1",
        aws_access_key_id=key,
        aws_secret_access_key=secret,
    )


@pytest.mark.stack
def test_a_role_that_is_assumed_is_a_user_of_its_own(stack: StackState) -> None:
    with closing(client(stack, "sts", "any", "any")) as sts:
        role = "arn:aws:iam::123456789012:role/team/reader"
        given = sts.assume_role(RoleArn=role, RoleSessionName="me")["Credentials"]
    with closing(client(stack, "redshift", given["AccessKeyId"], given["SecretAccessKey"])) as redshift:
        answer = redshift.get_cluster_credentials_with_iam(ClusterIdentifier=WAREHOUSE_CLUSTER)
    assert answer["DbUser"] == "IAMR:reader"


@pytest.mark.stack
def test_what_is_not_known_to_the_local_aws_is_refused_as_aws_does(stack: StackState) -> None:
    key = stack.env["AWS_ACCESS_KEY_ID"]
    with (
        closing(client(stack, "redshift", key, "any")) as redshift,
        closing(client(stack, "redshift", "AKIANOBODY", "any")) as nobody,
        closing(client(stack, "redshift-serverless", key, "any")) as serverless,
    ):
        with pytest.raises(ClientError, match="ClusterNotFound"):
            redshift.describe_clusters(ClusterIdentifier="mars")
        with pytest.raises(ClientError, match="InvalidParameterValue"):
            redshift.get_cluster_credentials(ClusterIdentifier=WAREHOUSE_CLUSTER, DbUser="x", DurationSeconds=60)
        with pytest.raises(ClientError, match="InvalidClientTokenId"):
            nobody.get_cluster_credentials_with_iam(ClusterIdentifier=WAREHOUSE_CLUSTER)
        with pytest.raises(ClientError, match="ResourceNotFoundException"):
            serverless.get_workgroup(workgroupName="mars")
