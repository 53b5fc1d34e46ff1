"""Owns turning a parsed Redshift query into one that means the same on PostgreSQL.

Names are scopes.py's, functions functions.py's; inserts, updates, deletes and merges are dml.py's.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from sqlglot import exp

from local.redshift.sql import catalog
from local.redshift.sql.decimals import Size, size_of
from local.redshift.sql.functions import (
    Role,
    Runs,
    as_super,
    call,
    rewrite_call,
    rewrite_extract,
    rewrite_listagg,
    rule_of,
)
from local.redshift.sql.labels import label, name_columns
from local.redshift.sql.lateral_aliases import expand_lateral_aliases
from local.redshift.sql.lexing import PARAMETER_PREFIX
from local.redshift.sql.patterns import check_pattern
from local.redshift.sql.qualify import without_qualify
from local.redshift.sql.refusal import not_supported, syntax_error
from local.redshift.sql.scopes import Path, Scope, Source, path_of, resolve
from local.redshift.sql.super_operands import check_branches, check_mixture, compare_super, membership
from local.redshift.sql.types import resolve_node

_BOOLEAN_HOLDERS = (exp.Where, exp.Having, exp.Qualify, exp.And, exp.Or, exp.Not)
_COMPARISONS = (exp.EQ, exp.NEQ, exp.LT, exp.LTE, exp.GT, exp.GTE)


@dataclass(slots=True)
class Facts:
    """What one statement turned out to use."""

    reads_user_tables: bool = False
    reads_catalog: bool = False
    correlated_count: int = 0  # subqueries so far that name a table of the query around them
    leader_functions: list[str] = field(default_factory=list)
    compute_functions: list[str] = field(default_factory=list)

    def check(self) -> None:
        """Refuse what Redshift's leader and compute nodes cannot do together."""
        if self.leader_functions and self.reads_user_tables:
            raise not_supported(
                f"the leader-node function {self.leader_functions[0]} in a statement on user tables",
                hint="Redshift says: Specified types or functions not supported on Redshift tables.",
            )
        if self.compute_functions and not (self.reads_user_tables or self.reads_catalog):
            raise not_supported(f"the compute-node function {self.compute_functions[0]} in a statement without a table")


