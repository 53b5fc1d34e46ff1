"""Owns what the changes of a contract ask of its version, and whether the version honours them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any

from contracts.errors import ContractInvalid
from contracts.evolution import dataset as datasets
from contracts.evolution.advice import advice
from contracts.evolution.changes import Change, Effect, both
from contracts.evolution.exceptions import AcceptedChange
from contracts.evolution.versions import Bump, Version, bump_between, bump_for, parse_version


@dataclass(frozen=True, slots=True)
class JudgedChange:
    """A change, what has to be done about it, and who accepted it, if somebody did."""

    change: Change
    todo: str
    accepted: AcceptedChange | None

    @property
    def asks(self) -> Bump:
        """Which part of the version it moves. An accepted one breaks nobody who was asked: minor."""
        wanted = bump_for(self.change)
        return min(wanted, Bump.MINOR) if self.accepted else wanted


@dataclass(frozen=True)
class Evolution:
    """All changes between two versions of one dataset's contract. A version is None where there is no contract."""

    dataset: str
    old_dataset: str  # what it was called; its own name unless it was renamed
    old_version: Version | None
    new_version: Version | None
    changes: tuple[JudgedChange, ...]  # those that ask for most come first

    @cached_property
    def required(self) -> Bump:
        """Which part of the version has to move."""
        return max((judged.asks for judged in self.changes), default=Bump.NONE)

    @property
    def actual(self) -> Bump:
        """Which part did."""
        if self.old_version is None or self.new_version is None:
            return Bump.NONE
        return bump_between(self.old_version, self.new_version)

    @cached_property
    def refused(self) -> tuple[JudgedChange, ...]:
        """The changes that the version does not honour."""
        return tuple(judged for judged in self.changes if self._is_refused(judged))

    @property
    def went_back(self) -> bool:
        """Whether the version is lower than it was."""
        return self.old_version is not None and self.new_version is not None and self.new_version < self.old_version

    @property
    def is_honoured(self) -> bool:
        """Whether the newer version may be released."""
        return not self.refused and not self.went_back

    def _is_refused(self, judged: JudgedChange) -> bool:
        if judged.change.is_unannounced and judged.accepted is None:
            return True  # no version makes up for a removal that nobody was told of
        has_versions = self.old_version is not None and self.new_version is not None
        return has_versions and judged.asks > self.actual


def judge(old: Mapping[str, Any], new: Mapping[str, Any], accepted: Sequence[AcceptedChange], today: date) -> Evolution:
    """What happened between two versions of a contract. Raises ContractInvalid for what is no version."""
    dataset = str(new["schema"][0]["name"])
    found = datasets.changes(old, new)
    old_dataset = str(old["schema"][0]["name"])
    return Evolution(dataset, old_dataset, _version(old), _version(new), _judged(dataset, found, accepted, today))


def judge_removed(old: Mapping[str, Any], accepted: Sequence[AcceptedChange], today: date) -> Evolution:
    """What it means that a contract is gone. There is no version left that could honour it."""
    dataset = str(old["schema"][0]["name"])
    is_announced = datasets.is_ending(old)
    change = Change(
        "contract",
        "removed",
        "",
        Effect.BREAKING,
        Effect.BREAKING,
        "removed, as its status announced" if is_announced else "removed; its status was never deprecated or retired",
        is_unannounced=not is_announced,
    )
    return Evolution(dataset, dataset, _version(old), None, _judged(dataset, (change,), accepted, today))


def judge_added(new: Mapping[str, Any]) -> Evolution:
    """What it means that a contract is new: whatever its version, it breaks nobody."""
    dataset = str(new["schema"][0]["name"])
    change = both("contract", "added", "", Effect.ADDITIVE, "a new dataset")
    return Evolution(dataset, dataset, None, _version(new), _judged(dataset, (change,), (), date.max))


def _judged(
    dataset: str, found: Sequence[Change], accepted: Sequence[AcceptedChange], today: date
) -> tuple[JudgedChange, ...]:
    judged = [
        JudgedChange(
            change, advice(change), next((item for item in accepted if item.accepts(dataset, change, today)), None)
        )
        for change in found
    ]
    return tuple(sorted(judged, key=lambda each: each.asks, reverse=True))


def _version(values: Mapping[str, Any]) -> Version:
    text = str(values["version"])
    version = parse_version(text)
    if version is None:
        dataset = values["schema"][0]["name"]
        raise ContractInvalid(f"{dataset}: {text!r} is no version; expected three whole numbers, as in 1.2.0")
    return version
