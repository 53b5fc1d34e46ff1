"""Owns the things the simulated API always has: rockets, pads, landing zones. Their counts are history.py's to add.

Names, places and sizes are public facts; every description is this simulator's own.
"""

from typing import Any

from local.spacex_api.ids import object_id

IMAGES = "https://images.example.org"
PAGES = "https://pages.example.org"

FALCON_1, FALCON_9, FALCON_HEAVY, STARSHIP = (
    object_id("rocket", name) for name in ("Falcon 1", "Falcon 9", "Falcon Heavy", "Starship")
)
KWAJALEIN, SLC_40, LC_39A, SLC_4E, SLC_3W, STLS = (
    object_id("launchpad", name) for name in ("Kwajalein", "SLC-40", "LC-39A", "SLC-4E", "SLC-3W", "STLS")
)
ZONES = {
    KWAJALEIN: "Pacific/Kwajalein",
    SLC_40: "America/New_York",
    LC_39A: "America/New_York",
    SLC_4E: "America/Los_Angeles",
    SLC_3W: "America/Los_Angeles",
    STLS: "America/Chicago",
}
LZ_1, LZ_2, LZ_4, OCISLY, JRTI_1, JRTI, ASOG = (
    object_id("landpad", name) for name in ("LZ-1", "LZ-2", "LZ-4", "OCISLY", "JRTI-1", "JRTI", "ASOG")
)


def rockets(success_pct: dict[str, int]) -> list[dict[str, Any]]:
    """The four rockets. `success_pct` is by rocket id; a rocket that never flew has none and gets 0."""
    return [
        _rocket(
            FALCON_1,
            "Falcon 1",
            size=(22.25, 73, 1.68, 5.5, 30146, 66460),
            first_stage=_stage_one((420, 94000), (480, 110000), 1, 44.3, 169, reusable=False),
            second_stage=_stage_two((31, 7000), 1, 3.38, 378, (3.5, 11.5, 1.5, 4.9), "composite fairing"),
            engines=_engines((267, 304), (420, 94000), (480, 110000), 1, "1C", "single", 0, 96),
            legs=(0, None),
            lifts=[("leo", "Low Earth Orbit", 450, 992)],
            first_flight="2006-03-24",
            cost=6_700_000,
            success=success_pct.get(FALCON_1, 0),
            active=False,
            country="Republic of the Marshall Islands",
        ),
        _rocket(
            FALCON_9,
            "Falcon 9",
            size=(70, 229.6, 3.7, 12, 549054, 1207920),
            first_stage=_stage_one((7607, 1710000), (8227, 1849500), 9, 385, 162),
            second_stage=_stage_two((934, 210000), 1, 90, 397, (13.1, 43, 5.2, 17.1), "dragon"),
            engines=_engines((288, 312), (845, 190000), (914, 205500), 9, "1D+", "octaweb", 2, 180.1),
            legs=(4, "carbon fiber"),
            lifts=[
                ("leo", "Low Earth Orbit", 22800, 50265),
                ("gto", "Geosynchronous Transfer Orbit", 8300, 18300),
                ("mars", "Mars Orbit", 4020, 8860),
            ],
            first_flight="2010-06-04",
            cost=50_000_000,
            success=success_pct.get(FALCON_9, 0),
        ),
        _rocket(
            FALCON_HEAVY,
            "Falcon Heavy",
            size=(70, 229.6, 12.2, 39.9, 1420788, 3125735),
            first_stage=_stage_one((22819, 5130000), (24681, 5548500), 27, 1155, 162),
            second_stage=_stage_two((934, 210000), 1, 90, 397, (13.1, 43, 5.2, 17.1), "dragon"),
            engines=_engines((288, 312), (845, 190000), (914, 205500), 27, "1D+", "octaweb", 6, 180.1),
            legs=(12, "carbon fiber"),
            lifts=[
                ("leo", "Low Earth Orbit", 63800, 140660),
                ("gto", "Geosynchronous Transfer Orbit", 26700, 58860),
                ("mars", "Mars Orbit", 16800, 37040),
                ("pluto", "Pluto Orbit", 3500, 7720),
            ],
            first_flight="2018-02-06",
            cost=90_000_000,
            success=success_pct.get(FALCON_HEAVY, 0),
            boosters=2,
        ),
        _rocket(
            STARSHIP,
            "Starship",
            size=(118, 387, 9, 30, 1335000, 2943000),
            first_stage=_stage_one((128000, 28775544), (138000, 31023634), 37, 3300, None),
            second_stage=_stage_two(
                (1957, 440000), 6, 1200, None, (None, None, None, None), "Spaceship", reusable=True
            ),
            engines=_engines((330, 380), (1780, 400000), (1960, 440000), 37, "", None, None, 107, "raptor"),
            legs=(6, "stainless steel"),
            lifts=[("leo", "Low Earth Orbit", 150000, 330000), ("mars", "Mars Orbit", 100000, 220000)],
            first_flight="2021-12-01",
            cost=7_000_000,
            success=success_pct.get(STARSHIP, 0),
            active=False,
        ),
    ]


