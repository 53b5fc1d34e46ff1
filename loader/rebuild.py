"""Owns rebuilding a published table beside itself, from what the ledger says was published and the lake still holds.

What publishing does to a table is loader/publication.py's SQL, here run again on a table of another name.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from hashlib import sha256

from contracts.derive.redshift import jsonpaths, staging_table_ddl
from contracts.derive.redshift import raw_table as wanted_raw_table
from contracts.errors import RowsDoNotReconcile, ServiceUnavailable, UsageError
from contracts.model import Contract
from loader import layout, publication
from loader.batch import Plan
from loader.catalog import read_tables
from loader.load import keys_to_keep, run_copy, sizes_of_nested
from loader.manifest import manifest_entries
from loader.migrate import run_all
from loader.migration import TABLE_SCHEMAS, raw_grants, replacement
from loader.pipeline import Pipeline
from loader.refusals import refusals_told
from loader.warehouse import Session, StatementRefused

_JSON = "application/json"


@dataclass(frozen=True, slots=True)
class Published:
    """A row of the ledger: what one batch did to the table."""

    batch_id: str
    run_id: str
    contract_version: str
    staged: int
    written: int  # inserted, updated and restored
    deleted: int
    published_at: datetime


@dataclass(frozen=True, slots=True)
class TableHash:
    """What a table holds, whatever the order of its rows. Two tables of the same hash have the same rows."""

    row_count: int
    hash: str


@dataclass(frozen=True, slots=True)
class Difference:
    """How two tables differ, in keys."""

    only_published: int
    only_rebuilt: int
    different: int


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """What came of rebuilding."""

    dataset: str
    table: str
    up_to: str  # the run whose batch was the last
    is_newest: bool  # whether nothing was published since: only then the tables have to be equal
    batches: int
    rebuilt: TableHash
    published: TableHash
    difference: Difference
    other_versions: tuple[str, ...]  # of the contract, under which batches were published
    ledger_disagrees: tuple[str, ...]  # batches that did something else now than the ledger says they did
    was_swapped: bool = False

    @property
    def is_equal(self) -> bool:
        """Whether the rebuilt table is the published one."""
        return self.rebuilt == self.published


def rebuild(pipeline: Pipeline, dataset: str, up_to: str = "", *, swap: bool = False) -> Rebuilt:
    """Rebuilds `raw_spacex.<dataset>__rebuilt` and compares it with the published table, which `swap` replaces by it.

    Nothing of the published table is changed before the last statement of a swap. Again makes the side table anew.
    Raises UsageError when the lake no longer holds what is needed, RowsDoNotReconcile when COPY counts otherwise than
    the ledger.
    """
    contract = pipeline.contract(dataset)
    aside = replace(contract, dataset=f"{dataset}__rebuilt")
    with pipeline.warehouse() as session:
        session.work_as("rebuild")
        ledger = session.transaction(lambda: _published(session, dataset))
        wanted = _up_to(dataset, ledger, up_to)
        is_newest = wanted == ledger
        if swap and not is_newest:
            raise UsageError(
                f"{dataset} cannot be swapped for what it was after run {up_to}: the ledger says that more was "
                "published since. To serve an older sync's data again: spacex-elt plan --force --job-id <its job>."
            )
        sources = [_source(pipeline, dataset, row) for row in wanted]
        session.transaction(partial(_begin, session, aside))
        disagreeing = [
            source.row.batch_id for source in sources if not _publish_again(pipeline, session, contract, aside, source)
        ]
        done = Rebuilt(
            dataset=dataset,
            table=publication.raw_table(aside),
            up_to=wanted[-1].run_id,
            is_newest=is_newest,
            batches=len(wanted),
            rebuilt=session.transaction(lambda: table_hash(session, contract, publication.raw_table(aside))),
            published=session.transaction(lambda: table_hash(session, contract, publication.raw_table(contract))),
            difference=session.transaction(lambda: _difference(session, contract, aside)),
            other_versions=tuple(sorted({row.contract_version for row in wanted} - {contract.version})),
            ledger_disagrees=tuple(disagreeing),
        )
        if session.transaction(lambda: _published(session, dataset)) != ledger:
            raise _published_meanwhile(dataset)
        if not swap:
            return done
        session.transaction(lambda: _swap(session, contract, aside, ledger))
        return replace(done, was_swapped=True)


def refuse_different(done: Rebuilt) -> None:
    """Raises RowsDoNotReconcile when the tables had to be equal and are not."""
    if done.is_equal or not done.is_newest or done.was_swapped:
        return
    what = done.difference
    raise RowsDoNotReconcile(
        f"{done.dataset} is not what its batches make of it: of its keys, {what.different} have another row in "
        f"{done.table}, {what.only_rebuilt} are only there and {what.only_published} only in the published table. "
        "Somebody else wrote to one of them, or the contract has changed since deleted rows were written. Compare the "
        f"two; `spacex-elt warehouse rebuild {done.dataset} --swap` serves the rebuilt one."
    )


def table_hash(session: Session, contract: Contract, table: str) -> TableHash:
    """A table's hash: over the number of its rows and four sums over each row's SHA-256, in parts of 60 bits.

    A row's hash is of the contract's columns, hashed anew, and of who wrote it. When it was written is left out:
    `_loaded_at` and `_deleted_at` come from the warehouse's clock, a little before the ledger's published_at.
    """
    parts = ", ".join(
        f"coalesce(sum(cast(strtol(substring(row_digest, {start}, 15), 16) as decimal(38, 0))), 0)"
        for start in (1, 16, 31, 46)
    )
    rows = _rows(contract, table, sizes_of_nested(session, contract, table))
    count, *sums = session.rows(f"select count(*), {parts} from ({rows}) as hashed")[0]
    text = ":".join(str(int(number)) for number in (count, *sums))
    return TableHash(int(count), sha256(text.encode()).hexdigest())


def _rows(contract: Contract, table: str, sizes: Mapping[str, int]) -> str:
    """A key and a digest for each row."""
    facts = ("_row_hash", "_airbyte_raw_id", "_batch_id", "_run_id")
    marks = " || '|' || ".join((*facts, "case when _deleted_at is null then 'live' else 'deleted' end"))
    return (
        f"select {publication.quoted(contract.key.column)} as row_key, "
        f"sha2({publication.row_hash(contract, sizes)} || '|' || {marks}, 256) as row_digest from {table}"
    )


def _difference(session: Session, contract: Contract, aside: Contract) -> Difference:
    tables = publication.raw_table(contract), publication.raw_table(aside)
    published, rebuilt = (_rows(contract, table, sizes_of_nested(session, contract, table)) for table in tables)
    counts = session.rows(f"""select
    coalesce(sum(case when rebuilt.row_key is null then 1 else 0 end), 0),
    coalesce(sum(case when published.row_key is null then 1 else 0 end), 0),
    coalesce(sum(case when rebuilt.row_digest <> published.row_digest then 1 else 0 end), 0)
