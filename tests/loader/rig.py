"""Owns loading small snapshots into the stack's warehouse as the steps do, one dataset of its own per test."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import count
from typing import Any
from uuid import uuid4

from contracts.model import Contract, LogicalType, Property, RejectLimit, Rule, RuleKind, Scope, Severity
from loader.batch import Batch
from loader.gate import GateOutput, gate_shard
from loader.load import Loading, LoadOutput, load_batch, new_staging, prepare_warehouse
from loader.plan import Request, make_plan
from loader.reduce import reduce_batch
from loader.store import ObjectStore
from loader.warehouse import Session, WarehouseAddress, connect
from tests.loader.landing import envelope, land, sync_job
from validation.results import LoadGateResult, Verdict

Record = dict[str, Any]
CheckStaging = Callable[[Contract, Batch, int], LoadGateResult]

#: One column of each kind, and one that is a word of SQL.
COLUMNS: Mapping[str, tuple[LogicalType, str]] = {
    "id": (LogicalType.STRING, "VARCHAR(24)"),
    "text": (LogicalType.STRING, "VARCHAR(65535)"),
    "number": (LogicalType.NUMBER, "DOUBLE PRECISION"),
    "big": (LogicalType.INTEGER, "BIGINT"),
    "window": (LogicalType.INTEGER, "INTEGER"),
    "flag": (LogicalType.BOOLEAN, "BOOLEAN"),
    "at": (LogicalType.TIMESTAMP, "TIMESTAMPTZ"),
    "day": (LogicalType.DATE, "DATE"),
    "nested": (LogicalType.OBJECT, "SUPER"),
    "items": (LogicalType.ARRAY, "SUPER"),
}


def things(dataset: str | None = None, columns: Sequence[str] = tuple(COLUMNS)) -> Contract:
    """A contract of one column of each kind, under a name that no other test has. It lets nearly everything pass."""
    properties = tuple(_property(name, *COLUMNS[name]) for name in columns)
    rules = (
        _rule("id-required", RuleKind.REQUIRED, None),
        _rule("id-pattern", RuleKind.PATTERN, "^[0-9a-z]+$"),
        _rule("id-unique", RuleKind.UNIQUE, None, Scope.SET),
        *(
            replace(_rule(f"{prop.name}-type", RuleKind.TYPE, prop.logical_type), path=prop.path)
            for prop in properties
            if prop.physical_type != "SUPER"
        ),
    )
    return Contract(
        dataset=dataset or f"things_{uuid4().hex[:8]}",
        version="1.0.0",
        content_hash="c0ffee",
        description="",
        purpose="",
        owner="nobody",
        support_url="",
        latency_h=None,
        properties=properties,
        rules=rules,
        reject_limit=RejectLimit(1.0, 1000, "a test"),
        file_name="things.odcs.yaml",
    )


def _property(name: str, logical_type: LogicalType, physical_type: str) -> Property:
    is_key = name == "id"
    return Property(name, name, logical_type, physical_type, is_key, is_key, "public", "", None, None)


def _rule(rule_id: str, kind: RuleKind, argument: Any, scope: Scope = Scope.ROW) -> Rule:
    return Rule(rule_id, "id", kind, argument, scope, Severity.ERROR, "validity", "")


def thing(key: str, **values: Any) -> Record:
    """A record of `things`: null where nothing is said."""
    return {**dict.fromkeys(COLUMNS), "id": key, **values}


def go(contract: Contract, batch: Batch, staged_count: int) -> LoadGateResult:
    """A load gate that lets everything pass, for tests of what comes after."""
    return LoadGateResult(contract.dataset, batch.batch_id, staged_count, (), Verdict.GO, "not looked at")


def no_go(contract: Contract, batch: Batch, staged_count: int) -> LoadGateResult:
    """A load gate that lets nothing pass."""
    return LoadGateResult(contract.dataset, batch.batch_id, staged_count, (), Verdict.NO_GO, "held")


@dataclass(frozen=True)
class Snapshot:
    """One landed and gated snapshot."""

    batch: Batch
    gated: tuple[GateOutput, ...]


@dataclass
class Rig:
    """A dataset's way from landing to the published table."""

    store: ObjectStore
    address: WarehouseAddress
    role_arn: str
    contract: Contract
    remembered: list[LoadGateResult] = field(default_factory=list)
    _sync_ids: Iterator[int] = field(default_factory=lambda: count(1))

    def start_empty(self) -> "Rig":
        """Forgets what other tests of the session have published of a dataset of the product's."""
        self.prepare()
        with connect(self.address) as session:
            session.run(f"drop table raw_spacex.{self.contract.dataset} cascade")
            session.run("delete from pipeline.load_ledger where dataset = %s", (self.contract.dataset,))
            session.commit()
        return self.prepare()

    def prepare(self) -> "Rig":
        with connect(self.address) as session:
            prepare_warehouse(session, {self.contract.dataset: self.contract})
        return self

    def land(self, *records: Record, lines: Sequence[bytes] = ()) -> Snapshot:
        """Lands the records (and raw lines), as one sync, and takes them through the raw gate."""
        sync_id = next(self._sync_ids)
        landed = [envelope(record, sync_id) for record in records] + list(lines)
        if landed:
            land(self.store, self.contract.dataset, landed, sync_id)
        return self.gate(sync_id, len(landed))

    def gate(self, sync_id: int, count: int, forced_by: str = "") -> Snapshot:
        """Plans what a sync landed, for a forced run if one is named, and takes it through the raw gate."""
        dataset, now = self.contract.dataset, datetime(2026, 1, 1, tzinfo=UTC)
        request = Request(
            run_id=forced_by or "plan",
            source="test",
            job=sync_job(sync_id, {dataset: count}),
            datasets=(dataset,),
            contracts={dataset: self.contract},
            planned_at=now,
            is_forced=bool(forced_by),
        )
        plan = make_plan(self.store, request)
        batch = plan.batch(self.contract.dataset)
        gated = [gate_shard(self.store, self.contract, batch, shard) for shard in plan.shards]
        return Snapshot(batch, reduce_batch(self.store, self.contract, batch, gated))

    def loading(self, snapshot: Snapshot, run_id: str = "run-1", check: CheckStaging = go) -> Loading:
        return Loading(
            run_id=run_id,
            contract=self.contract,
            batch=snapshot.batch,
            staging=new_staging(snapshot.batch),
            gated=snapshot.gated,
            copy_role_arn=self.role_arn,
            check_staging=check,
            remember=self.remembered.append,
            recall=lambda: self.remembered[-1] if self.remembered else None,
        )

    def load(self, snapshot: Snapshot, run_id: str = "run-1", check: CheckStaging = go) -> LoadOutput:
        with self.session() as session:
            return load_batch(self.store, session, self.loading(snapshot, run_id, check))

    def publish(self, *records: Record, run_id: str = "run-1", lines: Sequence[bytes] = ()) -> tuple[int, ...]:
        """Lands, gates and loads; returns inserted, updated, unchanged, deleted, kept, live."""
        return fates(self.load(self.land(*records, lines=lines), run_id))

    @contextmanager
    def session(self) -> Iterator[Session]:
        with connect(self.address) as session:
            yield session

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """A query's rows; `{raw}` stands for the published table."""
        with self.session() as session:
            return session.rows(sql.format(raw=f"raw_spacex.{self.contract.dataset}", dataset=self.contract.dataset))

    def live(self) -> list[tuple[Any, ...]]:
        """Key and text of the live rows."""
        return self.rows('select id, "text" from {raw} where _deleted_at is null order by id')

    def everything(self) -> list[tuple[Any, ...]]:
        """The whole published table."""
        return self.rows("select * from {raw} order by id")

    def ledger(self) -> list[tuple[Any, ...]]:
        return self.rows("select batch_id, run_id from pipeline.load_ledger where dataset = '{dataset}'")

    def staging_tables(self) -> list[str]:
        """The dataset's staging tables that are left."""
        sql = "select table_name from information_schema.tables where table_schema = 'staging_spacex'"
        return [name for (name,) in self.rows(sql) if name.startswith(f"{self.contract.dataset}__")]

    def hashes(self) -> dict[str, str]:
        return dict(self.rows("select id, _row_hash from {raw} where _deleted_at is null"))


def fates(output: LoadOutput) -> tuple[int, ...]:
    """Inserted, updated, unchanged, deleted, kept, live; the equations that the counts must meet are checked here."""
    done = output.published
    assert done is not None
    assert output.manifest_count == output.copied_count == done.staged
    assert done.staged == done.inserted + done.restored + done.updated + done.unchanged
    if not output.was_already_published:
        assert done.live == done.staged + done.kept
    return done.inserted, done.updated, done.unchanged, done.deleted, done.kept, done.live
