import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from uuid import uuid4

import boto3
import pytest
from moto import mock_aws

from contracts.errors import ServiceUnavailable, UsageError
from observability.alerts import Announcement
from observability.alerts_sns import SnsAlerts, SqsInbox

HELD = Announcement(
    "[test] launches is held", "launches is held.\nNext: look · at …", {"severity": "error", "dataset": "launches"}
)


def _session() -> boto3.Session:
    return boto3.Session(region_name="us-east-1", aws_access_key_id="testing", aws_secret_access_key="testing")


@contextmanager
def _mocked() -> Iterator[None]:
    """AWS as moto has it in this process, where other tests' servers keep their buckets: nothing is reset."""
    mock = mock_aws()
    mock.start(reset=False)
    try:
        yield
    finally:
        mock.stop(remove_data=False)


@dataclass
class _Line:
    """A topic, its adapter, and the queue that hears it."""

    alerts: SnsAlerts
    inbox: SqsInbox


def _line(raw: bool) -> _Line:
    sns, sqs = _session().client("sns"), _session().client("sqs")
    name = f"alerts-{uuid4().hex}"
    topic_arn = sns.create_topic(Name=name)["TopicArn"]
    queue_url = sqs.create_queue(QueueName=name)["QueueUrl"]
    queue_arn = sqs.get_queue_attributes(QueueUrl=queue_url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    options = {"RawMessageDelivery": "true"} if raw else {}
    sns.subscribe(TopicArn=topic_arn, Protocol="sqs", Endpoint=queue_arn, Attributes=options)
    return _Line(SnsAlerts(sns, topic_arn), SqsInbox(sqs, queue_url))


@pytest.fixture(params=[False, True], ids=["enveloped", "raw"])
def line(request: pytest.FixtureRequest) -> Iterator[_Line]:
    with _mocked():
        yield _line(request.param)


def test_what_is_sent_arrives_with_text_and_attributes(line: _Line) -> None:
    line.alerts.send(HELD)
    (received,) = line.inbox.read()
    assert received.text == HELD.text
    assert received.attributes == HELD.attributes
    assert "launches is held" in received.subject


def test_reading_leaves_the_messages_for_the_next_reader_unless_asked(line: _Line) -> None:
    for number in range(12):
        line.alerts.send(Announcement(f"number {number}", f"text {number}", {}))
    assert len(line.inbox.read()) == 12
    assert len(line.inbox.read()) == 12
    assert len(line.inbox.read(delete=True)) == 12
    assert line.inbox.read() == ()


def test_no_more_is_read_than_asked_for(line: _Line) -> None:
    for number in range(5):
        line.alerts.send(Announcement(f"number {number}", f"text {number}", {}))
    assert len(line.inbox.read(3)) == 3


def test_a_topic_or_queue_that_is_not_there_is_a_wrong_setting() -> None:
    with _mocked():
        alerts = SnsAlerts(_session().client("sns"), "arn:aws:sns:us-east-1:123456789012:nobody")
        inbox = SqsInbox(_session().client("sqs"), "https://sqs.us-east-1.amazonaws.com/123456789012/nobody")
        with pytest.raises(UsageError, match="SPACEX_ELT_ALERT_TOPIC_ARN"):
            alerts.send(HELD)
        with pytest.raises(UsageError, match="SPACEX_ELT_ALERT_QUEUE_URL"):
            inbox.read()


def test_a_service_that_does_not_answer_is_worth_another_try() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))  # bound but not listening: refuses
        endpoint = f"http://127.0.0.1:{unused.getsockname()[1]}"
        alerts = SnsAlerts(_session().client("sns", endpoint_url=endpoint), "arn:aws:sns:us-east-1:1:alerts")
        with pytest.raises(ServiceUnavailable, match="did not answer"):
            alerts.send(HELD)
