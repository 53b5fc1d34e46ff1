"""The recorded answers of the SpaceX API, and what is true of them (findings.yaml).

The recordings lie beside the repository and are no part of it.
"""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

FOLDER = Path(__file__).parents[3] / "shared" / "spacex"
TRUE_OF_THEM = {
    (snapshot, dataset): told
    for snapshot, datasets in yaml.safe_load(Path(__file__).with_name("findings.yaml").read_text("utf-8")).items()
    for dataset, told in datasets.items()
}
COUNTS: dict[tuple[str, str], int] = {place: told["records"] for place, told in TRUE_OF_THEM.items()}


def findings(snapshot: str, dataset: str, scope: str) -> dict[str, int]:
    """By rule, how many records break it. `scope` is `rows` or `sets`."""
    told = TRUE_OF_THEM[snapshot, dataset].get(scope, {})
    return {rule_id: finding["records"] for rule_id, finding in told.items()}


def recorded(snapshot: str, dataset: str) -> list[dict[str, Any]]:
    """The records of one recording, or a skip; a single object is one record."""
    path = FOLDER / snapshot / f"{dataset}.json"
    if not path.is_file():
        pytest.skip(f"the recording {snapshot}/{dataset}.json does not lie beside the repository")
    answer = json.loads(path.read_text(encoding="utf-8"))
    return answer if isinstance(answer, list) else [answer]  # company and roadster are single objects
