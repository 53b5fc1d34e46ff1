"""Owns estimating how many different values there are, in fixed space, whatever the order they come in.

The sketch keeps the smallest KEPT hashes of all values (k minimum values). Fewer than that were all there are: the
count is exact. Else they lie as densely as all hashes do, which tells their number with a relative standard error of
1 / sqrt(KEPT - 2), 6.3 %.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import xxhash

KEPT: Final = 256
_SPACE: Final = 2**48  # two of 256 values share a hash once in some ten thousand million times; JSON holds it exactly


@dataclass(frozen=True, slots=True)
class Distinct:
    """The smallest hashes of the values seen, ascending. Equal sets of values give equal sketches."""

    hashes: tuple[int, ...] = ()

    @property
    def is_exact(self) -> bool:
        """Whether `count` is no estimate."""
        return len(self.hashes) < KEPT

    @property
    def count(self) -> int:
        """How many different values there were."""
        return len(self.hashes) if self.is_exact else round((KEPT - 1) * _SPACE / (self.hashes[-1] + 1))

    def merge(self, other: "Distinct") -> "Distinct":
        """The sketch of both sets of values together."""
        if self.hashes == other.hashes:
            return self
        return Distinct(tuple(sorted({*self.hashes, *other.hashes})[:KEPT]))

    def share_within(self, other: "Distinct") -> float:
        """What share of these values the other set holds as well: exact where both are, else by what both kept."""
        bound = _SPACE if other.is_exact else other.hashes[-1] + 1
        comparable = [value for value in self.hashes if value < bound]
        return len(set(comparable) & set(other.hashes)) / len(comparable) if comparable else 0.0


def distinct(values: Iterable[str]) -> Distinct:
    """The sketch of these values, each spelled so that different ones are spelled differently."""
    hashes = {xxhash.xxh3_64_intdigest(value.encode("utf-8", "surrogatepass")) % _SPACE for value in values}
    return Distinct(tuple(sorted(hashes)[:KEPT]))
