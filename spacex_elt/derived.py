"""Owns which documents can be derived from a contract, and by whom. What is in them is theirs to say."""

import json
from collections.abc import Sequence
from enum import StrEnum

from contracts.errors import UsageError
from contracts.model import Contract


class Kind(StrEnum):
    """What `contracts derive` can make."""

    DDL = "ddl"  # the published table, as Redshift creates it
    JSONPATHS = "jsonpaths"  # what COPY takes from each line
    PANDERA = "pandera"  # what the raw gate's judge checks, in words
    EXPECTATIONS = "expectations"  # the load gate's suite, as Great Expectations' JSON
    JSON_SCHEMA = "json-schema"  # what a record looks like, for those who write or read it elsewhere
    DBT = "dbt"  # sources with tests and freshness
    DICTIONARY = "dictionary"  # what each column means, as Markdown
    DICTIONARY_HTML = "dictionary-html"  # the same, as a page to read or print


OF_MANY = (Kind.DBT, Kind.DICTIONARY, Kind.DICTIONARY_HTML)


def derive(kind: Kind, contracts: Sequence[Contract]) -> str:
    """The document of that kind, ending in a line end. Raises UsageError for one that speaks of one contract only."""
    from contracts.derive import dbt, dictionary

    match kind:
        case Kind.DBT:
            return dbt.sources_yaml(contracts)
        case Kind.DICTIONARY:
            return dictionary.markdown(contracts)
        case Kind.DICTIONARY_HTML:
            return dictionary.html(contracts)
    if len(contracts) != 1:
        raise UsageError(f"{kind} is derived for one dataset at a time. For all at once: {', '.join(OF_MANY)}.")
    return _of_one(kind, contracts[0])


def _of_one(kind: Kind, contract: Contract) -> str:
    from contracts.derive import redshift

    match kind:
        case Kind.DDL:
            return redshift.raw_table_ddl(contract)
        case Kind.JSONPATHS:
            return redshift.jsonpaths(contract)
        case Kind.JSON_SCHEMA:
            from contracts.derive.json_schema import json_schema

            return _json(json_schema(contract))
        case Kind.PANDERA:
            from validation.documents import pandera_document

            return pandera_document(contract)
        case _:
            from validation.documents import suite_document

            return _json(suite_document(contract))


def _json(document: object) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"
