"""Owns starting the program as people do: a process of its own, with an environment of its own."""

import subprocess
import sys
from pathlib import Path
from typing import Any

PROGRAM = str(Path(sys.executable).with_name("spacex-elt"))
BARE = {"PATH": "/usr/bin:/bin", "COLUMNS": "300", "SPACEX_ELT_STATE_DIR": "/nonexistent/state"}


def start(*words: str, **settings: Any) -> "subprocess.CompletedProcess[str]":
    """One run of the program to its end; `env` adds to what every run has."""
    env = {**BARE, **settings.pop("env", {})}
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | settings
    return subprocess.run([PROGRAM, *words], env=env, text=True, check=False, **streams)
