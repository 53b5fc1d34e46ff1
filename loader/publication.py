"""Owns the SQL that turns a staging table into the published one: hashes, comparison, swap, ledger.

Pure: statements out, nothing run. Running them in order is loader/load.py's job.
"""

from collections.abc import Mapping
from types import MappingProxyType

from contracts.derive.redshift import RAW_SCHEMA, Column, Table, columns, contract_columns
from contracts.model import Contract

STAGING_SCHEMA = "staging_spacex"
VARCHAR_BYTES = 65_535
_SLICE_BYTES = 32_000  # two hexadecimal digits each: less than a VARCHAR
LEDGER = "pipeline.load_ledger"

LEDGER_TABLE = Table(
    LEDGER,
    (
        Column("batch_id", "VARCHAR(64)", is_required=True),
        Column("dataset", "VARCHAR(64)", is_required=True),
        Column("run_id", "VARCHAR(64)", is_required=True),
        Column("contract_version", "VARCHAR(32)", is_required=True),
        Column("landed_at_ms", "BIGINT", is_required=True),
        Column("staged_count", "BIGINT", is_required=True),
        Column("inserted_count", "BIGINT", is_required=True),
        Column("updated_count", "BIGINT", is_required=True),
        Column("unchanged_count", "BIGINT", is_required=True),
        Column("deleted_count", "BIGINT", is_required=True),
        Column("kept_count", "BIGINT", is_required=True),
        Column("live_count", "BIGINT", is_required=True),
        Column("published_at", "TIMESTAMPTZ", is_required=True),
        Column("restored_count", "BIGINT"),
    ),
    description="One row per published batch, written in the transaction that published it.",
)

#: Held locked while dbt builds, on a session of its own: two builds at once take each other's temporary names. It is no
#: table that a load makes or reads, so that loads never wait for a build.
TRANSFORM_LOCK = "pipeline.transform_lock"
TRANSFORM_LOCK_TABLE = Table(
    TRANSFORM_LOCK, (Column("held", "INTEGER"),), description="Empty. Locked while dbt builds, so that one build waits."
)


def quoted(name: str) -> str:
    """A column's name as SQL spells it: some of the API's words (`window`) are reserved."""
    return f'"{name}"'


def raw_table(contract: Contract) -> str:
    """The published table of a dataset."""
    return f"{RAW_SCHEMA}.{contract.dataset}"


def staging_prefix(dataset: str, batch_id: str) -> str:
    """What the names of a batch's staging tables begin with."""
    return f"{dataset}__{batch_id}__"


def hash_rows(contract: Contract, staging: str, sizes: Mapping[str, int] = MappingProxyType({})) -> str:
    """Fills `_row_hash` of a staging table. Refused when a nested value is above 65,535 bytes and not told in `sizes`.

    Each column is hashed by itself first, so that the whole stays far below VARCHAR's limit and no value can pass for
    a border between two. `sizes` holds columns with larger values (sizes_of_nested): their values above the limit are
    hashed in slices. A value's hash is the same whatever else the table holds.
    """
    return f"update {staging} set _row_hash = {row_hash(contract, sizes)}"


def row_hash(contract: Contract, sizes: Mapping[str, int] = MappingProxyType({})) -> str:
    """The expression that a row's hash is: over the contract's columns, in its order."""
    digests = " || ".join(_digest(column, sizes.get(column.name, 0)) for column in contract_columns(contract))
    return f"sha2({digests}, 256)"


def nested_columns(contract: Contract) -> list[str]:
    """The columns that hold JSON."""
    return [column.name for column in contract_columns(contract) if column.type.upper() == "SUPER"]


def sizes_of_nested(contract: Contract, staging: str) -> str:
    """The largest value of each nested column, in bytes as JSON, in the order of nested_columns."""
    largest = ", ".join(f"coalesce(max(json_size({quoted(name)})), 0)" for name in nested_columns(contract))
    return f"select {largest} from {staging}"


