"""Tests dbt's whole build on the Redshift stand-in: what the marts hold, what stops it, and what it only tells."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from contracts.errors import ServiceUnavailable, UsageError
from loader.transform import run_dbt
from loader.warehouse import WarehouseAddress
from local.spacex_api.simulator import simulate
from observability.run_record import TransformRecord
from tests.dbt import expected
from tests.dbt.warehouse import Records, Warehouse
from validation.results import Verdict

PROJECT = Path(__file__).resolve().parents[2] / "dbt"
Build = Callable[[], TransformRecord]


@pytest.fixture(scope="module")
def work_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("dbt")


@pytest.fixture(scope="module")
def build(warehouse: Warehouse, work_dir: Path) -> Build:
    return lambda: run_dbt(warehouse.address, PROJECT, work_dir)


@pytest.fixture(scope="module")
def built(warehouse: Warehouse, build: Build) -> Iterator[Records]:
    """Simulated records, filled in and built once. A test that changes the tables changes them back."""
    records = simulate(60, seed=7)
    warehouse.fill(records)
    record = build()
    assert record.verdict is Verdict.GO, record.reason
    yield records


def check_marts(warehouse: Warehouse, records: Records) -> None:
    launches = warehouse.ask(
        "select launch_id, rocket_name, launchpad_name, outcome, core_count, unassigned_core_count, reused_core_count, "
        "landed_core_count, payload_count, payload_mass_kg from analytics.fct_launches"
    )
    assert len(launches) == len(records["launches"]) > 0
    assert {key: tuple(values) for key, *values in launches} == expected.launches(records)
    flights = warehouse.ask(
        "select launch_id, core_id, core_serial, core_flight_number, landing_outcome, turnaround_days "
        "from analytics.fct_core_flights"
    )
    wanted = expected.core_flights(records)
    assert len(flights) == len(wanted) > 0
    assert {(launch, core): tuple(values) for launch, core, *values in flights} == wanted


@pytest.mark.stack
def test_the_marts_hold_what_the_records_say(warehouse: Warehouse, built: Records) -> None:
    check_marts(warehouse, built)
    rockets = warehouse.ask("select rocket_id, rocket_name, mass_kg from analytics.dim_rockets")
    assert {tuple(row) for row in rockets} == {
        (rocket["id"], rocket["name"], rocket["mass"]["kg"]) for rocket in built["rockets"]
    }


@pytest.mark.stack
def test_building_again_changes_nothing_and_leaves_nothing_behind(
    warehouse: Warehouse, built: Records, build: Build, work_dir: Path
) -> None:
    assert build().verdict is Verdict.GO
    check_marts(warehouse, built)
    tables = warehouse.ask("select table_name from information_schema.tables where table_schema = 'analytics'")
    assert sorted(name for (name,) in tables) == ["dim_rockets", "fct_core_flights", "fct_launches"]
    assert sorted(path.name for path in work_dir.iterdir()) == ["logs", "partial_parse.msgpack"]


@pytest.mark.stack
def test_a_key_that_two_rows_share_is_a_no_go_and_the_marts_keep_their_last_good_rows(
    warehouse: Warehouse, built: Records, build: Build
) -> None:
    first, second = built["launches"][0]["id"], built["launches"][1]["id"]
    warehouse.change(f"update raw_spacex.launches set id = '{first}' where id = '{second}'")
    try:
        record = build()
    finally:
        warehouse.change(f"update raw_spacex.launches set id = '{second}' where id = '{first}' and flight_number = 2")

    assert record.verdict is Verdict.NO_GO
    failed = [node for node in record.nodes if node.status == "fail"]
    assert [(node.kind, node.failures) for node in failed] == [("test", 1)]
    assert failed[0].name in record.reason
    assert {node.name for node in record.nodes if node.kind == "model" and node.status == "skipped"} >= {
        "fct_launches",
        "fct_core_flights",
    }
    check_marts(warehouse, built)


@pytest.mark.stack
def test_a_row_that_the_source_dropped_leaves_the_marts_and_a_dangling_reference_is_told(
    warehouse: Warehouse, built: Records, build: Build
) -> None:
    core_id = built["launches"][0]["cores"][0]["core"]
    launch_id = built["launches"][-1]["id"]
    warehouse.change(f"update raw_spacex.cores set _deleted_at = _loaded_at where id = '{core_id}'")
    warehouse.change(f"update raw_spacex.launches set _deleted_at = _loaded_at where id = '{launch_id}'")
    try:
        record = build()
        left = {
            **built,
            "launches": built["launches"][:-1],
            "cores": [core for core in built["cores"] if core["id"] != core_id],
        }
        assert record.verdict is Verdict.GO, record.reason
        warned = [(node.name, node.failures) for node in record.nodes if node.status == "warn"]
        assert sorted(warned) == [
            ("fct_core_flights_core_is_known", 1),
            ("source_references_spacex_launches_cores__cores__id__cores_core", 1),
        ]
        assert "fct_core_flights_core_is_known" in record.reason
        check_marts(warehouse, left)
    finally:
        for table in ("cores", "launches"):
            warehouse.change(f"update raw_spacex.{table} set _deleted_at = null where _deleted_at is not null")


@pytest.mark.stack
def test_the_password_is_in_no_file_that_dbt_leaves(warehouse: Warehouse, built: Records, work_dir: Path) -> None:
    files = [path for path in work_dir.rglob("*") if path.is_file()]
    assert files
    assert [path for path in files if warehouse.address.password.encode() in path.read_bytes()] == []


@pytest.mark.stack
def test_a_wrong_password_is_the_configuration_s_fault(warehouse: Warehouse, tmp_path: Path) -> None:
    stranger = replace(warehouse.address, password="not-the-password")
    with pytest.raises(UsageError, match="Check what SPACEX_ELT_WAREHOUSE_"):
        run_dbt(stranger, PROJECT, tmp_path)


@pytest.mark.stack
def test_the_recorded_history_of_2021_is_rebuilt_without_a_warning(
    warehouse: Warehouse, recordings: Records, build: Build
) -> None:
    warehouse.fill(recordings)
    record = build()
    assert record.verdict is Verdict.GO, record.reason
    assert set(record.counts) == {"pass", "success"}, record.reason
    check_marts(warehouse, recordings)
    assert warehouse.ask("select count(*) from analytics.fct_launches") == [(142,)]
    assert warehouse.ask("select count(*) from analytics.fct_core_flights") == [(134,)]


def test_a_warehouse_that_does_not_answer_may_be_tried_again(tmp_path: Path) -> None:
    nowhere = WarehouseAddress("127.0.0.1", 1, "spacex", "loader", "not-a-real-password")
    with pytest.raises(ServiceUnavailable, match="before it built anything"):
        run_dbt(nowhere, PROJECT, tmp_path)


def test_a_build_that_outlasts_its_time_is_stopped(tmp_path: Path) -> None:
    nowhere = WarehouseAddress("127.0.0.1", 1, "spacex", "loader", "not-a-real-password")
    with pytest.raises(ServiceUnavailable, match="did not finish within"):
        run_dbt(nowhere, PROJECT, tmp_path, time_limit_s=0.05)
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith("build-")] == []


def test_a_project_that_does_not_parse_is_the_configuration_s_fault(tmp_path: Path) -> None:
    for name in ("dbt_project.yml", "profiles.yml"):
        (tmp_path / name).write_bytes((PROJECT / name).read_bytes())
    models = tmp_path / "models"
    models.mkdir()
    (models / "broken.sql").write_text("select * from {{ ref('nobody') }}")
    nowhere = WarehouseAddress("127.0.0.1", 1, "spacex", "loader", "not-a-real-password")
    with pytest.raises(UsageError, match="nobody"):
        run_dbt(nowhere, tmp_path, tmp_path / "work")
