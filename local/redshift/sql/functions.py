"""Owns which functions may be called, and what PostgreSQL runs for each. Their bodies are functions.sql and super.sql.

A name that is not here is refused as unknown, however well PostgreSQL may know it. `pg_catalog` stands where Redshift's
reference says what PostgreSQL 18 does too; `redshift` is our own schema, where it says something else.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from sqlglot import exp

from local.redshift.sql.refusal import UNDEFINED_FUNCTION, Refused, not_supported, syntax_error


class Runs(Enum):
    """On which nodes Redshift can run a function."""

    ANYWHERE = "anywhere"
    LEADER = "on the leader node only: never with user tables"
    COMPUTE = "on compute nodes only: never without tables"


class Role(Enum):
    """How a function takes part in a query."""

    SCALAR = "scalar"
    AGGREGATE = "aggregate"
    RANKING = "ranking window function"
    FRAMED = "window function with a frame"


@dataclass(frozen=True, slots=True)
class Rule:
    """One function: what is called for it, with how many arguments, and where."""

    target: str
    fewest: int
    most: int
    role: Role = Role.SCALAR
    runs: Runs = Runs.ANYWHERE


def _rules(
    schema: str, fewest: int, most: int, names: str, role: Role = Role.SCALAR, runs: Runs = Runs.ANYWHERE
) -> dict[str, Rule]:
    prefix = f"{schema}." if schema else ""
    return {name: Rule(f"{prefix}{name}", fewest, most, role, runs) for name in names.split()}


_MANY = 1600
_LEADER = Runs.LEADER
RULES: dict[str, Rule] = {
    **_rules("pg_catalog", 1, 1, "abs sign lower upper initcap reverse octet_length ascii md5 degrees radians"),
    **_rules("pg_catalog", 1, 1, "ceil ceiling floor sin cos tan asin acos atan quote_ident quote_literal"),
    **_rules("pg_catalog", 2, 2, "left right repeat strpos mod to_char to_timestamp atan2"),
    **_rules("pg_catalog", 3, 3, "replace translate"),
    **_rules("pg_catalog", 2, 3, "lpad rpad"),
    **_rules("pg_catalog", 1, 2, "btrim ltrim rtrim"),
    **_rules("pg_catalog", 0, 0, "pi random current_database"),
    **_rules("", 1, _MANY, "coalesce greatest least"),
    **_rules("", 2, 2, "nullif"),
    **_rules("redshift", 1, 1, "len chr sqrt cbrt exp ln log dlog10 func_sha1 sha1 to_hex last_day date_part_year"),
    **_rules("redshift", 1, 2, "round trunc"),
    **_rules("redshift", 2, 2, "charindex concat power strtol sha2 date_trunc add_months to_date to_number"),
    **_rules("redshift", 3, 3, "split_part nvl2"),
    **_rules("redshift", 2, 3, "convert_timezone regexp_count"),
    **_rules("redshift", 2, 4, "regexp_instr"),
    **_rules("redshift", 2, 5, "regexp_substr regexp_replace"),
    **_rules("redshift", 0, 0, "getdate sysdate version"),
    # SUPER and JSON
    **_rules("redshift", 1, 1, "json_parse json_serialize json_typeof can_json_parse get_array_length is_array"),
    **_rules("redshift", 1, 1, "is_object is_scalar is_varchar is_integer is_bigint is_smallint is_decimal is_float"),
    **_rules("redshift", 1, 1, "is_boolean is_valid_json is_valid_json_array json_size json_serialize_to_varbyte"),
    **_rules("redshift", 1, 2, "json_array_length"),
    **_rules("redshift", 2, 3, "json_extract_array_element_text"),
    **_rules("redshift", 2, 7, "json_extract_path_text"),
    **_rules("redshift", 0, _MANY, "array object"),
    **_rules("redshift", 2, 2, "array_concat from_varbyte"),
    # Aggregates
    **_rules("pg_catalog", 1, 1, "count min max bool_and bool_or any_value", Role.AGGREGATE),
    **_rules("redshift", 1, 1, "sum avg stddev stddev_samp stddev_pop variance var_samp var_pop", Role.AGGREGATE),
    **_rules("redshift", 1, 1, "median", Role.AGGREGATE, Runs.COMPUTE),
    **_rules("redshift", 1, 2, "listagg", Role.AGGREGATE, Runs.COMPUTE),
    # Window functions
    **_rules("pg_catalog", 0, 0, "row_number rank dense_rank percent_rank cume_dist", Role.RANKING),
    **_rules("pg_catalog", 1, 1, "ntile", Role.RANKING),
    **_rules("pg_catalog", 1, 2, "lag lead", Role.RANKING),
    **_rules("pg_catalog", 1, 1, "first_value last_value", Role.FRAMED),
    **_rules("pg_catalog", 2, 2, "nth_value", Role.FRAMED),
    # The session and the catalog
    **_rules("pg_catalog", 0, 0, "pg_backend_pid current_schema now", runs=_LEADER),
    **_rules("pg_catalog", 1, 1, "current_schemas", runs=_LEADER),
    **_rules("pg_catalog", 2, 3, "has_schema_privilege has_database_privilege", runs=_LEADER),
    **_rules("pg_catalog", 2, 3, "array_to_string", runs=_LEADER),
    **_rules("pg_catalog", 2, 2, "col_description pg_get_expr", runs=_LEADER),
    **_rules("pg_catalog", 1, 2, "obj_description pg_get_viewdef pg_get_constraintdef", runs=_LEADER),
    **_rules("pg_catalog", 1, 1, "pg_get_userbyid pg_table_is_visible", runs=_LEADER),
    **_rules("redshift", 2, 3, "has_table_privilege", runs=_LEADER),
    **_rules("redshift", 1, 1, "format_encoding current_setting", runs=_LEADER),
    **_rules("redshift", 2, 2, "format_type", runs=_LEADER),
    **_rules("redshift", 0, 0, "pg_get_late_binding_view_cols", runs=_LEADER),
    **_rules("", 0, 0, "pg_last_copy_count", runs=_LEADER),  # made by the COPY side of the stand-in
    # Rewritten below
    **_rules("", 1, _MANY, "nvl"),
    **_rules("", 3, _MANY, "decode"),
    **_rules("redshift", 3, 3, "dateadd date_add datediff date_diff"),
    **_rules("redshift", 2, 2, "date_part pgdate_part pow"),
    **_rules("redshift", 1, 1, "length char_length character_length textlen sha"),
}
_SAME_AS = {
    "nvl": "coalesce",
    "date_add": "redshift.dateadd",
    "date_diff": "redshift.datediff",
    "pgdate_part": "redshift.date_part",
    "pow": "redshift.power",
    "length": "redshift.len",
    "char_length": "redshift.len",
    "character_length": "redshift.len",
    "textlen": "redshift.len",
    "sha": "redshift.sha1",
    "func_sha1": "redshift.sha1",
}
# What Redshift calls the column of an expression without an alias, where it is not the function's own name.
COLUMN_NAMES = {
    "nvl": "coalesce",
    "decode": "case",
    "dateadd": "date_add",
    "datediff": "date_diff",
    "date_part": "pgdate_part",
    "listagg": "listagg",
    "array": "array",
    "object": "object",
}
_PARTS = {
    "millennium": "millennia mil mils",
    "century": "centuries c cent cents",
    "decade": "decades dec decs",
    "year": "years y yr yrs",
    "quarter": "quarters qtr qtrs",
    "month": "months mon mons",
    "week": "weeks w",
    "day": "days d",
    "hour": "hours h hr hrs",
    "minute": "minutes m min mins",
    "second": "seconds s sec secs",
    "millisecond": "milliseconds ms msec msecs msecond mseconds millisec millisecs millisecon",
    "microsecond": "microseconds microsec microsecs usecond useconds us usec usecs",
    "dow": "dayofweek dw weekday",
    "doy": "dayofyear dy yearday",
    "epoch": "",
}
_PART_OF = {word: part for part, words in _PARTS.items() for word in (part, *words.split())}
_ONLY_READ = {"dow", "doy", "epoch"}


def call(target: str, *arguments: exp.Expr) -> exp.Anonymous:
    """Build a call of a PostgreSQL function."""
    return exp.Anonymous(this=target, expressions=list(arguments))


def rule_of(node: exp.Anonymous) -> Rule:
    """Return the rule of a call, or refuse the function by name."""
    name = node.name.lower()
    rule = RULES.get(name)
    arguments = len(node.expressions)
    if rule is None or (name != "count" and any(isinstance(argument, exp.Star) for argument in node.expressions)):
        raise Refused(
            f"function {name}({', '.join(['...'] * arguments)}) does not exist here",
            sqlstate=UNDEFINED_FUNCTION,
            hint="Only functions known to mean the same on Redshift are accepted.",
        )
    if any(_is_no_value(argument) for argument in node.expressions):
        raise not_supported(f"this kind of argument: {node.sql('redshift')}")
    if _is_distinct(node):
        arguments = len(node.expressions[0].expressions)
    if not rule.fewest <= arguments <= rule.most:
        wanted = str(rule.fewest) if rule.fewest == rule.most else f"{rule.fewest} to {rule.most}"
        raise Refused(f"function {name} takes {wanted} arguments, not {arguments}", sqlstate=UNDEFINED_FUNCTION)
    if _is_distinct(node) and rule.role is not Role.AGGREGATE:
        raise syntax_error(f"DISTINCT in {name}(), which is not an aggregate")
    return rule


def rewrite_call(node: exp.Anonymous) -> exp.Expr:
    """Return what PostgreSQL runs for a call whose arguments are already rewritten."""
    name = node.name.lower()
    rule = rule_of(node)
    special = _SPECIAL.get(name)
    if special:
        return special(node.expressions)
    return call(_SAME_AS.get(name, rule.target), *node.expressions)


def rewrite_extract(node: exp.Extract) -> exp.Expr:
    """EXTRACT gives whole numbers on Redshift."""
    part = _date_part(node.this, reading=True)
    return call("redshift.extract", part, as_timestamp(node.expression))


def rewrite_listagg(node: exp.Anonymous, order: exp.Order | None) -> exp.Expr:
    """LISTAGG: the values keep their own type until they are sorted, so 10 comes after 9."""
    rule_of(node)
    distinct = _is_distinct(node)
    arguments = node.expressions[0].expressions if distinct else node.expressions
    value, delimiter = arguments[0], arguments[1] if len(arguments) == 2 else exp.Literal.string("")
    if not isinstance(delimiter, exp.Literal):
        raise not_supported("LISTAGG with a delimiter that is not a constant")
    if distinct and order and any(item.this != value for item in order.expressions):
        raise not_supported("LISTAGG(DISTINCT x) ordered by anything but x")
    collected: exp.Expr = exp.Distinct(expressions=[value]) if distinct else value
    if order:
        collected = exp.Order(this=collected, expressions=order.expressions)
    return call("redshift.join_items", call("pg_catalog.array_agg", collected), delimiter)


def as_timestamp(node: exp.Expr) -> exp.Expr:
    """A bare string where a date is wanted is a timestamp on Redshift; PostgreSQL would prefer timestamptz."""
    if (isinstance(node, exp.Literal) and node.is_string) or isinstance(node, exp.Null):
        return exp.Cast(this=node, to=exp.Var(this="timestamp"))
    return node


def _is_no_value(argument: exp.Expr) -> bool:
    is_row = isinstance(argument, exp.Column) and isinstance(argument.this, exp.Star)
    return is_row or isinstance(argument, (exp.Order, exp.Alias, exp.Tuple))


def _is_distinct(node: exp.Anonymous) -> bool:
    return len(node.expressions) == 1 and isinstance(node.expressions[0], exp.Distinct)


def _date_part(node: exp.Expr, *, reading: bool) -> exp.Expr:
    is_name = isinstance(node, (exp.Column, exp.Var)) and not node.args.get("table")
    word = node.name.lower() if is_name or (isinstance(node, exp.Literal) and node.is_string) else ""
    part = _PART_OF.get(word)
    if part is None or (part in _ONLY_READ and not reading):
        raise not_supported(f'the date part "{node.sql("redshift")}"')
    return exp.Literal.string(part)


def _dateadd(arguments: list[exp.Expr]) -> exp.Expr:
    return call("redshift.dateadd", _date_part(arguments[0], reading=False), arguments[1], as_timestamp(arguments[2]))


def _datediff(arguments: list[exp.Expr]) -> exp.Expr:
    part = _date_part(arguments[0], reading=False)
    return call("redshift.datediff", part, as_timestamp(arguments[1]), as_timestamp(arguments[2]))


def _read_date_part(arguments: list[exp.Expr]) -> exp.Expr:
    return call("redshift.date_part", _date_part(arguments[0], reading=True), as_timestamp(arguments[1]))


def _date_trunc(arguments: list[exp.Expr]) -> exp.Expr:
    part = _date_part(arguments[0], reading=False)
    return call("redshift.date_trunc", part, as_timestamp(arguments[1]))


def _decode(arguments: list[exp.Expr]) -> exp.Expr:
    subject, rest = arguments[0], arguments[1:]
    pairs = list(zip(rest[::2], rest[1::2], strict=False))
    ifs = [exp.If(this=_same(subject.copy(), wanted), true=result) for wanted, result in pairs]
    return exp.Case(ifs=ifs, default=rest[-1] if len(rest) % 2 else None)


def _same(left: exp.Expr, right: exp.Expr) -> exp.Expr:
    """In DECODE, unlike in CASE, null equals null."""
    if isinstance(right, exp.Null):
        return exp.Is(this=exp.Paren(this=left), expression=right)
    equal = exp.EQ(this=exp.Paren(this=left), expression=exp.Paren(this=right))
    if isinstance(right, exp.Literal):
        return equal
    both_null = exp.And(
        this=exp.Is(this=exp.Paren(this=left.copy()), expression=exp.Null()),
        expression=exp.Is(this=exp.Paren(this=right.copy()), expression=exp.Null()),
    )
    return exp.Or(this=equal, expression=both_null)


def _nvl2(arguments: list[exp.Expr]) -> exp.Expr:
    present = exp.Not(this=exp.Paren(this=exp.Is(this=exp.Paren(this=arguments[0]), expression=exp.Null())))
    return exp.Case(ifs=[exp.If(this=present, true=arguments[1])], default=arguments[2])


def _object(arguments: list[exp.Expr]) -> exp.Expr:
    if len(arguments) % 2:
        raise syntax_error("OBJECT takes pairs of a key and a value")
    return call("redshift.object", *(as_super(argument) for argument in arguments))


def as_super(node: exp.Expr) -> exp.Expr:
    """Cast to SUPER. A string becomes a SUPER string: it is not parsed."""
    if isinstance(node, exp.Literal) and node.is_string:
        node = exp.Cast(this=node, to=exp.Var(this="character varying"))
    return exp.Cast(this=node, to=exp.Var(this="super"))


_SPECIAL: dict[str, Callable[[list[exp.Expr]], exp.Expr]] = {
    "dateadd": _dateadd,
    "date_add": _dateadd,
    "datediff": _datediff,
    "date_diff": _datediff,
    "date_part": _read_date_part,
    "pgdate_part": _read_date_part,
    "date_trunc": _date_trunc,
    "decode": _decode,
    "nvl2": _nvl2,
    "array": lambda arguments: call("redshift.array", *(as_super(argument) for argument in arguments)),
    "object": _object,
    "trunc": lambda arguments: call("redshift.trunc", *arguments),
    "add_months": lambda arguments: call("redshift.add_months", as_timestamp(arguments[0]), arguments[1]),
    "last_day": lambda arguments: call("redshift.last_day", as_timestamp(arguments[0])),
    "listagg": lambda arguments: rewrite_listagg(call("listagg", *arguments), None),
    "convert_timezone": lambda arguments: call(
        "redshift.convert_timezone", *arguments[:-1], as_timestamp(arguments[-1])
    ),
}
