"""Owns the words of a verdict. The numbers in them are counted elsewhere (validation/shard.py, set_checks.py)."""

from collections.abc import Sequence
from typing import Final

_NAMED: Final = 3  # how many of many names are told
_BATCH_CHARACTERS: Final = 8  # enough to find a batch by


def few(names: Sequence[str]) -> str:
    """The first few of many names."""
    more = len(names) - _NAMED
    return ", ".join(names[:_NAMED]) + (f" and {more} more" if more > 0 else "")


def counted(count: int, noun: str) -> str:
    """A number and its noun: `1 record`, `2 records`."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def percent(ratio: float) -> str:
    """A ratio for people: `3.4 %`; never `0 %` for something."""
    if 0 < ratio < 0.001:
        return "below 0.1 %"
    return f"{100 * ratio:.1f}".removesuffix(".0") + " %"


def batch_name(dataset: str, batch_id: str) -> str:
    """A batch for people: `launches batch 3f9c1a2b…`."""
    short = batch_id if len(batch_id) <= _BATCH_CHARACTERS else f"{batch_id[:_BATCH_CHARACTERS]}…"
    return f"{dataset} batch {short}"
