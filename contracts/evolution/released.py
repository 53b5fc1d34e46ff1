"""Owns asking git what contracts were at a release. What changed since is diff.py's job."""

import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from contracts.errors import UsageError
from contracts.evolution.exceptions import FILE_NAME, AcceptedChange, parse_exceptions
from contracts.evolution.files import parse_values
from contracts.read import SUFFIX

_RELEASE = re.compile(r"v([0-9]+)\.([0-9]+)\.([0-9]+)")


@dataclass(frozen=True, slots=True)
class Release:
    """A folder of contracts as a commit holds it. `exceptions` were used up by it: they accept nothing after it."""

    name: str
    contracts: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)  # by file name
    exceptions: tuple[AcceptedChange, ...] = ()


def newest_release(folder: Path) -> str | None:
    """The highest tag `vX.Y.Z` on the way to what is checked out; None without a repository, a commit or such a tag.

    Raises UsageError when there is a repository and git cannot read it, or there is no git.
    """
    if not any((above / ".git").exists() for above in (folder.resolve(), *folder.resolve().parents)):
        return None
    if _git(folder, "rev-list", "--all", "--max-count=1") == b"":
        return None
    tags = _git(folder, "tag", "--list", "--merged", "HEAD").decode().split()
    releases = [tag for tag in tags if _RELEASE.fullmatch(tag)]
    return max(releases, key=_version, default=None)


def read_release(folder: Path, ref: str) -> Release:
    """The folder at a tag, branch or commit. Raises UsageError for one that git does not know, ContractInvalid."""
    commit = _git(folder, "rev-parse", "--verify", "--end-of-options", f"{ref}^{{commit}}", about=ref)
    commit_id = commit.decode().strip()
    names = _git(folder, "ls-tree", "--name-only", "-z", commit_id).decode().split("\0")
    contracts = {
        name: parse_values(_git(folder, "show", f"{commit_id}:./{name}"), f"{ref}:{name}")
        for name in sorted(names)
        if name.endswith(SUFFIX)
    }
    exceptions: tuple[AcceptedChange, ...] = ()
    if FILE_NAME in names:
        exceptions = parse_exceptions(_git(folder, "show", f"{commit_id}:./{FILE_NAME}"), f"{ref}:{FILE_NAME}")
    return Release(ref, contracts, exceptions)


def _version(tag: str) -> tuple[int, ...]:
    match = _RELEASE.fullmatch(tag)
    return tuple(map(int, match.groups())) if match else ()


def _git(folder: Path, *words: str, about: str = "") -> bytes:
    try:
        done = subprocess.run(["git", "-C", str(folder), *words], capture_output=True, check=True)
    except FileNotFoundError as exc:
        raise UsageError("git is not installed, so no released contract can be read; expected it on the PATH") from exc
    except subprocess.CalledProcessError as exc:
        told = " ".join(exc.stderr.decode(errors="replace").split()) or "no reason given"
        if about:
            raise UsageError(f"git knows no commit {about!r} in {folder} ({told}); fetch it, or name another") from exc
        raise UsageError(f"git could not read the contracts' history in {folder}: {told}") from exc
    return done.stdout
