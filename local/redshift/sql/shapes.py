"""Owns which forms of queries Redshift refuses although each of their clauses is known: allow.py lets the clauses pass.

Everything here is seen in the tree alone; what needs to know which table a name means is queries.py's.
"""

from collections.abc import Iterator

from sqlglot import exp

from local.redshift.sql.refusal import not_supported, syntax_error

_LARGEST_COUNT = 2**31 - 1
_RANKING = {"row_number", "rank", "dense_rank", "percent_rank", "cume_dist", "ntile", "lag", "lead"}


def check_shapes(tree: exp.Expr) -> None:
    """Refuse the first form that Redshift's documentation excludes."""
    for node in tree.walk():
        if isinstance(node, exp.SetOperation):
            _check_operands(node)
        elif isinstance(node, (exp.Limit, exp.Offset)):
            _check_count(node)
        elif isinstance(node, exp.Window):
            _check_window(node)
        elif isinstance(node, exp.Select):
            _check_sorted_aggregates(node)
            _check_truths(node)
        elif isinstance(node, exp.With) and node.args.get("recursive"):
            _check_recursion(node, tree)


def _check_operands(node: exp.SetOperation) -> None:
    for operand in (node.this, node.expression):
        inner: exp.Expr | None = operand
        while isinstance(inner, exp.Subquery):
            _refuse_limit(inner)
            inner = inner.this
        if inner is not None and (inner is not operand or isinstance(inner, exp.Select)):
            _refuse_limit(inner)


def _refuse_limit(node: exp.Expr) -> None:
    if node.args.get("limit") or node.args.get("offset"):
        raise not_supported("LIMIT or OFFSET within the input of a set operation")


def _check_count(node: exp.Expr) -> None:
    count = node.args.get("expression")
    written = count.name if isinstance(count, exp.Literal) and not count.is_string else ""
    if written.isdigit() and int(written) > _LARGEST_COUNT:
        raise not_supported(f"{node.key.upper()} above {_LARGEST_COUNT}")


def _check_window(node: exp.Window) -> None:
    name = node.this.name.lower() if isinstance(node.this, exp.Anonymous) else ""
    if name in _RANKING and node.args.get("spec"):
        raise syntax_error(f"the ranking function {name} takes no frame clause")
    for item in node.args.get("partition_by") or []:
        if isinstance(item, exp.Literal) and item.is_string:
            raise not_supported("a string constant in PARTITION BY")
    order = node.args.get("order")
    for item in order.expressions if order else ():
        is_number = (
            isinstance(item.this, exp.Literal) and not item.this.is_string
        )  # orders nothing; dbt writes order by 1
        if not is_number and not next(item.find_all(exp.Column, exp.Anonymous, exp.Query, exp.Dot), None):
            raise not_supported("a constant in the ORDER BY of a window")


def _check_sorted_aggregates(node: exp.Select) -> None:
    """LISTAGG and MEDIAN of one query sort its rows once."""
    orders = set()
    for call in _own(node, (exp.WithinGroup, exp.Anonymous)):
        if isinstance(call, exp.WithinGroup) and isinstance(call.expression, exp.Order):
            orders.add(", ".join(item.sql("redshift") for item in call.expression.expressions))
        elif call.name.lower() == "median" and call.expressions:
            orders.add(call.expressions[0].sql("redshift"))
    if len(orders) > 1:
        raise not_supported(f"aggregates sorted in different ways ({'; '.join(sorted(orders))}) in one query")


def _check_truths(node: exp.Select) -> None:
    for item in node.expressions:
        value = item.this if isinstance(item, exp.Alias) else item
        while isinstance(value, (exp.Not, exp.Paren)):
            value = value.this
        if isinstance(value, exp.Is) and isinstance(value.expression, exp.Boolean):
            raise not_supported("an IS comparison with a Boolean in the select list", hint="Compare with = true.")


def _check_recursion(node: exp.With, tree: exp.Expr) -> None:
    query = node.parent
    if query is not tree and not (query is not None and isinstance(query.parent, exp.Insert)):
        raise not_supported("WITH RECURSIVE in a subquery")
    for cte in node.expressions:
        if not any(table.name == cte.alias and not table.db for table in cte.this.find_all(exp.Table)):
            continue
        if not cte.args["alias"].columns:
            raise syntax_error(f'the recursive WITH query "{cte.alias}" needs the names of its columns')
        member = cte.this.expression if isinstance(cte.this, exp.Union) else None
        for inner in (member, member.this if isinstance(member, exp.Subquery) else None):
            if inner is not None and any(inner.args.get(clause) for clause in ("order", "limit", "offset")):
                raise not_supported("ORDER BY or LIMIT in the recursive member of a WITH query")


def _own(node: exp.Select, kinds: tuple[type[exp.Expr], ...]) -> Iterator[exp.Expr]:
    """The nodes of these kinds in a SELECT's list, HAVING and ORDER BY, without those of queries inside it."""
    found = list(node.expressions) + [node.args[clause] for clause in ("having", "order") if node.args.get(clause)]
    while found:
        current = found.pop()
        if isinstance(current, exp.Query):
            continue
        if isinstance(current, kinds):
            yield current
        found.extend(current.iter_expressions())
