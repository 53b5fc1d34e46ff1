"""Owns QUALIFY, which PostgreSQL lacks: the condition becomes a column of a subquery that the outer query filters."""

from sqlglot import exp

from local.redshift.sql.refusal import not_supported
from local.redshift.sql.scopes import Scope

_TABLE = "qualified"
_KEEP = "qualify_condition"


def without_qualify(node: exp.Select, scope: Scope) -> None:
    """Rewrite a translated SELECT with QUALIFY in place."""
    if node.args.get("distinct"):
        raise not_supported("QUALIFY together with DISTINCT")
    inner = exp.Select(**{k: v for k, v in node.args.items() if k in ("from_", "joins", "where", "group", "having")})
    outputs: list[exp.Expr] = []
    items: list[exp.Expr] = []
    for number, item in enumerate(node.expressions):
        if isinstance(item, exp.Star):
            _refuse_merged_columns(node)
            for source in scope.sources:
                _whole_row(source.name, number, items, outputs)
        elif isinstance(item, exp.Column) and isinstance(item.this, exp.Star):
            _whole_row(item.table, number, items, outputs)
        else:
            label = item.alias_or_name or f"column_{number}"
            value = item.this if isinstance(item, exp.Alias) else item
            items.append(_alias(value.copy(), f"output_{number}"))
            outputs.append(_alias(exp.column(f"output_{number}", table=_TABLE), label))
    items.append(_alias(node.args["qualify"].this.copy(), _KEEP))
    order = _order(node, items)
    inner.set("expressions", items)
    wrapped = exp.Subquery(this=inner, alias=exp.TableAlias(this=exp.to_identifier(_TABLE, quoted=True)))
    for clause in ("joins", "group", "having", "qualify"):
        node.set(clause, None)
    node.set("expressions", outputs)
    node.set("from_", exp.From(this=wrapped))
    node.set("where", exp.Where(this=exp.column(_KEEP, table=_TABLE)))
    node.set("order", order)


def _alias(value: exp.Expr, name: str) -> exp.Alias:
    return exp.Alias(this=value, alias=exp.to_identifier(name, quoted=True))


def _whole_row(table: str, number: int, items: list[exp.Expr], outputs: list[exp.Expr]) -> None:
    row = f"row_{number}_{len(items)}"
    items.append(_alias(exp.column(table), row))
    outputs.append(exp.Dot(this=exp.Paren(this=exp.column(row, table=_TABLE)), expression=exp.Star()))


def _refuse_merged_columns(node: exp.Select) -> None:
    if any(join.args.get("using") or join.args.get("method") for join in node.args.get("joins") or []):
        raise not_supported("SELECT * with QUALIFY over a join that merges columns")


def _order(node: exp.Select, items: list[exp.Expr]) -> exp.Order | None:
    order: exp.Order | None = node.args.get("order")
    if order is None:
        return None
    labels = {item.alias_or_name for item in node.expressions}
    for number, item in enumerate(order.expressions):
        value = item.this
        by_position = isinstance(value, exp.Literal) and not value.is_string
        by_label = isinstance(value, exp.Column) and not value.table and value.name in labels
        if not by_position and not by_label:
            items.append(_alias(value.copy(), f"order_{number}"))
            item.set("this", exp.column(f"order_{number}", table=_TABLE))
    return order
