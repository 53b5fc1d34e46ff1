"""Owns the simulated pads and landing zones. What flew from and landed on them is history.py's to say."""

from collections.abc import Mapping, Sequence
from typing import Any

from local.spacex_api import catalogue as known
from local.spacex_api.catalogue import IMAGES, PAGES, ZONES

# name, full name, locality, region, latitude, longitude, status, rockets
_PADS: dict[str, tuple[str, str, str, str, float, float, str, tuple[str, ...]]] = {
    known.SLC_3W: (
        "VAFB SLC 3W",
        "Vandenberg Space Force Base Space Launch Complex 3W",
        "Vandenberg Space Force Base",
        "California",
        34.6440904,
        -120.5931438,
        "retired",
        (known.FALCON_1,),
    ),
    known.SLC_40: (
        "CCSFS SLC 40",
        "Cape Canaveral Space Force Station Space Launch Complex 40",
        "Cape Canaveral",
        "Florida",
        28.5618571,
        -80.577366,
        "active",
        (known.FALCON_9,),
    ),
    known.STLS: (
        "STLS",
        "SpaceX South Texas Launch Site",
        "Boca Chica Village",
        "Texas",
        25.9972641,
        -97.1560845,
        "under construction",
        (),
    ),
    known.KWAJALEIN: (
        "Kwajalein Atoll",
        "Kwajalein Atoll Omelek Island",
        "Omelek Island",
        "Marshall Islands",
        9.0477206,
        167.7431292,
        "retired",
        (known.FALCON_1,),
    ),
    known.SLC_4E: (
        "VAFB SLC 4E",
        "Vandenberg Space Force Base Space Launch Complex 4E",
        "Vandenberg Space Force Base",
        "California",
        34.632093,
        -120.610829,
        "active",
        (known.FALCON_9,),
    ),
    known.LC_39A: (
        "KSC LC 39A",
        "Kennedy Space Center Historic Launch Complex 39A",
        "Cape Canaveral",
        "Florida",
        28.6080585,
        -80.6039558,
        "active",
        (known.FALCON_9, known.FALCON_HEAVY),
    ),
}

# name, full name, type, locality, region, latitude, longitude, status
_LANDPADS: dict[str, tuple[str, str, str, str, str, float, float, str]] = {
    known.LZ_1: ("LZ-1", "Landing Zone 1", "RTLS", "Cape Canaveral", "Florida", 28.485833, -80.544444, "active"),
    known.LZ_2: ("LZ-2", "Landing Zone 2", "RTLS", "Cape Canaveral", "Florida", 28.485833, -80.544444, "active"),
    known.LZ_4: (
        "LZ-4",
        "Landing Zone 4",
        "RTLS",
        "Vandenberg Air Force Base",
        "California",
        34.632989,
        -120.615167,
        "active",
    ),
    known.OCISLY: (
        "OCISLY",
        "Of Course I Still Love You",
        "ASDS",
        "Port of Los Angeles",
        "California",
        33.7291858,
        -118.262015,
        "active",
    ),
    known.JRTI_1: (
        "JRTI-1",
        "Just Read The Instructions V1",
        "ASDS",
        "Port Canaveral",
        "Florida",
        28.4104,
        -80.6188,
        "retired",
    ),
    known.JRTI: (
        "JRTI",
        "Just Read The Instructions",
        "ASDS",
        "Port Canaveral",
        "Florida",
        28.4104,
        -80.6188,
        "active",
    ),
    known.ASOG: (
        "ASOG",
        "A Shortfall of Gravitas",
        "ASDS",
        "Port Canaveral",
        "Florida",
        28.4104,
        -80.6188,
        "active",
    ),
}


def launchpads(launches: Mapping[str, Sequence[str]], successes: Mapping[str, int]) -> list[dict[str, Any]]:
    """The six pads, with the ids of what was launched from them."""
    return [
        {
            "images": {"large": [f"{IMAGES}/launchpads/{number}.png"]},
            "name": pad[0],
            "full_name": pad[1],
            "locality": pad[2],
            "region": pad[3],
            "latitude": pad[4],
            "longitude": pad[5],
            "launch_attempts": len(launches.get(pad_id, ())),
            "launch_successes": successes.get(pad_id, 0),
            "rockets": list(pad[7]),
            "timezone": ZONES[pad_id],
            "launches": list(launches.get(pad_id, ())),
            "status": pad[6],
            "details": f"{pad[1]}, as the simulator knows it: {pad[6]}.",
            "id": pad_id,
        }
        for number, (pad_id, pad) in enumerate(_PADS.items(), start=1)
    ]


def landpads(landings: Mapping[str, Sequence[tuple[str, bool]]]) -> list[dict[str, Any]]:
    """The seven landing zones and ships; `landings` gives the launches that tried, and whether it went well."""
    return [
        {
            "images": {"large": [f"{IMAGES}/landpads/{number}.png"]},
            "name": pad[0],
            "full_name": pad[1],
            "type": pad[2],
            "locality": pad[3],
            "region": pad[4],
            "latitude": pad[5],
            "longitude": pad[6],
            "landing_attempts": len(landings.get(pad_id, ())),
            "landing_successes": sum(landed for _, landed in landings.get(pad_id, ())),
            "wikipedia": f"{PAGES}/landing-zones/{pad[0].lower()}",
            "details": f"{pad[1]}, as the simulator knows it: {pad[7]}.",
            "launches": list(dict.fromkeys(launch for launch, _ in landings.get(pad_id, ()))),
            "status": pad[7],
            "id": pad_id,
        }
        for number, (pad_id, pad) in enumerate(_LANDPADS.items(), start=1)
    ]
