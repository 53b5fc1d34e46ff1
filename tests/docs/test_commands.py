"""What the documents tell people to type is run here as it stands."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from typer.main import get_command

from local.stack import StackState
from spacex_elt.cli import app

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *ROOT.glob("*/README.md")])
PROGRAM = Path(sys.executable).with_name("spacex-elt")


def told_commands(text: str) -> list[str]:
    """The `spacex-elt …` lines of a document's code blocks, without their remarks."""
    blocks = re.findall(r"^```[a-z]*\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    lines = [line for block in blocks for line in block.splitlines()]
    return [line.split("    #")[0].strip() for line in lines if line.startswith("spacex-elt ")]


def test_every_make_target_that_is_named_exists() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = {name for path in DOCUMENTS for name in re.findall(r"\bmake ([a-z-]+)\b(?=`|\s+#)", path.read_text())}
    assert {"demo", "test", "check", "help"} <= named
    assert named <= targets


def test_every_command_that_is_named_exists() -> None:
    root = get_command(app)
    words = re.compile(r"`spacex-elt ((?:[a-z]+ ?)+)")
    named = {match.strip() for path in DOCUMENTS for match in words.findall(path.read_text())}
    assert named
    for command in named:
        node = root
        for word in command.split():
            children = getattr(node, "commands", {})
            assert word in children or not children, f"spacex-elt {command} is told and does not exist"
            node = children.get(word, node)


def test_every_link_between_documents_leads_somewhere() -> None:
    links = [
        (path, target)
        for path in DOCUMENTS
        for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", path.read_text())
        if "://" not in target
    ]
    assert len(links) > 10
    assert [f"{path}: {target}" for path, target in links if not (path.parent / target).exists()] == []


@pytest.mark.stack
@pytest.mark.timeout(600)
def test_the_readmes_story_of_a_closing_gate_is_true(stack: StackState, tmp_path: Path) -> None:
    section = (ROOT / "README.md").read_text().split("## See a gate close")[1].split("\n## ")[0]
    fault, quarantine, alerts, query, again = told_commands(section)
    environment = {
        "SPACEX_ELT_ENV_FILE": str(stack.state_dir / "stack.env"),
        "SPACEX_ELT_WORK_DIR": str(tmp_path),
        "PATH": "/usr/bin:/bin",
        "COLUMNS": "200",
    }

    def typed(command: str, code: int = 0) -> str:
        words = [str(PROGRAM), *shlex.split(command)[1:]]
        done = subprocess.run(words, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout + done.stderr

    typed("spacex-elt run")
    before = typed(query)
    assert "205" in before

    held = typed(fault, code=11)
    assert "launches held" in held
    assert "Traceback" not in held
    assert "-type" in typed(quarantine)
    assert "launches is held" in typed(alerts)
    assert typed(query) == before
    assert "go" in typed(again)
    assert "Resolved" in typed(alerts)
