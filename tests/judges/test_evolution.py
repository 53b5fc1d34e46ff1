"""Whatever an outside judge finds breaking between two versions of a contract, our comparison finds too."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from contracts.evolution.changes import Effect
from contracts.evolution.dataset import changes
from tests.contracts.evolution.edits import edited, launches
from tests.contracts.evolution.test_changes import CASES
from tests.judges.outside import ALONE, PROGRAM, needed

pytestmark = needed

_OPTIONAL = "records need not have it"
_WIDER = "every value that fitted fits still"
_SPELLING = "it is the same type"
_WHOLE = "whole numbers are numbers"
_WARNS = "what only warns refuses no record, and was never relied on"
#: Where we find less, on purpose: the change (and the way back), the side, and why nothing breaks there.
MILDER = {
    ("a property is added", "producer"): _OPTIONAL,
    ("a nested property is removed inside an object that quarantines what it does not know: back", "producer"): (
        _OPTIONAL
    ),
    ("a property in the items of an array is removed: back", "producer"): _OPTIONAL,
    ("a property without a stable id gets another name", "producer"): _OPTIONAL,
    ("a property without a stable id gets another name: back", "producer"): _OPTIONAL,
    ("an integer column becomes wider", "consumer"): _WIDER,
    ("an integer column becomes wider", "producer"): _WIDER,
    ("a text column becomes wider", "consumer"): _WIDER,
    ("a text column becomes wider", "producer"): _WIDER,
    ("a column type is spelled otherwise", "consumer"): _SPELLING,
    ("a column type is spelled otherwise", "producer"): _SPELLING,
    ("a column type is spelled otherwise: back", "consumer"): _SPELLING,
    ("a column type is spelled otherwise: back", "producer"): _SPELLING,
    ("a nested whole number may have a fraction", "producer"): _WHOLE,
    ("a nested whole number may have a fraction: back", "consumer"): _WHOLE,
    ("a property becomes required at the price of a warning only", "producer"): _WARNS,
    ("a property becomes required at the price of a warning only: back", "consumer"): _WARNS,
    ("an enum that only warns gains a value", "consumer"): _WARNS,
    ("an enum that only warns gains a value: back", "producer"): _WARNS,
}
Versions = tuple[dict[str, Any], dict[str, Any]]


def all_versions() -> dict[str, Versions]:
    made: dict[str, Versions] = {}
    for case in CASES:
        old = edited(launches(), case.get("base", {}))
        new = edited(old, case)
        made |= {case["name"]: (old, new), f"{case['name']}: back": (new, old)}
    return made


VERSIONS = all_versions()


@pytest.fixture(scope="module")
def theirs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, list[str]]]:
    """What datacontract-cli finds breaking, by change and side."""
    folder = tmp_path_factory.mktemp("versions")
    pairs = []
    for number, pair in enumerate(VERSIONS.values()):
        files = [folder / f"{number}-{which}.odcs.yaml" for which in ("old", "new")]
        for file, values in zip(files, pair, strict=True):
            file.write_text(yaml.safe_dump(values, sort_keys=False), encoding="utf-8")
        pairs.append([str(file) for file in files])
    asking = [str(PROGRAM.with_name("python")), "-P", str(Path(__file__).with_name("compare.py"))]
    done = subprocess.run(
        asking,
        input=json.dumps(pairs),
        env={**ALONE, "HOME": str(folder)},
        capture_output=True,
        text=True,
        check=True,
        timeout=240,
    )
    return dict(zip(VERSIONS, json.loads(done.stdout), strict=True))


@pytest.mark.parametrize("side", ["consumer", "producer"])
@pytest.mark.parametrize("name", VERSIONS)
def test_what_it_finds_breaking_we_find_breaking(name: str, side: str, theirs: dict[str, dict[str, list[str]]]) -> None:
    ours = [change.change_id for change in changes(*VERSIONS[name]) if getattr(change, side) is Effect.BREAKING]

    if (name, side) in MILDER:
        assert theirs[name][side] and not ours, "no longer milder than they are: take it off the list"
    else:
        assert ours or not theirs[name][side], f"they say {theirs[name][side]}"


def test_it_finds_something_breaking_for_either_side(theirs: dict[str, dict[str, list[str]]]) -> None:
    assert all(any(found[side] for found in theirs.values()) for side in ("consumer", "producer"))
