"""Owns making precedence explicit: Redshift's operators bind as PostgreSQL 8's did, which is not how 18's do."""

from sqlglot import exp

_OPERATORS = (
    exp.Binary,
    exp.Unary,
    exp.Between,
    exp.In,
    exp.Like,
    exp.ILike,
    exp.AtTimeZone,
    exp.Escape,
)
_WHOLE = (exp.Paren, exp.Dot)


def grouped(tree: exp.Expr) -> exp.Expr:
    """Put every operand that is itself an operation in parentheses."""
    for node in list(tree.walk(bfs=False)):
        if isinstance(node, _OPERATORS) and not isinstance(node, _WHOLE):
            for clause in ("this", "expression", "low", "high", "zone"):
                _group(node, clause)
    return tree


def _group(node: exp.Expr, clause: str) -> None:
    operand = node.args.get(clause)
    is_operation = isinstance(operand, _OPERATORS) and not isinstance(operand, _WHOLE)
    belongs = isinstance(node, exp.Escape) and clause == "this"  # ESCAPE is a part of the LIKE before it
    if is_operation and not belongs and not _is_chain(node, operand, clause):
        node.set(clause, exp.Paren(this=operand))


def _is_chain(node: exp.Expr, operand: exp.Expr | None, clause: str) -> bool:
    """`a and b and c` needs none, and long chains would nest too deep for PostgreSQL's parser."""
    return clause == "this" and type(operand) is type(node) and isinstance(node, (exp.And, exp.Or, exp.DPipe))
