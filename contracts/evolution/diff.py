"""Owns comparing contracts: two files, or a folder with its last release. Printing it is the command line's job."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

from contracts.evolution import files, verdict
from contracts.evolution.exceptions import FILE_NAME, AcceptedChange, read_exceptions
from contracts.evolution.released import Release, newest_release, read_release
from contracts.evolution.verdict import Evolution


@dataclass(frozen=True, slots=True)
class Report:
    """What changed, and what is wrong with the exceptions.

    `against` names what was compared with; None where there is no release yet, and so nothing to compare with.
    """

    against: str | None
    evolutions: tuple[Evolution, ...] = ()
    expired: tuple[AcceptedChange, ...] = ()
    unmatched: tuple[AcceptedChange, ...] = ()  # these fit no change
    spent: tuple[AcceptedChange, ...] = ()  # these stood there at the release already, and accept nothing after it

    @property
    def is_honoured(self) -> bool:
        """Whether every version honours its changes and every exception is of use."""
        return all(each.is_honoured for each in self.evolutions) and not self.expired and not self.unmatched


def diff_files(old: Path, new: Path, today: date) -> Report:
    """From one file to another, with the exceptions that lie beside the newer one.

    Raises ContractInvalid, UsageError.
    """
    accepted = read_exceptions(new.parent / FILE_NAME)
    evolution = verdict.judge(files.read_values(old), files.read_values(new), accepted, today)
    return Report(str(old), (evolution,))


def diff_released(folder: Path, ref: str, today: date) -> Report:
    """A folder's contracts against a commit, or (for an empty `ref`) the newest release.

    Only against the release is an exception that fits no change an error: it was made for what changed since.
    Raises ContractInvalid, UsageError.
    """
    name = ref or newest_release(folder)
    if name is None:
        return Report(None)
    exceptions = read_exceptions(folder / FILE_NAME)
    report = diff_folders(read_release(folder, name), files.read_folder(folder), exceptions, today)
    return replace(report, unmatched=()) if ref else report


def diff_folders(
    release: Release, new: Mapping[str, Mapping[str, Any]], exceptions: Sequence[AcceptedChange], today: date
) -> Report:
    """Every contract, by its file's name, against the same file at the release."""
    spent = tuple(item for item in exceptions if item in release.exceptions)
    expired = tuple(item for item in exceptions if item.expires < today)
    live = [item for item in exceptions if item not in spent and item not in expired]
    evolutions = tuple(_evolutions(release.contracts, new, live, today))
    used = {judged.accepted for each in evolutions for judged in each.changes}
    unmatched = tuple(item for item in live if item not in used)
    return Report(release.name, evolutions, expired, unmatched, tuple(item for item in spent if item not in expired))


def _evolutions(
    old: Mapping[str, Mapping[str, Any]],
    new: Mapping[str, Mapping[str, Any]],
    accepted: Sequence[AcceptedChange],
    today: date,
) -> list[Evolution]:
    partners = _partners(old, new)
    found = [
        verdict.judge(values, new[partners[name]], accepted, today)
        if name in partners
        else verdict.judge_removed(values, accepted, today)
        for name, values in old.items()
    ]
    kept = set(partners.values())
    return [*found, *(verdict.judge_added(values) for name, values in new.items() if name not in kept)]


def _partners(old: Mapping[str, Mapping[str, Any]], new: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    """For each older file, the newer one: of the same name, or else (a renamed dataset) of the same contract's id."""
    partners = {name: name for name in old if name in new}
    moved = {str(values["id"]): name for name, values in new.items() if name not in old}
    for name, values in old.items():
        if name not in partners and str(values["id"]) in moved:
            partners[name] = moved[str(values["id"])]
    return partners
