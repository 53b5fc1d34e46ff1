"""Owns reading what the warehouse's catalog says of tables, views and access. What is to be changed is migration.py's.

Only the catalog's own tables and views are asked, in the ways that Redshift documents; no row of ours is read.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from loader.warehouse import Session

#: As `pg_class.reldiststyle` counts them.
_DISTSTYLES = {0: "even", 1: "key", 8: "all", 9: "auto"}
_SHORT_TYPES = {
    "character varying": "VARCHAR",
    "numeric": "DECIMAL",
    "timestamp with time zone": "TIMESTAMPTZ",
}


@dataclass(frozen=True, slots=True)
class FoundColumn:
    """A column as it is. `type` is spelled as contracts spell it, where they know it."""

    name: str
    type: str
    is_required: bool
    encoding: str  # `none` for raw
    is_sorted_by: bool
    description: str


@dataclass(frozen=True, slots=True, order=True)
class Grant:
    """One thing that somebody may do with one object. `to` is how GRANT names them: `role spacex_reader`."""

    on: str  # a schema, or a table with its schema
    privilege: str  # in lower case
    to: str


@dataclass(frozen=True, slots=True)
class FoundTable:
    """A table as it is."""

    name: str  # with its schema
    columns: tuple[FoundColumn, ...]
    description: str
    diststyle: str
    views: tuple[str, ...]  # those bound to it, with their schemas
    grants: frozenset[Grant]  # the owner's left out

    @property
    def sort_key(self) -> tuple[str, ...]:
        """The columns that it is sorted by, in the table's order."""
        return tuple(column.name for column in self.columns if column.is_sorted_by)


@dataclass(frozen=True, slots=True)
class Access:
    """Who may do what with schemas, and with the tables that will be made in them."""

    roles: frozenset[str]
    schemas: frozenset[str]
    grants: frozenset[Grant]  # on schemas
    defaults: frozenset[Grant]  # on tables to come, of the schema that is named


def read_tables(session: Session, schemas: Sequence[str]) -> dict[str, FoundTable]:
    """The tables of the schemas, by name."""
    names = ", ".join(["%s"] * len(schemas))
    columns: dict[str, list[FoundColumn]] = defaultdict(list)
    about: dict[str, tuple[str, str]] = {}
    for table, style, words, name, kind, required, encoding, sorted_by, meaning in session.rows(
        _TABLES.format(schemas=names), schemas
    ):
        about[table] = (_DISTSTYLES.get(int(style), "auto"), words or "")
        columns[table].append(
            FoundColumn(name, _contract_type(kind), required, encoding, sorted_by != 0, meaning or "")
        )
    views = defaultdict(list)
    for table, view in session.rows(_VIEWS.format(schemas=names), schemas):
        views[table].append(view)
    grants = defaultdict(set)
    for table, privilege, kind, grantee in session.rows(_GRANTS.format(schemas=names), schemas):
        grants[table].add(Grant(table, privilege.lower(), _grantee(kind, grantee)))
    return {
        name: FoundTable(
            name, tuple(found), about[name][1], about[name][0], tuple(views[name]), frozenset(grants[name])
        )
        for name, found in columns.items()
    }


def read_access(session: Session) -> Access:
    """Roles, schemas, and what is granted on them."""
    roles = frozenset(str(name) for (name,) in session.rows("select role_name from svv_roles"))
    schemas = frozenset(str(name) for (name,) in session.rows("select nspname from pg_namespace"))
    grants = frozenset(
        Grant(str(on), str(what).lower(), _grantee(kind, to)) for on, what, kind, to in session.rows(_ON_SCHEMAS)
    )
    defaults = frozenset(
        Grant(str(on), str(what).lower(), _grantee(kind, to)) for on, what, kind, to in session.rows(_DEFAULTS)
    )
    return Access(roles, schemas, grants, defaults)


def _grantee(kind: str, name: str) -> str:
    """How GRANT names them."""
    if kind == "public":
        return "public"
    return f'"{name}"' if kind == "user" else f'{kind} "{name}"'


def _contract_type(text: str) -> str:
    name, _, size = text.partition("(")
    return _SHORT_TYPES.get(name, name.upper()) + (f"({size}" if size else "")


_TABLES = """select
    n.nspname || '.' || c.relname, c.reldiststyle, about_table.description,
    a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, format_encoding(a.attencodingtype::integer),
    a.attsortkeyord, about_column.description
from pg_class as c
inner join pg_namespace as n on n.oid = c.relnamespace
inner join pg_attribute as a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
left join pg_description as about_table on about_table.objoid = c.oid and about_table.objsubid = 0
left join pg_description as about_column on about_column.objoid = c.oid and about_column.objsubid = a.attnum
where c.relkind = 'r' and n.nspname in ({schemas})
order by n.nspname, c.relname, a.attnum"""

_VIEWS = """select distinct tn.nspname || '.' || t.relname, vn.nspname || '.' || v.relname
from pg_depend as d
inner join pg_class as t on t.oid = d.refobjid
inner join pg_namespace as tn on tn.oid = t.relnamespace
inner join pg_rewrite as r on r.oid = d.objid
inner join pg_class as v on v.oid = r.ev_class
inner join pg_namespace as vn on vn.oid = v.relnamespace
where t.relkind = 'r' and v.relkind = 'v' and tn.nspname in ({schemas})
order by 1, 2"""

_GRANTS = """select p.namespace_name || '.' || p.relation_name, p.privilege_type, p.identity_type, p.identity_name
from svv_relation_privileges as p
inner join pg_tables as t on t.schemaname = p.namespace_name and t.tablename = p.relation_name
where p.namespace_name in ({schemas}) and not (p.identity_type = 'user' and p.identity_name = t.tableowner)"""

_ON_SCHEMAS = "select namespace_name, privilege_type, identity_type, identity_name from svv_schema_privileges"
_DEFAULTS = """select schema_name, privilege_type, grantee_type, grantee_name
from svv_default_privileges
where object_type = 'RELATION' and owner_name = current_user"""
