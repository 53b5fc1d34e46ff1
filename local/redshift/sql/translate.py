"""Owns the way from a client's text to the statements PostgreSQL runs.

What each kind of statement becomes is the job of session.py, ddl.py and dml.py; running it, of the server around this.
"""

from dataclasses import dataclass, field, replace
from functools import lru_cache

from local.redshift.sql import ddl, session
from local.redshift.sql.dml import translate_statement
from local.redshift.sql.lexing import Statement, statements
from local.redshift.sql.reader import Reader
from local.redshift.sql.refusal import not_supported
from local.redshift.sql.remove_duplicates import removes_duplicates, translate_merge


@dataclass(frozen=True, slots=True)
class Translated:
    """One statement for PostgreSQL.

    `sql` may hold parameters ($1, ...) and is empty where nothing is to be run. `tag` replaces PostgreSQL's command
    tag. `copy` is the statement as it was written when it is a COPY or UNLOAD, which is not for PostgreSQL to run.
    `original` is any statement as it was written. `commits` ends the transaction it stands in; `stands_alone` may
    stand in none.
    """

    sql: str
    tag: str | None = None
    copy: str | None = None
    original: str = field(default="", compare=False)
    commits: bool = False
    stands_alone: bool = False


@lru_cache(maxsize=2048)
def _translate(text: str) -> tuple[Translated, ...]:
    try:
        return tuple(replace(_one(statement), original=statement.original) for statement in statements(text))
    except RecursionError as exc:
        raise not_supported("a statement nested this deep") from exc


def translate(text: str) -> list[Translated]:
    """Translate a script, or raise Refused for the first statement not known to mean the same on Redshift."""
    return list(_translate(text))


_QUERIES = {"select", "with", "insert", "update", "delete", "merge", "("}


def _one(statement: Statement) -> Translated:
    first = statement.tokens[0].text
    if first in ("copy", "unload"):
        return Translated("", copy=statement.original)
    if first == "merge" and removes_duplicates(statement):
        return Translated(translate_merge(statement), tag="MERGE")
    if first in _QUERIES:
        return Translated(translate_statement(statement.text))
    reader = Reader(statement)
    if reader.take("explain"):
        return Translated("EXPLAIN " + translate_statement(reader.rest()))
    grammar = session.GRAMMARS.get(first) or ddl.GRAMMARS.get(first)
    if grammar is None:
        raise not_supported(f"the statement {first.upper()}")
    sql, tag = grammar(reader)
    reader.expect_end()
    return Translated(sql, tag, commits=first == "truncate", stands_alone=reader.must_stand_alone)
