"""docs/how-to/change-a-contract.md is followed here, step by step, in a repository of the test's own."""

import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
DOCUMENT = ROOT / "docs" / "how-to" / "change-a-contract.md"
STEP = re.compile(
    r"^```(?P<language>\w*)\n(?P<block>.*?)^```|^Set `version: \"(?P<version>[0-9.]+)\"`|^Remove `(?P<removed>\w+)`",
    re.MULTILINE | re.DOTALL,
)
START = "import sys; from spacex_elt.cli import main; sys.argv[0] = 'spacex-elt'; main()"


class Reader:
    """Somebody who does what the document says, in a copy of the product's contracts with a history of its own."""

    def __init__(self, root: Path):
        self.root = root
        self.contract = root / "contracts" / "launches.odcs.yaml"
        for folder in ("contracts", "spacex_elt", "dbt/models"):
            shutil.copytree(ROOT / folder, root / folder, ignore=shutil.ignore_patterns("__pycache__"))
        self.save_exceptions("[]\n")
        self.edit(lambda values: values.update(version="1.0.0"))
        for command in ("git init --quiet", "git add contracts", "git commit --quiet --message x", "git tag v1.0.0"):
            self.type(command, 0, "")

    def edit(self, change: Any) -> None:
        values = yaml.safe_load(self.contract.read_text(encoding="utf-8"))
        change(values)
        self.contract.write_text(yaml.safe_dump(values, sort_keys=False), encoding="utf-8")

    def write_properties(self, block: str) -> None:
        def change(values: dict[str, Any]) -> None:
            properties = values["schema"][0]["properties"]
            by_name = {item["name"]: item for item in properties}
            for item in yaml.safe_load(block):
                if item["name"] in by_name:
                    by_name[item["name"]].update(item)
                else:
                    properties.append(item)

        self.edit(change)

    def remove(self, name: str) -> None:
        def change(values: dict[str, Any]) -> None:
            table = values["schema"][0]
            table["properties"] = [item for item in table["properties"] if item["name"] != name]

        self.edit(change)

    def save_exceptions(self, text: str) -> None:
        (self.root / "contracts" / "exceptions.yaml").write_text(text, encoding="utf-8")

    def type(self, command: str, code: int, says: str) -> None:
        program, *words = shlex.split(command)
        identity = ["-c", "user.name=t", "-c", "user.email=t@example.com", "-c", "commit.gpgsign=false"]
        started = ["git", *identity] if program == "git" else [sys.executable, "-c", START]
        env = {"PATH": "/usr/bin:/bin", "COLUMNS": "300", "PYTHONDONTWRITEBYTECODE": "1"}
        done = subprocess.run([*started, *words], cwd=self.root, env=env, capture_output=True, text=True, check=False)
        told = done.stdout + done.stderr
        assert done.returncode == code, f"{command}: {told}"
        assert says in told, f"{command}: {told}"


def commands(block: str) -> Iterator[tuple[str, int, str]]:
    """Each line of a block, with the exit code and the words that its remark promises."""
    for line in block.splitlines():
        command, _, remark = line.partition("    # ")
        code, _, says = remark.partition(": ")
        yield command.strip(), int(code or 0), says.strip()


def test_the_way_through_a_breaking_change_is_as_it_is_told(tmp_path: Path) -> None:
    reader = Reader(tmp_path)
    typed: list[str] = []
    for step in STEP.finditer(DOCUMENT.read_text(encoding="utf-8")):
        if step["version"]:
            reader.edit(lambda values, version=step["version"]: values.update(version=version))
        elif step["removed"]:
            reader.remove(step["removed"])
        elif step["language"] == "yaml":
            reader.write_properties(step["block"])
        elif step["language"] == "exceptions":
            reader.save_exceptions(step["block"])
        else:
            for command, code, says in commands(step["block"]):
                reader.type(command, code, says)
                typed.append(command)
    assert len(typed) == 13
    assert {"spacex-elt contracts diff", "git tag v2.0.0"} <= set(typed)
