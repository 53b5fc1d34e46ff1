"""Owns CREATE, DROP, ALTER and TRUNCATE of schemas, tables and views. Columns and table attributes: tables.py."""

from collections.abc import Callable

from local.redshift.sql.dml import translate_late_binding, translate_query
from local.redshift.sql.lexing import literal, quote
from local.redshift.sql.reader import Reader, dotted
from local.redshift.sql.refusal import not_supported, syntax_error
from local.redshift.sql.session import default_privileges
from local.redshift.sql.tables import Attributes, byte_check, column, column_type, table_constraint

Answer = tuple[str, str | None]


def _create(reader: Reader) -> Answer:
    reader.expect("create")
    if reader.take("schema"):
        return _create_schema(reader)
    if reader.take("database"):
        return f"CREATE DATABASE {quote(reader.name())}", None  # whose user may: none here; and never in a transaction
    if reader.take("role"):  # PostgreSQL's role that nobody logs in as is what Redshift calls one
        return f"CREATE ROLE {quote(reader.name())} NOLOGIN", None
    or_replace = reader.take("or", "replace")
    if reader.take("view"):
        return _create_view(reader, or_replace)
    if not or_replace and reader.take("materialized", "view"):
        return _create_materialized_view(reader)
    reader.take("local")
    temporary = bool(reader.take_one_of("temporary", "temp"))
    if or_replace or not reader.take("table"):
        raise not_supported(f"CREATE {reader.name().upper() if reader.here else ''}".strip())
    return _create_table(reader, temporary)


def _schema_name(reader: Reader) -> str:
    # Redshift takes database.schema; the database can only be this one, and PostgreSQL has no place to say it.
    parts = reader.qualified()
    if len(parts) > 2:
        raise syntax_error(f"the schema name {'.'.join(parts)} has more than two parts")
    return quote(parts[-1])


def _relation_name(reader: Reader) -> str:
    return dotted(reader.qualified())


def _create_schema(reader: Reader) -> Answer:
    condition = "IF NOT EXISTS " if reader.take("if", "not", "exists") else ""
    name = _schema_name(reader)
    owner = f" AUTHORIZATION {quote(reader.name())}" if reader.take("authorization") else ""
    if reader.take("quota"):
        raise not_supported("a schema's QUOTA")
    return f"CREATE SCHEMA {condition}{name}{owner}", None


def _create_view(reader: Reader, or_replace: bool) -> Answer:
    name = dotted(reader.qualified())
    columns = f" ({', '.join(quote(c) for c in reader.names_in_parentheses())})" if reader.looks_at("(") else ""
    reader.expect("as")
    if (end := reader.position_of_last("with", "no", "schema", "binding")) is not None:
        query = translate_late_binding(reader.rest(until=end))
        arguments = ", ".join((literal(name), str(or_replace), literal(columns), literal(query)))
        return f"CALL redshift.create_late_binding_view({arguments})", "CREATE VIEW"
    query = translate_query(reader.rest())
    return f"CREATE {'OR REPLACE ' if or_replace else ''}VIEW {name}{columns} AS {query}", None


def _create_materialized_view(reader: Reader) -> Answer:
    name = reader.qualified()
    attributes = Attributes(diststyle="even")
    is_auto_refresh = False
    while not reader.take("as"):
        if reader.take("auto", "refresh"):
            is_auto_refresh = _yes_or_no(reader)
        elif not attributes.read_one(reader):
            raise reader.unexpected("AS")
    note = attributes.note(name[-1]) + ("/*redshift auto refresh*/ " if is_auto_refresh else "")
    return f"{note}CREATE MATERIALIZED VIEW {dotted(name)} AS {translate_query(reader.rest())}", None


def _yes_or_no(reader: Reader) -> bool:
    word = reader.take_one_of("yes", "no")
    if word is None:
        raise reader.unexpected("YES or NO")
    return word == "yes"


def _refresh(reader: Reader) -> Answer:
    reader.expect("refresh", "materialized", "view")
    name = dotted(reader.qualified())
    if reader.take_one_of("cascade", "restrict") == "cascade":
        raise not_supported("REFRESH MATERIALIZED VIEW ... CASCADE")
    return f"REFRESH MATERIALIZED VIEW {name}", None


def _create_table(reader: Reader, temporary: bool) -> Answer:
    condition = "IF NOT EXISTS " if reader.take("if", "not", "exists") else ""
    name = reader.qualified()
    head = f"CREATE {'TEMPORARY ' if temporary else ''}TABLE {condition}{dotted(name)}"
    attributes = Attributes()
    if reader.looks_at("("):
        body = _definition(reader, attributes)
        attributes.read(reader)
        if not reader.at_end and reader.looks_at("as"):
            raise not_supported("CREATE TABLE with column definitions and AS")
        return f"{attributes.note(name[-1])}{head} ({body})", None
    attributes.read(reader)
    reader.expect("as")
    return f"{attributes.note(name[-1])}{head} AS {translate_query(reader.rest())}", None


