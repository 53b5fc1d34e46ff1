"""Owns how sqlglot is used: as a parser and a printer. It must never transpile.

Its own knowledge of functions is switched off, so every call keeps its name and its arguments as they were written.
"""

import re
from typing import ClassVar

import sqlglot
from sqlglot import exp
from sqlglot.dialects.postgres import Postgres
from sqlglot.dialects.redshift import Redshift
from sqlglot.errors import SqlglotError
from sqlglot.parsers.redshift import RedshiftParser

from local.redshift.sql.refusal import NOT_SUPPORTED, SYNTAX_ERROR, Refused, syntax_error

_CALLS_WITH_THEIR_OWN_GRAMMAR = ("CAST", "CONVERT", "EXTRACT", "POSITION", "SUBSTRING", "TRIM")


def _approximate(parser: RedshiftParser) -> exp.Expr | None:
    call = parser._parse_function()
    if not isinstance(call, exp.Anonymous) or call.name.lower() != "count":
        parser.raise_error("APPROXIMATE is only known before COUNT(DISTINCT ...)")
    return call


class RedshiftReader(Redshift):
    """Redshift's grammar over text that lexing.py has put into standard form."""

    UNESCAPED_SEQUENCES = {}  # noqa: RUF012 (so the parent declares it)

    class Tokenizer(Redshift.Tokenizer):
        """Strings hold no escapes any more, and there are no dollar quotes left."""

        STRING_ESCAPES: ClassVar = ["'"]
        NUMERIC_ESCAPES: ClassVar = {}
        HEREDOC_STRINGS: ClassVar = []

    class Parser(RedshiftParser):
        """Reads every call as an anonymous one, but those whose arguments are not a list."""

        SUPPORTS_IMPLICIT_UNNEST = False  # scopes.py tells tables and arrays apart
        FUNCTIONS: ClassVar = {}
        FUNCTION_PARSERS: ClassVar = {
            name: RedshiftParser.FUNCTION_PARSERS[name] for name in _CALLS_WITH_THEIR_OWN_GRAMMAR
        }
        NO_PAREN_FUNCTION_PARSERS: ClassVar = {
            **{name: RedshiftParser.NO_PAREN_FUNCTION_PARSERS[name] for name in ("CASE", "ANY")},
            "SYSDATE": lambda self: self.expression(exp.Anonymous(this="sysdate")),
            "APPROXIMATE": _approximate,
        }


class PostgresWriter(Postgres):
    """PostgreSQL's spelling of the trees that queries.py has made safe."""


def parse(text: str) -> exp.Expr:
    """Parse one statement, or refuse it. Nothing is ever passed on unparsed."""
    try:
        trees = sqlglot.parse(text, read=RedshiftReader)
    except (SqlglotError, RecursionError) as exc:
        said = _first_line(exc)
        if twice := _TWICE.match(said):
            raise Refused(f'syntax error at or near "{twice[1].lower()}"', sqlstate=SYNTAX_ERROR) from exc
        raise syntax_error(said) from exc
    if len(trees) != 1 or trees[0] is None or isinstance(trees[0], exp.Command):
        raise syntax_error(f"the statement was not understood: {text[:80]}")
    return trees[0]


def parse_expression(text: str) -> exp.Expr:
    """Parse one scalar expression by itself."""
    tree = parse(f"select {text}")
    if not isinstance(tree, exp.Select) or len(tree.expressions) != 1 or len([k for k in tree.args.values() if k]) != 1:
        raise syntax_error(f"one expression was expected: {text[:80]}")
    expression: exp.Expr = tree.expressions[0]
    return expression


def write(tree: exp.Expr) -> str:
    """Print a tree for PostgreSQL, on one line, without comments."""
    text: str = tree.sql(dialect=PostgresWriter, comments=False, normalize_functions=False, unsupported_level=_RAISE)
    return text


_TWICE = re.compile(r"Found multiple '(\w+)' clauses")
_RAISE = sqlglot.ErrorLevel.RAISE


def _first_line(error: BaseException) -> str:
    return str(error).splitlines()[0] if str(error) else NOT_SUPPORTED
