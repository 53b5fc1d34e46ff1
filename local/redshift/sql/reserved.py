"""Owns the words that are names on Redshift only in quotes, and where in a query they may stand without.

https://docs.aws.amazon.com/redshift/latest/dg/r_pg_keywords.html
"""

from sqlglot import exp

from local.redshift.sql.refusal import Refused, syntax_error

_WORDS = frozenset(  # as a text, which is easier to compare with the page
    """
    aes128 aes256 all allowoverwrite analyse analyze and any array as asc authorization az64 backup between binary
    blanksasnull both bytedict bzip2 case cast check collate column constraint create credentials cross current_date
    current_time current_timestamp current_user current_user_id default deferrable deflate defrag delta delta32k desc
    disable distinct do else emptyasnull enable encode encrypt encryption end except explicit false for foreign freeze
    from full globaldict256 globaldict64k grant group gzip having identity ignore ilike in initially inner intersect
    interval into is isnull join leading left like limit localtime localtimestamp lun luns lzo lzop minus mostly16
    mostly32 mostly8 natural new not notnull null nulls off offline offset oid old on only open or order outer overlaps
    parallel partition percent permissions pivot placing primary raw readratio recover references rejectlog resort
    respect restore right select session_user similar snapshot some sysdate system table tag tdes text255 text32k then
    timestamp to top trailing true truncatecolumns union unique unnest unpivot user using verbose wallet when where
    with without
    """.split()  # noqa: SIM905
)
# Names in queries all the same: the catalog's own column, what INSERT and UPDATE take for a value, and an alias in
# AWS's own examples of unnesting.
_IN_QUERIES = {"oid", "default", "array"}


def is_reserved(word: str) -> bool:
    """Whether a word, in lower case, must be quoted to be a name."""
    return word in _WORDS


def refused_name(word: str) -> Refused:
    """Build the refusal of a reserved word where a name stands."""
    hint = f'It is a reserved word on Redshift: write "{word}" in quotes.'
    return syntax_error(f'at or near "{word}": a name was expected', hint=hint)


def check_names(tree: exp.Expr) -> None:
    """Refuse the first reserved word that stands unquoted for a name."""
    for identifier in tree.find_all(exp.Identifier):
        word = identifier.name.lower()
        is_name = not identifier.args.get("quoted") and is_reserved(word) and word not in _IN_QUERIES
        if is_name and not _may_be_any_word(identifier):
            raise refused_name(word)


def _may_be_any_word(identifier: exp.Identifier) -> bool:
    """After AS in a select list and after a dot, any word is a name."""
    parent = identifier.parent
    if isinstance(parent, exp.Alias):
        return identifier.arg_key == "alias"
    if isinstance(parent, exp.Column):
        return identifier.arg_key == "this" and bool(parent.args.get("table"))
    if isinstance(parent, exp.Table):
        return identifier.arg_key == "this" and bool(parent.args.get("db"))
    return isinstance(parent, exp.Dot) and identifier.arg_key == "expression"
