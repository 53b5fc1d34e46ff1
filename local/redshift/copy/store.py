"""Owns what COPY and UNLOAD need of an object store. S3 itself is s3.py's."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import IO, Protocol

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


class WritableStore(Protocol):
    """Takes what UNLOAD writes. Every method raises StoreFailed or ObjectMissing."""

    def find(self, prefix: Location) -> list[SourceObject]:
        """The objects whose keys begin with the prefix's."""
        ...

    def write(self, location: Location, content: IO[bytes]) -> None:
        """Put an object there, from where the file stands to its end."""
        ...

    def delete(self, objects: Sequence[SourceObject]) -> None:
        """Remove objects. One that is not there is no error."""
        ...


class ObjectMissing(Exception):
    """There is no such object or bucket. The message is the store's own."""


class StoreFailed(Exception):
    """The store did not answer, or refused. The message says which, in the words Redshift would use."""
