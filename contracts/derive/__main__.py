"""Writes the checked-in files that follow from contracts: `python -m contracts.derive`, from the repository's root."""

from contracts.derive import dbt
from contracts.read import read_contracts

if __name__ == "__main__":
    dbt.SOURCES_FILE.write_text(dbt.sources_yaml(read_contracts().values()), encoding="utf-8")
