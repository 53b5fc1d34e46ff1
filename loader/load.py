"""Owns the load step of one dataset: COPY to staging, load gate, publish in one transaction with its ledger row.

The SQL is loader/publication.py's, judging is validation's (validation/load_gate.py).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import astuple, dataclass, replace

from contracts.derive.redshift import RAW_SCHEMA, raw_table_ddl, staging_table_ddl
from contracts.errors import RowsDoNotReconcile, ServiceUnavailable, UsageError
from contracts.model import Contract, Scope
from loader import publication
from loader.batch import Batch
from loader.gate import GateOutput, ManifestEntry
from loader.manifest import write_manifest
from loader.refusals import explain_copy, refusals_told
from loader.store import ObjectStore
from loader.warehouse import Session, StatementRefused
from validation.raw_gate import judge_batch, judge_part
from validation.results import LoadGateResult, RawGateResult, Verdict

#: More kept keys than a statement takes as parameters: then deletions wait for the next batch.
MOST_KEPT_KEYS = 30_000

_PREPARE_TRIES = 3


@dataclass(frozen=True, slots=True)
class PublishedCounts:
    """What publishing a batch did to the published table. Counts are rows."""

    staged: int  # select count(*) from the staging table
    inserted: int
    updated: int
    unchanged: int
    deleted: int
    kept: int  # live rows that the batch lacks but may not delete: their record is in quarantine, or it is a replay
    live: int  # select count(*) from the published table's live rows, after all of it


@dataclass(frozen=True, slots=True)
class LoadOutput:
    """What the load step says of one batch. Counts are None where the batch did not get that far."""

    raw_gate: RawGateResult
    load_gate: LoadGateResult | None
    manifest_count: int | None
    copied_count: int | None
    published: PublishedCounts | None
    was_already_published: bool
    trouble: str | None = None  # rows that did not reconcile on the way: nothing was published
    superseded_by: str | None = None  # the run that published a later snapshot: nothing was changed

    @property
    def verdict(self) -> Verdict:
        """The worse of the two gates; rows that do not reconcile are a no-go."""
        if self.trouble is not None:
            return Verdict.NO_GO
        if self.load_gate is not None and self.load_gate.verdict is Verdict.NO_GO:
            return Verdict.NO_GO
        return self.raw_gate.verdict


@dataclass(frozen=True, slots=True)
class Loading:
    """One batch to load, and what loading needs."""

    run_id: str
    contract: Contract
    batch: Batch
    gated: Sequence[GateOutput]
    copy_role_arn: str
    check_staging: Callable[[Contract, Batch, int], LoadGateResult]
    remember: Callable[[LoadGateResult], None]  # before publishing: a rerun after the commit must still know it
    recall: Callable[[], LoadGateResult | None]


@dataclass(frozen=True, slots=True)
class LedgerRow:
    """The ledger's row of a batch."""

    run_id: str
    published: PublishedCounts


class Superseded(UsageError):
    """A later snapshot of the dataset is published: a late retry must not bring yesterday back."""

    def __init__(self, batch: Batch, run_id: str) -> None:
        super().__init__(
            f"{batch.dataset} batch {batch.batch_id} is older than what run {run_id} published since. Nothing was "
            "changed. Start a new run to load the newest snapshot."
        )
        self.run_id = run_id


def load_or_tell(store: ObjectStore, session: Session, loading: Loading) -> LoadOutput:
    """Like load_batch, but rows that do not reconcile and a later snapshot are outcomes, so that others go on."""
    raw_gate = _judge(session, loading)
    try:
        return _load(store, session, loading, raw_gate)
    except RowsDoNotReconcile as exc:
        return replace(_not_loaded(loading, raw_gate), trouble=str(exc))
    except Superseded as exc:
        return replace(_not_loaded(loading, raw_gate), superseded_by=exc.run_id)


def _not_loaded(loading: Loading, raw_gate: RawGateResult) -> LoadOutput:
    entries = [entry for output in loading.gated for entry in output.entries]
    manifest_count = sum(entry.record_count for entry in entries)
    return LoadOutput(raw_gate, None, manifest_count, None, None, was_already_published=False)


def load_batch(store: ObjectStore, session: Session, loading: Loading) -> LoadOutput:
    """Loads one batch, if the raw gate lets it, and publishes it, if the load gate does.

    Idempotent: a batch in the ledger is not loaded again, and a batch killed on the way leaves only a staging table,
    which the next try makes anew. Raises RowsDoNotReconcile when COPY's count is not the manifest's.
    """
    return _load(store, session, loading, _judge(session, loading))


