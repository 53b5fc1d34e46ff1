"""Owns the typed view of a contract that every gate reads. Reading YAML into it is contracts/read.py's job."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class LogicalType(StrEnum):
    """ODCS v3.2 logical types that the pipeline knows how to gate."""

    STRING = "string"
    INTEGER = "integer"
    NUMBER = "number"
    BOOLEAN = "boolean"
    TIMESTAMP = "timestamp"
    DATE = "date"
    OBJECT = "object"
    ARRAY = "array"


class Severity(StrEnum):
    """What a broken rule does: `error` rejects the row (or holds the batch, for a set rule); the rest is told."""

    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class DriftPolicy(StrEnum):
    """What a field that the contract does not know does to its record. ODCS has no word for it."""

    ALLOW = "allow"
    WARN = "warn"
    QUARANTINE = "quarantine"
    NO_GO = "no-go"


class Scope(StrEnum):
    """A row rule is judged record by record; a set rule is judged over the whole batch."""

    ROW = "row"
    SET = "set"


class RuleKind(StrEnum):
    """What a rule compares. `argument` of the rule holds what it compares with."""

    REQUIRED = "required"  # argument: None
    TYPE = "type"  # argument: LogicalType
    FORMAT = "format"  # argument: LogicalType.TIMESTAMP (ISO 8601 instant) or LogicalType.DATE (yyyy-mm-dd)
    PATTERN = "pattern"  # argument: str, matched against the whole value; never ends before a newline
    ENUM = "enum"  # argument: tuple of the allowed values
    MINIMUM = "minimum"  # argument: int | float, inclusive
    MAXIMUM = "maximum"  # argument: int | float, inclusive
    MIN_LENGTH = "min-length"  # argument: int, characters
    MAX_LENGTH = "max-length"  # argument: int, characters
    MAX_BYTES = "max-bytes"  # argument: int, UTF-8 bytes: Redshift's VARCHAR(n) counts bytes
    MIN_ITEMS = "min-items"  # argument: int
    MAX_ITEMS = "max-items"  # argument: int
    UNKNOWN_FIELD = "unknown-field"  # argument: DriftPolicy; path is the object's
    SOURCE_DAMAGE = "source-damage"  # argument: DriftPolicy; path is ""; what the sync says it nulled or truncated
    SAME_INSTANT = "same-instant"  # argument: comparisons.SameInstant
    AGREES = "agrees"  # argument: comparisons.Agrees
    AT_MOST = "at-most"  # argument: comparisons.AtMost
    TOGETHER = "together"  # argument: comparisons.Together
    UNIQUE = "unique"  # set rule; argument: None
    ROW_COUNT = "row-count"  # set rule; argument: int, the least number of records
    SHRINKAGE = "shrinkage"  # set rule; argument: comparisons.Shrinkage
    REFERENCE = "reference"  # set rule; argument: comparisons.Reference; null passes


#: The row rules that compare several fields. Their path is that of the first field they read (comparisons.fields_of).
ACROSS_FIELDS = frozenset({RuleKind.SAME_INSTANT, RuleKind.AGREES, RuleKind.AT_MOST, RuleKind.TOGETHER})


@dataclass(frozen=True, slots=True)
class Rule:
    """One thing that must hold, with the words to explain it.

    `path` is the property's path with `[]` for "each item": `cores[].core`. `rule_id` is unique in its contract and
    reads `cores-core-required`: the path with dots and brackets turned into dashes, then the kind.
    """

    rule_id: str
    path: str
    kind: RuleKind
    argument: Any
    scope: Scope
    severity: Severity
    dimension: str
    description: str

    @property
    def rejects(self) -> bool:
        """Whether a record that breaks the rule is set aside. A rule about drift says it by its policy."""
        if isinstance(self.argument, DriftPolicy):
            return self.argument in {DriftPolicy.QUARANTINE, DriftPolicy.NO_GO}
        return self.scope is Scope.ROW and self.severity is Severity.ERROR


def frame_path(path: str) -> str:
    """What a path is repeated by: "" for once a record, `cores[]` for once an item of `cores`."""
    return path[: path.rfind("[]") + 2] if "[]" in path else ""


@dataclass(frozen=True, slots=True)
class Role:
    """Who may do what with a dataset: `access` is read or write."""

    name: str
    access: str
    description: str


@dataclass(frozen=True, slots=True)
class Property:
    """One property of a dataset, nested ones included. `path` is unique in its contract."""

    name: str
    path: str
    logical_type: LogicalType
    physical_type: str | None  # Redshift's type; only top-level properties have one
    required: bool
    primary_key: bool
    classification: str  # public | internal | restricted: what may be shown of a value
    description: str
    unit: str | None
    example: Any
    children: tuple["Property", ...] = ()  # an object's properties, or an array's items as its single child
    stable_id: str | None = None  # the standard's `id`: stays when the property is renamed
    is_deprecated: bool = False  # announced to go: consumers should stop reading it

    @property
    def column(self) -> str:
        """The column that a top-level property becomes: Redshift folds names to lower case, quoted ones too."""
        return self.name.lower()


@dataclass(frozen=True, slots=True)
class RejectLimit:
    """How many rejected records a batch may have and still go ahead without them.

    No-go when the rejected count is above `floor_count` *and* their ratio is above `ratio`: the floor keeps one bad
    row of a batch of four from stopping it.
    """

    ratio: float
    floor_count: int
    reason: str

    def allows(self, rejected_count: int, record_count: int) -> bool:
        """Whether a batch of `record_count` records may go ahead without `rejected_count` of them."""
        if rejected_count <= self.floor_count:
            return True
        return rejected_count <= self.ratio * record_count


@dataclass(frozen=True, slots=True)
class Contract:
    """What one dataset must be. `content_hash` changes with every change of the file."""

    dataset: str
    version: str
    content_hash: str
    description: str
    purpose: str
    owner: str
    support_url: str
    latency_h: float | None
    properties: tuple[Property, ...]
    rules: tuple[Rule, ...]
    reject_limit: RejectLimit
    file_name: str = field(compare=False)
    title: str = ""  # the dataset's name as people say it
    usage: str = ""
    limitations: str = ""
    grain: str = ""  # "one row per ..."
    freshness_h: float | None = None  # how old the newest load may be before people are told
    roles: tuple[Role, ...] = ()

    @property
    def key(self) -> Property:
        """The primary key: one top-level property."""
        return next(prop for prop in self.properties if prop.primary_key)

    @property
    def record_rules(self) -> tuple[Rule, ...]:
        """The rules about what lies in a record. What the sync did to it is told by the envelope."""
        rules = (rule for rule in self.rules if rule.scope is Scope.ROW and rule.kind is not RuleKind.SOURCE_DAMAGE)
        return tuple(rule for rule in rules if rule.argument is not DriftPolicy.ALLOW)

    def walk(self) -> Iterator[Property]:
        """Every property, parents before children, in the file's order."""
        stack = list(reversed(self.properties))
        while stack:
            prop = stack.pop()
            yield prop
            stack.extend(reversed(prop.children))

    def rule(self, rule_id: str) -> Rule:
        """The rule of that id. Raises KeyError when the contract has none."""
        for rule in self.rules:
            if rule.rule_id == rule_id:
                return rule
        raise KeyError(rule_id)
