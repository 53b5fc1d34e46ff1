"""Owns what COPY needs of an object store. S3 itself is s3.py's."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from local.redshift.copy.grammar import Location


@dataclass(frozen=True, slots=True)
class SourceObject:
    """An object to be loaded."""

    location: Location
    size: int  # bytes as stored


class ObjectStore(Protocol):
    """Reads objects. Every method raises ObjectMissing or StoreFailed."""

    def find(self, prefix: Location) -> list[SourceObject]:
        """The objects whose keys begin with the prefix's, in the order of their keys."""
        ...

    def describe(self, location: Location) -> SourceObject:
        """The object at exactly this key."""
        ...

    def read(self, location: Location) -> bytes:
        """A small object's content."""
        ...

    def stream(self, location: Location) -> Iterator[bytes]:
        """An object's content in pieces of at most about a megabyte."""
        ...


class ObjectMissing(Exception):
    """There is no such object or bucket. The message is the store's own."""


class StoreFailed(Exception):
    """The store did not answer, or refused. The message says which, in the words Redshift would use."""