class QueryTranslator:
    """Translates the queries of one statement, in place. Allowed clauses were checked before (allow.py)."""

    def __init__(self, *, in_catalog: bool) -> None:
        self.facts = Facts(reads_catalog=in_catalog)
        self._in_catalog = in_catalog
        self._rewrites: tuple[tuple[type | tuple[type, ...], Callable[[Any], exp.Expr]], ...] = (
            (exp.Anonymous, self._call),
            (exp.WithinGroup, self._within_group),
            (exp.Window, self._window),
            (exp.Extract, rewrite_extract),
            (exp.CurrentUserId, lambda _: call("redshift.current_user_id")),
            (exp.Cast, self._cast),
            (exp.In, membership),
            (_COMPARISONS, compare_super),
            (exp.RegexpLike, check_pattern),
            (exp.Substring, _check_substring),
            (exp.Interval, _check_interval),
            (exp.Case, check_branches),
        )

    # -- queries ---------------------------------------------------------------------------------------------------

    def query(self, node: exp.Expr, outer: Scope | None, ctes: Ctes) -> tuple[str, ...] | None:
        """Translate a query and return the names of its columns, None where only the database knows them."""
        ctes = self.with_clause(node, outer, ctes)
        if isinstance(node, exp.Subquery):
            columns = self.query(node.this, outer, ctes)
            self._order_and_limit(node, Scope(outer))
            return columns
        if isinstance(node, exp.SetOperation):
            if isinstance(node, (exp.Except, exp.Intersect)) and not node.args.get("distinct"):
                raise not_supported(f"{node.key.upper()} ALL")
            columns = self.query(node.this, outer, ctes)
            self.query(node.expression, outer, ctes)
            self._order_and_limit(node, Scope(outer))
            return columns
        if isinstance(node, exp.Select):
            return self._select(node, outer, ctes)
        raise not_supported(f"{node.key.upper()} as a query")

    def with_clause(self, node: exp.Expr, outer: Scope | None, ctes: Ctes) -> Ctes:
        """Translate the common table expressions of a statement and return all that are in sight."""
        clause = node.args.get("with_")
        if clause is None:
            return ctes
        for cte in clause.expressions:
            declared = tuple(column.name for column in cte.args["alias"].columns) or None
            if clause.args.get("recursive"):
                ctes = {**ctes, cte.alias: declared}
            columns = self.query(cte.this, outer, ctes)
            ctes = {**ctes, cte.alias: declared or columns}
        return ctes

    def _select(self, node: exp.Select, outer: Scope | None, ctes: Ctes) -> tuple[str, ...] | None:
        if node.args.get("kind"):
            raise not_supported(f"SELECT AS {node.args['kind']}")
        scope = Scope(outer)
        self.from_clause(node, scope, ctes)
        expand_lateral_aliases(node, scope)
        columns = self._output_columns(node, scope)
        name_columns(node)
        computed = set()  # aliases of what correlated subqueries give
        for clause, value in list(node.args.items()):
            if clause not in ("with_", "from_", "joins"):
                for item in value if isinstance(value, list) else [value]:
                    if isinstance(item, exp.Expr):
                        known = self.facts.correlated_count
                        self.expression(item, scope, ctes)
                        if clause == "expressions" and self.facts.correlated_count > known:
                            computed.add(item.alias_or_name)
        self._check_correlations(node, scope, computed)
        if node.args.get("qualify"):
            without_qualify(node, scope)
        return columns

    def _check_correlations(self, node: exp.Select, scope: Scope, computed: set[str]) -> None:
        if scope.is_correlated:
            self.facts.correlated_count += 1
            if any(_is_windowed(item) for item in node.expressions):
                raise not_supported("a window function in a correlated subquery")
        group = node.args.get("group")
        for item in group.expressions if group and computed else ():
            if isinstance(item, exp.Column) and not item.table and item.name in computed:
                raise not_supported(f'"{item.name}", which a correlated subquery computes, in GROUP BY')

    def _order_and_limit(self, node: exp.Expr, scope: Scope) -> None:
        for clause in ("order", "limit", "offset"):
            if value := node.args.get(clause):
                self.expression(value, scope, {})

    # -- FROM ------------------------------------------------------------------------------------------------------

    def from_clause(self, node: exp.Expr, scope: Scope, ctes: Ctes) -> None:
        """Translate the FROM clause and its joins; fill the scope."""
        if from_ := node.args.get("from_"):
            self.from_item(from_.this, scope, ctes)
        joins = node.args.get("joins") or []
        for join in joins:
            _check_join(join)
            known = len(scope.sources)
            self.from_item(join.this, scope, ctes)
            is_list = not any(join.args.get(clause) for clause in ("side", "kind", "method", "on", "using"))
            if not is_list and any(source.is_unnested for source in scope.sources[known:]):
                raise not_supported("unnesting an array by JOIN", hint="Name the array after a comma in FROM.")
        outer = {join.side for join in joins} & {"RIGHT", "FULL"}
        if outer and any(source.is_unnested for source in scope.sources):
            raise not_supported(f"an unnested array in a query with {outer.pop()} JOIN")
        for join in joins:
            if on := join.args.get("on"):
                known = self.facts.correlated_count
                self.expression(on, scope, ctes)
                if join.side and self.facts.correlated_count > known:
                    raise not_supported("a correlated subquery in the ON clause of an outer join")
                _as_condition(join, "on")

    def from_item(self, item: exp.Expr, scope: Scope, ctes: Ctes) -> None:
        """Translate one item of a FROM clause and add it to the scope."""
        if isinstance(item, exp.Subquery):
            self._derived_table(item, scope, ctes)
        elif isinstance(item, exp.AtIndex):
            inner = item.this
            alias = inner.alias if isinstance(inner, (exp.Alias, exp.Table, exp.Bracket)) else ""
            self._unnest(
                item, inner.this if isinstance(inner, exp.Alias) else inner, alias, item.expression.name, scope
            )
        elif isinstance(item, (exp.Bracket, exp.Dot)):
            self._unnest(item, item, item.alias, None, scope)
        elif isinstance(item, exp.Table) and isinstance(item.this, exp.Anonymous):
            self._table_function(item, scope)
        elif isinstance(item, exp.Table):
            self._table(item, scope, ctes)
        else:
            raise not_supported(f"{item.key.upper()} in FROM")

    def _derived_table(self, item: exp.Subquery, scope: Scope, ctes: Ctes) -> None:
        if isinstance(item.this, exp.Values):
            raise not_supported("VALUES in FROM")
        if isinstance(item.this, (exp.Table, exp.Join)):
            raise not_supported("a join in parentheses")
        # A derived table sees the queries around it, but not its neighbours in FROM.
        columns = self.query(item, scope.outer, ctes)
        if not item.alias:  # a name that no client can write without quotes
            name = exp.to_identifier(f"unnamed subquery {len(scope.sources) + 1}", quoted=True)
            item.set("alias", exp.TableAlias(this=name))
        renamed = _alias_columns(item)
        scope.sources.append(Source(item.alias, (), renamed or columns))

    def _table_function(self, item: exp.Table, scope: Scope) -> None:
        name = item.this.name.lower()
        if name not in ("current_database", "pg_get_late_binding_view_cols"):
            raise not_supported(f"the function {name} in FROM")
        item.set("this", self._call(item.this))
        if name == "current_database":  # its one row has its name
            scope.sources.append(Source(item.alias or name, (), (item.alias or name,)))
            return
        columns = []
        alias = item.args.get("alias")
        for column in alias.columns if alias else ():
            if not isinstance(column, exp.ColumnDef):
                raise syntax_error("pg_get_late_binding_view_cols() needs its columns' names and types")
            column.set("kind", exp.Var(this=resolve_node(column.args["kind"], in_catalog=True).postgres))
            columns.append(column.name)
        scope.sources.append(Source(item.alias, (), tuple(columns)))

    def _table(self, item: exp.Table, scope: Scope, ctes: Ctes) -> None:
        path = path_of(item)
        assert path is not None  # noqa: S101 (a table always has a name)
        first = scope.find(path.names[0])
        if first and (len(path.names) > 1 or first.is_unnested):
            self._unnest(item, item, item.alias, None, scope)
            return
        if len(path.names) > 3:
            raise syntax_error(f"the name {'.'.join(path.names)} has more than three parts")
        renamed = _alias_columns(item)
        if len(path.names) == 1 and item.name in ctes:
            scope.sources.append(Source(item.alias_or_name, (), renamed or ctes[item.name]))
            return
        scope.sources.append(self.table(item, renamed))

    def table(self, item: exp.Table, renamed: tuple[str, ...] | None = None) -> Source:
        """Point a table's name at what PostgreSQL keeps under it, and return it as a source."""
        qualified = () if item.alias else tuple(part.name for part in item.parts)
        key = catalog.find(item)
        if key is None:
            if catalog.is_copy_relation(item):
                self.facts.reads_catalog = True
            else:
                self.facts.reads_user_tables = True
            return Source(item.alias_or_name, qualified, renamed)
        item.set("db", exp.to_identifier(catalog.home(key), quoted=True))
        item.set("catalog", None)
        return Source(item.alias_or_name, qualified, renamed or catalog.relations()[key])

    def _unnest(self, item: exp.Expr, array: exp.Expr, alias: str, index: str | None, scope: Scope) -> None:
        path = path_of(array)
        if path is None or path.base is not None:
            raise not_supported("unnesting anything but a column or a path into one")
        name = alias or path.label
        if name is None:
            raise syntax_error("an unnested array needs an alias")
        columns = (name, index) if index else (name,)
        value = resolve(path, scope)
        if isinstance(value, exp.Column) and not value.table:
            raise not_supported(f"unnesting {value.name}, which is not of a table in FROM")
        names = [exp.to_identifier(column, quoted=True) for column in columns]
        item.replace(
            exp.Lateral(
                this=call("redshift.elements_with_index_of" if index else "redshift.elements_of", value),
                alias=exp.TableAlias(this=exp.to_identifier(name, quoted=True), columns=names),
            )
        )
        scope.sources.append(Source(name, (), columns, is_unnested=True))

    # -- select list -----------------------------------------------------------------------------------------------

    def _output_columns(self, node: exp.Select, scope: Scope) -> tuple[str, ...] | None:
        names: list[str] = []
        for item in node.expressions:
            is_all = isinstance(item, exp.Star)
            if is_all or (isinstance(item, exp.Column) and isinstance(item.this, exp.Star)):
                table = None if is_all else item.table
                for source in scope.sources:
                    if table in (None, source.name):
                        if source.columns is None:
                            return None
                        names.extend(source.columns)
            else:
                names.append(label(item) or "")
        return tuple(names)

    # -- expressions -----------------------------------------------------------------------------------------------

    def expression(self, node: exp.Expr, scope: Scope, ctes: Ctes) -> exp.Expr:
        """Translate an expression in place and return what now stands there."""
        if isinstance(node, (exp.Query, exp.Subquery)):
            self.query(node, scope, ctes)
            return node
        if path := _path_to_resolve(node):
            if path.base is not None:
                path = Path(self.expression(path.base, scope, ctes).copy(), (), path.steps)
            return _put(node, _parameter(path) or resolve(path, scope))
        if isinstance(node, exp.Anonymous):
            self._spare_date_part(node)
        if isinstance(node, exp.Dot) and isinstance(node.expression, exp.Anonymous):
            node = self._without_schema(node)
        size = size_of(node) if isinstance(node, exp.Div) else None
        for child in list(node.iter_expressions()):
            if not isinstance(child, exp.Identifier):
                self.expression(child, scope, ctes)
        if isinstance(node, exp.Div):  # what reads the catalog alone, the leader node computes, as PostgreSQL does
            return _put(node, node if self._in_catalog else _quotient(node, size))
        return _put(node, self._rewrite(node))

    def _spare_date_part(self, node: exp.Anonymous) -> None:
        first = node.expressions[0] if node.expressions else None
        if node.name.lower() in _TAKE_A_DATE_PART and isinstance(first, exp.Column) and not first.table:
            first.replace(exp.Literal.string(first.name))

    def _without_schema(self, node: exp.Dot) -> exp.Expr:
        if node.this.name != "pg_catalog":
            raise not_supported(f"the user-defined function {node.this.name}.{node.expression.name}")
        return _put(node, node.expression)

    def _rewrite(self, node: exp.Expr) -> exp.Expr:
        if isinstance(node, _BOOLEAN_HOLDERS):
            for clause in ("this", "expression"):
                _as_condition(node, clause)
        if isinstance(node, (exp.CurrentTimestamp, exp.CurrentSchema)):
            self.facts.leader_functions.append(_LEADER_WORDS[type(node)])
        for kinds, rewrite in self._rewrites:
            if isinstance(node, kinds):
                return rewrite(node)
        return node

    def _call(self, node: exp.Anonymous) -> exp.Expr:
        name = node.name.lower()
        if isinstance(node.parent, exp.WithinGroup) and name == "listagg":
            return node
        rule = rule_of(node)
        check_pattern(node)
        if rule.runs is Runs.LEADER:
            self.facts.leader_functions.append(name)
        elif rule.runs is Runs.COMPUTE:
            self.facts.compute_functions.append(name)
        if rule.role in (Role.RANKING, Role.FRAMED) and not isinstance(node.parent, exp.Window):
            raise syntax_error(f"the window function {name} needs an OVER clause")
        if name in ("coalesce", "nvl", "greatest", "least", "nullif"):
            check_mixture(node.expressions, name)
        return rewrite_call(node)

    def _within_group(self, node: exp.WithinGroup) -> exp.Expr:
        if not isinstance(node.this, exp.Anonymous) or node.this.name.lower() != "listagg":
            raise not_supported(f"{node.this.name.upper()} WITHIN GROUP")
        if isinstance(node.parent, exp.Window):
            raise not_supported("LISTAGG as a window function")
        self.facts.compute_functions.append("listagg")
        return rewrite_listagg(node.this, node.expression)

    def _window(self, node: exp.Window) -> exp.Expr:
        function = node.this
        name = function.name.split(".")[-1] if isinstance(function, exp.Anonymous) else function.key
        spec = node.args.get("spec")
        if spec and str(spec.args.get("kind", "")).upper() != "ROWS":
            raise not_supported(f"a window frame of {spec.args.get('kind')}")
        if name in ("join_items", "median"):
            raise not_supported(f"{name} as a window function")
        if node.args.get("order") and not spec and name not in _RANKING:
            raise syntax_error(
                f"the aggregate window function {name} with an ORDER BY needs a frame clause",
                hint="Redshift demands one, such as: rows between unbounded preceding and current row.",
            )
        return node

    def _cast(self, node: exp.Cast) -> exp.Expr:
        target, value = node.args["to"], node.this
        if isinstance(target, exp.Var):
            return node
        if isinstance(value, exp.Literal) and value.name.strip().lower() in _NO_DATES and target.is_type(*_DATES):
            raise not_supported(f"the special date '{value.name}'")
        kind = resolve_node(target, in_catalog=self._in_catalog or _is_object_name(node))
        postgres = exp.Var(this=kind.postgres)
        if kind.name == "regclass" and not (isinstance(value, exp.Literal) and value.is_string):
            raise not_supported("a cast to regclass of anything but a constant")
        if kind.name in ("regclass", "oid"):
            self.facts.leader_functions.append(kind.name)
        if kind.name == "super":
            return as_super(value)
        if kind.name == "varchar" and kind.length and not _fits(value, kind.length):
            text = exp.Cast(this=value, to=exp.Var(this="character varying"))
            value = call("redshift.fit", text, exp.Literal.number(kind.length))
        return exp.Cast(this=value, to=postgres)


