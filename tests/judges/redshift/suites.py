"""Owns running the outside judges: dbt-redshift's functional tests, unmodified, and DB-API's compliance suite.

What should come of each test is outcomes.py's; where they come from is the Makefile's (make judges-redshift).
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


def run_dbt_tests(paths: Sequence[str], cluster: Mapping[str, str], folder: Path) -> dict[str, Outcome]:
    """Run dbt-redshift's tests at these paths below tests/functional, or all; what came of each, by its name."""
    targets = [f"tests/functional/{path}" for path in paths or [""]]
    return _run([*targets, "-n", "2", "--dist", "loadfile"], SOURCE, cluster, folder)


def run_dbapi_tests(cluster: Mapping[str, str], folder: Path) -> dict[str, Outcome]:
    """Run the compliance suite; what came of each test, by its name."""
    here = Path(__file__).parent
    return _run(["dbapi.py", "--noconftest", "-c", os.devnull, "--rootdir", str(here)], here, cluster, folder)


def _run(words: Sequence[str], home: Path, cluster: Mapping[str, str], folder: Path) -> dict[str, Outcome]:
    report = folder / "report.xml"
    report.unlink(missing_ok=True)
    command = [
        str(ENVIRONMENT / "bin" / "pytest"), *words, "-q", "-W", "ignore", "-o", "addopts=", "-p", "no:cacheprovider",
        f"--junitxml={report}", "-o", "junit_logging=system-out", "-o", "junit_log_passing_tests=false",
        "--timeout", "900",
    ]  # fmt: skip
    env = {"PATH": os.environ["PATH"], "HOME": str(folder), "DO_NOT_TRACK": "1", "TZ": "UTC", **cluster}
    log = folder / "pytest.log"
    with log.open("wb") as output:
        subprocess.run(command, cwd=home, env=env, stdout=output, stderr=subprocess.STDOUT, check=False)
    if not report.exists():
        raise RuntimeError(f"the tests did not run: {log.read_text(encoding='utf-8')[-2000:]}")
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
