"""Owns which Redshift types there are and what PostgreSQL type holds each. Casting semantics are super.sql's."""

from dataclasses import dataclass
from typing import NoReturn

from sqlglot import exp

from local.redshift.sql.refusal import UNDEFINED_OBJECT, Refused, syntax_error

LONGEST_VARCHAR = 65535
_LONGEST_CHAR = 4096
_LARGEST_SCALE = 37
_SIMPLE = {
    "smallint": "smallint",
    "int2": "smallint",
    "integer": "integer",
    "int": "integer",
    "int4": "integer",
    "bigint": "bigint",
    "int8": "bigint",
    "real": "real",
    "float4": "real",
    "float8": "double precision",
    "float": "double precision",
    "double precision": "double precision",
    "boolean": "boolean",
    "bool": "boolean",
    "date": "date",
    "timestamp": "timestamp",
    "timestamp without time zone": "timestamp",
    "timestamptz": "timestamptz",
    "timestamp with time zone": "timestamptz",
    "time": "time",
    "time without time zone": "time",
    "timetz": "timetz",
    "time with time zone": "timetz",
    "super": "super",
}
_VARCHAR = {"varchar", "character varying", "nvarchar", "text"}
_CHAR = {"char", "character", "nchar"}
_DECIMAL = {"decimal", "numeric"}
_VARBYTE = {"varbyte", "varbinary", "binary varying"}


@dataclass(frozen=True, slots=True)
class RedshiftType:
    """A type with its parameters settled. `length` is in bytes, None where the type has none or it was left open.

    `decimal` is the precision and scale of a DECIMAL.
    """

    name: str
    postgres: str
    length: int | None = None
    decimal: tuple[int, int] | None = None


def resolve(name: str, parameters: tuple[str, ...], *, in_table: bool) -> RedshiftType:
    """Return the type, or refuse it by name. In a table definition an open length has Redshift's default."""
    if name in _SIMPLE:
        if parameters:
            raise syntax_error(f"type {name} takes no parameters")
        return RedshiftType(_SIMPLE[name], _SIMPLE[name])
    if name in _VARCHAR:
        return _varchar(name, parameters, in_table)
    if name in _CHAR:
        written = (str(_LONGEST_CHAR),) if parameters == ("max",) else parameters
        length = _integer(name, written, 1, _LONGEST_CHAR) if parameters else 1
        return RedshiftType("char", f"character({length})", length)
    if name in _DECIMAL:
        return _decimal(name, parameters)
    if name in _VARBYTE and in_table:
        return RedshiftType("varbyte", "bytea")
    return _refuse(name)


def _refuse(name: str) -> NoReturn:
    raise Refused(
        f'type "{name}" does not exist here',
        sqlstate=UNDEFINED_OBJECT,
        hint="Only types known to mean the same on Redshift are accepted.",
    )


def _varchar(name: str, parameters: tuple[str, ...], in_table: bool) -> RedshiftType:
    if parameters and name != "text":
        length = LONGEST_VARCHAR if parameters == ("max",) else _integer(name, parameters, 1, LONGEST_VARCHAR)
    elif in_table:
        length = 256
    else:
        # In an expression the input decides the length, up to 65535 bytes.
        return RedshiftType("varchar", "character varying")
    return RedshiftType("varchar", f"character varying({length})", length)


def _decimal(name: str, parameters: tuple[str, ...]) -> RedshiftType:
    if len(parameters) > 2:
        raise syntax_error(f"type {name} takes a precision and a scale")
    precision = _integer(name, parameters[:1], 1, 38) if parameters else 18
    scale = _integer(name, parameters[1:], 0, min(precision, _LARGEST_SCALE)) if len(parameters) == 2 else 0
    return RedshiftType("decimal", f"numeric({precision},{scale})", None, (precision, scale))


def _integer(name: str, parameters: tuple[str, ...], low: int, high: int) -> int:
    if len(parameters) != 1 or not parameters[0].isdigit() or not low <= int(parameters[0]) <= high:
        raise syntax_error(f"type {name}({', '.join(parameters)}): a number from {low} to {high} was expected")
    return int(parameters[0])


_NODES = {
    exp.DType.SMALLINT: "smallint",
    exp.DType.INT: "integer",
    exp.DType.BIGINT: "bigint",
    exp.DType.FLOAT: "real",
    exp.DType.DOUBLE: "double precision",
    exp.DType.BOOLEAN: "boolean",
    exp.DType.DATE: "date",
    exp.DType.TIMESTAMP: "timestamp",
    exp.DType.TIMESTAMPTZ: "timestamptz",
    exp.DType.TIME: "time",
    exp.DType.TIMETZ: "timetz",
    exp.DType.SUPER: "super",
    exp.DType.VARCHAR: "varchar",
    exp.DType.NVARCHAR: "varchar",
    exp.DType.TEXT: "text",
    exp.DType.CHAR: "char",
    exp.DType.NCHAR: "char",
    exp.DType.DECIMAL: "decimal",
}
_CATALOG_NAMES = {"name", "oid", "regclass"}


def resolve_node(node: exp.Expr, *, in_catalog: bool = False) -> RedshiftType:
    """Return the type a parsed cast names. Types that only the catalog has are known to catalog queries alone."""
    written = node.sql("redshift").lower()
    if in_catalog and written in _CATALOG_NAMES:
        return RedshiftType(written, written)
    kind = node.this if isinstance(node, exp.DataType) and not node.args.get("nested") else None
    if not isinstance(kind, exp.DType) or kind not in _NODES:
        return resolve(written, (), in_table=False) if written not in _CATALOG_NAMES else _refuse(written)
    parameters = tuple(parameter.name.lower() for parameter in node.expressions)
    return resolve(_NODES[kind], parameters, in_table=False)
