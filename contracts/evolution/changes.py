"""Owns what one change of a contract is and what it does to either side. Finding changes is dataset.py's job."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

_SHOWN_CHARACTERS = 80


class Effect(StrEnum):
    """What a change does to one side: the consumers of the published table, or whoever sends the records."""

    PATCH = "patch"  # words only
    ADDITIVE = "additive"  # nothing that worked stops working
    BREAKING = "breaking"


class Direction(StrEnum):
    """How a limit moved: by which records it accepts that were refused before, and the other way round."""

    SAME = "same"
    TIGHTENED = "tightened"  # accepts less
    LOOSENED = "loosened"  # accepts more
    CHANGED = "changed"  # accepts other records, or nobody can tell
    TOLD = "told"  # refuses nothing in either version; only what is warned of differs


#: For each direction, what it does to consumers and to the producer. A consumer relies on what is refused, a producer
#: on what is accepted, so a tightening and a loosening mirror each other.
_SIDES = {
    Direction.TIGHTENED: (Effect.ADDITIVE, Effect.BREAKING),
    Direction.LOOSENED: (Effect.BREAKING, Effect.ADDITIVE),
    Direction.CHANGED: (Effect.BREAKING, Effect.BREAKING),
    Direction.TOLD: (Effect.ADDITIVE, Effect.ADDITIVE),
}

#: What can change, as change ids begin. Rules about properties are called as their kind of rule is.
TOPICS = frozenset(
    [
        "contract",
        "dataset",
        "property",
        "type",
        "column-type",
        "primary-key",
        "classification",
        "deprecation",
        "unit",
        "words",
        "key",
        "order",
        "required",
        "unique",
        "enum",
        "pattern",
        "minimum",
        "maximum",
        "exclusive-minimum",
        "exclusive-maximum",
        "min-length",
        "max-length",
        "min-items",
        "max-items",
        "option",
        "severity",
        "reference",
        "rule",
        "drift",
        "reject-limit",
        "sla",
        "role",
        "server",
        "status",
        "grain",
    ]
)
#: How it can change, as change ids go on.
VERBS = frozenset(
    [
        "added",
        "removed",
        "renamed",
        "changed",
        "tightened",
        "loosened",
        "told",
        "widened",
        "narrowed",
        "raised",
        "lowered",
        "announced",
        "withdrawn",
    ]
)


@dataclass(frozen=True, slots=True)
class Change:
    """One difference between two versions of a contract.

    `where` is the property's path, or the name of a rule, role, server or service level; "" for the dataset itself.
    `column` is the top-level property that readers would name in SQL, None for what concerns the whole dataset.
    """

    topic: str
    verb: str
    where: str
    consumer: Effect
    producer: Effect
    what: str
    column: str | None = None
    is_unannounced: bool = False  # removed without having been deprecated in the older version

    @property
    def change_id(self) -> str:
        """Names the change as long as the same thing changes in the same manner: `enum-loosened:date_precision`."""
        kind = f"{self.topic}-{self.verb}"
        return f"{kind}:{self.where}" if self.where else kind

    @property
    def concerns_readers(self) -> bool:
        """Whether those who read the data have something to do, now or before a later version."""
        return self.consumer is Effect.BREAKING or (self.topic, self.verb) == ("deprecation", "announced")


def moved(topic: str, where: str, direction: Direction, what: str, column: str | None = None) -> Iterable[Change]:
    """The change of a limit that moved in a direction; none when it stayed."""
    if direction is Direction.SAME:
        return
    consumer, producer = _SIDES[direction]
    yield Change(topic, str(direction), where, consumer, producer, what, column)


def both(topic: str, verb: str, where: str, effect: Effect, what: str, column: str | None = None) -> Change:
    """A change that does the same to both sides."""
    return Change(topic, verb, where, effect, effect, what, column)


def combined(directions: Iterable[Direction]) -> Direction:
    """The direction of something that moves in several ways at once."""
    found = set(directions) - {Direction.SAME}
    if len(found) > 1:
        found -= {Direction.TOLD}
    if len(found) > 1:
        return Direction.CHANGED
    return next(iter(found), Direction.SAME)


def mirrored(direction: Direction) -> Direction:
    """The direction of the way back."""
    swapped = {Direction.TIGHTENED: Direction.LOOSENED, Direction.LOOSENED: Direction.TIGHTENED}
    return swapped.get(direction, direction)


def shown(value: Any) -> str:
    """A value of a contract as people read it, shortened."""
    if value is None:
        return "none"
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, sort_keys=True)
    return text if len(text) <= _SHOWN_CHARACTERS else f"{text[: _SHOWN_CHARACTERS - 1]}…"


def from_to(old: Any, new: Any) -> str:
    """What something was and is."""
    return f"was {shown(old)}, is {shown(new)}"
