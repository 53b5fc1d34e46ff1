"""Owns the port through which the server learns what PostgreSQL is to run. Translating is sql/'s job."""

from collections.abc import Callable, Sequence
from typing import Protocol


class Statement(Protocol):
    """One statement of a client, ready for PostgreSQL."""

    @property
    def original(self) -> str:
        """The text as the client wrote it."""
        ...

    @property
    def sql(self) -> str:
        """One PostgreSQL statement; empty when there is nothing to run."""
        ...

    @property
    def tag(self) -> str | None:
        """The command tag to report instead of PostgreSQL's."""
        ...

    @property
    def copy(self) -> str | None:
        """The original text when it is a COPY or UNLOAD, which PostgreSQL does not see."""
        ...


# One entry per statement of the text. Raises Refused (sql/) for what would not mean the same on Redshift.
Translate = Callable[[str], Sequence[Statement]]
