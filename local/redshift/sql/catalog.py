"""Owns which catalog relations may be read, and under which name ours stands in. The views are catalog.sql."""

import re
from functools import cache
from importlib.resources import files

from sqlglot import exp

from local.redshift.sql.refusal import UNDEFINED_TABLE, Refused

CATALOG = "redshift_catalog"
INFORMATION_SCHEMA = "redshift_information_schema"
# Kept and filled by the COPY side of the stand-in.
_COPY_RELATIONS = {
    "stl_load_errors",
    "stl_loaderror_detail",
    "stl_load_commits",
    "sys_load_error_detail",
    "sys_load_history",
    "sys_query_history",
}
_VIEW = re.compile(r"^create view (\w+)\.(\w+) \(([^)]*)\) as", re.MULTILINE)
_RESERVED = re.compile(r"(pg|svv|stl|stv|svl|svcs|sys)_")
_INTERNAL = {"redshift", CATALOG, INFORMATION_SCHEMA, "stand_in", "pg_toast"}


@cache
def relations() -> dict[tuple[str, str], tuple[str, ...]]:
    """Return the columns of each catalog relation, by its schema and name as clients write them."""
    text = (files("local.redshift.sql") / "catalog.sql").read_text(encoding="utf-8")
    shown = {CATALOG: "pg_catalog", INFORMATION_SCHEMA: "information_schema"}
    return {
        (shown[schema], name): tuple(column.strip().strip('"') for column in columns.split(","))
        for schema, name, columns in _VIEW.findall(text)
    }


def find(table: exp.Table) -> tuple[str, str] | None:
    """Return the catalog relation a table names, None if it is an ordinary one. Unknown catalog names are refused."""
    schema, name = table.db, table.name
    if schema in _INTERNAL:
        raise _unknown(f"{schema}.{name}")
    if schema in ("information_schema", "pg_catalog") or (not schema and _RESERVED.match(name)):
        key = (schema or "pg_catalog", name)
        if key in relations():
            return key
        if name in _COPY_RELATIONS and schema != "information_schema":
            return None
        raise _unknown(f"{schema}.{name}" if schema else name)
    return None


def is_copy_relation(table: exp.Table) -> bool:
    """Whether the table is one of those COPY reports in."""
    return table.name in _COPY_RELATIONS and table.db in ("", "pg_catalog")


def home(key: tuple[str, str]) -> str:
    """Return the schema our relation lies in."""
    return INFORMATION_SCHEMA if key[0] == "information_schema" else CATALOG


def _unknown(name: str) -> Refused:
    return Refused(
        f'relation "{name}" does not exist here',
        sqlstate=UNDEFINED_TABLE,
        hint="Only catalog relations known to say the same on Redshift can be read.",
    )
