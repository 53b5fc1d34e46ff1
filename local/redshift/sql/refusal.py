"""Owns the one way this translator says no. When to say it is decided beside each rule (the other modules here)."""

SYNTAX_ERROR = "42601"
NOT_SUPPORTED = "0A000"
UNDEFINED_COLUMN = "42703"
DUPLICATE_COLUMN = "42701"
UNDEFINED_FUNCTION = "42883"
UNDEFINED_TABLE = "42P01"
UNDEFINED_OBJECT = "42704"
NAME_TOO_LONG = "42622"


class Refused(Exception):
    """The statement is not known to mean the same on Redshift as it would mean on PostgreSQL, so it is not run."""

    def __init__(self, message: str, *, sqlstate: str = NOT_SUPPORTED, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.sqlstate = sqlstate
        self.hint = hint


def not_supported(what: str, hint: str | None = None) -> Refused:
    """Build the refusal of something PostgreSQL would run, but that is not known to mean the same on Redshift."""
    return Refused(f"{what} is not supported by this Redshift stand-in", hint=hint)


def syntax_error(what: str, hint: str | None = None) -> Refused:
    """Build the refusal of text that is not valid here."""
    return Refused(f"syntax error: {what}", sqlstate=SYNTAX_ERROR, hint=hint)
