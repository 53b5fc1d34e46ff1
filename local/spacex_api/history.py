"""Owns the simulated launches: when, from where, on which rocket, with what outcome. Boosters are fleet.py's."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from local.spacex_api import catalogue as known
from local.spacex_api import clock
from local.spacex_api.catalogue import IMAGES, PAGES, ZONES
from local.spacex_api.fleet import Fleet, Flight
from local.spacex_api.ids import object_id, uuid4
from local.spacex_api.missions import Manifest, Mission
from local.spacex_api.sidelines import Sidelines

_FIRST = clock.epoch("2006-03-24T22:30:00")
_NOW = clock.epoch("2022-10-05T16:00:00")
_LAST_FALCON_1 = clock.epoch("2009-07-13T03:35:00")
_FIRST_FALCON_9 = clock.epoch("2010-06-04T18:45:00")
_FIRST_HEAVY = clock.epoch("2018-02-06T00:00:00")
_DAY = 86_400
_WINDOWS_S = (0, 0, 0, 3_600, 5_400, 7_200, 14_400)
_REASONS = (
    ("turbopump seal gave way", 31, 160),
    ("propellant slosh in the second stage grew until it lost control", 250, 480),
    ("stages touched after separation", 140, 190),
    ("strut inside the second stage tank failed", 120, 150),
)


@dataclass(frozen=True, slots=True)
class Slot:
    """One place in the history."""

    number: int  # flight number, from 1
    at: int  # epoch seconds, rising
    precision: str
    upcoming: bool


@dataclass(frozen=True, slots=True)
class Plan:
    """What flies in a slot."""

    slot: Slot
    launch_id: str
    mission: Mission
    rocket: str
    pad: str
    success: bool | None
    lost_on_pad: bool  # at a test before the launch: the failure's time is negative


def slots(count: int) -> list[Slot]:
    """The places: past launches ever closer together, then a tenth of the count (at most 60) to come."""
    to_come = min(count // 10, 60)
    found = [Slot(number, at, "hour", upcoming=False) for number, at in enumerate(_past(count - to_come), start=1)]
    at = _NOW
    for index in range(to_come):
        at = _next_planned(at, index, to_come)
        found.append(Slot(len(found) + 1, at, _precision(index, to_come), upcoming=True))
    return found


def falcon_1_count(past: int) -> int:
    """How many of the past launches a Falcon 1 flew: five, in a history that is long enough."""
    return min(5, past // 20)


def _past(count: int) -> Iterator[int]:
    """When the past launches were: a few of Falcon 1 until 2009, the others from 2010 to 2022. Rising."""
    early = falcon_1_count(count)
    for index in range(early):
        yield _FIRST + (_LAST_FALCON_1 - _FIRST) * index // early // 60 * 60
    at = _FIRST_FALCON_9 - 60
    for index in range(count - early):
        share = index / max(count - early - 1, 1)
        grown = 0.35 * share + 0.65 * (1 - (1 - share) ** 1.8)
        at = max(at + 60, _FIRST_FALCON_9 + int((_NOW - _FIRST_FALCON_9) * grown) // 60 * 60)
        yield at


def _precision(index: int, count: int) -> str:
    """The further away, the vaguer."""
    return "hour" if index < count * 0.4 else "day" if index < count * 0.6 else "month"


def _next_planned(at: int, index: int, count: int) -> int:
    precision = _precision(index, count)
    if precision == "hour":
        return at + 3 * _DAY + 4_500
    if precision == "day":
        return (at // _DAY + 3) * _DAY
    # A month stands for any day of it: written as its first instant.
    year, month = divmod(int(clock.utc(at)[:4]) * 12 + int(clock.utc(at)[5:7]), 12)
    return clock.epoch(f"{year:04d}-{month + 1:02d}-01T00:00:00")


class History:
    """Every launch with its payloads, and what they did to boosters, capsules, crews and ships."""

    def __init__(self, count: int, seed: int) -> None:
        self._dice = random.Random(f"{seed}:{count}")  # noqa: S311 - nothing secret is drawn
        self.fleet = Fleet(self._dice)
        self.sidelines = Sidelines(self._dice)
        self._manifest = Manifest(self._dice)
        self.launches: list[dict[str, Any]] = []
        self.payloads: list[dict[str, Any]] = []
        self._lost_on_pad = count // 3 if count >= 30 else None
        for slot in slots(count):
            self._add(self._plan(slot))
        self.fleet.retire()
        if count >= 30:
            # A payload that was announced and has no launch yet.
            self.payloads += self._manifest.next_mission(_NOW).payloads(self._dice, None, _NOW, None, False)

    def _plan(self, slot: Slot) -> Plan:
        mission = self._manifest.next_mission(slot.at)
        rocket, pad = self._rocket(slot, mission)
        # The first flights of a new rocket fail; later ones rarely do.
        odds = 0.4 if rocket == known.FALCON_1 else 0.975
        lost_on_pad = slot.number == self._lost_on_pad
        success = None if slot.upcoming else slot.number > 1 and not lost_on_pad and self._dice.random() < odds
        return Plan(slot, object_id("launch", slot.number, slot.at), mission, rocket, pad, success, lost_on_pad)

    def _rocket(self, slot: Slot, mission: Mission) -> tuple[str, str]:
        if slot.at < _FIRST_FALCON_9:
            return known.FALCON_1, known.KWAJALEIN
        if mission.family.heavy and slot.at >= _FIRST_HEAVY and self._dice.random() < 0.15:
            return known.FALCON_HEAVY, known.LC_39A
        if mission.family.west:
            return known.FALCON_9, known.SLC_4E
        if mission.family.crew_count or (slot.at > clock.epoch("2017-02-19T00:00:00") and self._dice.random() < 0.3):
            return known.FALCON_9, known.LC_39A
        return known.FALCON_9, known.SLC_40

    def _add(self, plan: Plan) -> None:
        cores = self._cores(plan)
        capsule, crew, ships = self._company(plan, cores)
        payloads = self._payloads(plan, capsule)
        self.payloads.extend(payloads)
        self.launches.append(
            {
                "fairings": self._fairings(plan, ships),
                "links": self._links(plan),
                **self._static_fire(plan),
                "tbd": False,
                "net": False,
                "window": None if plan.slot.upcoming or self._dice.random() < 0.4 else self._dice.choice(_WINDOWS_S),
                "rocket": plan.rocket,
                "success": plan.success,
                "details": self._details(plan),
                "crew": crew,
                "ships": ships,
                "capsules": [capsule] if capsule else [],
                "payloads": [payload["id"] for payload in payloads],
                "launchpad": plan.pad,
                "auto_update": self._dice.random() < 0.98,
                "launch_library_id": uuid4(plan.launch_id) if self._dice.random() < 0.35 else None,
                "failures": self._failures(plan),
                "flight_number": plan.slot.number,
                "name": plan.mission.name,
                "date_utc": clock.utc(plan.slot.at),
                "date_unix": plan.slot.at,
                "date_local": clock.local(plan.slot.at, ZONES[plan.pad]),
                "date_precision": plan.slot.precision,
                "upcoming": plan.slot.upcoming,
                "cores": cores,
                "id": plan.launch_id,
            }
        )

    def _company(self, plan: Plan, cores: list[dict[str, Any]]) -> tuple[str | None, list[str], list[str]]:
        """The capsule, the crew and the ships of a launch. Nobody names them before it."""
        if plan.slot.upcoming:
            return None, [], []
        family = plan.mission.family
        capsule = self.sidelines.capsule(family, plan.slot.at, plan.launch_id) if family.is_dragon else None
        crew = self.sidelines.crew(family.crew_count, plan.launch_id)
        at_sea = family.is_dragon or any(core["landing_type"] == "ASDS" for core in cores)
        return capsule, crew, self.sidelines.ships(plan.launch_id) if at_sea else []

    def _payloads(self, plan: Plan, capsule: str | None) -> list[dict[str, Any]]:
        if plan.slot.precision == "month" and self._dice.random() < 0.5:
            return []  # so far ahead that nobody has said yet what will fly
        flown = not plan.slot.upcoming
        return plan.mission.payloads(self._dice, plan.launch_id, plan.slot.at, capsule, flown)

    def _cores(self, plan: Plan) -> list[dict[str, Any]]:
        core_count = 3 if plan.rocket == known.FALCON_HEAVY else 1
        if plan.slot.upcoming:
            return [self.fleet.plan(plan.slot.at, self._dice.random()) for _ in range(core_count)]
        family = plan.mission.family
        flight = Flight(plan.launch_id, plan.slot.at, bool(plan.success), family.west, heavy_lift=family.heavy)
        if plan.rocket == known.FALCON_1:
            return [self.fleet.fly_falcon_1(flight, plan.slot.number - 1)]
        return [self.fleet.fly(flight, role) for role in range(core_count)]

    def _failures(self, plan: Plan) -> list[dict[str, Any]]:
        if plan.success is not False:
            return []
        if plan.lost_on_pad:
            time = -self._dice.randint(3_600, 200_000)
            return [{"time": time, "altitude": 0, "reason": "tank burst during the test two days before the launch"}]
        reason, low, high = self._dice.choice(_REASONS)
        time = self._dice.randint(low, high)
        return [{"time": time, "altitude": time // 4 if self._dice.random() < 0.7 else None, "reason": reason}]

    def _static_fire(self, plan: Plan) -> dict[str, Any]:
        if plan.slot.upcoming or self._dice.random() < 0.4:
            return {"static_fire_date_utc": None, "static_fire_date_unix": None}
        at = plan.slot.at - self._dice.randint(2, 9) * _DAY
        return {"static_fire_date_utc": clock.utc(at), "static_fire_date_unix": at}

    def _fairings(self, plan: Plan, ships: list[str]) -> dict[str, Any] | None:
        if plan.mission.family.is_dragon:
            return None  # a capsule needs none
        if plan.slot.upcoming:
            return {"reused": None, "recovery_attempt": None, "recovered": None, "ships": []}
        tried = clock.year(plan.slot.at) >= 2018 and self._dice.random() < 0.8
        return {
            "reused": self._dice.choice((True, False, None)) if tried else False,
            "recovery_attempt": tried,
            "recovered": self._dice.choice((True, True, False, None)) if tried else None,
            "ships": ships[:2] if tried else [],
        }

    def _details(self, plan: Plan) -> str | None:
        if plan.success is None or self._dice.random() < 0.3:
            return None
        what = f"Carried {plan.mission.name} towards {plan.mission.family.orbit}"
        if plan.success is False:
            return f"{what}, but was lost – see the failures."
        return f"{what}; insertion at {self._dice.randint(28, 98)}° within “nominal” limits."

    def _links(self, plan: Plan) -> dict[str, Any]:
        slug = plan.launch_id[-8:]
        told = plan.success is not None

        def maybe(odds: float, url: str) -> str | None:
            return url if told and self._dice.random() < odds else None

        patch = maybe(0.97, f"{IMAGES}/patches/{slug}")
        video = f"sim{slug}" if told and self._dice.random() < 0.98 else None
        photos = self._dice.randint(0, 6) if told else 0
        return {
            "patch": {"small": patch and f"{patch}_s.png", "large": patch and f"{patch}_l.png"},
            "reddit": {
                "campaign": maybe(0.8, f"{PAGES}/talk/campaign/{slug}"),
                "launch": maybe(0.9, f"{PAGES}/talk/launch/{slug}"),
                "media": maybe(0.5, f"{PAGES}/talk/media/{slug}"),
                "recovery": maybe(0.5, f"{PAGES}/talk/recovery/{slug}"),
            },
            "flickr": {"small": [], "original": [f"{IMAGES}/launches/{slug}_{shot}.jpg" for shot in range(photos)]},
            "presskit": maybe(0.5, f"{PAGES}/presskits/{slug}.pdf"),
            "webcast": video and f"https://video.example.org/watch?v={video}",
            "youtube_id": video,
            "article": maybe(0.75, f"{PAGES}/news/{slug}"),
            "wikipedia": maybe(0.8, f"{PAGES}/missions/{slug}"),
        }
