"""Tests the running stack as its users meet it: closed to the world, closed to strangers, in place."""

import json
import urllib.error
import urllib.request
from contextlib import closing
from typing import Any

import boto3
import psutil  # type: ignore[import-untyped,unused-ignore]
import psycopg2
import pytest
import requests

from local.stack import StackState, up

pytestmark = pytest.mark.stack


def client(stack: StackState, service: Any) -> Any:
    env = stack.env
    endpoint = env["AWS_ENDPOINT_URL_S3" if service == "s3" else "AWS_ENDPOINT_URL"]
    session = boto3.session.Session(env["AWS_ACCESS_KEY_ID"], env["AWS_SECRET_ACCESS_KEY"], region_name="us-east-1")
    return session.client(service, endpoint_url=endpoint)


def fetch(url: str, method: str = "GET") -> tuple[int, str, bytes]:
    request = urllib.request.Request(url, method=method, data=b"x" if method == "PUT" else None)
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, answer.headers["Content-Type"], answer.read()
    except urllib.error.HTTPError as refusal:
        with refusal:
            return refusal.code, "", b""


def processes(stack: StackState) -> list[psutil.Process]:
    assert stack.supervisor_pid is not None
    supervisor = psutil.Process(stack.supervisor_pid)
    return [supervisor, *supervisor.children(recursive=True)]


def test_every_part_runs_and_a_second_up_changes_nothing(stack: StackState) -> None:
    assert stack.is_running
    again = up(stack.state_dir, say=print)
    assert again.supervisor_pid == stack.supervisor_pid
    assert [part.pid for part in again.parts] == [part.pid for part in stack.parts]
    assert again.env == stack.env


def test_every_listening_socket_is_on_loopback_and_declared(stack: StackState) -> None:
    listening = [
        connection.laddr
        for process in processes(stack)
        for connection in process.net_connections(kind="inet")
        if connection.status == psutil.CONN_LISTEN
    ]
    declared = {port for part in stack.parts for port in part.ports.values()}
    assert declared
    assert {address.ip for address in listening} == {"127.0.0.1"}
    assert declared <= {address.port for address in listening}


def test_both_buckets_are_there_and_no_other_is_made_by_accident(stack: StackState) -> None:
    s3 = client(stack, "s3")
    assert {bucket["Name"] for bucket in s3.list_buckets()["Buckets"]} >= {"spacex-lake", "spacex-docs"}
    with pytest.raises(s3.exceptions.NoSuchBucket):
        s3.put_object(Bucket="spacex-typo", Key="x", Body=b"")


def test_a_wrong_key_is_refused(stack: StackState) -> None:
    session = boto3.session.Session("AKIAWRONG", "wrong", region_name="us-east-1")
    s3 = session.client("s3", endpoint_url=stack.env["AWS_ENDPOINT_URL_S3"])
    with pytest.raises(s3.exceptions.ClientError, match="InvalidAccessKeyId"):
        s3.list_objects_v2(Bucket="spacex-lake")


def test_two_writers_of_one_key_have_one_winner(stack: StackState) -> None:
    s3 = client(stack, "s3")
    s3.put_object(Bucket="spacex-lake", Key="stack-test/once", Body=b"first", IfNoneMatch="*")
    with pytest.raises(s3.exceptions.ClientError, match="PreconditionFailed"):
        s3.put_object(Bucket="spacex-lake", Key="stack-test/once", Body=b"second", IfNoneMatch="*")


def test_the_docs_are_browsable_and_nothing_else_is(stack: StackState) -> None:
    s3 = client(stack, "s3")
    s3.put_object(Bucket="spacex-docs", Key="stack-test/index.html", Body=b"<p>docs</p>", ContentType="text/html")
    s3.put_object(Bucket="spacex-lake", Key="stack-test/secret.html", Body=b"<p>lake</p>", ContentType="text/html")

    docs = stack.env["SPACEX_ELT_DOCS_URL"]
    assert fetch(f"{docs}/stack-test/index.html") == (200, "text/html", b"<p>docs</p>")
    assert fetch(f"{docs}/stack-test/other.html", "PUT")[0] == 403

    filer = f"http://127.0.0.1:{stack.parts[0].ports['filer']}/buckets"
    lake = stack.env["AWS_ENDPOINT_URL_S3"]
    closed = [fetch(f"{lake}/spacex-lake/stack-test/secret.html"), fetch(f"{lake}/spacex-lake?list-type=2")]
    closed += [fetch(f"{filer}/spacex-lake/stack-test/secret.html"), fetch(f"{filer}/spacex-lake/x", "PUT")]
    assert {status for status, _, _ in closed} <= {401, 403}


