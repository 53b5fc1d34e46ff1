"""Owns statements about the session and about access: transactions, SET and SHOW, locks, grants, upkeep.

Tables and views are ddl.py's.
"""

from collections.abc import Callable

from local.redshift.sql.lexing import Kind, literal, quote
from local.redshift.sql.reader import Reader, dotted
from local.redshift.sql.refusal import UNDEFINED_OBJECT, Refused, not_supported, syntax_error

Answer = tuple[str, str | None]  # PostgreSQL's statement, and the command tag if it is not PostgreSQL's

_PASSED_ON = {
    "search_path",
    "timezone",
    "statement_timeout",
    "client_encoding",
    "datestyle",
    "extra_float_digits",
    "application_name",
}
# Parameters without any effect here, and the values for which that is true (None: any value).
_WITHOUT_EFFECT: dict[str, set[str] | None] = {
    "wlm_query_slot_count": None,
    "enable_result_cache_for_session": None,
    "analyze_threshold_percent": None,
    "enable_case_sensitive_identifier": {"off", "false"},
    "enable_case_sensitive_super_attribute": {"off", "false"},
    "describe_field_name_in_uppercase": {"off", "false"},
    "downcase_delimited_identifier": {"on", "true"},
    "navigate_super_null_on_error": {"on", "true"},
    "cast_super_null_on_error": {"on", "true"},
    "parse_super_null_on_error": {"off", "false"},
    "default_geometry_encoding": None,
    "json_serialization_enable": {"off", "false"},
}
_SHOWN = {
    "transaction_isolation": "serializable",
    "server_version": "8.0.2",
    "standard_conforming_strings": "off",
    "enable_case_sensitive_identifier": "off",
    "enable_result_cache_for_session": "on",
    "max_identifier_length": "127",
}
_KEPT = {"query_group"}  # by PostgreSQL, under a name of ours
_PRIVILEGES = ("select", "insert", "update", "delete", "references", "usage", "create", "temporary", "temp", "execute")


def _begin(reader: Reader) -> Answer:
    if reader.take("start"):
        reader.expect("transaction")
    else:
        reader.expect("begin")
        reader.take_one_of("transaction", "work")
    modes = []
    while not reader.at_end:
        if reader.take("isolation", "level"):
            _isolation_level(reader)
        elif reader.take("read"):
            modes.append("READ ONLY" if reader.take_one_of("only", "write") == "only" else "READ WRITE")
        else:
            raise reader.unexpected("a transaction mode")
        reader.take(",")
    return " ".join(["BEGIN", *modes]), None


def _isolation_level(reader: Reader) -> None:
    # Redshift accepts all four names and isolates at its own level whatever the name.
    for words in (("serializable",), ("repeatable", "read"), ("read", "committed"), ("read", "uncommitted")):
        if reader.take(*words):
            return
    raise reader.unexpected("an isolation level")


def _end(reader: Reader) -> Answer:
    word = reader.take_one_of("commit", "end", "rollback", "abort")
    reader.take_one_of("transaction", "work")
    if reader.looks_at("to"):
        raise not_supported("ROLLBACK TO SAVEPOINT")
    return ("COMMIT" if word in ("commit", "end") else "ROLLBACK"), None


def _set(reader: Reader) -> Answer:
    reader.expect("set")
    scope = (reader.take_one_of("session", "local") or "session").upper()
    name = reader.word()
    if name in ("authorization", "transaction", "characteristics", "role"):
        raise not_supported(f"SET {name.upper()}")
    if name == "time" and reader.take("zone"):
        name = "timezone"
    elif not reader.take("to"):
        reader.expect("=")
    values = [_value(reader)]
    while reader.take(","):
        values.append(_value(reader))
    if name in _KEPT:
        return f"SET {scope} stand_in.{name} TO {values[0][1]}", None
    if name in _PASSED_ON:
        return f"SET {scope} {name} TO {', '.join(rendered for _, rendered in values)}", None
    _check_without_effect(name, values[0][0])
    return "", "SET"


def _value(reader: Reader) -> tuple[str, str]:
    text = reader.take_kind(Kind.STRING)
    if text is not None:
        return text, literal(text)
    sign = "-" if reader.take("-") else ""
    number = reader.take_kind(Kind.NUMBER)
    if number is not None:
        return sign + number, sign + number
    name = reader.word()
    return name, "DEFAULT" if name == "default" else quote(name)


