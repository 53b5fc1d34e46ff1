"""Owns the image as far as it can be made without a container engine: the Dockerfile's instructions, run in a folder.

A folder stands for the root file system, a bare virtual environment of this Python for the base image.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.packages import package_index

ROOT = Path(__file__).resolve().parents[2]
DOCKERFILE = ROOT / "Dockerfile"

_INSTRUCTION = re.compile(r"^([A-Z]+) ((?:.*\\\n)*.*)$", re.MULTILINE)
_OURS = re.compile(r"(?<![\w.])/(src|opt|wheel|tmp)(?=[/\s:]|$)")


def instructions() -> list[tuple[str, str]]:
    """The Dockerfile as (instruction, arguments), in order, continued lines joined."""
    found = _INSTRUCTION.findall(DOCKERFILE.read_text())
    return [(name, " ".join(arguments.replace("\\\n", " ").split())) for name, arguments in found]


@dataclass(frozen=True, slots=True)
class Image:
    """An installed image below `root`, and how its processes start."""

    root: Path
    environment: Mapping[str, str]
    entry_point: tuple[str, ...]
    before: Mapping[Path, int]  # what lay below root before anything ran

    def written(self) -> list[Path]:
        """Files and folders that are new or changed since, but for /tmp. (No mode would keep root from it.)"""
        return sorted(path for path, changed in files_of(self.root).items() if self.before.get(path) != changed)

    def run(self, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """Runs the entry point as a task would, with nothing of this process's environment."""
        return self.execute(*self.entry_point, *arguments, **variables)

    def execute(self, *command: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """Runs any command in the image."""
        environment = {**self.environment, "TMPDIR": str(self.root / "tmp"), **variables}
        program = shutil.which(command[0], path=environment["PATH"])
        assert program, f"{command[0]} is not on the image's PATH"
        return subprocess.run(
            [program, *command[1:]],
            cwd=self.root / "read_only",
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )


@pytest.fixture(scope="session")
def image() -> Iterator[Image]:
    """The image, built once a session."""
    package_index()
    root = Path(tempfile.mkdtemp(prefix="spacex-elt-image-"))
    try:
        (root / "tmp").mkdir()
        (root / "read_only").mkdir(mode=0o555)
        yield _build(root)
    finally:
        shutil.rmtree(root)


def _build(root: Path) -> Image:
    base = root / "base"
    subprocess.run([sys.executable, "-m", "venv", base], check=True)
    path = f"{base / 'bin'}:{os.environ['PATH']}"
    folder, environment, entry_point = root, {"PATH": path}, ()
    for name, arguments in instructions():
        here = _OURS.sub(lambda match: str(root / match[1]), arguments)
        if name == "FROM":
            folder, environment = root, {"PATH": path}
        elif name == "WORKDIR":
            folder = Path(here)
            folder.mkdir(parents=True, exist_ok=True)
        elif name == "ENV":
            environment.update(pair.partition("=")[::2] for pair in here.split())
        elif name == "COPY" and not here.startswith("--from=build "):
            *sources, target = here.split()
            _copy(sources, folder / target)
        elif name == "RUN":
            subprocess.run(here, shell=True, check=True, cwd=folder, env={**os.environ, **environment})  # noqa: S602
        elif name == "ENTRYPOINT":
            entry_point = tuple(json.loads(here))
    shutil.rmtree(root / "src")
    return Image(root, environment, entry_point, files_of(root))


def files_of(root: Path) -> dict[Path, int]:
    """Everything outside /tmp, with when it last changed."""
    tmp = root / "tmp"
    return {path: path.lstat().st_mtime_ns for path in root.rglob("*") if path != tmp and tmp not in path.parents}


def _copy(sources: list[str], target: Path) -> None:
    """COPY: a folder's contents go into the target, files keep their names below it."""
    for source in (ROOT / name for name in sources):
        target.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(
                source, target, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__", "target", "logs")
            )
        else:
            shutil.copy(source, target)
