"""Owns what a shard remembers to tell a repeated record from two records that claim one key.

Taking the verdict from it is validation/set_checks.py's job.
"""

import hashlib
from collections.abc import Mapping
from enum import Enum
from typing import Any

import orjson


class Novelty(Enum):
    """What a record is to those that came before it."""

    FIRST = "first"
    REPEAT = "repeat"  # equal to an earlier record of its key, whatever the order of its fields
    CONFLICT = "conflict"  # its key was seen with other content


class KeyMemory:
    """The keys of one shard and what they held. About 200 bytes a key: the one thing that grows with the shard."""

    def __init__(self) -> None:
        self._first: dict[str, bytes] = {}
        self._others: dict[str, set[bytes]] = {}

    def meet(self, key: str, record: Mapping[str, Any]) -> Novelty:
        """Remembers a record. How many are repeats and conflicts does not depend on the order they come in."""
        content = hashlib.blake2b(orjson.dumps(record, option=orjson.OPT_SORT_KEYS), digest_size=16).digest()
        first = self._first.setdefault(key, content)
        if first is content:
            return Novelty.FIRST
        if first == content or content in self._others.get(key, ()):
            return Novelty.REPEAT
        self._others.setdefault(key, set()).add(content)
        return Novelty.CONFLICT

    @property
    def conflicting_keys(self) -> list[str]:
        """The keys that were met with more than one content, sorted."""
        return sorted(self._others)


class ValueMemory:
    """The values of one property that must not repeat, and those that did."""

    def __init__(self) -> None:
        self._seen: set[str | int | float | bool] = set()
        self._repeated: set[str | int | float | bool] = set()

    def meet(self, value: str | int | float | bool) -> None:
        """Remembers one value."""
        if value in self._seen:
            self._repeated.add(value)
        self._seen.add(value)

    @property
    def repeated(self) -> list[str]:
        """The values that came more than once, as text, sorted."""
        return sorted(str(value) for value in self._repeated)
