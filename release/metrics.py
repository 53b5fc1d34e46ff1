"""Owns terraform/metrics.json: what the pipeline measures and what the contracts promise, for dashboard and alarms.

The metrics are observability/catalogue.py's, the promises the contracts'. `make lock` runs this module to write it.
"""

import json
from dataclasses import asdict

from contracts.read import FOLDER, read_contracts
from observability.catalogue import CATALOGUE
from release.requirements import ROOT

METRICS = ROOT / "terraform" / "metrics.json"


def current_metrics() -> str:
    """What terraform/metrics.json must say now."""
    datasets = {
        dataset: {"freshness_h": contract.freshness_h, "reject_ratio": contract.reject_limit.ratio}
        for dataset, contract in sorted(read_contracts(FOLDER).items())
    }
    metrics = {word: asdict(metric) for word, metric in CATALOGUE.items()}
    return json.dumps({"metrics": metrics, "datasets": datasets}, indent=2) + "\n"


if __name__ == "__main__":
    METRICS.write_text(current_metrics())