from ({published}) as published
full join ({rebuilt}) as rebuilt on rebuilt.row_key = published.row_key""")[0]
    return Difference(*map(int, counts))


def _published(session: Session, dataset: str) -> list[Published]:
    return [
        Published(str(batch), str(run), str(version), int(staged), int(written), int(deleted), at)
        for batch, run, version, staged, written, deleted, at in session.rows(publication.find_published(), (dataset,))
    ]


def _up_to(dataset: str, ledger: list[Published], run_id: str) -> list[Published]:
    """The ledger's rows up to the last one of a run; all of them when none is named."""
    if not ledger:
        raise UsageError(f"nothing of {dataset} was ever published: the ledger has no batch of it to rebuild from.")
    if not run_id:
        return ledger
    numbers = [number for number, row in enumerate(ledger, start=1) if row.run_id == run_id]
    if not numbers:
        known = ", ".join(row.run_id for row in ledger[-5:])
        raise UsageError(f"run {run_id} published nothing of {dataset}. Expected a run such as the last ones: {known}.")
    return ledger[: numbers[-1]]


@dataclass(frozen=True, slots=True)
class _Source:
    """What a published batch is loaded from once more."""

    row: Published
    has_manifest: bool
    kept_keys: Sequence[str] | None  # as keys_to_keep says