Ctes = dict[str, tuple[str, ...] | None]
_TAKE_A_DATE_PART = {
    "dateadd",
    "date_add",
    "datediff",
    "date_diff",
    "date_part",
    "pgdate_part",
}
_LEADER_WORDS: dict[type, str] = {
    exp.CurrentTimestamp: "current_timestamp",
    exp.CurrentSchema: "current_schema",
}
# PostgreSQL's, beside now, today, tomorrow and yesterday, which Redshift knows too.
_NO_DATES = {"infinity", "+infinity", "-infinity", "inf", "-inf", "epoch", "allballs"}
_DATES = ("date", "timestamp", "timestamptz", "time", "timetz")
_RANKING = {"row_number", "rank", "dense_rank", "percent_rank", "cume_dist", "ntile", "lag", "lead"}


def _quotient(node: exp.Div, size: Size | None) -> exp.Expr:
    """Division. That of DECIMALs has a scale of Redshift's own, which their sizes tell."""
    if size is None:
        return call("redshift.divide", node.this, node.expression)
    if size.is_integer:
        return node
    quotient = call("redshift.divide_exactly", node.this, node.expression, exp.Literal.number(size.scale))
    return exp.Cast(this=quotient, to=exp.Var(this=size.postgres))


def _is_windowed(item: exp.Expr) -> bool:
    return next(item.find_all(exp.Window), None) is not None


