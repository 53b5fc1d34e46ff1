"""Owns our words beside the standard's: `customProperties` without a vendor, or with ours."""

from collections.abc import Collection, Mapping
from typing import Any

from contracts.document import KeyPath, Problem

VENDOR = "spacex-elt"


def custom_properties(
    values: Mapping[str, Any], at: KeyPath, known: Collection[str], problems: list[Problem]
) -> dict[str, tuple[KeyPath, Any]]:
    """Our custom properties by name, each with where its value lies. Another vendor's are none of our business."""
    found: dict[str, tuple[KeyPath, Any]] = {}
    for index, item in enumerate(values.get("customProperties") or []):
        if item.get("vendor", VENDOR) != VENDOR:
            continue
        name, here = item["property"], (*at, "customProperties", index)
        if name not in known:
            expected = ", ".join(sorted(known)) or "none"
            problems.append(Problem(here, f"no custom property of ours is called {name!r} here; known: {expected}"))
        elif name in found:
            problems.append(Problem(here, f"the custom property {name} is given twice"))
        else:
            found[name] = ((*here, "value"), item["value"])
    return found
