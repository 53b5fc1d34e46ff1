"""Owns exit codes: what a scheduler needs to know of a failure without reading a word."""

from enum import IntEnum

from contracts.errors import (
    ContractInvalid,
    GateClosed,
    PipelineError,
    Retry,
    RowsDoNotReconcile,
    ServiceUnavailable,
    TransformFailed,
)


class ExitCode(IntEnum):
    """One code per kind of failure; only UNAVAILABLE is worth a retry."""

    OK = 0
    BUG = 1
    USAGE = 2
    CONTRACT_INVALID = 10
    GATE_NO_GO = 11
    UNAVAILABLE = 12
    DOES_NOT_RECONCILE = 13
    TRANSFORM_FAILED = 14
    STOPPED = 130  # by the keyboard, as shells count it


_CODES: tuple[tuple[type[PipelineError], ExitCode], ...] = (
    (ContractInvalid, ExitCode.CONTRACT_INVALID),
    (GateClosed, ExitCode.GATE_NO_GO),
    (Retry, ExitCode.UNAVAILABLE),
    (RowsDoNotReconcile, ExitCode.DOES_NOT_RECONCILE),
    (TransformFailed, ExitCode.TRANSFORM_FAILED),
    (PipelineError, ExitCode.USAGE),
)


def exit_code_of(error: PipelineError) -> ExitCode:
    """The exit code of a foreseen failure."""
    return next(code for kind, code in _CODES if isinstance(error, kind))


def error_of(code: int | None) -> type[PipelineError]:
    """The kind of failure that a step's exit code told; service trouble for one that is not ours."""
    return next((kind for kind, ours in _CODES if ours == code), ServiceUnavailable)
