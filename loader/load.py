"""Owns the load step of one dataset: COPY to staging, load gate, publish in one transaction with its ledger row.

The SQL is loader/publication.py's, judging is validation's (validation/load_gate.py).
"""

import secrets
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import astuple, dataclass, replace
from functools import partial

from contracts.derive.redshift import RAW_SCHEMA, raw_table_ddl, staging_table_ddl
from contracts.errors import RowsDoNotReconcile, ServiceUnavailable, UsageError
from contracts.model import Contract, Scope
from loader import publication
from loader.batch import Batch
from loader.gate import GateOutput, ManifestEntry
from loader.manifest import write_manifest
from loader.refusals import explain_copy, refusals_told
from loader.store import ObjectStore
from loader.warehouse import Session, StatementRefused, Unsettled
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
    restored: int = 0  # rows that were marked deleted and came back


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
    staging: str  # the table's name in its schema: of this try alone (new_staging)
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


def new_staging(batch: Batch) -> str:
    """A name for a staging table that no other load has, of the same batch or not."""
    return f"{publication.staging_prefix(batch.dataset, batch.batch_id)}{secrets.token_hex(4)}"


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

    Idempotent: a batch in the ledger is not loaded again, and a try killed on the way leaves only a staging table of
    its own. Of several at once, the ledger decides which one publishes; the others say so. Raises RowsDoNotReconcile
    when a count is not what it was before, or what the ledger is told.
    """
    return _load(store, session, loading, _judge(session, loading))


def _load(store: ObjectStore, session: Session, loading: Loading, raw_gate: RawGateResult) -> LoadOutput:
    batch = loading.batch
    if raw_gate.verdict is Verdict.NO_GO:
        return LoadOutput(raw_gate, None, None, None, None, was_already_published=False)
    entries = [entry for output in loading.gated for entry in output.entries]
    manifest_count = sum(entry.record_count for entry in entries)
    if (row := _ask_ledger(session, batch)) is not None:
        _drop_stagings(session, batch)  # whoever wrote the row may have been cut off before doing so
        return _published(loading, raw_gate, loading.recall(), manifest_count, row)
    try:
        return _stage_and_publish(store, session, loading, raw_gate, entries)
    except Unsettled:
        raise  # the warehouse is away: there is nobody to ask
    except ServiceUnavailable:
        if (row := _ask_ledger(session, batch)) is None:
            raise
        # Whoever published the batch took our staging table away.
        return _published(loading, raw_gate, loading.recall(), manifest_count, row)


def _stage_and_publish(
    store: ObjectStore, session: Session, loading: Loading, raw_gate: RawGateResult, entries: Sequence[ManifestEntry]
) -> LoadOutput:
    batch, contract = loading.batch, loading.contract
    manifest_count = sum(entry.record_count for entry in entries)
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
    with refusals_told(contract, batch.batch_id):
        row = session.transaction(lambda: _publish(session, loading, raw_gate, copied))
    _drop_stagings(session, batch)
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


def _ask_ledger(session: Session, batch: Batch) -> LedgerRow | None:
    """The batch's row; when there is none, a later snapshot's batch must not be there either (Superseded)."""

    def ask() -> LedgerRow | None:
        row = find_in_ledger(session, batch)
        if row is None:
            _refuse_older(session, batch)
        return row

    return session.transaction(ask)


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
    nothing = replace(done, inserted=0, updated=0, unchanged=done.staged, deleted=0, restored=0)
    return LoadOutput(raw_gate, None, manifest_count, done.staged, nothing, was_already_published=True)


def _stage(store: ObjectStore, session: Session, loading: Loading, entries: Sequence[ManifestEntry]) -> int:
    """COPYs the manifest into a staging table of its own, in one transaction, and returns COPY's own count."""
    contract, batch_id, staging = loading.contract, loading.batch.batch_id, _staging(loading)
    addresses = write_manifest(store, contract, batch_id, entries) if entries else None

    def stage(*, has_large: bool) -> int:
        session.run(f"drop table if exists {staging}")  # of a try whose commit broke and was done all the same
        session.run(staging_table_ddl(contract, staging))
        if addresses is None:
            return 0
        _refuse_changed(store, entries)
        run_copy(session, contract, batch_id, publication.copy(contract, staging, *addresses, loading.copy_role_arn))
        _refuse_changed(store, entries)  # COPY takes whatever lies under a key: it knows of no ETag
        copied = _count(session, "select pg_last_copy_count()")
        sizes = sizes_of_nested(session, contract, staging) if has_large else {}
        session.run(publication.hash_rows(contract, staging, sizes))
        return copied

    with refusals_told(contract, batch_id):
        try:
            return session.transaction(partial(stage, has_large=False))
        except StatementRefused:  # by a nested value above VARCHAR's limit, most likely; by anything else, again
            return session.transaction(partial(stage, has_large=True))


