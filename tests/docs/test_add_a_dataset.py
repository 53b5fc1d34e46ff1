"""The how-to of adding a dataset, done as it stands: in a copy of the repository, with a local stack of its own."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.docs.test_commands import ROOT, told_commands

PAGE = ROOT / "docs" / "how-to" / "add-a-dataset.md"
COPIED = (
    "contracts", "dags", "dbt", "docs", "extraction", "loader", "local", "observability", "spacex_elt", "terraform",
    "validation",
)  # fmt: skip
CONTRACT = Path("contracts/stations.odcs.yaml")


class Checkout:
    """A copy of the repository whose code runs when its commands do."""

    def __init__(self, root: Path) -> None:
        self.root = root
        for name in COPIED:
            shutil.copytree(ROOT / name, root / name, ignore=shutil.ignore_patterns("__pycache__", "target", "logs"))

    def typed(self, command: str, code: int = 0) -> str:
        """What a command says, typed at the root of the copy."""
        words, _, target = command.partition(" > ")
        program, *rest = shlex.split(words)
        start = [sys.executable] if program == "python" else [sys.executable, "-c", MAIN]
        environment = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(self.root),
            "COLUMNS": "200",
            "SPACEX_ELT_STATE_DIR": str(self.root / ".local"),
            "SPACEX_ELT_WORK_DIR": str(self.root / ".work"),
        }
        done = subprocess.run(
            [*start, *rest], cwd=self.root, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == code, done.stdout + done.stderr
        if target:
            (self.root / target).write_text(done.stdout, encoding="utf-8")
        return done.stdout + done.stderr

    def edit(self, name: str, old: str, new: str) -> None:
        """Changes a file of the copy, where the old text stands."""
        text = (self.root / name).read_text(encoding="utf-8")
        assert old in text
        (self.root / name).write_text(text.replace(old, new), encoding="utf-8")


MAIN = "from spacex_elt.cli import main; main()"


@pytest.fixture
def checkout(tmp_path: Path) -> Iterator[Checkout]:
    made = Checkout(tmp_path / "checkout")
    yield made
    made.typed("spacex-elt local reset")


def yaml_blocks() -> list[str]:
    return re.findall(r"^```yaml\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


@pytest.mark.stack
@pytest.mark.timeout(600)
def test_a_dataset_is_added_as_the_page_tells(checkout: Checkout) -> None:
    infer, lint, apply, run, query, shadow = told_commands(PAGE.read_text(encoding="utf-8"))
    stream, line = yaml_blocks()
    checkout.typed("spacex-elt local up")

    drafted = checkout.typed(infer)
    assert "stations: 24 records" in drafted
    assert "still to be written" in checkout.typed(lint, code=10)
    checkout.edit(str(CONTRACT), "TODO", "Written")
    assert "1 contracts are right" in checkout.typed(lint)

    checkout.edit("extraction/spacex_api.yaml", "\nstreams:\n", f"\nstreams:\n{stream}\n")
    checkout.edit("extraction/connection.yaml", "    streams:\n", f"    streams:\n{line}")
    checkout.typed("python -m contracts.derive")
    assert "name: stations" in (checkout.root / "dbt/models/staging/_spacex__sources.yml").read_text()

    assert "stations" in checkout.typed(apply)
    assert "stations" in checkout.typed(run)
    counted = checkout.typed(query)
    assert re.search(r"active\W+20", counted)
    assert re.search(r"retired\W+4", counted)

    (checkout.root / "contracts/candidates").mkdir(exist_ok=True)
    shutil.copy(checkout.root / CONTRACT, checkout.root / "contracts/candidates/stations.odcs.yaml")
    assert "changes nothing" in checkout.typed(shadow)
    checkout.edit("contracts/candidates/stations.odcs.yaml", "              enum:\n                severity: warning",
                  "              enum:\n                severity: error")  # fmt: skip
    checkout.edit("contracts/candidates/stations.odcs.yaml", "          - {value: retired}\n", "")
    told = checkout.typed(shadow)
    assert "newly rejected by status-enum: 4" in told
    assert '"retired"' in told
