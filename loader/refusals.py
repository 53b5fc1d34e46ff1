"""Owns what a refused statement means for a batch: bad data, a wrong setting, or somebody else at work.

What the driver's own errors mean is loader/warehouse.py's job.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager

from contracts.errors import PipelineError, RowsDoNotReconcile, ServiceUnavailable, UsageError
from contracts.model import Contract
from loader.publication import raw_table
from loader.warehouse import StatementRefused

#: COPY has one code for every failure. These words are about a line; all others are about services and settings.
_LINE_REFUSED = re.compile(r"(stl_load_errors|sys_load_error_detail)", re.I)
_READING_REFUSED = re.compile(r"not authorized|access ?denied|Status (301|403)", re.I)

_TABLE_TAKEN = {"42P01", "42P07", "42710", "23505"}  # gone, there already, or being made at this moment
_TABLE_TAKEN_WORDS = re.compile(r"could not open relation|relation .*does not exist", re.I)
_TABLE_DIFFERS = {"42703", "42804", "22001", "23502"}  # no such column, another type, too narrow, null refused


def explain_copy(contract: Contract, batch_id: str, refused: StatementRefused) -> PipelineError:
    """The error of ours that COPY's refusal stands for."""
    what, said = f"{contract.dataset} batch {batch_id}", str(refused).rstrip(".")
    if _LINE_REFUSED.search(said):
        return RowsDoNotReconcile(
            f"{what}: COPY refused what the raw gate accepted: {said}. Nothing was published. Select from "
            "sys_load_error_detail for the line; the contract lacks a rule for it."
        )
    if _READING_REFUSED.search(said):
        return UsageError(f"{what}: COPY may not read the lake: {said}. Check SPACEX_ELT_COPY_ROLE_ARN and its policy.")
    return ServiceUnavailable(
        f"{what}: COPY could not read what its manifest names: {said}. Nothing was published. Expected every object "
        "as the gate left it; run the step again."
    )


@contextmanager
def refusals_told(contract: Contract, batch_id: str) -> Iterator[None]:
    """Tells the refusals that can be foreseen apart. Any other is a bug of ours and passes."""
    what = f"{contract.dataset} batch {batch_id}"
    try:
        yield
    except StatementRefused as exc:
        if exc.sqlstate in _TABLE_DIFFERS:
            raise UsageError(
                f"{what}: {raw_table(contract)} is not what contract version {contract.version} says: {exc}. Nothing "
                "was published. Bring the table in line with the contract, then run the step again."
            ) from exc
        if exc.sqlstate in _TABLE_TAKEN or _TABLE_TAKEN_WORDS.search(str(exc)):
            raise ServiceUnavailable(
                f"{what}: its staging table was taken away meanwhile: {exc}. Nothing was published by this load. Run "
                "the step again."
            ) from exc
        raise