def run_copy(session: Session, contract: Contract, batch_id: str, statement: str) -> None:
    """Runs the COPY of a batch. Raises what a refusal of it stands for."""
    try:
        session.run(statement)
    except StatementRefused as exc:
        raise explain_copy(contract, batch_id, exc) from exc


def sizes_of_nested(session: Session, contract: Contract, staging: str) -> dict[str, int]:
    """The largest value of each nested column of a table, in bytes, as hashing wants to know it."""
    names = publication.nested_columns(contract)
    sizes = session.rows(publication.sizes_of_nested(contract, staging))[0] if names else ()
    return dict(zip(names, map(int, sizes), strict=True))


def _refuse_changed(store: ObjectStore, entries: Sequence[ManifestEntry]) -> None:
    """Raises ObjectChanged or ObjectMissing when an object is no longer the one that the gate let pass."""
    with ThreadPoolExecutor(max_workers=8) as pool:
        list(pool.map(lambda entry: store.open(entry.key, entry.etag).close(), entries))


def _staging(loading: Loading) -> str:
    return f"{publication.STAGING_SCHEMA}.{loading.staging}"


def _drop_stagings(session: Session, batch: Batch) -> None:
    """Drops what is left of every try to load a batch that is in the ledger: nobody can publish it any more."""
    ours = publication.staging_prefix(batch.dataset, batch.batch_id)
    names = session.transaction(lambda: [str(name) for (name,) in session.rows(publication.staging_tables())])
    for name in names:
        if name.startswith(ours):
            with suppress(StatementRefused):  # somebody else has just dropped it
                session.transaction(partial(session.run, f"drop table if exists {publication.STAGING_SCHEMA}.{name}"))


def _publish(session: Session, loading: Loading, raw_gate: RawGateResult, copied: int) -> LedgerRow:
    """One transaction: ledger row, mark deleted, replace, insert. Either all of it is there or none.

    What the ledger is told is counted before anything is changed, and counted again by what the changes did.
    Returns the ledger's row: ours, or that of another session which published the same batch meanwhile.
    """
    contract, batch, staging = loading.contract, loading.batch, _staging(loading)
    marks = (batch.batch_id, loading.run_id)
    # Before anything is read, so that the transaction sees what the one before it left. The ledger as well: Redshift
    # looks for conflicts table by table, and would end one of two transactions that both read it and write to it.
    session.run(f"lock table {publication.LEDGER}, {publication.raw_table(contract)}")
    if (row := find_in_ledger(session, batch)) is not None:
        return row
    _refuse_older(session, batch)
    _refuse_judged_anew(session, loading)
    kept_keys = keys_to_keep(contract, batch, raw_gate)
    done = _foresee(session, loading, kept_keys)
    _hold(loading, {"staged": (copied, done.staged)})  # never mark rows deleted because somebody emptied the table
    ledger_key = (batch.batch_id, contract.dataset, loading.run_id, contract.version, batch.landed_at_ms)
    session.run(publication.write_ledger(), (*ledger_key, *astuple(done)))
    deleted = 0
    if kept_keys is not None:
        deleted = session.run(publication.mark_deleted(contract, staging, len(kept_keys)), (*marks, *kept_keys))
    replaced = session.run(publication.remove_outdated(contract, staging))
    put_in = session.run(publication.insert_staged(contract, staging), marks)
    changed = done.updated + done.restored
    _hold(
        loading,
        {
            "staged": (done.staged, done.inserted + done.restored + done.updated + done.unchanged),
            "deleted": (done.deleted, deleted),
            "updated and restored": (changed, replaced),
            "inserted, updated and restored": (done.inserted + changed, put_in),
            "kept": (done.kept, _count(session, publication.count_kept(contract, staging))),
            "live": (done.live, _count(session, publication.count_live(contract))),
        },
    )
    return LedgerRow(loading.run_id, done)