def test_the_warehouse_secret_names_the_warehouse(stack: StackState) -> None:
    told = client(stack, "secretsmanager").get_secret_value(SecretId=stack.env["SPACEX_ELT_WAREHOUSE_SECRET_ID"])
    warehouse = json.loads(told["SecretString"])
    assert {name: warehouse[name] for name in ("host", "database", "username")} == {
        "host": "127.0.0.1",
        "database": "spacex",
        "username": "loader",
    }
    assert len(warehouse["password"]) >= 24


def test_airbyte_lets_in_the_client_of_its_secret_and_nobody_else(stack: StackState) -> None:
    told = client(stack, "secretsmanager").get_secret_value(SecretId=stack.env["SPACEX_ELT_AIRBYTE_SECRET_ID"])
    url = f"{stack.env['SPACEX_ELT_AIRBYTE_URL']}/api/public/v1"
    known = json.loads(told["SecretString"])
    token = requests.post(f"{url}/applications/token", json=known, timeout=10).json()["access_token"]
    shown = {"Authorization": f"Bearer {token}"}
    assert requests.get(f"{url}/connections", headers=shown, timeout=10).status_code == 200
    assert requests.get(f"{url}/connections", timeout=10).status_code == 401
    wrong = {**known, "client_secret": "wrong"}
    assert requests.post(f"{url}/applications/token", json=wrong, timeout=10).status_code == 401


def test_the_warehouse_lets_in_its_user_over_verified_tls_and_nobody_else(stack: StackState) -> None:
    told = client(stack, "secretsmanager").get_secret_value(SecretId=stack.env["SPACEX_ELT_WAREHOUSE_SECRET_ID"])
    warehouse = json.loads(told["SecretString"])
    names = {"host": "host", "port": "port", "dbname": "database", "user": "username", "password": "password"}
    login: dict[str, Any] = {name: warehouse[told_as] for name, told_as in names.items()}
    login |= {"sslmode": stack.env["PGSSLMODE"], "sslrootcert": stack.env["PGSSLROOTCERT"]}

    with closing(psycopg2.connect(**login)) as connection, connection.cursor() as cursor:
        cursor.execute("select current_user")
        assert cursor.fetchone() == ("loader",)
    with pytest.raises(psycopg2.OperationalError, match="password authentication failed"):
        psycopg2.connect(**{**login, "password": "wrong"})
    with pytest.raises(psycopg2.OperationalError, match="TLS"):
        psycopg2.connect(**{**login, "sslmode": "disable"})


def test_an_alert_reaches_the_queue(stack: StackState) -> None:
    topic, queue = stack.env["SPACEX_ELT_ALERT_TOPIC_ARN"], stack.env["SPACEX_ELT_ALERT_QUEUE_URL"]
    client(stack, "sns").publish(TopicArn=topic, Subject="no-go", Message="launches held")
    sqs = client(stack, "sqs")
    told: list[str] = []
    while "launches held" not in told:  # other tests' alerts may wait before it
        answer = sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=5, MaxNumberOfMessages=10)
        assert "Messages" in answer, told
        told += [json.loads(message["Body"])["Message"] for message in answer["Messages"]]


def test_secrets_are_in_private_files_only(stack: StackState) -> None:
    settings = json.loads((stack.state_dir / "settings.json").read_text())
    secrets = [settings[name] for name in settings if name.endswith(("_key", "_password", "_secret"))]
    assert len(secrets) == 5
    files = [path for path in stack.state_dir.glob("*") if path.is_file() and path.name != "command.lock"]
    assert {oct(path.stat().st_mode & 0o777) for path in files} == {"0o600"}

    told_aloud = [path.read_text(errors="replace") for path in (stack.state_dir / "logs").glob("*.log")]
    told_aloud += [" ".join(process.cmdline()) for process in processes(stack)]
    told_aloud += [repr(stack), json.dumps(stack.to_json())]
    assert len(told_aloud) > len(stack.parts)
    assert [secret for secret in secrets for text in told_aloud if secret in text] == []
