"""Owns the tables and COPY's JSONPaths that follow from a contract. Running them is the loader's job (loader/)."""

import json
from dataclasses import dataclass

from contracts.model import Contract, Rule, RuleKind, Severity

RAW_SCHEMA = "raw_spacex"


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table. `type` is Redshift's, in the contract's spelling."""

    name: str
    type: str
    is_required: bool = False

    @property
    def definition(self) -> str:
        """The column as a create table statement has it. Quoted: `window` and others are words of SQL."""
        return f'"{self.name}" {self.type.lower()}{" not null" if self.is_required else ""}'


ENVELOPE = (
    Column("_airbyte_raw_id", "VARCHAR(36)", is_required=True),
    Column("_airbyte_extracted_at_ms", "BIGINT", is_required=True),
    Column("_airbyte_generation_id", "BIGINT", is_required=True),
)
PUBLISHED = (
    Column("_row_hash", "VARCHAR(64)", is_required=True),
    Column("_batch_id", "VARCHAR(64)", is_required=True),
    Column("_run_id", "VARCHAR(64)", is_required=True),
    Column("_loaded_at", "TIMESTAMPTZ", is_required=True),
    Column("_deleted_at", "TIMESTAMPTZ"),
)
ROW_HASH = Column("_row_hash", "VARCHAR(64)")  # null until the loader has computed it from the staged columns

_ENVELOPE_PATHS = ("_airbyte_raw_id", "_airbyte_extracted_at", "_airbyte_generation_id")


def contract_columns(contract: Contract) -> tuple[Column, ...]:
    """The contract's own columns, in its order. Required ones are not null where breaking that rejects the row."""
    required = {rule.path for rule in contract.rules if _rejects_null(rule)}
    return tuple(
        Column(prop.column, str(prop.physical_type), is_required=prop.path in required) for prop in contract.properties
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


def raw_table_ddl(contract: Contract) -> str:
    """Creates the published table `raw_spacex.<dataset>` if it is not there."""
    return _ddl(f"{RAW_SCHEMA}.{contract.dataset}", raw_columns(contract), contract)


def staging_table_ddl(contract: Contract, table: str) -> str:
    """Creates the staging table of one batch if it is not there. `table` is its name with its schema."""
    return _ddl(table, staging_columns(contract), contract)


def jsonpaths(contract: Contract) -> str:
    """The JSONPaths document for COPY: one path a staging column, in their order."""
    paths = [f"$['_airbyte_data']['{prop.name}']" for prop in contract.properties]
    paths += [f"$['{name}']" for name in _ENVELOPE_PATHS]
    return json.dumps({"jsonpaths": paths}, indent=2) + "\n"


def _rejects_null(rule: Rule) -> bool:
    return rule.kind is RuleKind.REQUIRED and rule.severity is Severity.ERROR


def _ddl(table: str, table_columns: tuple[Column, ...], contract: Contract) -> str:
    definitions = ",\n".join(f"    {column.definition}" for column in table_columns)
    return (
        f"-- diststyle all: {contract.dataset} is small and joined to everything, so each node keeps a copy.\n"
        f'-- sortkey ("{contract.key.name}"): publishing and joins look rows up by it.\n'
        f"create table if not exists {table} (\n{definitions}\n)\n"
        f'diststyle all\nsortkey ("{contract.key.name}")\n'
    )
