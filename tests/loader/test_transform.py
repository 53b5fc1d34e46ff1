"""Tests how dbt's outcome becomes a verdict. The build itself is tests/dbt/test_build.py's job."""

from pathlib import Path
from typing import Any

import pytest

from contracts.errors import ServiceUnavailable, UsageError
from loader.transform import explain_missing_results, read_run_results, run_dbt
from loader.warehouse import WarehouseAddress
from validation.results import Verdict

ADDRESS = WarehouseAddress("127.0.0.1", 5439, "spacex", "loader", "not-a-real-password")


def result(unique_id: str, status: str, message: str | None = None, failures: int | None = None) -> dict[str, Any]:
    return {
        "unique_id": unique_id,
        "status": status,
        "execution_time": 0.25,
        "message": message,
        "failures": failures,
    }


def test_a_build_of_which_everything_passed_is_a_go() -> None:
    record = read_run_results(
        {
            "results": [
                result("model.spacex_elt.fct_launches", "success", "SUCCESS"),
                result("test.spacex_elt.unique_fct_launches_launch_id.5a1c", "pass", failures=0),
                result("unit_test.spacex_elt.fct_launches.a_launch_is_summed_up", "pass", failures=0),
            ]
        },
        exit_code=0,
    )
    assert record.verdict is Verdict.GO
    assert record.counts == {"pass": 2, "success": 1}
    assert [(node.kind, node.name) for node in record.nodes] == [
        ("model", "fct_launches"),
        ("test", "unique_fct_launches_launch_id"),
        ("unit_test", "a_launch_is_summed_up"),
    ]


def test_a_warning_is_told_and_stops_nothing() -> None:
    record = read_run_results(
        {
            "results": [
                result("test.spacex_elt.core_is_known.1", "warn", "Got 11 results, configured to warn if != 0", 11)
            ]
        },
        exit_code=0,
    )
    assert record.verdict is Verdict.GO
    assert record.reason == "all 1 dbt nodes passed, 1 with a warning: core_is_known."
    assert record.nodes[0].failures == 11


def test_a_test_that_follows_from_a_contract_says_whose_rule_it_enforces() -> None:
    unique_id = "test.spacex_elt.source_references_spacex_payloads_launch.1"
    config = {"meta": {"dataset": "payloads", "rule_id": "launch-reference"}}
    record = read_run_results(
        {"results": [result(unique_id, "warn", failures=4), result("test.spacex_elt.mine.2", "pass", failures=0)]},
        exit_code=0,
        manifest={unique_id: {"config": config}, "test.spacex_elt.mine.2": {"config": {"meta": {}}}},
    )
    told = record.test_of("payloads", "launch-reference")
    assert told is not None
    assert (told.status, told.failures) == ("warn", 4)
    assert record.test_of("launches", "launch-reference") is None
    assert (record.nodes[1].dataset, record.nodes[1].rule_id) == ("", "")


def test_a_failed_test_is_a_no_go_that_names_it_and_what_was_skipped() -> None:
    record = read_run_results(
        {
            "results": [
                result("test.spacex_elt.unique_launch_id.1", "fail", "Got 2 results, configured to fail if != 0", 2),
                result("model.spacex_elt.fct_launches", "skipped"),
            ]
        },
        exit_code=1,
    )
    assert record.verdict is Verdict.NO_GO
    assert record.reason == (
        "1 of 2 dbt nodes failed: test unique_launch_id (Got 2 results, configured to fail if != 0)."
        " 1 nodes behind them were skipped and keep their last good rows."
    )


def test_a_model_that_broke_is_a_no_go_with_the_warehouse_s_own_words() -> None:
    message = (
        "Database Error in model fct_launches (models/marts/fct_launches.sql)\n"
        "  Cannot insert a NULL value into column launch_id\n"
        "  compiled code at /somewhere/target/run/fct_launches.sql"
    )
    record = read_run_results({"results": [result("model.spacex_elt.fct_launches", "error", message)]}, exit_code=1)
    assert record.verdict is Verdict.NO_GO
    assert "model fct_launches (Cannot insert a NULL value into column launch_id)" in record.reason
    assert "/somewhere" not in str(record)


@pytest.mark.parametrize(
    "message",
    [
        "Database Error in model fct_launches (models/x.sql)\n  terminating connection due to administrator command",
        "Runtime Error in model fct_launches (models/x.sql)\n  BrokenPipe: server socket closed. Please check network",
        "Database Error\n  ('communication error', ConnectionRefusedError(111, 'Connection refused'))",
    ],
)
def test_a_warehouse_that_falls_away_is_never_reported_as_bad_data(message: str) -> None:
    with pytest.raises(ServiceUnavailable, match="model fct_launches"):
        read_run_results({"results": [result("model.spacex_elt.fct_launches", "error", message)]}, exit_code=1)


def test_the_driver_s_advice_is_left_out() -> None:
    message = "Runtime Error in model m (models/m.sql)\n  BrokenPipe: server socket closed. Please check your firewall."
    with pytest.raises(ServiceUnavailable) as raised:
        read_run_results({"results": [result("model.spacex_elt.m", "error", message)]}, exit_code=1)
    assert "server socket closed. Run the step again" in str(raised.value)


def test_a_build_of_nothing_is_a_no_go() -> None:
    assert read_run_results({"results": []}, exit_code=0).verdict is Verdict.NO_GO


def test_an_exit_code_that_no_node_explains_is_a_no_go() -> None:
    record = read_run_results({"results": [result("model.spacex_elt.fct_launches", "success")]}, exit_code=1)
    assert record.verdict is Verdict.NO_GO
    assert "exit code 1" in record.reason


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (
            "Database Error\n  ('communication error', ConnectionRefusedError(111, 'Connection refused'))",
            ServiceUnavailable,
        ),
        ('Database Error\n  password authentication failed for user "loader"', UsageError),
        ("Compilation Error in model fct_launches\n  'stg_launches' was not found", UsageError),
        ("Parsing Error\n  Env var required but not provided: 'DBT_WAREHOUSE_HOST'", UsageError),
        ("Runtime Error\n  Failed to read package: No dbt_project.yml found", UsageError),
    ],
)
def test_a_build_without_results_is_explained_by_its_last_error(error: str, expected: type[Exception]) -> None:
    explained = explain_missing_results(2, [error], [], str(ADDRESS))
    assert type(explained) is expected
    assert error.splitlines()[-1].strip() in str(explained)


def test_a_dbt_that_said_nothing_may_be_run_again() -> None:
    explained = explain_missing_results(-9, [], [], str(ADDRESS))
    assert type(explained) is ServiceUnavailable
    assert "exit code -9" in str(explained)


def test_a_folder_without_a_project_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"dbt_project\.yml is missing"):
        run_dbt(ADDRESS, tmp_path, tmp_path / "work")
