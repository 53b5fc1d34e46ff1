"""Owns what simulated launches carry: families of missions and their payloads. When they fly is history.py's to say."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from local.spacex_api import clock
from local.spacex_api.ids import object_id

_MAKERS = ("Boeing", "Airbus Defence & Space", "Thales Alenia Space", "Lockheed Martin", "OHB SE", "Surrey Satellite")
_NATIONS = (
    "United States",
    "Japan",
    "Luxembourg",
    "Canada",
    "Germany",
    "Israel",
    "Argentina",
    "Türkiye",
    "South Korea",
)
_COMSATS = ("Nordlys", "Señal", "Türkuaz", "Ōkami", "Meridian", "Açaí", "Zenit Relay", "Kestrel", "Łączność", "Baobab")


@dataclass(frozen=True, slots=True)
class Family:
    """A kind of mission that flies again and again."""

    name: str
    weight: float
    first_flight: int  # epoch seconds
    orbit: str
    reference_system: str
    regime: str
    kind: str = "Satellite"  # of its payloads
    customers: tuple[str, ...] = ("Commercial operator",)
    payload_count: tuple[int, int] = (1, 1)
    mass_kg: tuple[int, int] = (500, 6000)
    altitude_km: tuple[int, int] = (400, 600)
    west: bool = False
    heavy: bool = False  # may take a Falcon Heavy
    crew_count: int = 0

    @property
    def is_dragon(self) -> bool:
        """Whether it flies in a capsule instead of under a fairing."""
        return self.kind.startswith(("Dragon", "Crew Dragon"))


def _from(day: str) -> int:
    return clock.epoch(f"{day}T00:00:00")


FAMILIES: tuple[Family, ...] = (
    Family(
        "Halo", 8, _from("2019-05-01"), "VLEO", "geocentric", "very-low-earth",
        customers=("SpaceX",), mass_kg=(13_000, 15_600), altitude_km=(210, 340),
    ),
    Family(
        "Supply Run", 3, _from("2010-12-01"), "ISS", "geocentric", "low-earth", kind="Dragon 1.1",
        customers=("NASA (CRS)",), mass_kg=(500, 3_300), altitude_km=(400, 420),
    ),
    Family(
        "Crew Rotation", 1, _from("2020-05-01"), "ISS", "geocentric", "low-earth", kind="Crew Dragon",
        customers=("NASA (CCtCap)",), mass_kg=(12_000, 13_000), altitude_km=(400, 420), crew_count=4,
    ),
    Family(
        "{comsat}", 5, _from("2013-12-01"), "GTO", "geocentric", "geostationary",
        mass_kg=(2_000, 7_000), altitude_km=(180, 70_000), heavy=True,
    ),
    Family(
        "Survey", 2, _from("2013-09-01"), "SSO", "geocentric", "sun-synchronous",
        mass_kg=(300, 2_500), altitude_km=(480, 700), west=True,
    ),
    Family(
        "Carpool", 1, _from("2018-11-01"), "SSO", "geocentric", "sun-synchronous",
        payload_count=(3, 9), mass_kg=(10, 400), altitude_km=(500, 560), customers=("Rideshare agency", "University"),
    ),
    Family(
        "Polar Mesh", 1.5, _from("2017-01-01"), "PO", "geocentric", "polar",
        mass_kg=(8_000, 9_600), altitude_km=(620, 780), west=True,
    ),
    Family(
        "Waypoint", 0.8, _from("2018-12-01"), "MEO", "geocentric", "medium-earth", customers=("USAF",),
        mass_kg=(3_600, 4_400), altitude_km=(1_200, 20_200),
    ),
    Family(
        "Test Article", 0.4, _from("2006-01-01"), "LEO", "geocentric", "low-earth", customers=("DARPA", "NASA"),
        payload_count=(1, 2), mass_kg=(20, 400), altitude_km=(300, 650),
    ),
    Family(
        "Deep Field", 0.3, _from("2015-02-01"), "ES-L1", "heliocentric", "L1-point", customers=("NOAA", "NASA"),
        mass_kg=(360, 570), altitude_km=(187, 400_000), heavy=True,
    ),
    Family(
        "Moonward", 0.2, _from("2019-02-01"), "TLI", "trans-lunar-injection", "lunar",
        mass_kg=(150, 1_900), altitude_km=(215, 407_000), kind="Lander",
    ),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Mission:
    """One flight of a family."""

    family: Family
    number: int  # its number in the family, from 1
    comsat: str

    @property
    def name(self) -> str:
        """Unique among launches, since family and number are."""
        return f"{self.family.name.format(comsat=self.comsat)} {self.number}"

    def payloads(
        self, thrown: random.Random, launch_id: str | None, at: int, capsule: str | None, flown: bool
    ) -> list[Any]:
        """The payloads as the API gives them; a flown one has orbital elements more often than not."""
        count = thrown.randint(*self.family.payload_count)
        names = [self.name] if count == 1 else [f"{self.name} {chr(65 + index)}" for index in range(count)]
        return [_payload(thrown, self.family, name, launch_id, at, capsule, flown=flown) for name in names]


class Manifest:
    """Who flies next. Numbers missions within their family."""

    def __init__(self, thrown: random.Random) -> None:
        self._dice = thrown
        self._flown: dict[str, int] = {}

    def next_mission(self, at: int) -> Mission:
        """A mission of a family that flies already on that day."""
        families = [family for family in FAMILIES if family.first_flight <= at] or [FAMILIES[-3]]
        (family,) = self._dice.choices(families, [family.weight for family in families])
        comsat = self._dice.choice(_COMSATS)
        key = family.name.format(comsat=comsat)
        self._flown[key] = self._flown.get(key, 0) + 1
        return Mission(family, self._flown[key], comsat)


def dragon_kind(family: Family, at: int) -> str:
    """Which capsule a payload is: the cargo Dragon changed twice."""
    if family.kind != "Dragon 1.1":
        return family.kind
    return "Dragon 1.0" if at < _from("2014-01-01") else "Dragon 1.1" if at < _from("2020-11-01") else "Dragon 2.0"


def _payload(
    thrown: random.Random,
    family: Family,
    name: str,
    launch_id: str | None,
    at: int,
    capsule: str | None,
    *,
    flown: bool,
) -> dict[str, Any]:
    kg = _mass(thrown, family)
    is_known = thrown.random() < 0.97  # now and then a customer keeps the orbit to itself
    return {
        "dragon": _dragon(thrown, family, capsule, flown=flown),
        "name": name,
        "type": dragon_kind(family, at),
        "reused": family.is_dragon and thrown.random() < 0.4,
        "launch": launch_id,
        "customers": list(family.customers),
        "norad_ids": _norad_ids(thrown, at, family) if flown and thrown.random() < 0.75 else [],
        "nationalities": [thrown.choice(_NATIONS) if family.name == "{comsat}" else "United States"],
        "manufacturers": ["SpaceX"] if family.is_dragon or family.name == "Halo" else _some(thrown, _MAKERS),
        "mass_kg": kg,
        "mass_lbs": None if kg is None else _pounds(thrown, kg),
        "orbit": family.orbit if is_known else None,
        "reference_system": family.reference_system if is_known else None,
        "regime": family.regime if is_known else None,
        **_elements(thrown, family, at, flown=flown),
        "id": object_id("payload", name, at - 40_000_000),
    }


def _dragon(thrown: random.Random, family: Family, capsule: str | None, *, flown: bool) -> dict[str, Any]:
    came_back = family.is_dragon and flown
    kg = round(thrown.uniform(400, 2_500), 1) if came_back and thrown.random() < 0.8 else None
    if kg is not None and thrown.random() < 0.8:
        kg = int(kg)
    return {
        "capsule": capsule if family.is_dragon else None,
        "mass_returned_kg": kg,
        "mass_returned_lbs": None if kg is None else _pounds(thrown, kg),
        "flight_time_sec": thrown.randint(600_000, 17_000_000) if came_back else None,
        "manifest": "https://pages.example.org/manifest.pdf" if came_back and thrown.random() < 0.6 else None,
        "water_landing": True if came_back else None,
        "land_landing": False if came_back and thrown.random() < 0.9 else None,
    }


def _mass(thrown: random.Random, family: Family) -> float | int | None:
    luck = thrown.random()
    if luck < 0.1:
        return None  # classified, or never told
    kg = thrown.randint(*family.mass_kg)
    return kg + 0.5 if luck < 0.14 else kg


def _pounds(thrown: random.Random, kg: float) -> float | int:
    pounds = round(kg * 2.20462, 1)
    return int(pounds) if thrown.random() < 0.65 else pounds


def _norad_ids(thrown: random.Random, at: int, family: Family) -> list[int]:
    first = 28_000 + (at // 20_000) % 30_000
    return [first + step for step in range(thrown.randint(2, 12) if family.name == "Halo" else 1)]


def _elements(thrown: random.Random, family: Family, at: int, *, flown: bool) -> dict[str, Any]:
    names = ("semi_major_axis_km", "eccentricity", "periapsis_km", "apoapsis_km", "inclination_deg", "period_min")
    late = ("epoch", "mean_motion", "raan", "arg_of_pericenter", "mean_anomaly")
    lifespan = thrown.choice((1, 2, 3, 5, 10, 15, 0.5)) if thrown.random() < 0.35 else None
    longitude = (
        thrown.choice((-116.8, -30, 13, 108.2, 162)) if family.orbit == "GTO" and thrown.random() < 0.7 else None
    )
    head, tail = {"longitude": longitude}, {"lifespan_years": lifespan}
    if not flown or thrown.random() < 0.4:
        planned = thrown.random() < 0.1  # only what was aimed at is known
        aimed = {"periapsis_km": family.altitude_km[0], "apoapsis_km": family.altitude_km[1]} if planned else {}
        return head | dict.fromkeys(names) | aimed | tail | dict.fromkeys(late)
    low, high = sorted(thrown.uniform(*family.altitude_km) for _ in range(2))
    axis = 6_371 + (low + high) / 2
    period = 1.658669e-4 * axis**1.5
    return {
        **head,
        "semi_major_axis_km": round(axis, 3),
        "eccentricity": round((high - low) / (2 * axis), 7),
        "periapsis_km": round(low, 3),
        "apoapsis_km": round(high, 3),
        "inclination_deg": thrown.choice((53, 51.6442, 97.49, 0.0312, 28.5, 86.394)),
        "period_min": round(period, 3),
        **tail,
        "epoch": clock.utc(at + thrown.randint(1, 20_000_000)),
        "mean_motion": round(1_440 / period, 8),
        "raan": round(thrown.uniform(0, 359), 4),
        "arg_of_pericenter": round(thrown.uniform(0, 359), 4),
        "mean_anomaly": round(thrown.uniform(0, 359), 4),
    }


def _some(thrown: random.Random, words: Sequence[str]) -> list[str]:
    return thrown.sample(words, 1) if thrown.random() < 0.9 else []
