"""Owns what is expected of each of the outside judges' tests (expected.yaml), and telling what came out otherwise.

Running them is suites.py's job.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

import yaml

from tests.judges.redshift.suites import Outcome

FILE = Path(__file__).with_name("expected.yaml")
PASSES = "passes"


class Kind(StrEnum):
    """Why a test does not pass."""

    REFUSED = "refused"  # the stand-in refuses on purpose what Redshift takes
    DIFFERS = "differs"  # the stand-in answers otherwise than Redshift does
    FAILS = "fails"  # it is not the stand-in's doing
    SKIPPED = "skipped"  # it needs what no stand-in here is, or its authors skip it


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a test does not pass, and a text that what it says must hold, so that it fails for no other reason."""

    kind: Kind
    why: str
    says: str


def read_expected(file: Path = FILE) -> dict[str, Reason | None]:
    """What is expected of each test by its name; None where it is to pass."""
    content: dict[str, Any] = yaml.safe_load(file.read_text(encoding="utf-8"))
    reasons = {
        name: Reason(Kind(given["outcome"]), given["why"], given["says"]) for name, given in content["reasons"].items()
    }
    return {
        name_of(module, test): None if reason == PASSES else reasons[reason]
        for module, tests in content["tests"].items()
        for test, reason in tests.items()
    }


def name_of(module: str, test: str) -> str:
    """The name of a test, which may be in a class of its module."""
    return f"{module}.{test}" if "::" in test else f"{module}::{test}"


def module_of(name: str) -> str:
    """The module that a test is in."""
    home, _, last = name.rpartition("::")[0].rpartition(".")
    return home if last.startswith("Test") else f"{home}.{last}".lstrip(".")


def surprises(expected: Mapping[str, Reason | None], found: Mapping[str, Outcome]) -> dict[str, str]:
    """Whatever came out otherwise than expected, in words, by the test's name."""
    told = {name: surprise(expected.get(name), outcome) for name, outcome in found.items() if name in expected}
    told |= dict.fromkeys(found.keys() - expected.keys(), "it is new: expected.yaml does not name it")
    told |= dict.fromkeys(expected.keys() - found.keys(), "it did not run")
    return {name: words for name, words in sorted(told.items()) if words}


def surprise(expected: Reason | None, found: Outcome) -> str:
    """How one outcome differs from what is expected; empty when it does not."""
    if expected is None:
        return "" if found.result == "passed" else f"it is to pass, but {found.result}: {found.words[-2000:]}"
    wanted = "skipped" if expected.kind is Kind.SKIPPED else "failed"
    if found.result != wanted:
        return f"it is to be {wanted} ({expected.why}), but {found.result}: take it off the list"
    if expected.says not in found.words:
        return f"it {wanted}, but does not say {expected.says!r} ({expected.why}): {found.words[-2000:]}"
    return ""
