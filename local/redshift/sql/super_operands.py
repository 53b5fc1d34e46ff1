"""Owns constants beside SUPER values: a constant string there is a string, never JSON for PostgreSQL to parse."""

from sqlglot import exp

from local.redshift.sql.refusal import not_supported
from local.redshift.sql.scopes import is_navigation


def _text(node: exp.Expr) -> exp.Expr:
    is_text = isinstance(node, exp.Literal) and node.is_string
    return exp.Cast(this=node, to=exp.Var(this="character varying")) if is_text else node


def compare_super(node: exp.Expr) -> exp.Expr:
    """A constant beside a SUPER value is a string, never JSON to be parsed."""
    if is_navigation(node.this):
        node.set("expression", _text(node.expression))
    if is_navigation(node.expression):
        node.set("this", _text(node.this))
    return node


def membership(node: exp.In) -> exp.Expr:
    """Spell `x in (a, b)` out: PostgreSQL would make all the constants SUPER by parsing them."""
    if not is_navigation(node.this) or not node.expressions:
        return node
    tests: list[exp.Expr] = [exp.EQ(this=node.this.copy(), expression=_text(item)) for item in node.expressions]
    combined = tests[0]
    for test in tests[1:]:
        combined = exp.Or(this=combined, expression=test)
    return exp.Paren(this=combined)


def check_mixture(values: list[exp.Expr], where: str) -> None:
    """Refuse a SUPER value and a constant string as alternatives: the constant would be parsed as JSON."""
    if any(is_navigation(value) for value in values) and any(
        isinstance(value, exp.Literal) and value.is_string for value in values
    ):
        raise not_supported(f"a SUPER value beside a constant string in {where}", hint="Cast the SUPER value.")


def check_branches(node: exp.Case) -> exp.Case:
    """Refuse such a mixture in the results of a CASE."""
    results = [branch.args["true"] for branch in node.args["ifs"]]
    default = node.args.get("default")
    check_mixture([*results, *([default] if default else [])], "CASE")
    return node