def _digest(column: Column, size: int) -> str:
    name, kind = quoted(column.name), column.type.upper()
    if kind == "SUPER":
        digest = _nested_digest(name, size)
    elif kind == "BOOLEAN":  # Redshift has no cast from boolean to varchar
        digest = f"sha2(case when {name} then 'true' else 'false' end, 256)"
    elif kind.startswith("VARCHAR"):
        digest = f"sha2({name}, 256)"
    else:
        digest = f"sha2(cast({name} as varchar(64)), 256)"
    return f"case when {name} is null then '-' else {digest} end"


def _nested_digest(name: str, size: int) -> str:
    """JSON_SERIALIZE and SHA2 take and give no more than a VARCHAR; bytes can be longer, and cut."""
    if size <= VARCHAR_BYTES:
        return f"sha2(json_serialize({name}), 256)"
    fits = f"json_size({name}) <= {VARCHAR_BYTES}"
    slices = " || ".join(
        f"case when json_size({name}) > {start} then sha2(from_varbyte("
        f"substring(json_serialize_to_varbyte({name}), {start + 1}, {_SLICE_BYTES}), 'hex'), 256) else '' end"
        for start in range(0, size, _SLICE_BYTES)
    )
    # The inner CASE: no larger value comes to JSON_SERIALIZE, whatever order the warehouse computes branches in.
    whole = f"sha2(json_serialize(case when {fits} then {name} end), 256)"
    return f"case when {fits} then {whole} else sha2({slices}, 256) end"


def compare(contract: Contract, staging: str) -> str:
    """Counts the staged rows that are new, changed, unchanged or deleted in the published table, in this order."""
    key = quoted(contract.key.name)
    is_live = "published._deleted_at is null and published._row_hash"
    return f"""select
    coalesce(sum(case when published.{key} is null then 1 else 0 end), 0) as inserted_count,
    coalesce(sum(case when {is_live} <> staged._row_hash then 1 else 0 end), 0) as updated_count,
    coalesce(sum(case when {is_live} = staged._row_hash then 1 else 0 end), 0) as unchanged_count,
    coalesce(sum(case when published._deleted_at is not null then 1 else 0 end), 0) as restored_count
from {staging} as staged
left join {raw_table(contract)} as published on published.{key} = staged.{key}"""


def count_gone(contract: Contract, staging: str, kept_count: int) -> str:
    """Counts what mark_deleted would mark. Parameters: the kept keys."""
    return f"select count(*) from {raw_table(contract)}\n{_is_gone(contract, staging, kept_count)}"


def mark_deleted(contract: Contract, staging: str, kept_count: int) -> str:
    """Marks live rows that the snapshot no longer has, but for `kept_count` keys given as parameters.

    Parameters: batch id, run id, then the kept keys: rows whose record is in quarantine keep their last good version.
    """
    return f"""update {raw_table(contract)}
set _deleted_at = getdate(), _batch_id = %s, _run_id = %s
{_is_gone(contract, staging, kept_count)}"""


def _is_gone(contract: Contract, staging: str, kept_count: int) -> str:
    key = quoted(contract.key.name)
    kept = f"\n    and {key} not in ({', '.join(['%s'] * kept_count)})" if kept_count else ""
    return f"where _deleted_at is null\n    and {_is_not_staged(contract, staging)}{kept}"


def _is_not_staged(contract: Contract, staging: str) -> str:
    """NOT EXISTS, for NOT IN compares each key with each when those in the subquery could be null."""
    key = quoted(contract.key.name)
    return f"not exists (select 1 from {staging} as staged where staged.{key} = {raw_table(contract)}.{key})"


def remove_outdated(contract: Contract, staging: str) -> str:
    """Takes out the published rows that a staged one replaces: changed ones, and deleted ones that came back."""
    key = quoted(contract.key.name)
    return f"""delete from {raw_table(contract)}
using {staging} as staged
where {raw_table(contract)}.{key} = staged.{key}
    and ({raw_table(contract)}._row_hash <> staged._row_hash or {raw_table(contract)}._deleted_at is not null)"""


