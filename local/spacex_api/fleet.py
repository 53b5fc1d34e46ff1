"""Owns the simulated boosters: which one flies, how it lands, when it is free again. Launches are history.py's."""

import heapq
import random
from dataclasses import dataclass, field
from typing import Any

from local.spacex_api import catalogue as known
from local.spacex_api import clock
from local.spacex_api.ids import object_id

_DAY = 86_400
_FIRST_REUSE = clock.epoch("2017-03-30T00:00:00")
_FALCON_1_SERIALS = ("Merlin1A", "Merlin2A", "Merlin1C", "Merlin2C", "Merlin3C")
_NOTES = (
    "Waiting at the hangar for its next assignment.",
    "Refurbished; engines swapped after the last flight.",
    "Shown to visitors between flights – naïve onlookers call it “sooty”.",
    "Static fire planned.",
)


@dataclass(slots=True)
class Core:
    """One booster. `flights` counts what it has flown, `launches` names them."""

    number: int  # in the order they were built
    core_id: str
    serial: str
    block: int | None
    status: str = "active"
    flights: int = 0
    rtls: list[bool] = field(default_factory=list)
    asds: list[bool] = field(default_factory=list)
    launches: list[str] = field(default_factory=list)
    last_update: str | None = None

    @property
    def flights_left(self) -> int:
        """How often it may fly again: early blocks once or twice, the last one many times."""
        lifetime = {3: 2, 4: 2, 5: 15}.get(self.block or 0, 1)
        return lifetime - self.flights

    def record(self) -> dict[str, Any]:
        """The core as the API gives it."""
        return {
            "block": self.block,
            "reuse_count": max(self.flights - 1, 0),
            "rtls_attempts": len(self.rtls),
            "rtls_landings": sum(self.rtls),
            "asds_attempts": len(self.asds),
            "asds_landings": sum(self.asds),
            "last_update": self.last_update,
            "launches": self.launches,
            "serial": self.serial,
            "status": self.status,
            "id": self.core_id,
        }


@dataclass(frozen=True, slots=True)
class Flight:
    """What the fleet is asked to fly."""

    launch_id: str
    at: int
    success: bool
    west: bool  # from Vandenberg
    heavy_lift: bool  # no fuel left to fly home: lands at sea


class Fleet:
    """Every booster there is. Throws the dice it is given, so the same dice give the same fleet."""

    def __init__(self, thrown: random.Random) -> None:
        self._dice = thrown
        self._cores: list[Core] = []
        self._free: list[tuple[int, int]] = []  # (free at, index of core)

    def records(self) -> list[dict[str, Any]]:
        """The cores as the API gives them, in the order they were built."""
        return [core.record() for core in self._cores]

    def fly_falcon_1(self, flight: Flight, number: int) -> dict[str, Any]:
        """A Falcon 1 booster flies once."""
        core = self._build(flight.at, serial=_FALCON_1_SERIALS[number])
        core.flights, core.status, core.launches = 1, "lost", [flight.launch_id]
        core.last_update = None if flight.success else "Lost with its rocket."
        return _flown(core, core.flights, has_legs=False) | {"landing_attempt": False}

    def fly(self, flight: Flight, role: int = 0) -> dict[str, Any]:
        """A booster of Falcon 9 (role 0) or Falcon Heavy (0 in the middle, 1 and 2 at its sides) flies."""
        core = self._choose(flight.at)
        core.flights += 1
        core.launches.append(flight.launch_id)
        has_legs = clock.year(flight.at) >= 2014
        return _flown(core, core.flights, has_legs=has_legs) | self._land(core, flight, role)

    def plan(self, at: int, wish: float) -> dict[str, Any]:
        """The core of an upcoming launch: known, known only by what it shall do, or not known at all."""
        if wish < 0.4:
            return dict.fromkeys(_CORE_FIELDS)
        landing = {"landing_attempt": True, "landing_success": None, "landing_type": "ASDS", "landpad": None}
        if wish < 0.75:
            return {"core": None, "flight": None, "gridfins": True, "legs": True, "reused": True, **landing}
        core = self._choose(at)
        if core.flights == 0:
            core.status = "unknown"
        return _flown(core, core.flights + 1, has_legs=True) | landing

    def retire(self) -> None:
        """The end of the history: boosters of early blocks that survived will not fly again."""
        for _, index in self._free:
            if self._cores[index].block != 5:
                self._cores[index].status = "inactive"

    def _choose(self, at: int) -> Core:
        reuse_odds = 0.0 if at < _FIRST_REUSE else {2017: 0.35, 2018: 0.6, 2019: 0.75}.get(clock.year(at), 0.92)
        if self._free and self._free[0][0] <= at and self._dice.random() < reuse_odds:
            return self._cores[heapq.heappop(self._free)[1]]
        return self._build(at)

    def _build(self, at: int, serial: str | None = None) -> Core:
        number = len(self._cores)
        block = None if serial else min(5, max(1, clock.year(at) - 2013))
        core = Core(number, object_id("core", number, at - 200 * _DAY), serial or f"B{1000 + number}", block)
        if self._dice.random() < 0.85:
            core.last_update = self._dice.choice(_NOTES)
        self._cores.append(core)
        return core

    def _land(self, core: Core, flight: Flight, role: int) -> dict[str, Any]:
        how = self._landing(flight, role)
        if how is None:
            core.status = "expended"
            return {"landing_attempt": False, "landing_success": None, "landing_type": None, "landpad": None}
        kind, landpad = how
        if not flight.success:
            core.status = "lost"  # before it could try: attempt meant, outcome unknown
            return {"landing_attempt": True, "landing_success": None, "landing_type": kind, "landpad": landpad}
        landed = self._dice.random() < (0.6 if clock.year(flight.at) < 2017 else 0.96)
        {"RTLS": core.rtls, "ASDS": core.asds, "Ocean": []}[kind].append(landed)
        self._after_landing(core, flight.at, is_whole=landed and kind != "Ocean")
        return {"landing_attempt": True, "landing_success": landed, "landing_type": kind, "landpad": landpad}

    def _after_landing(self, core: Core, at: int, *, is_whole: bool) -> None:
        if not is_whole:
            core.status = "lost"
        elif core.flights_left <= 0:
            core.status = "inactive"
        else:
            heapq.heappush(self._free, (at + self._dice.randint(27, 75) * _DAY, core.number))

    def _landing(self, flight: Flight, role: int) -> tuple[str, str | None] | None:
        year = clock.year(flight.at)
        luck = self._dice.random()
        if year < 2014 or luck < 0.05:
            return None
        if year < 2015:
            return ("Ocean", None)
        if role:
            return ("RTLS", known.LZ_1 if role == 1 else known.LZ_2)
        if not flight.heavy_lift and luck < 0.4:
            return ("RTLS", known.LZ_4 if flight.west else known.LZ_1)
        if flight.west:
            return ("ASDS", known.OCISLY if year >= 2021 else known.JRTI_1)
        return ("ASDS", self._dice.choice((known.JRTI, known.ASOG) if year >= 2021 else (known.OCISLY, known.JRTI)))


_CORE_FIELDS = (
    "core",
    "flight",
    "gridfins",
    "legs",
    "reused",
    "landing_attempt",
    "landing_success",
    "landing_type",
    "landpad",
)


def _flown(core: Core, flight: int, *, has_legs: bool) -> dict[str, Any]:
    return {
        **dict.fromkeys(_CORE_FIELDS),
        "core": core.core_id,
        "flight": flight,
        "gridfins": has_legs,
        "legs": has_legs,
        "reused": flight > 1,
    }