def _check_without_effect(name: str, value: str) -> None:
    if name not in _WITHOUT_EFFECT:
        raise Refused(f'the parameter "{name}" is not known to this Redshift stand-in', sqlstate=UNDEFINED_OBJECT)
    harmless = _WITHOUT_EFFECT[name]
    if harmless is not None and value.lower() not in harmless and value != "default":
        raise not_supported(f"the parameter {name} set to {value}")


def _reset(reader: Reader) -> Answer:
    reader.expect("reset")
    name = reader.word()
    if name in _KEPT:
        return f"RESET stand_in.{name}", None
    if name in _PASSED_ON:
        return f"RESET {name}", None
    _check_without_effect(name, "default")
    return "", "RESET"


def _show(reader: Reader) -> Answer:
    reader.expect("show")
    for what, read in _SHOW_OBJECTS.items():
        if reader.take(what):
            return f"SELECT * FROM redshift.show_{what}({read(reader)}){_show_filter(reader, what)}", "SHOW"
    name = reader.word()
    if name == "transaction" and reader.take("isolation", "level"):
        name = "transaction_isolation"
    elif name == "time" and reader.take("zone"):
        name = "timezone"
    if name in _KEPT:
        return f"SELECT redshift.current_setting({literal(name)}) AS {quote(name)}", "SHOW"
    if name in _SHOWN:
        return f"SELECT CAST({literal(_SHOWN[name])} AS character varying) AS {quote(name)}", "SHOW"
    if name in _PASSED_ON:
        return f"SHOW {name}", None
    raise Refused(f'the parameter "{name}" is not known to this Redshift stand-in', sqlstate=UNDEFINED_OBJECT)


def _show_tables(reader: Reader) -> str:
    reader.expect("from", "schema")
    return _as_arguments(reader.qualified(), 2)


def _show_schemas(reader: Reader) -> str:
    reader.expect("from", "database")
    return literal(reader.name())


def _show_columns(reader: Reader) -> str:
    reader.expect("from", "table")
    return _as_arguments(reader.qualified(), 3)


def _show_grants(reader: Reader) -> str:
    reader.expect("on", "table")
    return _as_arguments(reader.qualified(), 3)


_SHOW_OBJECTS: dict[str, Callable[[Reader], str]] = {
    "tables": _show_tables,
    "schemas": _show_schemas,
    "columns": _show_columns,
    "grants": _show_grants,
}


def _as_arguments(parts: tuple[str, ...], count: int) -> str:
    if len(parts) != count:
        raise not_supported(f"SHOW with a name of {len(parts)} parts: {'.'.join(parts)}")
    return ", ".join(literal(part) for part in parts)


def _show_filter(reader: Reader, what: str) -> str:
    sql = ""
    if what != "grants" and reader.take("like"):
        sql += f" WHERE {what.removesuffix('s')}_name LIKE {literal(reader.expect_kind(Kind.STRING))}"
    if reader.take("limit"):
        sql += f" LIMIT {reader.expect_kind(Kind.NUMBER)}"
    return sql


def _lock(reader: Reader) -> Answer:
    reader.expect("lock")
    reader.take("table")
    tables = [dotted(reader.qualified())]
    while reader.take(","):
        tables.append(dotted(reader.qualified()))
    if reader.looks_at("in"):
        raise not_supported("LOCK with a mode")
    return f"LOCK TABLE {', '.join(tables)} IN ACCESS EXCLUSIVE MODE", None


# What VACUUM does beside giving room back has no meaning outside Redshift.
_VACUUM_KINDS = (("full",), ("sort", "only"), ("delete", "only"), ("reindex",), ("recluster",))
_POSTGRES_OPTIONS = ("verbose", "freeze", "analyze", "analyse", "skip_locked", "sort", "delete", "only")


def _vacuum(reader: Reader) -> Answer:
    """PostgreSQL runs it: so it fails in a transaction and without its table, as on Redshift."""
    reader.expect("vacuum")
    kind = next((kind for kind in _VACUUM_KINDS if reader.take(*kind)), ())
    _refuse_postgres_option(reader, "VACUUM")
    if reader.at_end:
        return "VACUUM", None
    sql = f"VACUUM {dotted(reader.qualified())}"
    if reader.take("to"):
        if kind == ("reindex",):
            raise not_supported("VACUUM REINDEX with TO ... PERCENT")
        threshold = reader.expect_kind(Kind.NUMBER)
        if not threshold.isdigit() or int(threshold) > 100:
            raise syntax_error(f"VACUUM to {threshold} percent: a whole number from 0 to 100 was expected")
        reader.expect("percent")
    return sql, None


