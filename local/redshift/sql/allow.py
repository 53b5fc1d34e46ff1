"""Owns which parts of SQL may pass: every node of the tree, and every clause of each node, is on a list.

Which functions may pass is functions.py's; which types, types.py's; which catalog objects, catalog.py's.
"""

from sqlglot import exp

from local.redshift.sql.refusal import not_supported

_QUERY = frozenset({"with_", "order", "limit", "offset"})
_BINARY = frozenset({"this", "expression"})

# A clause that is not named here is refused by name, whatever it may mean.
_CLAUSES: dict[type, frozenset[str]] = {
    exp.Select: _QUERY
    | {"expressions", "from_", "joins", "where", "group", "having", "qualify", "distinct", "exclude", "kind"},
    exp.Union: _QUERY | _BINARY | {"distinct"},
    exp.Except: _QUERY | _BINARY | {"distinct"},
    exp.Intersect: _QUERY | _BINARY | {"distinct"},
    exp.Subquery: _QUERY | {"this", "alias"},
    exp.With: frozenset({"expressions", "recursive"}),
    exp.CTE: frozenset({"this", "alias"}),
    exp.TableAlias: frozenset({"this", "columns"}),
    exp.ColumnDef: frozenset({"this", "kind"}),
    exp.From: frozenset({"this"}),
    exp.Join: frozenset({"this", "side", "kind", "method", "on", "using"}),
    exp.Table: frozenset({"this", "db", "catalog", "alias"}),
    exp.AtIndex: _BINARY,
    exp.Where: frozenset({"this"}),
    exp.Having: frozenset({"this"}),
    exp.Qualify: frozenset({"this"}),
    exp.Group: frozenset({"expressions"}),
    exp.Order: frozenset({"expressions"}),
    exp.Ordered: frozenset({"this", "desc", "nulls_first"}),
    exp.Limit: frozenset({"expression"}),
    exp.Offset: frozenset({"expression"}),
    exp.Distinct: frozenset({"expressions"}),
    exp.Star: frozenset(),
    exp.Alias: frozenset({"this", "alias"}),
    exp.Column: frozenset({"this", "table", "db", "catalog"}),
    exp.Identifier: frozenset({"this", "quoted"}),
    exp.Dot: _BINARY,
    exp.Bracket: frozenset({"this", "expressions"}),
    exp.Literal: frozenset({"this", "is_string"}),
    exp.Boolean: frozenset({"this"}),
    exp.Null: frozenset(),
    exp.Var: frozenset({"this"}),
    exp.Paren: frozenset({"this"}),
    exp.Tuple: frozenset({"expressions"}),
    exp.Values: frozenset({"expressions"}),
    exp.Cast: frozenset({"this", "to"}),
    exp.DataType: frozenset({"this", "expressions"}),
    exp.DataTypeParam: frozenset({"this"}),
    exp.Case: frozenset({"this", "ifs", "default"}),
    exp.If: frozenset({"this", "true"}),
    exp.In: frozenset({"this", "expressions", "query"}),
    exp.Between: frozenset({"this", "low", "high"}),
    exp.Exists: frozenset({"this"}),
    exp.Interval: frozenset({"this", "unit"}),
    exp.AtTimeZone: frozenset({"this", "zone"}),
    exp.Escape: _BINARY,
    exp.Like: _BINARY | {"negate"},
    exp.ILike: _BINARY | {"negate"},
    exp.DPipe: _BINARY | {"safe"},
    exp.Div: _BINARY | {"typed", "safe"},
    exp.Neg: frozenset({"this"}),
    exp.Not: frozenset({"this"}),
    exp.Anonymous: frozenset({"this", "expressions"}),
    exp.Extract: _BINARY,
    exp.Trim: frozenset({"this", "position", "expression"}),
    exp.Substring: frozenset({"this", "start", "length"}),
    exp.StrPosition: frozenset({"this", "substr"}),
    exp.CurrentDate: frozenset(),
    exp.CurrentTimestamp: frozenset(),
    exp.CurrentUser: frozenset(),
    exp.SessionUser: frozenset(),
    exp.CurrentSchema: frozenset(),
    exp.CurrentUserId: frozenset(),
    exp.Window: frozenset({"this", "partition_by", "order", "spec", "over"}),
    exp.WindowSpec: frozenset({"kind", "start", "start_side", "end", "end_side"}),
    exp.WithinGroup: _BINARY,
    exp.Insert: frozenset({"this", "expression", "with_", "default"}),
    exp.Schema: frozenset({"this", "expressions"}),
    exp.Update: frozenset({"this", "expressions", "from_", "where", "with_"}),
    exp.Delete: frozenset({"this", "using", "where", "with_"}),
    exp.Merge: frozenset({"this", "using", "on", "whens"}),
    exp.Whens: frozenset({"expressions"}),
    exp.When: frozenset({"matched", "then"}),
    exp.ObjectIdentifier: frozenset({"this"}),  # which of them, and where: types.py
}
_OPERATORS = (
    exp.And,
    exp.Or,
    exp.EQ,
    exp.NEQ,
    exp.LT,
    exp.LTE,
    exp.GT,
    exp.GTE,
    exp.Is,
    exp.Add,
    exp.Sub,
    exp.Mul,
    exp.Mod,
    exp.RegexpLike,
    exp.SimilarTo,
)
# Redshift knows these where nothing but its catalog is read.
_CATALOG_CLAUSES: dict[type, frozenset[str]] = {
    exp.Any: frozenset({"this"}),
    exp.Array: frozenset({"expressions", "bracket_notation"}),
    exp.BitwiseAnd: _BINARY,
    exp.BitwiseRightShift: _BINARY,
}
_NAMES: dict[type, str] = {
    exp.Lateral: "LATERAL",
    exp.Lock: "FOR UPDATE",
    exp.OnConflict: "ON CONFLICT",
    exp.Returning: "RETURNING",
    exp.Filter: "FILTER",
    exp.NullSafeEQ: "IS NOT DISTINCT FROM",
    exp.NullSafeNEQ: "IS DISTINCT FROM",
    exp.Array: "ARRAY[...]",
    exp.Any: "ANY",
    exp.All: "ALL",
    exp.JSONExtract: "the operator ->",
    exp.JSONExtractScalar: "the operator ->>",
    exp.JSONBExtract: "the operator #>",
    exp.JSONBExtractScalar: "the operator #>>",
    exp.ArrayContainsAll: "the operator @>",
    exp.ArrayContainedBy: "the operator <@",
    exp.JSONBContains: "the operator ?",
    exp.JSONBContainsTopKey: "the operator ?",
    exp.Placeholder: "the operator ?",
    exp.ArrayOverlaps: "the operator &&",
    exp.Collate: "COLLATE",
    exp.Pivot: "PIVOT or UNPIVOT",
    exp.TableSample: "TABLESAMPLE",
    exp.RegexpILike: "the operator ~*",
    exp.Pow: "the operator ^",
    exp.IgnoreNulls: "IGNORE NULLS",
    exp.RespectNulls: "RESPECT NULLS",
    exp.Fetch: "FETCH FIRST",
    exp.Overlaps: "OVERLAPS",
    exp.Rollup: "ROLLUP",
    exp.Cube: "CUBE",
    exp.GroupingSets: "GROUPING SETS",
}
_CLAUSE_NAMES = {
    "locks": "FOR UPDATE",
    "conflict": "ON CONFLICT",
    "returning": "RETURNING",
    "windows": "the WINDOW clause",
    "sample": "TABLESAMPLE",
    "pivots": "PIVOT or UNPIVOT",
    "laterals": "LATERAL",
    "except_": "SELECT * EXCEPT",
    "exclude": "SELECT * EXCLUDE",
    "replace": "SELECT * REPLACE",
    "operation_modifiers": "a SELECT modifier",
    "on": "DISTINCT ON",
    "materialized": "MATERIALIZED",
    "only": "ONLY",
    "ordinality": "WITH ORDINALITY",
    "totals": "WITH TOTALS",
    "unnest": "UNNEST",
}


def check(tree: exp.Expr, *, in_catalog: bool) -> None:
    """Refuse the first node or clause that is not on the list."""
    for node in tree.walk():
        allowed = _allowed(node, in_catalog)
        if allowed is None:
            raise not_supported(_NAMES.get(type(node), f"{type(node).key.upper()} ({_excerpt(node)})"))
        for clause, value in node.args.items():
            if clause not in allowed and value not in (None, False, []):
                raise not_supported(
                    f"{_CLAUSE_NAMES.get(clause, clause.strip('_').upper())} in {type(node).key.upper()}"
                )


def _allowed(node: exp.Expr, in_catalog: bool) -> frozenset[str] | None:
    kind: type = type(node)
    if kind in _OPERATORS:
        return _BINARY
    return _CLAUSES.get(kind, _CATALOG_CLAUSES.get(kind) if in_catalog else None)


def _excerpt(node: exp.Expr) -> str:
    text: str = node.sql("redshift", comments=False)
    return text if len(text) <= 60 else text[:57] + "..."