def _foresee(session: Session, loading: Loading, kept_keys: Sequence[str] | None) -> PublishedCounts:
    """What publishing will do, counted while nothing is changed."""
    contract, staging = loading.contract, _staging(loading)
    staged = _count(session, publication.count_rows(staging))
    compared = session.rows(publication.compare(contract, staging))
    inserted, updated, unchanged, restored = map(int, compared[0])
    deleted = 0
    if kept_keys is not None:
        deleted = _count(session, publication.count_gone(contract, staging, len(kept_keys)), kept_keys)
    live_before = _count(session, publication.count_live(contract))
    kept = live_before - updated - unchanged - deleted
    live = live_before + inserted + restored - deleted
    return PublishedCounts(staged, inserted, updated, unchanged, deleted, kept, live, restored)


def _hold(loading: Loading, counts: Mapping[str, tuple[int, int]]) -> None:
    """Raises RowsDoNotReconcile when what was counted before is not what is counted now."""
    wrong = [f"{before:,} rows {what} against {now:,}" for what, (before, now) in counts.items() if before != now]
    if wrong:
        raise RowsDoNotReconcile(
            f"{loading.contract.dataset} batch {loading.batch.batch_id}: counted before and counted again, there are "
            f"{'; '.join(wrong)}. Nothing was published. See who else writes to "
            f"{publication.raw_table(loading.contract)} or {_staging(loading)}: a key may be there twice."
        )


def _refuse_judged_anew(session: Session, loading: Loading) -> None:
    """Raises ServiceUnavailable when what was published since the raw gate judged makes it a no-go: rows are many."""
    judged = _judge(session, loading)
    if judged.verdict is Verdict.NO_GO:
        raise ServiceUnavailable(
            f"{judged.reason} That became so while the batch was loaded: another snapshot was published meanwhile. "
            "Nothing was published by this load. Run the step again, for its verdict."
        )


def keys_to_keep(contract: Contract, batch: Batch, raw_gate: RawGateResult) -> list[str] | None:
    """The keys whose rows are not to be marked deleted whatever the snapshot lacks; None where none is to be.

    A record in quarantine is no missing one. A replay brings only some of a snapshot's rows: what it lacks is no sign
    of anything.
    """
    kept = sorted({key for shard in raw_gate.shards for key in shard.rejected_keys})
    is_uncertain = _some_key_is_unknown(contract, raw_gate) or len(kept) > MOST_KEPT_KEYS
    return None if batch.is_partial or is_uncertain else kept


def _some_key_is_unknown(contract: Contract, raw_gate: RawGateResult) -> bool:
    """Whether a rejected record could be any of the missing ones: its key cannot be read, or is itself wrong."""
    about_the_key = {rule.rule_id for rule in contract.rules if rule.path == contract.key.path}
    about_the_key -= {rule.rule_id for rule in contract.rules if rule.scope is Scope.SET}
    return any(
        shard.unkeyed_rejection_count or about_the_key & shard.violations_by_rule.keys() for shard in raw_gate.shards
    )


def _count(session: Session, query: str, parameters: Sequence[str] = ()) -> int:
    return int(session.rows(query, parameters)[0][0])