def insert_staged(contract: Contract, staging: str) -> str:
    """Puts in the staged rows that the published table lacks. Parameters: batch id, run id."""
    key = quoted(contract.key.name)
    names = [quoted(column.name) for column in columns(contract)]
    return f"""insert into {raw_table(contract)}
    ({", ".join(names)}, _row_hash, _batch_id, _run_id, _loaded_at, _deleted_at)
select
    {", ".join(f"staged.{name}" for name in names)}, staged._row_hash,
    cast(%s as varchar(64)), cast(%s as varchar(64)), getdate(), null
from {staging} as staged
left join {raw_table(contract)} as published on published.{key} = staged.{key}
where published.{key} is null"""


def count_kept(contract: Contract, staging: str) -> str:
    """Counts the live rows that the snapshot lacks and that were not marked deleted."""
    return f"""select count(*) from {raw_table(contract)}
where _deleted_at is null and {_is_not_staged(contract, staging)}"""


def count_rows(table: str) -> str:
    """Counts a table's rows."""
    return f"select count(*) from {table}"


def count_live(contract: Contract) -> str:
    """Counts the published rows that are not deleted."""
    return f"select count(*) from {raw_table(contract)} where _deleted_at is null"


def write_ledger() -> str:
    """One ledger row. Parameters: its columns in order, but for published_at."""
    return f"""insert into {LEDGER}
    (batch_id, dataset, run_id, contract_version, landed_at_ms, staged_count, inserted_count, updated_count,
     unchanged_count, deleted_count, kept_count, live_count, restored_count, published_at)
values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, getdate())"""


def find_newer() -> str:
    """The run that published a snapshot landed later, if any. Parameters: dataset, landed_at_ms."""
    return f"select run_id from {LEDGER} where dataset = %s and landed_at_ms > %s order by landed_at_ms desc limit 1"


def read_ledger() -> str:
    """The ledger's row of a batch. Parameters: dataset, batch id."""
    return f"""select run_id, staged_count, inserted_count, updated_count, unchanged_count, deleted_count,
    kept_count, live_count, coalesce(restored_count, 0)
from {LEDGER} where dataset = %s and batch_id = %s"""


def find_live_before() -> str:
    """How many rows were live after the newest earlier snapshot was published. Parameters: dataset, landed_at_ms."""
    return f"""select live_count from {LEDGER} where dataset = %s and landed_at_ms < %s
order by landed_at_ms desc, published_at desc limit 1"""


def find_published() -> str:
    """A dataset's ledger rows in the order they were published. Parameter: dataset."""
    return f"""select batch_id, run_id, contract_version, staged_count, inserted_count + updated_count
    + coalesce(restored_count, 0), deleted_count, published_at
from {LEDGER} where dataset = %s order by published_at, landed_at_ms, batch_id"""


def find_landed() -> str:
    """When a published batch's snapshot landed. Parameters: dataset, batch id."""
    return f"select landed_at_ms from {LEDGER} where dataset = %s and batch_id = %s"


def find_batches() -> str:
    """The published batches of one snapshot: itself, and its replays. Parameters: dataset, landed_at_ms."""
    return f"select batch_id from {LEDGER} where dataset = %s and landed_at_ms = %s order by batch_id"


def find_newest() -> str:
    """Dataset, batch and run of every published batch of each dataset's newest snapshot."""
    return f"""select ledger.dataset, ledger.batch_id, ledger.run_id
from {LEDGER} as ledger
inner join (
    select dataset, max(landed_at_ms) as landed_at_ms from {LEDGER} group by dataset
) as newest
    on newest.dataset = ledger.dataset and newest.landed_at_ms = ledger.landed_at_ms
order by ledger.dataset, ledger.batch_id"""


def staging_tables() -> str:
    """The names of the staging tables that are there."""
    return f"select table_name from information_schema.tables where table_schema = '{STAGING_SCHEMA}' order by 1"


def copy(contract: Contract, staging: str, manifest_url: str, jsonpaths_url: str, role_arn: str) -> str:
    """The COPY of a batch's manifest into its staging table. Nothing is cut or dropped: MAXERROR 0."""
    names = ", ".join(quoted(column.name) for column in columns(contract))
    return f"""copy {staging} ({names})
from '{manifest_url}'
iam_role '{role_arn}'
format as json '{jsonpaths_url}'
gzip manifest timeformat 'auto' maxerror 0 compupdate off statupdate off"""
