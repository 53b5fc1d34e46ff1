"""Owns what a gate says: violations, rejections, checks and the verdict. Saying it to people is observability's job.

What was found in one object is in validation/findings.py, which adds up whatever the objects and their shards.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from contracts.model import Severity
from validation.findings import Findings, merged


class Verdict(StrEnum):
    """What a gate decided about a batch."""

    GO = "go"
    QUARANTINE = "quarantine"  # goes ahead without its rejected rows
    NO_GO = "no-go"  # held; the last good version keeps being served


@dataclass(frozen=True, slots=True)
class Violation:
    """One rule broken by one record, at a concrete JSON path such as `cores[0].core`."""

    rule_id: str
    path: str
    message: str  # never holds a value of a property whose classification is not public


@dataclass(frozen=True, slots=True)
class Rejection:
    """One record that goes to quarantine, with every rule it broke and the bytes as they lay."""

    object_key: str
    line_number: int  # from 1
    key: str | None  # the record's primary key, None when it could not be read
    raw: bytes
    violations: tuple[Violation, ...]
    byte_offset: int = 0  # of the line's first byte, in the object's bytes once decompressed
    size_bytes: int | None = None  # the line's, where `raw` holds only its first bytes because it is too long


@dataclass(frozen=True, slots=True)
class CheckResult:
    """One set rule (or engine expectation) judged over a whole batch."""

    rule_id: str
    passed: bool
    severity: Severity
    observed: str
    expected: str

    @property
    def holds_the_batch(self) -> bool:
        """Whether this result alone makes the verdict no-go."""
        return not self.passed and self.severity is Severity.ERROR


@dataclass(frozen=True, slots=True)
class ObjectCounts:
    """The fate of every line of one landed object. `accepted + duplicate + rejected = lines`."""

    object_key: str
    line_count: int
    accepted_count: int
    duplicate_count: int
    unparseable_count: int
    quarantined_count: int  # parsed, but broke a rule

    @property
    def is_clean(self) -> bool:
        """Whether every line was accepted, so that the object can be loaded as it lies."""
        return self.accepted_count == self.line_count


@dataclass(frozen=True, slots=True)
class ObjectResult(ObjectCounts):
    """What the raw gate found in one landed object, judged alone: the unit of all its work."""

    found: Findings = field(default_factory=Findings)


@dataclass(frozen=True, slots=True)
class ShardResult:
    """What the raw gate found in one shard: its objects taken together. Its verdict is taken over the batch."""

    dataset: str
    batch_id: str
    shard_id: str
    objects: tuple[ObjectResult, ...]

    @property
    def found(self) -> Findings:
        """What was found in all of its objects."""
        return merged(each.found for each in self.objects)

    @property
    def violations_by_rule(self) -> Mapping[str, int]:
        """Records that broke the rule, rejected ones only."""
        return self.found.violations_by_rule

    @property
    def warnings_by_rule(self) -> Mapping[str, int]:
        """Records that broke a rule of lower severity; they were accepted."""
        return self.found.warnings_by_rule

    @property
    def warned_keys(self) -> Mapping[str, tuple[str, ...]]:
        """The first records behind each warning."""
        return self.found.warned_keys

    @property
    def rejected_keys(self) -> tuple[str, ...]:
        """Keys of rejected records, sorted, each once, at most MOST_KEYS of them."""
        return self.found.rejected_keys

    @property
    def unkeyed_rejection_count(self) -> int:
        """Rejected records whose key could not be read."""
        return self.found.unkeyed_rejection_count

    @property
    def first_rejection(self) -> str | None:
        """One line for people: path, message and rule."""
        return self.found.first_rejection

    def _total(self, name: str) -> int:
        return sum(getattr(counts, name) for counts in self.objects)

    @property
    def line_count(self) -> int:
        """Lines read, of every fate."""
        return self._total("line_count")

    @property
    def accepted_count(self) -> int:
        """Records that may go on."""
        return self._total("accepted_count")

    @property
    def duplicate_count(self) -> int:
        """Records equal to an earlier record of the same key: dropped and counted."""
        return self._total("duplicate_count")

    @property
    def unparseable_count(self) -> int:
        """Lines that hold no record."""
        return self._total("unparseable_count")

    @property
    def quarantined_count(self) -> int:
        """Records that were read and broke a rule."""
        return self._total("quarantined_count")

    @property
    def rejected_count(self) -> int:
        """Lines in quarantine, unparseable ones included."""
        return self.unparseable_count + self.quarantined_count


@dataclass(frozen=True, slots=True)
class RawGateResult:
    """What the raw gate decided about one batch: its shards taken together."""

    dataset: str
    batch_id: str
    contract_version: str
    shards: tuple[ShardResult, ...]
    set_checks: tuple[CheckResult, ...]  # those of the shards, and those that need the whole batch
    verdict: Verdict
    reason: str  # one sentence: why this verdict


@dataclass(frozen=True, slots=True)
class LoadGateResult:
    """What the load gate decided about one staging table: each expectation of the suite, and the verdict."""

    dataset: str
    batch_id: str
    staged_count: int
    checks: tuple[CheckResult, ...]
    verdict: Verdict  # go or no-go: rows are no longer split here
    reason: str
