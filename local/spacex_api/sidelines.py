"""Owns what launches need besides rockets: capsules, crews, ships; and the collections that never change."""

import random
from typing import Any

from local.spacex_api import clock
from local.spacex_api.catalogue import IMAGES, PAGES
from local.spacex_api.ids import object_id
from local.spacex_api.missions import Family, dragon_kind

_AGENCIES = ("NASA", "ESA", "JAXA", "SpaceX")
_GIVEN = ("Ada", "Björn", "Chiyo", "Dmitri", "Élodie", "Farid", "Grace", "Hedy", "Ines", "Jun")
_FAMILY = ("Lindqvist", "Okafor", "Marchetti", "Sørensen", "Tanaka", "Novák", "Quispe", "Reyes", "Zhao", "Abara")
_SHIPS = ("Patient Harbor", "Long Horizon", "Quiet Tide", "North Anchor", "Second Wake", "Grey Heron")


class Sidelines:
    """Capsules fly again after a while, a crew flies once, ships are always about."""

    def __init__(self, thrown: random.Random) -> None:
        self._dice = thrown
        self._capsules: list[dict[str, Any]] = []
        self._crew: list[dict[str, Any]] = []
        self._ships = [_ship(number, name) for number, name in enumerate(_SHIPS)]

    def capsule(self, family: Family, at: int, launch_id: str) -> str:
        """The capsule of a Dragon flight: one that flew before, or a new one."""
        kind = "Dragon 2.0" if family.crew_count else dragon_kind(family, at)
        rested = [item for item in self._capsules[-12:-4] if item["type"] == kind and len(item["launches"]) < 4]
        item = rested[0] if rested and self._dice.random() < 0.6 else self._build(kind)
        item["launches"].append(launch_id)
        item["reuse_count"] = len(item["launches"]) - 1
        item["water_landings"] += 1
        return str(item["id"])

    def crew(self, count: int, launch_id: str) -> list[str]:
        """New people each time."""
        first = len(self._crew)
        self._crew.extend(_member(number, launch_id) for number in range(first, first + count))
        return [str(member["id"]) for member in self._crew[first:]]

    def ships(self, launch_id: str) -> list[str]:
        """Some of the ships go out for a launch."""
        chosen = self._dice.sample(self._ships, self._dice.randint(1, 3))
        for ship in chosen:
            ship["launches"].append(launch_id)
        return [str(ship["id"]) for ship in chosen]

    def records(self) -> dict[str, list[dict[str, Any]]]:
        """The collections as the API gives them: also capsules that only stood tests, and people still in training."""
        first = len(self._crew)
        trained = [_member(number) for number in range(first, first + 4)]
        return {"capsules": _tested() + self._capsules, "crew": self._crew + trained, "ships": self._ships}

    def _build(self, kind: str) -> dict[str, Any]:
        number = len(self._capsules)
        self._capsules.append(_capsule(f"C{101 + number}", kind, "active", "Back at the hangar."))
        return self._capsules[-1]


def _capsule(serial: str, kind: str, status: str, last_update: str) -> dict[str, Any]:
    return {
        "reuse_count": 0,
        "water_landings": 0,
        "land_landings": 0,
        "last_update": last_update,
        "launches": [],
        "serial": serial,
        "status": status,
        "type": kind,
        "id": object_id("capsule", serial),
    }


def _tested() -> list[dict[str, Any]]:
    return [
        _capsule("C01", "Dragon 1.0", "retired", "Shown to visitors."),
        _capsule("C02", "Dragon 2.0", "active", "Still used for tests."),
        _capsule("C03", "Dragon 2.0", "destroyed", "Lost in a test of its engines."),
    ]


def _member(number: int, *launches: str) -> dict[str, Any]:
    name = f"{_GIVEN[number % 10]} {_FAMILY[(number // 10 + number * 3) % 10]}"
    generation = number // 100
    return {
        "name": f"{name} {generation + 1}" if generation else name,
        "agency": _AGENCIES[number % len(_AGENCIES)],
        "image": f"{IMAGES}/crew/{number}.jpg",
        "wikipedia": f"{PAGES}/crew/{number}",
        "launches": list(launches),
        "status": "active",
        "id": object_id("crew", number),
    }


