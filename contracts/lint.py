"""Owns telling everything that is wrong with contract files: by the standard, by odcslint, by our own demands.

Printing the findings is the command line's job (spacex_elt/).
"""

import json
import re
import subprocess
import sysconfig
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from contracts import document, odcs_schema, semantics
from contracts.document import Finding, KeyPath, Problem, ProblemsFound
from contracts.errors import ContractInvalid, UsageError
from contracts.evolution.exceptions import lint_exceptions, today
from contracts.evolution.versions import parse_version
from contracts.read import SUFFIX, read_contract

__all__ = ["Finding", "lint"]

_LEFT_OPEN = re.compile(r"\bTODO\b")  # what a draft begins the words with that a person must write


def lint(paths: Iterable[Path]) -> list[Finding]:
    """Everything wrong with the contracts in these files and folders, by file and line. Empty means all is well.

    The exceptions beside them are looked at as well (contracts/evolution/exceptions.py).

    Raises UsageError when odcslint is not installed or there is nothing to look at.
    """
    files = list(_files(paths))
    if not files:
        raise UsageError(f"nothing to lint: expected files named <dataset>{SUFFIX}, or folders that hold some")
    own = (_own, _order, _version, _left_open)
    findings = {finding for file in files for look in own for finding in look(file)}
    findings |= {found for folder in {file.parent for file in files} for found in lint_exceptions(folder, today())}
    findings |= set(_second_opinion(files))
    return sorted(findings, key=lambda finding: (finding.file, finding.line, finding.key, finding.message))


def _files(paths: Iterable[Path]) -> Iterable[Path]:
    for path in paths:
        if path.is_dir():
            yield from sorted(path.glob(f"*{SUFFIX}"))
        else:
            yield path


def _own(file: Path) -> Sequence[Finding]:
    try:
        contract = read_contract(file)
    except ProblemsFound as problems:
        return problems.findings
    except ContractInvalid as exc:
        return [Finding(str(file), 1, "", str(exc))]
    return document.locate(file, semantics.doubts(document.load(file), contract))


def _order(file: Path) -> Sequence[Finding]:
    """Keys stand in the standard's order, so that contracts can be read side by side."""
    try:
        keys = list(document.load(file))
    except (OSError, ProblemsFound):
        return []  # told already
    standard = [key for key in odcs_schema.schema()["properties"] if key in keys]
    known = [key for key in keys if key in standard]
    late = next((key for key, expected in zip(known, standard, strict=True) if key != expected), None)
    if late is None:
        return []
    message = f"not in the standard's order; expected {', '.join(standard)}"
    return document.locate(file, [Problem((late,), message)])


def _left_open(file: Path) -> Sequence[Finding]:
    """A draft is no contract until a person has written what its data cannot tell."""
    try:
        found = list(_texts(document.load(file), ()))
    except (OSError, ProblemsFound):
        return []  # told already
    return document.locate(file, [Problem(at, "still to be written") for at, text in found if _LEFT_OPEN.search(text)])


def _texts(value: Any, at: KeyPath) -> Iterator[tuple[KeyPath, str]]:
    if isinstance(value, str):
        yield at, value
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _texts(inner, (*at, str(key)))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _texts(inner, (*at, index))


def _version(file: Path) -> Sequence[Finding]:
    """A version that cannot be ordered could never be compared with the next one."""
    try:
        version = document.load(file).get("version")
    except (OSError, ProblemsFound):
        return []  # told already
    if version is None or parse_version(str(version)):
        return []
    message = f"{version!r} is no version of a contract; expected three whole numbers, as in 1.2.0"
    return document.locate(file, [Problem(("version",), message)])


def _second_opinion(files: Sequence[Path]) -> Iterable[Finding]:
    """What odcslint, an independent reader of the standard, says."""
    there = [str(file) for file in files if file.is_file()]
    if not there:
        return
    for found in _odcslint(there):
        yield Finding(str(found["path"]), int(found.get("line") or 1), "", f"odcslint: {found['message']}")


def _odcslint(files: Sequence[str]) -> list[dict[str, Any]]:
    program = Path(sysconfig.get_path("scripts"), "odcslint")
    command = [str(program), "check", "--output-format", "json", "--exit-zero", "--no-ignore", *files]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        report = json.loads(done.stdout)
    except FileNotFoundError as exc:
        raise UsageError(f"odcslint is not installed at {program}; run `make setup`") from exc
    except subprocess.CalledProcessError as exc:
        raise UsageError(f"odcslint failed on {', '.join(files)}: {exc.stderr.strip()}") from exc
    findings: list[dict[str, Any]] = report["findings"]
    return findings