def _put(node: exp.Expr, replacement: exp.Expr) -> exp.Expr:
    if replacement is not node and node.parent is not None:
        node.replace(replacement)
    return replacement


def _path_to_resolve(node: exp.Expr) -> Path | None:
    if isinstance(node, exp.Column) and isinstance(node.this, exp.Star):
        return None
    return path_of(node) if isinstance(node, (exp.Column, exp.Dot, exp.Bracket)) else None


def _parameter(path: Path) -> exp.Expr | None:
    if len(path.names) == 1 and not path.steps and path.names[0].startswith(PARAMETER_PREFIX):
        return exp.Var(this="$" + path.names[0].removeprefix(PARAMETER_PREFIX))
    return None


def _alias_columns(item: exp.Expr) -> tuple[str, ...] | None:
    alias = item.args.get("alias")
    return tuple(column.name for column in alias.columns) or None if alias else None


def _as_condition(node: exp.Expr, clause: str) -> None:
    value = node.args.get(clause)
    if isinstance(value, exp.Literal) and not value.is_string and value.name in ("0", "1"):
        node.set(clause, exp.Boolean(this=value.name == "1"))


def _check_join(join: exp.Join) -> None:
    method, side, kind = (str(join.args.get(clause) or "").upper() for clause in ("method", "side", "kind"))
    known = method in ("", "NATURAL") and side in ("", "LEFT", "RIGHT", "FULL")
    if not known or kind not in ("", "INNER", "OUTER", "CROSS"):
        raise not_supported(f"{' '.join(filter(None, (method, side, kind)))} JOIN")


def _check_substring(node: exp.Substring) -> exp.Substring:
    start = node.args.get("start")
    if start is None or (isinstance(start, exp.Literal) and start.is_string):
        raise not_supported("SUBSTRING with a pattern", hint="Use regexp_substr.")
    return node


def _check_interval(node: exp.Interval) -> exp.Interval:
    if not isinstance(node.this, exp.Literal) or not node.this.is_string:
        raise not_supported("an INTERVAL that is not a constant")
    return node


def _fits(value: exp.Expr, length: int) -> bool:
    if isinstance(value, exp.Literal) and value.is_string:
        return len(value.name.encode()) <= length
    return isinstance(value, exp.Null)


def _is_object_name(node: exp.Cast) -> bool:
    """`'schema.table'::regclass::oid` is how sqlalchemy-redshift asks for a table's number."""
    inner = node.this if isinstance(node.this, exp.Cast) else node
    target = inner.args["to"]
    written = target.name if isinstance(target, exp.Var) else target.sql("redshift")
    return written.lower() == "regclass"
