"""Owns sending announcements to SNS and reading them from an SQS queue that subscribes to the topic."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from observability.alerts import Announcement
from observability.aws_errors import translated

if TYPE_CHECKING:
    from mypy_boto3_sns import SNSClient
    from mypy_boto3_sns.type_defs import MessageAttributeValueTypeDef
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import MessageTypeDef

_HIDDEN_WHILE_READING_S = 30
_BATCH = 10  # the most that SQS hands out or takes back at once


@dataclass(frozen=True, slots=True)
class ReceivedAlert:
    """One announcement as it lies in the queue."""

    message_id: str
    sent_at: datetime
    subject: str
    text: str
    attributes: Mapping[str, str]


class SnsAlerts:
    """Sends announcements to one SNS topic."""

    def __init__(self, client: "SNSClient", topic_arn: str) -> None:
        self._client = client
        self._topic_arn = topic_arn

    def send(self, announcement: Announcement) -> None:
        """Publishes one announcement. Raises ServiceUnavailable or UsageError."""
        attributes: dict[str, MessageAttributeValueTypeDef] = {
            name: {"DataType": "String", "StringValue": value}
            for name, value in announcement.attributes.items()
            if value  # SNS refuses an empty one
        }
        with translated(f"SNS topic {self._topic_arn}", "SPACEX_ELT_ALERT_TOPIC_ARN"):
            self._client.publish(
                TopicArn=self._topic_arn,
                Subject=announcement.subject,
                Message=announcement.text,
                MessageAttributes=attributes,
            )


class SqsInbox:
    """Reads the announcements in one SQS queue."""

    def __init__(self, client: "SQSClient", queue_url: str) -> None:
        self._client = client
        self._queue_url = queue_url

    def read(self, limit: int = 50, *, delete: bool = False) -> tuple[ReceivedAlert, ...]:
        """Up to `limit` announcements, oldest first. Without `delete` they stay for the next reader."""
        messages: dict[str, MessageTypeDef] = {}
        with translated(f"SQS queue {self._queue_url}", "SPACEX_ELT_ALERT_QUEUE_URL"):
            while len(messages) < limit and (batch := self._receive(min(_BATCH, limit - len(messages)))):
                messages.update({message["MessageId"]: message for message in batch})
            read = list(messages.values())
            for start in range(0, len(read), _BATCH):
                (self._delete if delete else self._show_again)(read[start : start + _BATCH])
        return tuple(sorted(map(_alert, read), key=lambda alert: alert.sent_at))

    def _receive(self, count: int) -> "list[MessageTypeDef]":
        answer = self._client.receive_message(
            QueueUrl=self._queue_url,
            MaxNumberOfMessages=count,
            VisibilityTimeout=_HIDDEN_WHILE_READING_S,
            MessageAttributeNames=["All"],
            MessageSystemAttributeNames=["SentTimestamp"],
        )
        return answer.get("Messages", [])

    def _delete(self, messages: "list[MessageTypeDef]") -> None:
        self._client.delete_message_batch(
            QueueUrl=self._queue_url,
            Entries=[{"Id": str(at), "ReceiptHandle": each["ReceiptHandle"]} for at, each in enumerate(messages)],
        )

    def _show_again(self, messages: "list[MessageTypeDef]") -> None:
        self._client.change_message_visibility_batch(
            QueueUrl=self._queue_url,
            Entries=[
                {"Id": str(at), "ReceiptHandle": each["ReceiptHandle"], "VisibilityTimeout": 0}
                for at, each in enumerate(messages)
            ],
        )


def _alert(message: "MessageTypeDef") -> ReceivedAlert:
    sent_at = datetime.fromtimestamp(int(message["Attributes"]["SentTimestamp"]) / 1000, UTC)
    try:
        body = json.loads(message["Body"])
    except ValueError:
        body = None
    if isinstance(body, dict) and body.get("Type") == "Notification":
        attributes = {name: str(each["Value"]) for name, each in body.get("MessageAttributes", {}).items()}
        return ReceivedAlert(message["MessageId"], sent_at, body.get("Subject", ""), body["Message"], attributes)
    # A subscription with raw message delivery has no envelope, and drops the subject.
    text = message["Body"]
    attributes = {name: each.get("StringValue", "") for name, each in message.get("MessageAttributes", {}).items()}
    return ReceivedAlert(message["MessageId"], sent_at, text.split("\n", 1)[0], text, attributes)
