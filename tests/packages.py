"""Owns asking for the package index: tests that install or resolve are skipped where there is none."""

import subprocess
import sys
from functools import cache

import pytest


def package_index() -> None:
    """Skips the calling test when uv reaches no package index."""
    trouble = _trouble()
    if trouble:
        pytest.skip(f"uv reaches no package index: {trouble}")


@cache
def _trouble() -> str:
    asked = subprocess.run(
        [sys.executable, "-m", "uv", "pip", "compile", "--quiet", "--refresh", "-"],
        input="iniconfig",
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    return asked.stderr.strip() if asked.returncode else ""
