"""Makes a whole simulated API: every collection, seeded, any number of launches. Serving it is server.py's job."""

from collections.abc import Mapping, Sequence
from typing import Any

from local.spacex_api import catalogue, places, satellites, sidelines
from local.spacex_api.history import History

Collections = dict[str, Any]  # a list of records, or one object for company and roadster


def simulate(launch_count: int, seed: int) -> Collections:
    """Every collection by name. The same count and seed give the same answer, to the byte."""
    if launch_count < 0:
        raise ValueError(f"a history cannot have {launch_count} launches. Expected 0 or more.")
    history = History(launch_count, seed)
    flown = [launch for launch in history.launches if not launch["upcoming"]]
    return {
        "launches": history.launches,
        "payloads": history.payloads,
        "cores": history.fleet.records(),
        "rockets": catalogue.rockets(_success_pct(flown)),
        "launchpads": places.launchpads(_ids_by(flown, "launchpad"), _success_count_by(flown, "launchpad")),
        "landpads": places.landpads(_landings(flown)),
        **history.sidelines.records(),
        "dragons": satellites.dragons(),
        "starlink": satellites.starlink(flown, seed),
        "history": sidelines.history(),
        "company": sidelines.company(),
        "roadster": sidelines.roadster(),
    }


def _ids_by(launches: Sequence[Mapping[str, Any]], field: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for launch in launches:
        found.setdefault(launch[field], []).append(launch["id"])
    return found


def _success_count_by(launches: Sequence[Mapping[str, Any]], field: str) -> dict[str, int]:
    return {key: len(ids) for key, ids in _ids_by([item for item in launches if item["success"]], field).items()}


def _success_pct(launches: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    good = _success_count_by(launches, "rocket")
    return {rocket: 100 * good.get(rocket, 0) // len(ids) for rocket, ids in _ids_by(launches, "rocket").items()}


def _landings(launches: Sequence[Mapping[str, Any]]) -> dict[str, list[tuple[str, bool]]]:
    found: dict[str, list[tuple[str, bool]]] = {}
    for launch in launches:
        for core in launch["cores"]:
            if core["landpad"]:
                found.setdefault(core["landpad"], []).append((launch["id"], bool(core["landing_success"])))
    return found