def _load(store: ObjectStore, session: Session, loading: Loading, raw_gate: RawGateResult) -> LoadOutput:
    batch, contract = loading.batch, loading.contract
    if raw_gate.verdict is Verdict.NO_GO:
        return LoadOutput(raw_gate, None, None, None, None, was_already_published=False)
    entries = [entry for output in loading.gated for entry in output.entries]
    manifest_count = sum(entry.record_count for entry in entries)
    if (row := find_in_ledger(session, batch)) is not None:
        _drop_staging(session, loading)  # whoever wrote the row may have been cut off before doing so
        return _published(loading, raw_gate, loading.recall(), manifest_count, row)
    _refuse_older(session, batch)
    copied = _stage(store, session, loading, entries)
    if copied != manifest_count:
        raise RowsDoNotReconcile(
            f"{contract.dataset} batch {batch.batch_id}: the manifest holds {manifest_count} records and COPY loaded "
            f"{copied}. Nothing was published. Look at sys_load_error_detail and the manifest's objects."
        )
    load_gate = loading.check_staging(contract, batch, manifest_count)
    loading.remember(load_gate)
    if load_gate.verdict is Verdict.NO_GO:
        return LoadOutput(raw_gate, load_gate, manifest_count, copied, None, was_already_published=False)
    with refusals_told(session, contract, batch.batch_id):
        row = _publish(session, loading, raw_gate, copied)
        _drop_staging(session, loading)
    return _published(loading, raw_gate, load_gate, manifest_count, row)


def _live_before(session: Session, batch: Batch) -> int | None:
    """How many rows the snapshot before left; None for the first one, and for one loaded whatever was before."""
    if batch.forced_by:
        return None
    rows = session.rows(publication.find_live_before(), (batch.dataset, batch.landed_at_ms))
    return int(rows[0][0]) if rows else None


def _judge(session: Session, loading: Loading) -> RawGateResult:
    """The raw gate's verdict over all of the batch's shards."""
    batch = loading.batch
    shards = [output.result for output in loading.gated]
    damaged = [f"{landed.key}: {landed.damage}" for landed in batch.objects if landed.damage]
    if batch.is_partial:
        return judge_part(loading.contract, batch.batch_id, shards, damaged)
    live_before = _live_before(session, batch)
    return judge_batch(loading.contract, batch.batch_id, shards, batch.expected_count, damaged, live_before)


def prepare_warehouse(session: Session, contracts: Mapping[str, Contract]) -> None:
    """Makes the schemas, the ledger and every contract's published table, where they are missing."""
    schemas = [f"create schema if not exists {name}" for name in (RAW_SCHEMA, publication.STAGING_SCHEMA, "pipeline")]
    tables = [publication.LEDGER_TABLE.create(), *(raw_table_ddl(contract) for contract in contracts.values())]
    _make_what_is_missing(session, [*schemas, *tables])


def lock_transform(session: Session) -> None:
    """Waits until no other build is at work, and keeps others waiting until the session ends, however it does."""
    _make_what_is_missing(session, [publication.TRANSFORM_LOCK_TABLE.create()])
    session.run(f"lock table {publication.TRANSFORM_LOCK}")


def _make_what_is_missing(session: Session, statements: Sequence[str]) -> None:
    for tries_left in reversed(range(_PREPARE_TRIES)):
        try:
            for statement in statements:
                session.run(statement)
            session.commit()
            return
        except StatementRefused as exc:  # "if not exists" or not: of two steps that make the same, one may be refused
            session.rollback()
            if not tries_left:
                raise UsageError(
                    f"the warehouse refused to make our schemas and tables ({exc.sqlstate}): {exc}. Check that our "
                    "user may create schemas, and that what lies there under our names is ours."
                ) from exc


def find_in_ledger(session: Session, batch: Batch) -> LedgerRow | None:
    """The ledger's row of a batch, or None when it was never published."""
    rows = session.rows(publication.read_ledger(), (batch.dataset, batch.batch_id))
    if not rows:
        return None
    run_id, *counts = rows[0]
    return LedgerRow(str(run_id), PublishedCounts(*(int(count) for count in counts)))


def _refuse_older(session: Session, batch: Batch) -> None:
    """Raises Superseded when a later snapshot is published. A forced batch goes over it on purpose."""
    if batch.forced_by:
        return
    newer = session.rows(publication.find_newer(), (batch.dataset, batch.landed_at_ms))
    if newer:
        raise Superseded(batch, str(newer[0][0]))


def _published(
    loading: Loading,
    raw_gate: RawGateResult,
    load_gate: LoadGateResult | None,
    manifest_count: int,
    row: LedgerRow,
) -> LoadOutput:
    """Our own row, even of a try that was cut off after its commit: its counts. Another run's: nothing changed."""
    done = row.published
    if row.run_id == loading.run_id:
        return LoadOutput(raw_gate, load_gate, manifest_count, done.staged, done, was_already_published=False)
    nothing = replace(done, inserted=0, updated=0, unchanged=done.staged, deleted=0)
    return LoadOutput(raw_gate, None, manifest_count, done.staged, nothing, was_already_published=True)