def _ship(number: int, name: str) -> dict[str, Any]:
    is_told = number % 3 != 2
    return {
        "legacy_id": name.upper().replace(" ", "") if is_told else None,
        "model": "Marmac 300" if number == 1 else None,
        "type": ("Tug", "Barge", "Cargo", "High Speed Craft")[number % 4],
        "roles": ["Support Ship", "ASDS Tug"] if number % 4 == 0 else ["Fairing Recovery"],
        "imo": 9_000_000 + number if is_told else None,
        "mmsi": 368_000_000 + number if is_told else None,
        "abs": 1_200_000 + number if is_told else None,
        "class": 7_200_000 + number if is_told else None,
        "mass_kg": 449_964 if is_told else None,
        "mass_lbs": 992_000 if is_told else None,
        "year_built": 1_976 + number if is_told else None,
        "home_port": "Port Canaveral" if number % 2 else "Port of Los Angeles",
        "status": "" if is_told else None,
        "speed_kn": None,
        "course_deg": None,
        "latitude": None,
        "longitude": None,
        "last_ais_update": None,
        "link": f"{PAGES}/ships/{number}" if is_told else None,
        "image": f"{IMAGES}/ships/{number}.jpg" if is_told else None,
        "launches": [],
        "name": name,
        "active": True,
        "id": object_id("ship", number),
    }


def history() -> list[dict[str, Any]]:
    """A few events to remember."""
    events = (
        ("First flight of the simulated Falcon 1", "2006-03-24T22:30:00"),
        ("First booster flies again", "2017-03-30T22:27:00"),
        ("First Falcon Heavy", "2018-02-06T20:45:00"),
    )
    return [
        {
            "links": {"article": None if number == 1 else f"{PAGES}/history/{number}"},
            "title": title,
            "event_date_utc": f"{at}Z",  # no milliseconds here, unlike everywhere else
            "event_date_unix": clock.epoch(at),
            "details": f"{title}, as the simulator tells it.",
            "id": object_id("history", number),
        }
        for number, (title, at) in enumerate(events, start=1)
    ]


def company() -> dict[str, Any]:
    """The one company: a single object, not a list."""
    return {
        "headquarters": {"address": "Rocket Road", "city": "Hawthorne", "state": "California"},
        "links": {name: f"{PAGES}/company/{name}" for name in ("website", "flickr", "twitter", "elon_twitter")},
        "name": "SpaceX",
        "founder": "Elon Musk",
        "founded": 2002,
        "employees": 9_500,
        "vehicles": 4,
        "launch_sites": 3,
        "test_sites": 3,
        "ceo": "Elon Musk",
        "cto": "Elon Musk",
        "coo": "Gwynne Shotwell",
        "cto_propulsion": "Tom Mueller",
        "valuation": 74_000_000_000,
        "summary": "Builds and flies rockets; here, simulated ones.",
        "id": object_id("company", 1),
    }


def roadster() -> dict[str, Any]:
    """The one car in orbit: a single object, not a list."""
    at = clock.epoch("2018-02-06T20:45:00")
    decimals = {
        "apoapsis_au": 1.6643,
        "periapsis_au": 0.986,
        "semi_major_axis_au": 1.3252,
        "eccentricity": 0.2559,
        "inclination": 1.0751,
        "longitude": 316.9112,
        "periapsis_arg": 177.7598,
        "period_days": 557.1958,
        "speed_kph": 9_520.8836,
        "speed_mph": 5_916.001,
        "earth_distance_km": 320_593_735.8292,
        "earth_distance_mi": 199_207_650.2259,
        "mars_distance_km": 395_640_511.9035,
        "mars_distance_mi": 245_839_540.522,
    }
    return {
        "flickr_images": [f"{IMAGES}/roadster/{shot}.jpg" for shot in range(4)],
        "name": "Elon Musk's Tesla Roadster",
        "launch_date_utc": clock.utc(at),
        "launch_date_unix": at,
        "launch_mass_kg": 1_350,
        "launch_mass_lbs": 2_976,
        "norad_id": 43_205,
        "epoch_jd": 2_459_914.2639,
        "orbit_type": "heliocentric",
        **decimals,
        "wikipedia": f"{PAGES}/roadster",
        "video": "https://video.example.org/roadster",
        "details": "An electric car far from any charger.",
        "id": object_id("roadster", 1),
    }
