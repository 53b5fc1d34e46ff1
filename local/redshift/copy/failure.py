"""Owns the one error that ends a COPY or UNLOAD. Sending it to the client is the session's job (../session.py)."""

from local.redshift.messages import Problem


class CopyFailed(Exception):
    """The statement failed and loaded nothing. `problem` is what the client is told."""

    def __init__(self, sqlstate: str, message: str, detail: str | None = None, hint: str | None = None) -> None:
        self.problem = Problem(sqlstate, message, detail, hint)
        super().__init__(message)


def syntax_error(message: str, hint: str | None = None) -> CopyFailed:
    """The statement is not a COPY that Redshift would understand."""
    return CopyFailed("42601", message, hint=hint)


def not_supported(what: str, hint: str | None = None, statement: str = "COPY") -> CopyFailed:
    """Redshift has it, the stand-in does not: refused rather than ignored."""
    return CopyFailed("0A000", f"{statement}: {what} is not supported by the Redshift stand-in", hint=hint)


def load_error(message: str, detail: str | None = None, hint: str | None = None) -> CopyFailed:
    """Redshift's leader node gives up on a load."""
    return CopyFailed("XX000", message, detail, hint)
