"""The recorded answers of the SpaceX API. They lie beside the repository and are no part of it."""

import json
from pathlib import Path
from typing import Any

import pytest

FOLDER = Path(__file__).parents[3] / "shared" / "spacex"


def recorded(snapshot: str, dataset: str) -> list[dict[str, Any]]:
    """The records of one recording, or a skip; a single object is one record."""
    path = FOLDER / snapshot / f"{dataset}.json"
    if not path.is_file():
        pytest.skip(f"the recording {snapshot}/{dataset}.json does not lie beside the repository")
    answer = json.loads(path.read_text(encoding="utf-8"))
    return answer if isinstance(answer, list) else [answer]  # company and roadster are single objects
