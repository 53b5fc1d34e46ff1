"""Owns editing a contract's values by addresses such as `properties/cores/items/properties/landpad/required`.

Steps into a list name an entry by its name, property, role, server, id or value; `/` in front starts at the top.
"""

import copy
from collections.abc import Mapping
from functools import cache
from typing import Any

from contracts import document
from contracts.read import FOLDER

_NAMES = ("name", "property", "role", "server", "id", "value")


@cache
def launches() -> dict[str, Any]:
    """The product's contract of launches as plain values. Not to be written to: `edited` copies."""
    return document.load(FOLDER / "launches.odcs.yaml")


def edited(values: Mapping[str, Any], case: Mapping[str, Any]) -> dict[str, Any]:
    """A copy with what the case's `drop`, `set` and `add` say done to it, in this order."""
    result: dict[str, Any] = copy.deepcopy(dict(values))
    for address in case.get("drop") or []:
        parent, last = _parent(result, address)
        del parent[_index(parent, last)]
    for address, value in (case.get("set") or {}).items():
        parent, last = _parent(result, address)
        parent[_index(parent, last)] = copy.deepcopy(value)
    for address, value in (case.get("add") or {}).items():
        parent, last = _parent(result, address)
        parent.setdefault(last, []).append(copy.deepcopy(value))
    return result


def _parent(root: dict[str, Any], address: str) -> tuple[Any, str]:
    node: Any = root if address.startswith("/") else root["schema"][0]
    *steps, last = address.strip("/").split("/")
    for step in steps:
        node = node[_index(node, step)]
    return node, last


def _index(node: Any, step: str) -> Any:
    if not isinstance(node, list):
        return step
    named = [index for index, entry in enumerate(node) if step in [str(entry[key]) for key in _NAMES if key in entry]]
    assert len(named) == 1, f"{step} names {len(named)} entries"
    return named[0]