def _analyze(reader: Reader) -> Answer:
    reader.take_one_of("analyze", "analyse")
    if reader.take("compression"):
        raise not_supported("ANALYZE COMPRESSION")
    reader.take("verbose")
    _refuse_postgres_option(reader, "ANALYZE")
    sql = "ANALYZE"
    if not reader.at_end:
        sql += f" {dotted(reader.qualified())}"
        if reader.looks_at("("):
            sql += f" ({', '.join(quote(name) for name in reader.names_in_parentheses())})"
    return sql, None


def _refuse_postgres_option(reader: Reader, statement: str) -> None:
    for word in _POSTGRES_OPTIONS:
        if reader.looks_at(word):
            raise not_supported(f"{statement} {word.upper()}")


def _grant(reader: Reader) -> Answer:
    word = reader.take_one_of("grant", "revoke") or ""
    if word == "revoke" and reader.looks_at("grant", "option"):
        raise not_supported("REVOKE GRANT OPTION")
    privileges = _privileges(reader)
    reader.expect("on")
    objects = _granted_objects(reader)
    reader.expect("to" if word == "grant" else "from")
    grantees = [_grantee(reader)]
    while reader.take(","):
        grantees.append(_grantee(reader))
    if reader.looks_at("with"):
        raise not_supported("WITH GRANT OPTION")
    if word == "revoke" and reader.take_one_of("cascade", "restrict") == "cascade":
        raise not_supported("REVOKE ... CASCADE")
    link = "TO" if word == "grant" else "FROM"
    return f"{word.upper()} {privileges} ON {objects} {link} {', '.join(grantees)}", None


def default_privileges(reader: Reader) -> Answer:
    """What follows ALTER DEFAULT PRIVILEGES: what others may do with the tables that this user will make."""
    reader.expect("in", "schema")
    schema = quote(reader.name())
    word = reader.take_one_of("grant", "revoke")
    if word is None:
        raise reader.unexpected("GRANT or REVOKE")
    privileges = _privileges(reader)
    reader.expect("on", "tables", "to" if word == "grant" else "from")
    link = "TO" if word == "grant" else "FROM"
    change = f"{word.upper()} {privileges} ON TABLES {link} {_grantee(reader)}"
    return f"ALTER DEFAULT PRIVILEGES IN SCHEMA {schema} {change}", None


def _privileges(reader: Reader) -> str:
    if reader.take("all"):
        reader.take("privileges")
        return "ALL"
    found = []
    while True:
        privilege = reader.take_one_of(*_PRIVILEGES)
        if privilege is None:
            raise not_supported(f"the privilege {reader.word()}")
        found.append(privilege.upper())
        if not reader.take(","):
            return ", ".join(found)


def _granted_objects(reader: Reader) -> str:
    if reader.take("all", "tables", "in", "schema"):
        return f"ALL TABLES IN SCHEMA {quote(reader.name())}"
    kind = reader.take_one_of("schema", "database", "table") or "table"
    if kind not in ("schema", "database", "table"):
        raise not_supported(f"GRANT ON {kind}")
    names = [dotted(reader.qualified())]
    while reader.take(","):
        names.append(dotted(reader.qualified()))
    return f"{kind.upper()} {', '.join(names)}"


def _grantee(reader: Reader) -> str:
    if reader.take("public"):
        return "PUBLIC"
    reader.take_one_of("group", "role")
    return quote(reader.name())


def _comment(reader: Reader) -> Answer:
    reader.expect("comment", "on")
    kind = reader.take_one_of("table", "view", "column", "schema")
    if kind is None:
        raise not_supported("COMMENT on anything but a table, view, column or schema")
    name = [reader.name()]
    while reader.take("."):
        name.append(reader.name())
    reader.expect("is")
    text = "NULL" if reader.take("null") else literal(reader.expect_kind(Kind.STRING))
    if len(name) > 4:
        raise syntax_error(f"the name {'.'.join(name)} has too many parts")
    if kind == "view":  # which a materialized view is, too
        return f"CALL redshift.comment_on_view({literal(dotted(tuple(name)))}, {text})", "COMMENT"
    return f"COMMENT ON {kind.upper()} {dotted(tuple(name))} IS {text}", None


GRAMMARS: dict[str, Callable[[Reader], Answer]] = {
    "begin": _begin,
    "start": _begin,
    "commit": _end,
    "end": _end,
    "rollback": _end,
    "abort": _end,
    "set": _set,
    "reset": _reset,
    "show": _show,
    "lock": _lock,
    "vacuum": _vacuum,
    "analyze": _analyze,
    "analyse": _analyze,
    "grant": _grant,
    "revoke": _grant,
    "comment": _comment,
}
