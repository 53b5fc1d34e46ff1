"""The recorded answers of the SpaceX API. They lie beside the repository and are no part of it."""

import json
from pathlib import Path
from typing import Any

import pytest

FOLDER = Path(__file__).parents[3] / "shared" / "spacex"
SNAPSHOT = FOLDER / "api-2021-04-22"
COLLECTIONS = (
    "capsules",
    "company",
    "cores",
    "crew",
    "dragons",
    "history",
    "landpads",
    "launches",
    "launchpads",
    "payloads",
    "roadster",
    "rockets",
    "ships",
    "starlink",
)


def snapshot() -> Path:
    """The folder with all collections, or a skip."""
    if not SNAPSHOT.is_dir():
        pytest.skip("the recordings of 2021-04-22 do not lie beside the repository")
    return SNAPSHOT


def recorded(dataset: str, folder: str = "api-2021-04-22") -> list[dict[str, Any]]:
    """The records of one recording (a single object is a list of one), or a skip."""
    path = FOLDER / folder / f"{dataset}.json"
    if not path.is_file():
        pytest.skip(f"the recording {folder}/{dataset}.json does not lie beside the repository")
    found = json.loads(path.read_text("utf-8"))
    return found if isinstance(found, list) else [found]
