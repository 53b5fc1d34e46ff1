"""Owns what Redshift calls the column of an expression without an alias."""

from sqlglot import exp

from local.redshift.sql.functions import COLUMN_NAMES
from local.redshift.sql.lexing import PARAMETER_PREFIX
from local.redshift.sql.scopes import path_of


def name_columns(node: exp.Select) -> None:
    """Give every item of a select list that PostgreSQL would call otherwise Redshift's name, before it is rewritten."""
    for item in list(node.expressions):
        if isinstance(item, (exp.Alias, exp.Star)) or _is_column(item):
            continue
        if name := label(item):
            item.replace(exp.Alias(this=item.copy(), alias=exp.to_identifier(name, quoted=True)))


def _is_column(item: exp.Expr) -> bool:
    path = path_of(item) if isinstance(item, exp.Column) else None
    return isinstance(item, exp.Column) and (path is None or len(path.names) == 1)


def label(node: exp.Expr) -> str | None:
    """Return what Redshift calls the column of an expression, None where PostgreSQL says the same."""
    name: str | None = None
    if isinstance(node, exp.Alias):
        name = node.alias
    elif isinstance(node, (exp.Cast, exp.Paren, exp.Window)):
        name = label(node.this)
    elif isinstance(node, (exp.Column, exp.Dot, exp.Bracket)):
        path = path_of(node)
        is_parameter = path and path.names and path.names[0].startswith(PARAMETER_PREFIX)
        name = path.label if path and not is_parameter else None
    elif isinstance(node, exp.WithinGroup):
        name = node.this.name.lower()
    elif isinstance(node, exp.Anonymous):
        name = COLUMN_NAMES.get(node.name.lower(), node.name.lower())
    elif isinstance(node, exp.Extract):
        name = "date_part"
    return name
