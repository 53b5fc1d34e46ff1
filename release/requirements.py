"""Owns dags/requirements.txt: what MWAA installs, derived from dags/requirements.in and Airflow's lock.

Resolving the lock is `make lock`'s job, which also runs this module to write the file.
"""

import re
from pathlib import Path

from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parent.parent
REQUIREMENTS = ROOT / "dags" / "requirements.txt"

_HEAD = """\
--constraint "/usr/local/airflow/dags/constraints.txt"
# Written by `make lock` from dags/requirements.in and requirements/airflow.txt.
# Only what we ask for: the constraints, MWAA's own list, pin what these need, and what they leave open stays as MWAA's
# image has it. Without hashes, which pip takes for every package or none: those of MWAA's image are not ours to know.
"""


def mwaa_requirements(asked: str, lock: str) -> str:
    """MWAA's requirements file: each requirement asked for, at the version that the lock has."""
    versions = dict(re.findall(r"^([a-z0-9._-]+)==(\S+)", lock, re.MULTILINE))
    wanted = [Requirement(line) for text in asked.splitlines() if (line := text.partition("#")[0].strip())]
    pins = [f"{item.name}{_extras(item)}=={versions[item.name]}" for item in wanted]
    return _HEAD + "".join(f"{pin}\n" for pin in sorted(pins))


def current_requirements() -> str:
    """What dags/requirements.txt must say now."""
    asked = (ROOT / "dags" / "requirements.in").read_text()
    return mwaa_requirements(asked, (ROOT / "requirements" / "airflow.txt").read_text())


def _extras(item: Requirement) -> str:
    return f"[{','.join(sorted(item.extras))}]" if item.extras else ""


if __name__ == "__main__":
    REQUIREMENTS.write_text(current_requirements())
