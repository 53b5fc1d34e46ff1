"""The recorded answers of the SpaceX API. They lie beside the repository and are no part of it."""

import json
from pathlib import Path
from typing import Any

import pytest

# What is true of the recordings and worth a warning; by rule, how many records. Nothing else is told of them.
FINDINGS = {
    # Eight notes end with a space.
    ("api-2021-04-22", "capsules"): {"last_update-pattern": 8},
    # Empty where null is meant; the number of another register; a radio's number that is no ship's.
    ("api-2021-04-22", "ships"): {"status-min-length": 17, "imo-minimum": 2, "mmsi-minimum": 1},
}

FOLDER = Path(__file__).parents[3] / "shared" / "spacex"


def recorded(snapshot: str, dataset: str) -> list[dict[str, Any]]:
    """The records of one recording, or a skip."""
    path = FOLDER / snapshot / f"{dataset}.json"
    if not path.is_file():
        pytest.skip(f"the recording {snapshot}/{dataset}.json does not lie beside the repository")
    found: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))
    return found
