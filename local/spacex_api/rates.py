"""Owns the notation `[dataset/]name:rate` that faults are asked for in. What a fault does is said elsewhere."""

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

Item = TypeVar("Item")

DEFAULT_DATASET = "launches"
DEFAULT_RATE = 0.01


class FaultRefused(Exception):
    """A fault was asked for that does not exist, or that a dataset cannot have. The message lists what there is."""


@dataclass(frozen=True, slots=True)
class FaultSpec:
    """One fault that was asked for. `rate` is the share of records it strikes, 0 to 1."""

    dataset: str
    name: str
    rate: float

    @classmethod
    def parse(cls, text: str, known: Sequence[str]) -> "FaultSpec":
        """Reads `wrong-type:1%`, `payloads/bad-enum:0.01` or `empty-collection`. Raises FaultRefused.

        A fault that strikes a whole collection does so at any rate above zero.
        """
        head, _, rate = text.strip().partition(":")
        dataset, slash, name = head.rpartition("/")
        if name not in known:
            raise FaultRefused(f"there is no fault {name!r}. Expected one of: {', '.join(sorted(known))}.")
        if slash and not dataset:
            raise FaultRefused(f"{text!r} names no dataset before the slash. Expected DATASET/FAULT:RATE.")
        return cls(dataset or DEFAULT_DATASET, name, _rate(rate, text))

    def __str__(self) -> str:
        return f"{self.dataset}/{self.name}:{self.rate:g}"


def _rate(text: str, whole: str) -> float:
    if not text:
        return DEFAULT_RATE
    try:
        rate = float(text[:-1]) / 100 if text.endswith("%") else float(text)
    except ValueError as exc:
        raise FaultRefused(f"{whole!r}: {text!r} is no rate. Expected a share as 1% or 0.01.") from exc
    if not 0 <= rate <= 1:  # also refuses nan
        raise FaultRefused(f"{whole!r}: the rate {text} is not between 0 and 1 (0% and 100%).")
    return rate


def pick(thrown: random.Random, items: Sequence[Item], rate: float, total: int) -> list[Item]:
    """So many of the items, in their order, as `rate` of `total` is: at least one when the rate is above zero."""
    if rate == 0:
        return []
    count = min(len(items), max(1, math.floor(total * rate + 0.5)))
    chosen = sorted(thrown.sample(range(len(items)), count))
    return [items[index] for index in chosen]


def dice(seed: object) -> random.Random:
    """Throws that are the same for the same seed, everywhere and always."""
    return random.Random(str(seed))  # noqa: S311 - nothing secret is drawn