def _stage(store: ObjectStore, session: Session, loading: Loading, entries: Sequence[ManifestEntry]) -> int:
    """COPYs the manifest into a fresh staging table and returns COPY's own count."""
    contract, batch, batch_id = loading.contract, loading.batch, loading.batch.batch_id
    table = publication.staging_table(contract, batch_id)
    with refusals_told(session, contract, batch.batch_id):
        _drop_staging(session, loading)
        session.run(staging_table_ddl(contract, table))
        session.commit()
    if not entries:
        return 0
    manifest_url, jsonpaths_url = write_manifest(store, contract, batch_id, entries)
    try:
        session.run(publication.copy(contract, batch_id, manifest_url, jsonpaths_url, loading.copy_role_arn))
    except StatementRefused as exc:
        session.rollback()
        raise explain_copy(contract, batch_id, exc) from exc
    copied = int(session.rows("select pg_last_copy_count()")[0][0])
    with refusals_told(session, contract, batch.batch_id):
        session.run(publication.hash_rows(contract, batch_id))
        session.commit()
    return copied


def _drop_staging(session: Session, loading: Loading) -> None:
    session.run(f"drop table if exists {publication.staging_table(loading.contract, loading.batch.batch_id)}")
    session.commit()


def _publish(session: Session, loading: Loading, raw_gate: RawGateResult, copied: int) -> LedgerRow:
    """One transaction: compare, mark deleted, replace, insert, ledger row. Either all of it is there or none.

    Returns the ledger's row: ours, or that of another session which published the same batch meanwhile.
    """
    contract, batch, run_id = loading.contract, loading.batch, loading.run_id
    marks = (batch.batch_id, run_id)
    # Before anything is read, so that the transaction sees what the one before it left. The ledger as well: Redshift
    # looks for conflicts table by table, and would end one of two transactions that both read it and write to it.
    session.run(f"lock table {publication.LEDGER}, {publication.raw_table(contract)}")
    if (row := find_in_ledger(session, batch)) is not None:
        session.rollback()
        return row
    _refuse_older(session, batch)
    staged = _count(session, publication.count_rows(publication.staging_table(contract, batch.batch_id)))
    if staged != copied:  # never mark rows deleted because somebody emptied the table
        session.rollback()
        raise ServiceUnavailable(
            f"{contract.dataset} batch {batch.batch_id}: COPY loaded {copied} rows and the staging table now has "
            f"{staged}: another load of the same batch is at work. Nothing was published by this one. Run it again."
        )
    inserted, updated, unchanged = map(int, session.rows(publication.compare(contract, batch.batch_id))[0])
    deleted = _mark_deleted(session, loading, raw_gate)
    kept = _count(session, publication.count_kept(contract, batch.batch_id))
    session.run(publication.remove_outdated(contract, batch.batch_id))
    session.run(publication.insert_staged(contract, batch.batch_id), marks)
    live = _count(session, publication.count_live(contract))
    done = PublishedCounts(staged, inserted, updated, unchanged, deleted, kept, live)
    ledger_key = (batch.batch_id, contract.dataset, run_id, contract.version, batch.landed_at_ms)
    session.run(publication.write_ledger(), (*ledger_key, *astuple(done)))
    try:
        session.commit()
    except ServiceUnavailable as exc:
        raise ServiceUnavailable(
            f"{contract.dataset} batch {batch.batch_id}: the connection broke at commit, so whether it was published "
            "is known only to the ledger. Run the step again: it asks there first."
        ) from exc
    return LedgerRow(run_id, done)


def _mark_deleted(session: Session, loading: Loading, raw_gate: RawGateResult) -> int:
    """Marks what the snapshot no longer has, but never a row whose record may lie in quarantine.

    A replay brings only some of a snapshot's rows: what it lacks is no sign of anything.
    """
    if loading.batch.is_partial:
        return 0
    kept = sorted({key for shard in raw_gate.shards for key in shard.rejected_keys})
    if _some_key_is_unknown(loading.contract, raw_gate) or len(kept) > MOST_KEPT_KEYS:
        return 0
    batch_id = loading.batch.batch_id
    statement = publication.mark_deleted(loading.contract, batch_id, len(kept))
    return session.run(statement, (batch_id, loading.run_id, *kept))


def _some_key_is_unknown(contract: Contract, raw_gate: RawGateResult) -> bool:
    """Whether a rejected record could be any of the missing ones: its key cannot be read, or is itself wrong."""
    about_the_key = {rule.rule_id for rule in contract.rules if rule.path == contract.key.path}
    about_the_key -= {rule.rule_id for rule in contract.rules if rule.scope is Scope.SET}
    return any(
        shard.unkeyed_rejection_count or about_the_key & shard.violations_by_rule.keys() for shard in raw_gate.shards
    )


def _count(session: Session, query: str) -> int:
    return int(session.rows(query)[0][0])
