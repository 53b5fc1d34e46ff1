"""Decides whether a connection is as the files and the contracts want it, and whether its last sync brought enough."""

from collections.abc import Mapping
from dataclasses import dataclass

from contracts.model import Contract, RuleKind, Severity
from extraction.differences import Difference


@dataclass(frozen=True, slots=True)
class StreamCount:
    """What a sync must bring of one dataset, and what the last one that succeeded committed; None: it told nothing."""

    stream: str
    least: int
    committed: int | None

    @property
    def is_enough(self) -> bool:
        """Whether the last sync brought what a sync must bring."""
        return self.committed is not None and self.committed >= self.least


@dataclass(frozen=True, slots=True)
class Check:
    """What was found. Without a sync that succeeded there is no job, and nothing is too few."""

    differences: tuple[Difference, ...]
    unselected: tuple[str, ...]  # datasets with a contract that the connection does not sync
    job_id: int | None
    counts: tuple[StreamCount, ...]

    @property
    def too_few(self) -> tuple[StreamCount, ...]:
        """The datasets of which the last sync brought too little."""
        return tuple(count for count in self.counts if self.job_id is not None and not count.is_enough)


def check(
    contracts: Mapping[str, Contract],
    differences: tuple[Difference, ...],
    selected: tuple[str, ...],
    last: tuple[int, Mapping[str, int]] | None,
) -> Check:
    """The check of a connection that syncs what is `selected`, after its last success."""
    job_id, committed = last if last else (None, {})
    return Check(
        differences=differences,
        unselected=tuple(name for name in contracts if name not in selected),
        job_id=job_id,
        counts=tuple(StreamCount(name, least(contract), committed.get(name)) for name, contract in contracts.items()),
    )


def least(contract: Contract) -> int:
    """How many records a sync must bring: never none, unless the contract says that none is enough."""
    rules = [rule for rule in contract.rules if rule.kind is RuleKind.ROW_COUNT and rule.severity is Severity.ERROR]
    return max((int(rule.argument) for rule in rules), default=1)
