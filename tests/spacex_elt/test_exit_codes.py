import inspect

import pytest

from contracts import errors
from contracts.errors import PipelineError
from loader.store import ObjectChanged, ObjectMissing
from spacex_elt.exit_codes import ExitCode, exit_code_of

EXPECTED = {
    "PipelineError": 2,
    "Retry": 12,
    "ServiceUnavailable": 12,
    "FixData": 2,
    "GateClosed": 11,
    "RowsDoNotReconcile": 13,
    "TransformFailed": 14,
    "FixConfiguration": 2,
    "UsageError": 2,
    "ContractInvalid": 10,
}
KINDS = {name: kind for name, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, PipelineError)}


def test_every_kind_of_failure_has_its_exit_code() -> None:
    assert {name: int(exit_code_of(kind("x"))) for name, kind in KINDS.items()} == EXPECTED


@pytest.mark.parametrize("kind", [ObjectMissing, ObjectChanged])
def test_an_object_that_is_not_as_planned_is_worth_a_retry(kind: type[PipelineError]) -> None:
    assert exit_code_of(kind("x")) is ExitCode.UNAVAILABLE


def test_no_two_outcomes_share_a_code() -> None:
    assert len({int(code) for code in ExitCode}) == len(ExitCode.__members__) == 9