def _definition(reader: Reader, attributes: Attributes) -> str:
    reader.expect("(")
    if reader.take("like"):
        parent = dotted(reader.qualified())
        defaults = " INCLUDING DEFAULTS" if reader.take("including", "defaults") else ""
        reader.take("excluding", "defaults")
        reader.expect(")")
        return f"LIKE {parent}{defaults} INCLUDING CONSTRAINTS"
    columns: dict[str, str] = {}
    key: list[str] = []
    while True:
        if not table_constraint(reader, key):
            name, definition = column(reader, attributes)
            if name in columns:
                raise syntax_error(f'column "{name}" is named twice')
            columns[name] = definition
        if not reader.take(","):
            break
    reader.expect(")")
    for name in key:
        if name not in columns:
            raise syntax_error(f'the primary key names "{name}", which is not a column')
        if "NOT NULL" not in columns[name]:
            columns[name] += " NOT NULL"
    return ", ".join(f"{quote(name)} {definition}" for name, definition in columns.items())


def _drop(reader: Reader) -> Answer:
    reader.expect("drop")
    kind = "materialized view" if reader.take("materialized", "view") else reader.take_one_of("schema", "table", "view")
    if kind is None:
        raise not_supported(f"DROP {reader.name().upper() if reader.here else ''}".strip())
    condition = "IF EXISTS " if reader.take("if", "exists") else ""
    read = _schema_name if kind == "schema" else _relation_name
    names = [read(reader)]
    while reader.take(","):
        names.append(read(reader))
    how = reader.take_one_of("cascade", "restrict")
    return f"DROP {kind.upper()} {condition}{', '.join(names)}{' ' + how.upper() if how else ''}", None


def _truncate(reader: Reader) -> Answer:
    # Redshift commits the transaction a TRUNCATE stands in. PostgreSQL does not, so a rollback after it differs.
    reader.expect("truncate")
    reader.take("table")
    return f"TRUNCATE TABLE {dotted(reader.qualified())}", None


def _alter(reader: Reader) -> Answer:
    reader.expect("alter")
    if reader.take("default", "privileges"):
        return default_privileges(reader)
    if reader.take("schema"):
        name = _schema_name(reader)
        if reader.take("rename", "to"):
            return f"ALTER SCHEMA {name} RENAME TO {quote(reader.name())}", None
        reader.expect("owner", "to")
        return f"ALTER SCHEMA {name} OWNER TO {quote(reader.name())}", None
    if reader.take("materialized", "view"):
        name = dotted(reader.qualified())
        reader.expect("auto", "refresh")
        return f"CALL redshift.set_auto_refresh({literal(name)}, {_yes_or_no(reader)})", "ALTER MATERIALIZED VIEW"
    if not reader.take("table"):
        raise not_supported(f"ALTER {reader.name().upper() if reader.here else ''}".strip())
    table = dotted(reader.qualified())
    change = _table_change(reader)
    return (f"ALTER TABLE {table} {change}", None) if change else ("", "ALTER TABLE")


def _table_change(reader: Reader) -> str:
    """Read what ALTER TABLE changes; empty for what has no meaning outside Redshift."""
    for word, read in _TABLE_CHANGES.items():
        if reader.take(word):
            return read(reader)
    raise not_supported(f"ALTER TABLE {reader.name().upper() if reader.here else ''}".strip())


def _rename(reader: Reader) -> str:
    if reader.take("to"):
        return f"RENAME TO {quote(reader.name())}"
    reader.take("column")
    old = quote(reader.name())
    reader.expect("to")
    return f"RENAME COLUMN {old} TO {quote(reader.name())}"


def _change_owner(reader: Reader) -> str:
    reader.expect("to")
    return f"OWNER TO {quote(reader.name())}"


def _drop_column(reader: Reader) -> str:
    if reader.looks_at("constraint"):
        raise not_supported("ALTER TABLE DROP CONSTRAINT")
    reader.take("column")
    name = quote(reader.name())
    how = reader.take_one_of("cascade", "restrict")
    return f"DROP COLUMN {name}{' ' + how.upper() if how else ''}"


def _add(reader: Reader) -> str:
    if table_constraint(reader, []):
        return ""
    reader.take("column")
    name, definition = column(reader, Attributes())
    return f"ADD COLUMN {quote(name)} {definition}"


def _alter_column(reader: Reader) -> str:
    if reader.looks_at("diststyle") or reader.looks_at("distkey") or reader.looks_at("sortkey"):
        Attributes().read(reader)
        return ""
    reader.take("column")
    name = reader.name()
    if reader.take("encode"):
        reader.name()
        return ""
    reader.expect("type")
    kind = column_type(reader)
    if kind.name != "varchar":
        raise not_supported(f"changing a column's type to {kind.postgres}", hint="Redshift only resizes VARCHAR.")
    check, constraint = byte_check(name, kind)
    drop = f"DROP CONSTRAINT IF EXISTS {constraint}"
    add = f", ADD {check}" if check else ""
    return f"{drop}, ALTER COLUMN {quote(name)} TYPE {kind.postgres}{add}"


_TABLE_CHANGES: dict[str, Callable[[Reader], str]] = {
    "rename": _rename,
    "owner": _change_owner,
    "drop": _drop_column,
    "add": _add,
    "alter": _alter_column,
}
GRAMMARS: dict[str, Callable[[Reader], Answer]] = {
    "create": _create,
    "drop": _drop,
    "alter": _alter,
    "refresh": _refresh,
    "truncate": _truncate,
}
