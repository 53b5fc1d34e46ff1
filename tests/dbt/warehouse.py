"""Owns the published tables that a test of the dbt project fills itself, as though the loader had."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from contracts.derive.redshift import RAW_SCHEMA
from contracts.model import Contract
from loader.warehouse import WarehouseAddress, connect

Records = Mapping[str, Any]  # a list of records, or one object, as the API gives them


@dataclass(frozen=True)
class Warehouse:
    """One database, and the contracts its tables follow from."""

    address: WarehouseAddress
    contracts: Sequence[Contract]

    def fill(self, records: Records) -> None:
        """Makes these records the whole of the published tables."""
        with connect(self.address) as session:
            for contract in self.contracts:
                session.run(f'delete from {RAW_SCHEMA}."{contract.dataset}"')
                found = records[contract.dataset]
                for record in found if isinstance(found, list) else [found]:  # company and roadster are one object
                    session.run(*_insertion(contract, record))
            session.commit()

    def change(self, sql: str) -> None:
        with connect(self.address) as session:
            assert session.run(sql) > 0, sql
            session.commit()

    def ask(self, sql: str) -> list[tuple[Any, ...]]:
        with connect(self.address) as session:
            return session.rows(sql)


def _insertion(contract: Contract, record: Mapping[str, Any]) -> tuple[str, list[Any]]:
    columns, places, values = [], [], []
    for prop in contract.properties:
        if (value := record.get(prop.name)) is None:
            continue
        is_super = prop.physical_type == "SUPER"
        columns.append(f'"{prop.column}"')
        places.append("json_parse(%s)" if is_super else "%s")
        values.append(json.dumps(value) if is_super else value)
    names = ", ".join(columns)
    sql = (
        f'insert into {RAW_SCHEMA}."{contract.dataset}" ({names}, _airbyte_raw_id, _airbyte_extracted_at_ms, '
        "_airbyte_generation_id, _row_hash, _batch_id, _run_id, _loaded_at) "
        f"values ({', '.join(places)}, 'raw', 1619049600000, 1, 'hash', 'batch', 'run', '2021-04-22 00:00:00+00')"
    )
    return sql, values
