"""Owns which regular expressions may pass: those of POSIX, which Redshift documents. PostgreSQL's know much more."""

import re

from sqlglot import exp

from local.redshift.sql.refusal import not_supported

_CALLS = {"regexp_substr", "regexp_replace", "regexp_count", "regexp_instr"}
_BRACKETS = re.compile(r"\[\^?\]?(?:\[:[a-z]+:\]|[^\]])*\]")
# Extensions such as (?=...), lazy repetition, and escapes other than the six classes and escaped punctuation.
_BEYOND_POSIX = re.compile(r"\(\?|[*+?}]\?|\\[A-CE-RT-VX-Za-ce-rt-vx-z0-9]|^\*\*\*")


def check_pattern(node: exp.Expr) -> exp.Expr:
    """Refuse a constant pattern that goes beyond POSIX. A pattern that is no constant cannot be judged here."""
    if isinstance(node, exp.RegexpLike):
        pattern: exp.Expr | None = node.expression
    elif isinstance(node, exp.Anonymous) and node.name.lower() in _CALLS:
        pattern = node.expressions[1]
    else:
        pattern = None
    if isinstance(pattern, exp.Literal) and (found := _BEYOND_POSIX.search(_BRACKETS.sub("[]", pattern.name))):
        raise not_supported(f'the regular expression "{pattern.name}", for its {found[0]}')
    return node