def _source(pipeline: Pipeline, dataset: str, row: Published) -> _Source:
    """Raises UsageError when the lake lacks a part of it."""
    folder = pipeline.run_folder(row.run_id)
    plan, output = folder.find(Plan, "plan.json"), folder.load_output(dataset)
    missing = [layout.run_prefix(row.run_id) + name for name, there in _documents(dataset, plan, output) if not there]
    keys = manifest_entries(pipeline.lake, dataset, row.batch_id)
    if row.staged and not keys:
        missing.append(layout.manifest_key(dataset, row.batch_id))
    missing += [key for key in keys if all(stored.key != key for stored in pipeline.lake.list(key))]
    if missing or plan is None or output is None:
        more = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
        raise UsageError(
            f"{dataset} cannot be rebuilt: batch {row.batch_id}, published {row.published_at:%Y-%m-%d} by run "
            f"{row.run_id}, needs s3://{pipeline.lake.bucket}/{missing[0]}{more}, which is no longer in the lake. "
            "Retention (SPACEX_ELT_LAKE_RETENTION_DAYS) takes what is older: bring it back from the bucket's versions, "
            "or live with the table as it is. Nothing was changed."
        )
    return _Source(row, bool(keys), keys_to_keep(pipeline.contract(dataset), plan.batch(dataset), output.raw_gate))


def _documents(dataset: str, plan: object, output: object) -> Iterator[tuple[str, bool]]:
    yield "plan.json", plan is not None
    yield f"load/{dataset}.json", output is not None


def _begin(session: Session, aside: Contract) -> None:
    table = publication.raw_table(aside)
    session.run(f"drop table if exists {table}")
    session.run(wanted_raw_table(aside).create(if_missing=False))


def _publish_again(pipeline: Pipeline, session: Session, contract: Contract, aside: Contract, source: _Source) -> bool:
    """Loads a batch into the side table, in one transaction. Returns whether it did what the ledger says it did."""
    row, store = source.row, pipeline.lake
    staging = f"{publication.STAGING_SCHEMA}.{publication.staging_prefix(aside.dataset, row.batch_id)}rebuild"
    manifest_key = layout.manifest_key(contract.dataset, row.batch_id)
    paths_key = layout.jsonpaths_key(aside.dataset, row.batch_id)
    addresses = f"s3://{store.bucket}/{manifest_key}", f"s3://{store.bucket}/{paths_key}"
    if source.has_manifest:
        store.put(paths_key, jsonpaths(contract).encode(), _JSON)  # today's: the columns may be others than then

    def publish() -> bool:
        session.run(f"drop table if exists {staging}")
        session.run(staging_table_ddl(aside, staging))
        if source.has_manifest:
            copy = publication.copy(aside, staging, *addresses, pipeline.copy_role_arn)
            run_copy(session, contract, row.batch_id, copy)
            session.run(publication.hash_rows(aside, staging, sizes_of_nested(session, aside, staging)))
        staged = int(session.rows(publication.count_rows(staging))[0][0])
        if staged != row.staged:
            raise RowsDoNotReconcile(
                f"{contract.dataset} batch {row.batch_id}: the ledger says that {row.staged} rows were staged, and its "
                f"manifest holds {staged} now. Nothing was changed. See who wrote to the lake."
            )
        marks = (row.batch_id, row.run_id)
        deleted = 0
        if (kept := source.kept_keys) is not None:
            deleted = session.run(publication.mark_deleted(aside, staging, len(kept)), (*marks, *kept))
        session.run(publication.remove_outdated(aside, staging))
        written = session.run(publication.insert_staged(aside, staging), marks)
        for column, state in (("_loaded_at", "null"), ("_deleted_at", "not null")):
            session.run(
                f"update {publication.raw_table(aside)} set {column} = %s where _batch_id = %s and _deleted_at is "
                f"{state}",
                (row.published_at, row.batch_id),
            )
        session.run(f"drop table {staging}")
        return (written, deleted) == (row.written, row.deleted)

    with refusals_told(contract, row.batch_id):
        return session.transaction(publish)


def _swap(session: Session, contract: Contract, aside: Contract, ledger: list[Published]) -> None:
    """Puts the side table in the published one's place, unless something was published since."""
    table = publication.raw_table(contract)
    session.run(f"lock table {publication.LEDGER}, {table}")
    if _published(session, contract.dataset) != ledger:
        raise _published_meanwhile(contract.dataset)
    found = read_tables(session, TABLE_SCHEMAS)[table]
    wanted = wanted_raw_table(contract)
    try:
        run_all(session, replacement(wanted, publication.raw_table(aside), found, raw_grants(contract)))
    except StatementRefused as exc:
        raise UsageError(
            f"{table} could not be swapped: {exc} ({exc.sqlstate}). Nothing was changed. Drop the views of others that "
            f"are bound to it ({', '.join(found.views) or 'none is known'}), or see that our user owns it; then again."
        ) from exc


def _published_meanwhile(dataset: str) -> ServiceUnavailable:
    return ServiceUnavailable(
        f"{dataset} was published once more while it was rebuilt. Nothing was changed. Run the command again."
    )
