"""Reads and changes values inside a record by path: `cores[].flight` is the flight of the first core."""

import re
from collections.abc import Callable
from typing import Any


class NotThere(Exception):
    """The record has no such place: an object on the way is null, or a list is empty."""


def rule_id(path: str, kind: str) -> str:
    """What a contract calls the rule of that kind on that path: `cores-core-required`, `cores-item-required`."""
    words = re.sub(r"\[\]$", ".item", path).replace("[]", "").replace(".", "-")
    return f"{words}-{kind}" if words else kind


def value_at(record: dict[str, Any], path: str) -> Any:
    """The value at the path. Raises NotThere."""
    holder, key = _holder(record, path)
    return holder[key]


def set_at(record: dict[str, Any], path: str, change: Callable[[Any], Any]) -> None:
    """Puts what `change` makes of the value in its place. Raises NotThere."""
    holder, key = _holder(record, path)
    holder[key] = change(holder[key])


def remove_at(record: dict[str, Any], path: str) -> None:
    """Takes the key away. Raises NotThere."""
    holder, key = _holder(record, path)
    del holder[key]


def _holder(record: dict[str, Any], path: str) -> tuple[Any, str | int]:
    """The object or list that holds the value, and the key or index it is held under."""
    holder: Any = record
    steps: list[str | int] = []
    for name in path.split("."):
        steps += [name[:-2], 0] if name.endswith("[]") else [name]
    for step in steps[:-1]:
        holder = _step(holder, step)
    _step(holder, steps[-1])
    return holder, steps[-1]


def _step(holder: Any, step: str | int) -> Any:
    try:
        return holder[step]
    except (KeyError, IndexError, TypeError) as exc:
        raise NotThere(str(step)) from exc
