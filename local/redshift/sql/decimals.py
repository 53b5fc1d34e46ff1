"""Owns the precision and scale of DECIMALs where a statement tells them: constants, casts, computations of both.

Columns' types are known to the database only; what depends on them is refused there (redshift.divide in functions.sql).
https://docs.aws.amazon.com/redshift/latest/dg/r_numeric_computations201.html
"""

from dataclasses import dataclass

from sqlglot import exp

from local.redshift.sql.types import RedshiftType, resolve_node

_MOST_DIGITS = 38
_FEWEST_OF_A_QUOTIENT = 4
_INTEGERS = {"smallint": 5, "integer": 10, "bigint": 19}
_LARGEST_INTEGER, _LARGEST_BIGINT = 2**31 - 1, 2**63 - 1


@dataclass(frozen=True, slots=True)
class Size:
    """How large a number is. An integer counts as a DECIMAL where the other operand is one."""

    precision: int
    scale: int
    is_integer: bool = False

    @property
    def postgres(self) -> str:
        """PostgreSQL's type of this size."""
        return f"numeric({self.precision},{self.scale})"


def size_of(node: exp.Expr) -> Size | None:
    """Return the size of an expression that is not translated yet, None where only the database knows it."""
    if isinstance(node, (exp.Paren, exp.Neg)):
        return size_of(node.this)
    if isinstance(node, exp.Literal):
        return None if node.is_string else _size_of_constant(node.name)
    if isinstance(node, exp.Cast):
        return None if isinstance(node.args["to"], exp.Var) else _size_of_type(resolve_node(node.args["to"]))
    if isinstance(node, (exp.Add, exp.Sub, exp.Mul, exp.Div)):
        left, right = size_of(node.this), size_of(node.expression)
        return _computed(node, left, right) if left and right else None
    return None


def _size_of_constant(written: str) -> Size | None:
    if "e" in written.lower():
        return None
    if "." not in written:
        whole = int(written)
        return Size(10 if whole <= _LARGEST_INTEGER else 19, 0, True) if whole <= _LARGEST_BIGINT else None
    before, _, after = written.partition(".")
    return Size(max(len(before.lstrip("0")) + len(after), 1), len(after))


def _size_of_type(kind: RedshiftType) -> Size | None:
    if kind.decimal:
        return Size(*kind.decimal)
    return Size(_INTEGERS[kind.name], 0, True) if kind.name in _INTEGERS else None


def _computed(node: exp.Expr, left: Size, right: Size) -> Size | None:
    if left.is_integer and right.is_integer:
        return Size(max(left.precision, right.precision), 0, True)
    if isinstance(node, exp.Mul):
        return _within_limits(left.precision + right.precision + 1, left.scale + right.scale)
    if isinstance(node, exp.Div):
        scale = max(_FEWEST_OF_A_QUOTIENT, left.scale + right.precision - right.scale + 1)
        return _within_limits(left.precision - left.scale + right.scale + scale, scale)
    scale = max(left.scale, right.scale)
    return _within_limits(max(left.precision - left.scale, right.precision - right.scale) + 1 + scale, scale)


def _within_limits(precision: int, scale: int) -> Size:
    if precision <= _MOST_DIGITS:
        return Size(precision, scale)
    return Size(_MOST_DIGITS, max(_MOST_DIGITS + scale - precision, min(scale, _FEWEST_OF_A_QUOTIENT)))
