"""Owns the tables and COPY's JSONPaths that follow from a contract. Running them is the loader's job (loader/).

How a table is laid out is one rule for all (docs/adr/0011-tables-follow-the-contracts-by-a-plan.md).
"""

import json
from dataclasses import dataclass

from contracts.model import Contract, Property, Rule, RuleKind, Severity

RAW_SCHEMA = "raw_spacex"


#: Both leave a VARCHAR free to be widened, as what Redshift chooses by itself may not (BYTEDICT, RUNLENGTH, TEXT255).
_ENCODINGS = {
    **dict.fromkeys(("SMALLINT", "INTEGER", "BIGINT", "DECIMAL", "DATE", "TIMESTAMPTZ"), "az64"),
    "VARCHAR": "zstd",
}


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table. `type` is Redshift's, in the contract's spelling."""

    name: str
    type: str
    is_required: bool = False
    description: str = ""

    def definition(self, sort_key: str | None = None) -> str:
        """The column as a create table statement has it. Quoted: `window` and others are words of SQL."""
        encoding = self.encoding(sort_key)
        encode = f" encode {encoding}" if encoding else ""
        return f'"{self.name}" {self.type.lower()}{encode}{" not null" if self.is_required else ""}'

    def encoding(self, sort_key: str | None) -> str | None:
        """How its blocks are compressed; None leaves it to Redshift. What the table is sorted by is skipped unread."""
        return "raw" if self.name == sort_key else _ENCODINGS.get(self.type.partition("(")[0].upper())


@dataclass(frozen=True, slots=True)
class Table:
    """A table as it is to be. `name` has its schema."""

    name: str
    columns: tuple[Column, ...]
    sort_key: str | None = None
    description: str = ""

    def create(self, *, name: str = "", if_missing: bool = True) -> str:
        """The statement that makes it, here or under another name."""
        definitions = ",\n".join(f"    {column.definition(self.sort_key)}" for column in self.columns)
        sort_key = f'\nsortkey ("{self.sort_key}")' if self.sort_key else ""
        condition = "if not exists " if if_missing else ""
        return f"create table {condition}{name or self.name} (\n{definitions}\n)\ndiststyle auto{sort_key}"


ENVELOPE = (
    Column("_airbyte_raw_id", "VARCHAR(36)", is_required=True, description="Airbyte's id of the record."),
    Column(
        "_airbyte_extracted_at_ms", "BIGINT", is_required=True, description="When Airbyte read it, epoch milliseconds."
    ),
    Column("_airbyte_generation_id", "BIGINT", is_required=True, description="Airbyte's count of full refreshes."),
)
PUBLISHED = (
    Column("_row_hash", "VARCHAR(64)", is_required=True, description="SHA-256 over the contract's columns."),
    Column("_batch_id", "VARCHAR(64)", is_required=True, description="The batch that wrote the row, or deleted it."),
    Column("_run_id", "VARCHAR(64)", is_required=True, description="The run that did so."),
    Column("_loaded_at", "TIMESTAMPTZ", is_required=True, description="When the row was written."),
    Column("_deleted_at", "TIMESTAMPTZ", description="Since when the source lacks it. Null means that it has it."),
)
ROW_HASH = Column("_row_hash", "VARCHAR(64)")  # null until the loader has computed it from the staged columns

_ENVELOPE_PATHS = ("_airbyte_raw_id", "_airbyte_extracted_at", "_airbyte_generation_id")


def contract_columns(contract: Contract) -> tuple[Column, ...]:
    """The contract's own columns, in its order. Required ones are not null where breaking that rejects the row."""
    required = {rule.path for rule in contract.rules if _rejects_null(rule)}
    return tuple(
        Column(prop.column, str(prop.physical_type), prop.path in required, _meaning(prop))
        for prop in contract.properties
    )


def columns(contract: Contract) -> tuple[Column, ...]:
    """What COPY fills, in the order of the JSONPaths: the contract's columns, then the envelope's."""
    return (*contract_columns(contract), *ENVELOPE)


def staging_columns(contract: Contract) -> tuple[Column, ...]:
    """A staging table's columns: what COPY fills, then the row's hash."""
    return (*columns(contract), ROW_HASH)


def raw_columns(contract: Contract) -> tuple[Column, ...]:
    """A published table's columns: what COPY filled, then who loaded the row, when, and since when it is gone."""
    return (*columns(contract), *PUBLISHED)


def raw_table(contract: Contract) -> Table:
    """The published table `raw_spacex.<dataset>`."""
    words = [contract.description, contract.purpose, contract.limitations, f"Contract version {contract.version}."]
    name, description = f"{RAW_SCHEMA}.{contract.dataset}", " ".join(word for word in words if word)
    return Table(name, raw_columns(contract), contract.key.column, description)


def raw_table_ddl(contract: Contract) -> str:
    """Creates the published table `raw_spacex.<dataset>` if it is not there."""
    return _explained(raw_table(contract), contract)


def staging_table_ddl(contract: Contract, table: str) -> str:
    """Creates the staging table of one batch if it is not there. `table` is its name with its schema."""
    return _explained(Table(table, staging_columns(contract), contract.key.column), contract)


def jsonpaths(contract: Contract) -> str:
    """The JSONPaths document for COPY: one path a staging column, in their order."""
    paths = [f"$['_airbyte_data']['{prop.name}']" for prop in contract.properties]
    paths += [f"$['{name}']" for name in _ENVELOPE_PATHS]
    return json.dumps({"jsonpaths": paths}, indent=2) + "\n"


def _rejects_null(rule: Rule) -> bool:
    return rule.kind is RuleKind.REQUIRED and rule.severity is Severity.ERROR


def _meaning(prop: Property) -> str:
    return prop.description + (f" Unit: {prop.unit}." if prop.unit else "")


def _explained(table: Table, contract: Contract) -> str:
    return (
        f"-- diststyle auto: each node keeps a copy of {contract.dataset} while it is small.\n"
        f'-- sortkey ("{table.sort_key}"): publishing and joins look rows up by it. Raw, to be skipped unread.\n'
        "-- encode: az64 for whole numbers and times; zstd for text, as it leaves a varchar free to be widened.\n"
        f"{table.create()}\n"
    )
