"""Owns Redshift's SQL: what a client wrote becomes what PostgreSQL 18 runs, or is refused. Serving it is not its job.

SUPER is a type of its own in PostgreSQL, named `super`, with the OID 4000 it has on Redshift. It is stored as jsonb is,
reads and writes JSON text, and takes jsonb values by assignment; a string literal put into a SUPER column is parsed.
"""

from importlib.resources import files

from local.redshift.sql.refusal import Refused
from local.redshift.sql.translate import Translated, translate

SUPER_OID = 4000
_SCRIPTS = ("super.sql", "functions.sql", "late_binding.sql", "materialized.sql", "catalog.sql")

__all__ = ["SUPER_OID", "Refused", "Translated", "bootstrap_sql", "translate"]


def bootstrap_sql() -> str:
    """Return the script that makes a new PostgreSQL database answer as Redshift. Run once, as superuser, in it."""
    here = files("local.redshift.sql")
    return "\n".join((here / name).read_text(encoding="utf-8") for name in _SCRIPTS)
