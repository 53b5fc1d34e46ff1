"""Owns asking datacontract-cli, an outside judge of contracts, in an environment of its own and without a network."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = ROOT / ".venv-judges" / "bin" / "datacontract"

needed = pytest.mark.skipif(not PROGRAM.exists(), reason="the outside judges are not installed: make judges")

#: Nobody is told that it ran, and whatever it tried to fetch all the same would find nobody there.
ALONE = {
    "PATH": "/usr/bin:/bin",
    "DO_NOT_TRACK": "1",
    "HTTP_PROXY": "http://127.0.0.1:1",
    "HTTPS_PROXY": "http://127.0.0.1:1",
    "ALL_PROXY": "http://127.0.0.1:1",
    "COLUMNS": "200",
}


def ask(*words: str | Path, home: Path) -> "subprocess.CompletedProcess[str]":
    """One run of the program to its end. `home` is where it may leave things."""
    command = [str(PROGRAM), *map(str, words), "--no-inline-references"]
    return subprocess.run(
        command, env={**ALONE, "HOME": str(home)}, cwd=home, capture_output=True, text=True, check=False, timeout=120
    )


def exported_json_schema(contract_file: Path, home: Path) -> dict[str, Any]:
    """The JSON schema that it derives from a contract."""
    target = home / f"{contract_file.name}.json"
    done = ask("export", "jsonschema", contract_file, "--output", target, home=home)
    assert done.returncode == 0, done.stdout + done.stderr
    schema: dict[str, Any] = json.loads(target.read_bytes())
    return schema
