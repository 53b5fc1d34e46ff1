"""Owns semantic versions of contracts: reading one, and which part of it a change has to move."""

import re
from enum import IntEnum
from typing import NamedTuple

from contracts.evolution.changes import Change, Effect

_VERSION = re.compile(r"(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)")


class Bump(IntEnum):
    """Which part of a version moves, the greatest last."""

    NONE = 0
    PATCH = 1
    MINOR = 2
    MAJOR = 3

    def __str__(self) -> str:
        return self.name.lower()


class Version(NamedTuple):
    """A version, ordered as semantic versions are."""

    major: int
    minor: int
    patch: int

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}.{self.patch}"

    def bumped(self, bump: Bump) -> "Version":
        """The next version after that part moved."""
        match bump:
            case Bump.MAJOR:
                return Version(self.major + 1, 0, 0)
            case Bump.MINOR:
                return Version(self.major, self.minor + 1, 0)
            case Bump.PATCH:
                return Version(self.major, self.minor, self.patch + 1)
            case Bump.NONE:
                return self


def parse_version(text: str) -> Version | None:
    """`1.2.3` as a version; None for any other form."""
    match = _VERSION.fullmatch(text)
    return Version(*(int(part) for part in match.groups())) if match else None


def bump_between(old: Version, new: Version) -> Bump:
    """Which part moved forward; NONE also when it went back."""
    if new <= old:
        return Bump.NONE
    if new.major != old.major:
        return Bump.MAJOR
    return Bump.MINOR if new.minor != old.minor else Bump.PATCH


def bump_for(change: Change) -> Bump:
    """What a change asks of the version.

    A version is a promise to consumers: they pin it. So what breaks them is major. A tightening breaks only the
    sender, here a public API that reads no contract of ours; consumers gain a promise, and lose only rows that broke
    it: minor, after a look at what would be refused (`spacex-elt contracts shadow`).
    """
    if change.consumer is Effect.BREAKING:
        return Bump.MAJOR
    is_patch = change.consumer is Effect.PATCH and change.producer is Effect.PATCH
    return Bump.PATCH if is_patch else Bump.MINOR
