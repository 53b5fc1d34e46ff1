"""Owns reading and writing S3 with boto3, which takes endpoint, region and credentials from the environment.

Which objects are read is source.py's business, which are written unload/run.py's.
"""

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from typing import IO, TYPE_CHECKING

import boto3
from boto3.exceptions import S3UploadFailedError
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from urllib3.exceptions import HTTPError

from local.redshift.copy.grammar import Location
from local.redshift.copy.store import ObjectMissing, SourceObject, StoreFailed

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_CHUNK = 1 << 20
_MISSING = frozenset(("404", "NoSuchKey", "NoSuchBucket", "NotFound"))


class S3Store:
    """The object store behind the S3 endpoint that the environment names."""

    def __init__(self, client: "S3Client") -> None:
        self._client = client

    def find(self, prefix: Location) -> list[SourceObject]:
        """The objects whose keys begin with the prefix's, in the order of their keys."""
        pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=prefix.bucket, Prefix=prefix.key)
        with _wrapped(prefix):
            return [
                SourceObject(Location(prefix.bucket, found["Key"]), found["Size"])
                for page in pages
                for found in page.get("Contents", ())
            ]

    def describe(self, location: Location) -> SourceObject:
        """The object at exactly this key."""
        with _wrapped(location):
            head = self._client.head_object(Bucket=location.bucket, Key=location.key)
            return SourceObject(location, head["ContentLength"])

    def read(self, location: Location) -> bytes:
        """A small object's content."""
        return b"".join(self.stream(location))

    def stream(self, location: Location) -> Iterator[bytes]:
        """An object's content in pieces of at most a megabyte."""
        with _wrapped(location):
            answer = self._client.get_object(Bucket=location.bucket, Key=location.key)
            with closing(answer["Body"]) as body:
                yield from body.iter_chunks(_CHUNK)

    def write(self, location: Location, content: IO[bytes]) -> None:
        """Put an object there, from where the file stands to its end."""
        with _wrapped(location):
            self._client.upload_fileobj(content, location.bucket, location.key)

    def delete(self, objects: Sequence[SourceObject]) -> None:
        """Remove objects. One that is not there is no error."""
        for found in objects:
            with _wrapped(found.location):
                self._client.delete_object(Bucket=found.location.bucket, Key=found.location.key)


def s3_store() -> S3Store:
    """The store that the environment names (AWS_ENDPOINT_URL_S3, AWS_REGION, AWS_ACCESS_KEY_ID and their kin)."""
    config = Config(
        connect_timeout=5,
        read_timeout=60,
        retries={"mode": "standard", "total_max_attempts": 3},
        s3={"addressing_style": "path"},
        max_pool_connections=32,
    )
    return S3Store(boto3.client("s3", config=config))


@contextmanager
def _wrapped(location: Location) -> Iterator[None]:
    try:
        yield
    except S3UploadFailedError as exc:
        raise StoreFailed(f"S3ServiceException: {exc}, Object {location}") from exc
    except ClientError as exc:
        status = exc.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        code, text = exc.response["Error"].get("Code", ""), exc.response["Error"].get("Message", "")
        message = f"S3ServiceException:{text},Status {status},Error {code},Object {location}"
        raise (ObjectMissing if code in _MISSING else StoreFailed)(message) from exc
    except (BotoCoreError, HTTPError, OSError) as exc:
        raise StoreFailed(f"S3CurlException: {exc}, Object {location}") from exc
