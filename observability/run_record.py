"""Owns the record of one run: what every step said, as plain values. Storing it is the loader's job."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from validation.results import LoadGateResult, RawGateResult, Verdict


@dataclass(frozen=True, slots=True)
class Balance:
    """One row-conservation equation of one dataset, with both sides as counted; None where nothing was counted."""

    equation: str  # "extracted = accepted + quarantined + duplicate"
    left: int | None
    right: int | None

    @property
    def holds(self) -> bool:
        """Whether both sides agree. What was not counted does not hold."""
        return self.left is not None and self.left == self.right


@dataclass(frozen=True, slots=True)
class DatasetRecord:
    """One dataset's way through one run. Counts are records; None where the run did not get that far."""

    dataset: str
    batch_id: str
    extracted: int
    accepted: int
    quarantined: int  # every line in quarantine, unparseable ones included
    duplicate: int
    inserted: int | None
    updated: int | None
    unchanged: int | None
    deleted: int | None
    verdict: Verdict  # the worst of the gates
    reason: str
    raw_gate: RawGateResult
    load_gate: LoadGateResult | None
    balances: tuple[Balance, ...]
    was_already_published: bool = False  # the ledger knew this batch: nothing was loaded again
    was_superseded: bool = False  # a later snapshot was published meanwhile: nothing was changed
    is_partial: bool = False  # a replay of quarantined records: says nothing of the rest of the dataset
    replay_of: str = ""  # of a replay: the batch that set its records aside
    restored: int | None = None  # rows that were marked deleted and came back; not among the inserted


@dataclass(frozen=True, slots=True)
class NotLoaded:
    """A dataset that a run extracted and of which it has no outcome: a step did not come to its end. No verdict."""

    dataset: str
    batch_id: str
    extracted: int
    reason: str  # which step is missing, and what is served


@dataclass(frozen=True, slots=True)
class ModelRecord:
    """One dbt node's outcome."""

    name: str  # "fct_launches"
    kind: str  # model | test | unit_test | snapshot | ...
    status: str  # success | pass | warn | fail | error | skipped
    seconds: float
    failures: int | None
    message: str | None
    dataset: str = ""  # of a test that follows from a contract: whose, and which rule it enforces
    rule_id: str = ""


@dataclass(frozen=True, slots=True)
class TransformRecord:
    """What `dbt build` said: gate 3."""

    verdict: Verdict
    reason: str
    counts: Mapping[str, int]  # status -> nodes
    nodes: tuple[ModelRecord, ...]

    def test_of(self, dataset: str, rule_id: str) -> ModelRecord | None:
        """The test that enforces a contract's rule, if it ran."""
        return next((node for node in self.nodes if (node.dataset, node.rule_id) == (dataset, rule_id)), None)


@dataclass(frozen=True, slots=True)
class SpanRecord:
    """One span of the run's trace."""

    span_id: str
    parent_span_id: str | None
    name: str  # "gate", "gate launches"
    started_at: datetime
    seconds: float
    attributes: Mapping[str, str | int | float | bool]
    failed: bool


@dataclass(frozen=True, slots=True)
class RunRecord:
    """One run from sync to publish."""

    run_id: str
    source: str  # "sample (seed 42, 205 launches)", "folder api-2021-04-22", "live"
    started_at: datetime
    finished_at: datetime
    verdict: Verdict  # no-go if any gate said no-go; quarantine if any rows were set aside; else go
    datasets: tuple[DatasetRecord, ...]  # those with an outcome
    transform: TransformRecord | None
    incident_ids: tuple[str, ...]  # open incidents that this run opened or met again
    trace_id: str
    spans: tuple[SpanRecord, ...]
    not_loaded: tuple[NotLoaded, ...] = ()

    @property
    def lacks_transform(self) -> bool:
        """Whether datasets were published and the marts were not built from them."""
        return self.transform is None and any(record.inserted is not None for record in self.datasets)

    @property
    def is_finished(self) -> bool:
        """Whether every step said what came of it. What is missing is nobody's bad data, and is not verified."""
        return not self.not_loaded and not self.lacks_transform

    @property
    def outcome(self) -> str:
        """The run in a word: its verdict, or `unfinished` where no gate said no-go and a step is missing."""
        return self.verdict.value if self.is_finished or self.verdict is Verdict.NO_GO else "unfinished"
