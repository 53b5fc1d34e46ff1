"""Owns the S3 adapter of the object store port (loader/store.py)."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, cast

import boto3
from boto3.exceptions import Boto3Error
from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    HTTPClientError,
    NoCredentialsError,
    ParamValidationError,
    PartialCredentialsError,
)

from contracts.errors import ServiceUnavailable, UsageError
from loader.store import ObjectChanged, ObjectExists, ObjectMissing, StoredObject

if TYPE_CHECKING:
    from botocore.response import StreamingBody
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import GetObjectRequestTypeDef, ListObjectsV2RequestTypeDef

_REFUSED = {"AccessDenied", "InvalidAccessKeyId", "SignatureDoesNotMatch", "ExpiredToken", "InvalidToken"}
_REFUSED |= {"403", "Forbidden"}  # what the answer to a HEAD, which has no body, is told by
_EXISTS = {"PreconditionFailed", "412", "ConditionalRequestConflict", "409"}  # the last two: another is writing it now
_CHECK_BUCKETS = "Check SPACEX_ELT_LAKE_BUCKET and SPACEX_ELT_DOCS_BUCKET."


class S3Store:
    """One bucket of S3. Endpoint, region and credentials come from the environment, as boto3 reads them."""

    def __init__(self, bucket: str, client: "S3Client | None" = None) -> None:
        self._bucket = bucket
        self._client = client or boto3.client(
            "s3",
            config=Config(
                retries={"mode": "standard", "max_attempts": 4},
                connect_timeout=5,
                read_timeout=60,
                signature_version="s3v4",
            ),
        )

    @property
    def bucket(self) -> str:
        """The bucket's name."""
        return self._bucket

    def close(self) -> None:
        """Gives the connections back."""
        self._client.close()

    def list(self, prefix: str) -> Iterator[StoredObject]:
        """The objects below `prefix`, in key order."""
        request: ListObjectsV2RequestTypeDef = {"Bucket": self._bucket, "Prefix": prefix}
        while True:
            with self._explained(prefix):
                page = self._client.list_objects_v2(**request)
            for item in page.get("Contents", ()):
                yield StoredObject(item["Key"], item["ETag"].strip('"'), item["Size"], item["LastModified"])
            if not page.get("IsTruncated"):
                return
            request["ContinuationToken"] = page["NextContinuationToken"]

    def metadata(self, key: str) -> Mapping[str, str]:
        """The user metadata of an object."""
        with self._explained(key):
            head = self._client.head_object(Bucket=self._bucket, Key=key)
        return {name.lower(): value for name, value in head["Metadata"].items()}

    def get(self, key: str) -> bytes:
        """A whole small object."""
        with self._explained(key):
            return self._client.get_object(Bucket=self._bucket, Key=key)["Body"].read()

    def open(self, key: str, etag: str | None = None) -> BinaryIO:
        """A stream of an object's bytes; with `etag`, of that version only."""
        request: GetObjectRequestTypeDef = {"Bucket": self._bucket, "Key": key}
        if etag:
            request["IfMatch"] = f'"{etag}"'
        with self._explained(key):
            body = self._client.get_object(**request)["Body"]
        return cast(BinaryIO, _Body(body, f"s3://{self._bucket}/{key}"))

    def put(self, key: str, body: bytes, content_type: str) -> StoredObject:
        """Writes an object whole or not at all."""
        with self._explained(key):
            answer = self._client.put_object(Bucket=self._bucket, Key=key, Body=body, ContentType=content_type)
        return StoredObject(key, answer["ETag"].strip('"'), len(body))

    def put_new(self, key: str, body: bytes, content_type: str) -> StoredObject:
        """Writes an object that is not there yet."""
        try:
            answer = self._client.put_object(
                Bucket=self._bucket, Key=key, Body=body, ContentType=content_type, IfNoneMatch="*"
            )
        except ClientError as exc:
            if exc.response.get("Error", {}).get("Code", "") in _EXISTS:
                raise ObjectExists(f"s3://{self._bucket}/{key} is there already. Look at it, then try again.") from exc
            raise _explain(exc, f"s3://{self._bucket}/{key}", self._bucket) from exc
        except (BotoCoreError, HTTPClientError) as exc:
            raise _explain(exc, f"s3://{self._bucket}/{key}", self._bucket) from exc
        return StoredObject(key, answer["ETag"].strip('"'), len(body))

    def put_file(self, key: str, path: Path, content_type: str) -> StoredObject:
        """Writes a file as an object, in parts when it is large."""
        with self._explained(key):
            self._client.upload_file(str(path), self._bucket, key, ExtraArgs={"ContentType": content_type})
            head = self._client.head_object(Bucket=self._bucket, Key=key)
        return StoredObject(key, head["ETag"].strip('"'), head["ContentLength"])

    def delete(self, key: str) -> None:
        """Removes an object if it is there."""
        with self._explained(key):
            self._client.delete_object(Bucket=self._bucket, Key=key)

    @contextmanager
    def _explained(self, key: str) -> Iterator[None]:
        """Turns boto3's errors into ours, naming the object."""
        where = f"s3://{self._bucket}/{key}"
        try:
            yield
        except Boto3Error as exc:  # an upload in parts hides the client's error behind its own
            raise _explain(exc.__context__ or exc, where, self._bucket) from exc
        except (ClientError, BotoCoreError, HTTPClientError) as exc:
            raise _explain(exc, where, self._bucket) from exc


class _Body:
    """A response body whose broken reads are service trouble, not bad data."""

    def __init__(self, body: "StreamingBody", where: str) -> None:
        self._body = body
        self._where = where

    def read(self, size: int = -1) -> bytes:
        """Reads like a file. Raises ServiceUnavailable when the connection breaks."""
        try:
            return self._body.read(None if size is None or size < 0 else size)
        except (BotoCoreError, HTTPClientError, OSError) as exc:
            raise ServiceUnavailable(f"the connection broke while reading {self._where}: {exc}. Run again.") from exc

    def close(self) -> None:
        """Gives the connection back."""
        self._body.close()


def _explain(error: BaseException, where: str, bucket: str) -> Exception:
    """The error of ours that an error of boto3 stands for."""
    if isinstance(error, ClientError):
        return _explain_answer(error, where, bucket)
    if isinstance(error, ParamValidationError):
        return UsageError(f"{where} is no address of S3: {error}. {_CHECK_BUCKETS}")
    if isinstance(error, NoCredentialsError | PartialCredentialsError):
        return UsageError(f"there are no credentials for {where}: {error}. Expected a key pair or a role.")
    return ServiceUnavailable(
        f"S3 did not answer for {where}: {error}. Expected an S3 endpoint that answers; "
        "check that the service (locally: spacex-elt local status) is up, then run the step again."
    )


def _explain_answer(error: ClientError, where: str, bucket: str) -> Exception:
    code = error.response.get("Error", {}).get("Code", "")
    if code == "NoSuchBucket":
        return UsageError(f"there is no bucket {bucket}. {_CHECK_BUCKETS}")
    if code in {"NoSuchKey", "404", "NotFound"}:
        return ObjectMissing(f"{where} is not there (any more). Objects are never removed by a run: see who did.")
    if code in {"PreconditionFailed", "412"}:
        return ObjectChanged(f"{where} was written over since it was planned. Landing is immutable: start a new run.")
    if code in _REFUSED:
        return UsageError(f"S3 refused our credentials for {where} ({code}). Check the key pair or the role's policy.")
    return ServiceUnavailable(f"S3 failed on {where}: {error}. Run the step again.")
