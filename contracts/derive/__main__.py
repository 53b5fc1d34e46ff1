"""Writes the checked-in files that follow from contracts: `python -m contracts.derive`, from the repository's root."""

from contracts.derive import dbt, dictionary
from contracts.read import read_contracts

if __name__ == "__main__":
    contracts = list(read_contracts().values())
    dbt.SOURCES_FILE.write_text(dbt.sources_yaml(contracts), encoding="utf-8")
    dictionary.MARKDOWN_FILE.write_text(dictionary.markdown(contracts), encoding="utf-8")
