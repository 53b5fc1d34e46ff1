"""Owns the port to an object store. The adapter that speaks S3 is loader/s3.py."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, Protocol

from contracts.errors import ServiceUnavailable


class ObjectMissing(ServiceUnavailable):
    """There is no object of that key (any more)."""


class ObjectChanged(ServiceUnavailable):
    """The object of that key is no longer the version asked for: landing is immutable, so somebody wrote over it."""


class ObjectExists(ServiceUnavailable):
    """There is an object of that key already: whoever wants to write there must look at it first."""


@dataclass(frozen=True, slots=True)
class StoredObject:
    """One object as the store lists it."""

    key: str
    etag: str
    size_bytes: int
    written_at: datetime | None = field(default=None, compare=False)  # by the store's clock; told by a list only


class ObjectStore(Protocol):
    """Objects by key in one bucket.

    Every method raises ServiceUnavailable when the store does not answer and UsageError when it refuses our
    credentials or has no such bucket.
    """

    @property
    def bucket(self) -> str:
        """The bucket's name, as COPY manifests spell it."""
        ...

    def list(self, prefix: str) -> Iterator[StoredObject]:
        """The objects below `prefix`, in key order, each with the instant of its writing."""
        ...

    def metadata(self, key: str) -> Mapping[str, str]:
        """The user metadata of an object, keys in lower case. Raises ObjectMissing."""
        ...

    def get(self, key: str) -> bytes:
        """A whole small object. Raises ObjectMissing."""
        ...

    def open(self, key: str, etag: str | None = None) -> BinaryIO:
        """A stream of an object's bytes; with `etag`, of that version only. Raises ObjectMissing, ObjectChanged."""
        ...

    def put(self, key: str, body: bytes, content_type: str) -> StoredObject:
        """Writes an object whole or not at all, over any earlier one."""
        ...

    def put_new(self, key: str, body: bytes, content_type: str) -> StoredObject:
        """Writes an object whole or not at all; of several who write a key at once, one wins. Raises ObjectExists."""
        ...

    def put_file(self, key: str, path: Path, content_type: str) -> StoredObject:
        """Writes a file as an object, whole or not at all, over any earlier one."""
        ...

    def delete(self, key: str) -> None:
        """Removes an object. Removing what is not there is no error."""
        ...