def _rocket(
    rocket_id: str,
    name: str,
    *,
    size: tuple[float, float, float, float, int, int],
    first_stage: dict[str, Any],
    second_stage: dict[str, Any],
    engines: dict[str, Any],
    legs: tuple[int, str | None],
    lifts: list[tuple[str, str, int, int]],
    first_flight: str,
    cost: int,
    success: int,
    active: bool = True,
    boosters: int = 0,
    country: str = "United States",
) -> dict[str, Any]:
    slug = name.lower().replace(" ", "-")
    return {
        "height": {"meters": size[0], "feet": size[1]},
        "diameter": {"meters": size[2], "feet": size[3]},
        "mass": {"kg": size[4], "lb": size[5]},
        "first_stage": first_stage,
        "second_stage": second_stage,
        "engines": engines,
        "landing_legs": {"number": legs[0], "material": legs[1]},
        "payload_weights": [{"id": key, "name": orbit, "kg": kg, "lb": lb} for key, orbit, kg, lb in lifts],
        "flickr_images": [f"{IMAGES}/rockets/{slug}-{number}.jpg" for number in (1, 2)],
        "name": name,
        "type": "rocket",
        "active": active,
        "stages": 2,
        "boosters": boosters,
        "cost_per_launch": cost,
        "success_rate_pct": success,
        "first_flight": first_flight,
        "country": country,
        "company": "SpaceX",
        "wikipedia": f"{PAGES}/{slug}",
        "description": f"{name} as the simulator knows it: two stages, built to carry what the history below says.",
        "id": rocket_id,
    }


def _stage_one(
    sea: tuple[int, int],
    vacuum: tuple[int, int],
    engines: int,
    fuel: float,
    burn: int | None,
    *,
    reusable: bool = True,
) -> dict[str, Any]:
    return {
        "thrust_sea_level": {"kN": sea[0], "lbf": sea[1]},
        "thrust_vacuum": {"kN": vacuum[0], "lbf": vacuum[1]},
        "reusable": reusable,
        "engines": engines,
        "fuel_amount_tons": fuel,
        "burn_time_sec": burn,
    }


def _stage_two(
    thrust: tuple[int, int],
    engines: int,
    fuel: float,
    burn: int | None,
    fairing: tuple[float | None, float | None, float | None, float | None],
    option: str,
    *,
    reusable: bool = False,
) -> dict[str, Any]:
    return {
        "thrust": {"kN": thrust[0], "lbf": thrust[1]},
        "payloads": {
            "composite_fairing": {
                "height": {"meters": fairing[0], "feet": fairing[1]},
                "diameter": {"meters": fairing[2], "feet": fairing[3]},
            },
            "option_1": option,
        },
        "reusable": reusable,
        "engines": engines,
        "fuel_amount_tons": fuel,
        "burn_time_sec": burn,
    }


def _engines(
    isp: tuple[int, int],
    sea: tuple[int, int],
    vacuum: tuple[int, int],
    number: int,
    version: str,
    layout: str | None,
    loss: int | None,
    thrust_to_weight: float,
    kind: str = "merlin",
) -> dict[str, Any]:
    return {
        "isp": {"sea_level": isp[0], "vacuum": isp[1]},
        "thrust_sea_level": {"kN": sea[0], "lbf": sea[1]},
        "thrust_vacuum": {"kN": vacuum[0], "lbf": vacuum[1]},
        "number": number,
        "type": kind,
        "version": version,
        "layout": layout,
        "engine_loss_max": loss,
        "propellant_1": "liquid oxygen",
        "propellant_2": "RP-1 kerosene" if kind == "merlin" else "liquid methane",
        "thrust_to_weight": thrust_to_weight,
    }
