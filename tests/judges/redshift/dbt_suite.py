"""Owns running dbt-redshift's own functional tests, unmodified, and reading what came of each.

What should come of each is outcomes.py's; where the tests come from is the Makefile's (make judges-redshift).
"""

import os
import subprocess
import xml.etree.ElementTree as ET
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
ENVIRONMENT = ROOT / ".venv-judges-redshift"
SOURCE = ENVIRONMENT / "dbt-redshift"  # as its sdist unpacks
_PACKAGE = "tests.functional."


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one test: "passed", "failed" or "skipped", and the words for why."""

    result: str
    words: str = ""


def is_installed() -> bool:
    """Whether the environment and the source of the tests are there."""
    return (ENVIRONMENT / ".ready").exists()


def run(paths: Sequence[str], cluster: Mapping[str, str], folder: Path, processes: int = 2) -> dict[str, Outcome]:
    """Run the tests at these paths below tests/functional, or all; what came of each, by its name."""
    report = folder / "report.xml"
    command = [
        str(ENVIRONMENT / "bin" / "pytest"), *[f"tests/functional/{path}" for path in paths or [""]],
        "-o", "addopts=", "-p", "no:cacheprovider", "-W", "ignore", "-q", f"--junitxml={report}",
        "-o", "junit_logging=system-out", "-o", "junit_log_passing_tests=false", "-n", str(processes), "--dist", "loadfile",
        "--timeout", "300",
    ]  # fmt: skip
    env = {"PATH": os.environ["PATH"], "HOME": str(folder), "DO_NOT_TRACK": "1", "TZ": "UTC", **cluster}
    with (folder / "pytest.log").open("wb") as log:
        subprocess.run(command, cwd=SOURCE, env=env, stdout=log, stderr=subprocess.STDOUT, check=False)
    return read(report)


def read(report: Path) -> dict[str, Outcome]:
    """What a JUnit report says of each test. A test that failed and whose clean-up failed too is in there twice."""
    outcomes: dict[str, Outcome] = {}
    for case in ET.parse(report).iter("testcase"):  # noqa: S314 (see above)
        name = f"{case.get('classname', '').removeprefix(_PACKAGE)}::{case.get('name')}"
        if name not in outcomes or outcomes[name].result != "failed":
            outcomes[name] = _outcome(case)
    return outcomes


def _outcome(case: ET.Element) -> Outcome:
    for kind, result in (("failure", "failed"), ("error", "failed"), ("skipped", "skipped")):
        if (said := case.find(kind)) is not None:
            printed = "".join(output.text or "" for output in case.iter("system-out"))  # what dbt told
            return Outcome(result, f"{said.get('message') or ''}\n{said.text or ''}\n{printed}")
    return Outcome("passed")
