"""Owns MERGE … REMOVE DUPLICATES, which replaces matching rows by the source's, each once. Other MERGEs are dml.py's.

https://docs.aws.amazon.com/redshift/latest/dg/r_MERGE.html
"""

from local.redshift.sql.dml import translate_statement
from local.redshift.sql.lexing import Kind, Statement, quote
from local.redshift.sql.reader import Reader, dotted
from local.redshift.sql.refusal import not_supported, syntax_error


def removes_duplicates(statement: Statement) -> bool:
    """Whether it is such a MERGE."""
    return Reader(statement).position_of_last("remove", "duplicates") is not None


def translate_merge(statement: Statement) -> str:
    """PostgreSQL's statement: what matches goes, and the source's rows come, all seeing the tables as they were."""
    reader = Reader(statement)
    end = reader.position_of_last("remove", "duplicates")
    reader.expect("merge", "into")
    target = dotted(reader.qualified())
    if not reader.looks_at("using"):
        raise not_supported("an alias for the target of MERGE")
    reader.expect("using")
    if reader.looks_at("("):
        raise syntax_error("the source of MERGE is a table or view")
    source = dotted(reader.qualified())
    alias = ""
    if not reader.looks_at("on"):
        reader.take("as")
        alias = f" AS {quote(reader.name())}"
    reader.expect("on")
    if any(token.kind is Kind.WORD and token.text == "when" for token in statement.tokens):
        raise syntax_error("MERGE takes WHEN clauses or REMOVE DUPLICATES, not both")
    condition = reader.rest()
    condition = condition[: len(condition) - (len(statement.text.rstrip()) - (end or 0))].strip()
    removed = translate_statement(f"DELETE FROM {target} USING {source}{alias} WHERE {condition}")
    inserted = translate_statement(f"INSERT INTO {target} SELECT DISTINCT * FROM {source}{alias}")
    return f"WITH removed AS ({removed}) {inserted}"
