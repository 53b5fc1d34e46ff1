"""Owns what the marts must hold, computed from the API's records in plain Python. No SQL is looked at."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

Record = Mapping[str, Any]


def instant(record: Record) -> datetime:
    return datetime.fromisoformat(record["date_utc"]).astimezone(UTC)


def outcome(launch: Record) -> str:
    if launch["upcoming"]:
        return "upcoming"
    return {True: "success", False: "failure", None: "unknown"}[launch["success"]]


def launches(records: Mapping[str, Sequence[Record]]) -> dict[str, tuple[Any, ...]]:
    """Each launch's rocket, pad, outcome, core counts (known, open, reused, landed), payload count and mass."""
    rockets = {record["id"]: record["name"] for record in records["rockets"]}
    pads = {record["id"]: record["name"] for record in records["launchpads"]}
    masses = {record["id"]: record["mass_kg"] for record in records["payloads"]}
    rows = {}
    for launch in records["launches"]:
        cores, known = launch["cores"], [masses.get(key) for key in set(launch["payloads"])]
        weighed = [Decimal(str(mass)) for mass in known if mass is not None]
        rows[launch["id"]] = (
            rockets.get(launch["rocket"]),
            pads.get(launch["launchpad"]),
            outcome(launch),
            sum(core["core"] is not None for core in cores),
            sum(core["core"] is None for core in cores),
            sum(core["reused"] is True for core in cores),
            sum(core["landing_success"] is True for core in cores),
            len(known),
            sum(weighed, Decimal(0)).quantize(Decimal("0.001")) if weighed else None,
        )
    return rows


def landing(launch: Record, core: Record) -> str:
    if launch["upcoming"]:
        return "upcoming"
    if core["landing_attempt"] is False:
        return "not attempted"
    return {True: "success", False: "failure", None: "unknown"}[core["landing_success"]]


def core_flights(records: Mapping[str, Sequence[Record]]) -> dict[tuple[str, str], tuple[Any, ...]]:
    """Each core flight's serial, number, landing in words and days since the core's previous launch."""
    serials = {record["id"]: record["serial"] for record in records["cores"]}
    rows, previous = {}, dict[str, datetime]()
    for launch in sorted(records["launches"], key=lambda launch: (instant(launch), launch["id"])):
        for core in launch["cores"]:
            if (key := core["core"]) is None:
                continue
            rested = (instant(launch).date() - previous[key].date()).days if key in previous else None
            rows[launch["id"], key] = (
                serials.get(key),
                core["flight"],
                landing(launch, core),
                None if launch["upcoming"] else rested,
            )
            previous[key] = instant(launch)
    return rows
