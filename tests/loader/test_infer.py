"""A draft inferred from data: valid but for what a person must write, true of that data, and no wider than it needs."""

import io
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contracts.lint import lint
from contracts.model import Contract, RuleKind, Severity
from contracts.read import SUFFIX, read_contract
from loader.infer import Inferred, infer
from loader.records import Found, Records, by_dataset, in_files
from tests.validation.hand_made import ListSink, line
from tests.validation.recordings import FOLDER
from validation.draft_property import rounded_up
from validation.raw_gate import RawGate

RECORDED = FOLDER / "api-2021-04-22"
DATASETS = (
    "capsules", "company", "cores", "crew", "dragons", "history", "landpads", "launches", "launchpads", "payloads",
    "roadster", "rockets", "ships", "starlink",
)  # fmt: skip


@pytest.fixture(scope="module")
def recordings() -> dict[str, Records]:
    if not RECORDED.is_dir():
        pytest.skip("the recordings do not lie beside the repository")
    return dict(by_dataset(in_files(RECORDED)))


def inferred_from(tmp_path: Path, *records: Any, **others: list[Any]) -> Inferred:
    for name, rows in {"things": list(records), **others}.items():
        (tmp_path / f"{name}.json").write_text(json.dumps(rows), encoding="utf-8")
    return infer(by_dataset(in_files(tmp_path)), "things")


def written(inferred: Inferred, folder: Path) -> Path:
    path = folder / (inferred.dataset + SUFFIX)
    path.write_text(inferred.text, encoding="utf-8")
    return path


def contract_of(inferred: Inferred, folder: Path) -> Contract:
    return read_contract(written(inferred, folder))


@pytest.mark.parametrize("dataset", DATASETS)
def test_the_draft_of_a_recorded_collection_is_a_contract_but_for_its_words(
    dataset: str, recordings: dict[str, Records], tmp_path: Path
) -> None:
    inferred = infer(recordings, dataset)
    findings = lint([written(inferred, tmp_path)])
    assert {finding.message for finding in findings} == {"still to be written"}
    assert inferred.key == "id"
    assert inferred.findings == ()
    assert inferred.rejected == {}
    assert inferred.unread == ""


@pytest.mark.parametrize("dataset", DATASETS)
def test_the_gate_under_the_draft_accepts_every_record_it_was_drafted_from(
    dataset: str, recordings: dict[str, Records], tmp_path: Path
) -> None:
    contract = contract_of(infer(recordings, dataset), tmp_path)
    records = list(recordings[dataset])
    assert records
    sink = ListSink()
    lines = [line(record).removesuffix(b"\n") for record in records]
    RawGate(contract).check_shard("batch", "0", [("landing/a", lines)], sink)
    assert [rejection.violations for rejection in sink.rejections] == []
    assert len(sink.accepted) == len(records)


def test_the_draft_finds_what_each_launch_refers_to(recordings: dict[str, Records]) -> None:
    assert infer(recordings, "launches").references == {
        "capsules[]": "capsules.id",
        "cores[].core": "cores.id",
        "cores[].landpad": "landpads.id",
        "crew[]": "crew.id",
        "fairings.ships[]": "ships.id",
        "launchpad": "launchpads.id",
        "payloads[]": "payloads.id",
        "rocket": "rockets.id",
        "ships[]": "ships.id",
    }


def test_the_draft_of_the_launches_agrees_with_the_contract_people_wrote(
    recordings: dict[str, Records], tmp_path: Path
) -> None:
    drafted = contract_of(infer(recordings, "launches"), tmp_path)
    ours = {prop.path: prop.logical_type for prop in read_contract(Path("contracts/launches.odcs.yaml")).walk()}
    # What an instant on a pad's clock is, and that a number was whole in a year of data, a person knows better.
    assert {prop.path: prop.logical_type for prop in drafted.walk() if prop.path in ours} == {
        path: ours[path] for path in ours if path in {prop.path for prop in drafted.walk()}
    } | {"failures[].altitude": "integer"}


def test_equal_data_give_an_equal_draft(recordings: dict[str, Records]) -> None:
    assert infer(recordings, "cores").text == infer(recordings, "cores").text


def things(count: int, **fields: Any) -> list[dict[str, Any]]:
    """Records with an id each; a field's value may hang on the record's number."""
    return [
        {"id": f"{number:024x}"} | {name: of(number) if callable(of) else of for name, of in fields.items()}
        for number in range(count)
    ]


def test_a_column_that_repeats_a_value_is_no_key(tmp_path: Path) -> None:
    rows = [{"id": "a", "serial": number, "name": f"n{number}"} for number in range(30)]
    assert inferred_from(tmp_path, *rows).key == "serial"


def test_records_that_are_equal_as_a_whole_do_not_cost_the_key(tmp_path: Path) -> None:
    rows = things(600)
    assert inferred_from(tmp_path, *rows, rows[0]).key == "id"
    assert inferred_from(tmp_path, *rows, {**rows[0], "other": 1}).key == ""


def test_without_a_key_the_draft_says_so_and_is_no_contract_yet(tmp_path: Path) -> None:
    inferred = inferred_from(tmp_path, {"name": "a"}, {"name": "a", "x": 1})
    assert (inferred.key, "name the key by hand" in inferred.doubts[""]) == ("", True)
    assert any("primary key" in finding.message for finding in inferred.findings)


def rule_of(contract: Contract, path: str, kind: RuleKind) -> Any:
    found = [rule for rule in contract.rules if (rule.path, rule.kind) == (path, kind)]
    return (found[0].argument, found[0].severity) if found else None


def test_few_repeated_values_are_told_as_an_enum_that_only_warns(tmp_path: Path) -> None:
    rows = things(40, status=lambda n: "active" if n % 3 else "lost", name=lambda n: f"n{n}", only="one")
    contract = contract_of(inferred_from(tmp_path, *rows), tmp_path)
    assert rule_of(contract, "status", RuleKind.ENUM) == (("active", "lost"), Severity.WARNING)
    assert rule_of(contract, "name", RuleKind.ENUM) is None
    assert rule_of(contract, "only", RuleKind.ENUM) is None


def test_a_range_is_rounded_outwards_and_only_warns(tmp_path: Path) -> None:
    rows = things(40, seats=lambda n: n % 7 - 2, mass=lambda n: 0.31 + n)
    contract = contract_of(inferred_from(tmp_path, *rows), tmp_path)
    assert rule_of(contract, "seats", RuleKind.MAXIMUM) == (5, Severity.WARNING)
    assert rule_of(contract, "seats", RuleKind.MINIMUM) == (-2, Severity.WARNING)
    assert rule_of(contract, "mass", RuleKind.MINIMUM) == (0.2, Severity.WARNING)
    assert rule_of(contract, "mass", RuleKind.MAXIMUM) == (50, Severity.WARNING)


@pytest.mark.parametrize(
    ("number", "up"),
    [(0, 0), (1, 1), (3, 5), (203, 500), (0.3, 0.5), (6e9, 10**10), (-1143239400, -(10**9)), (-0.34, -0.2), (-1, -1)],
)
def test_a_bound_is_the_next_round_number(number: float, up: float) -> None:
    assert rounded_up(number) == up


def test_types_are_as_wide_as_the_values_and_columns_have_room(tmp_path: Path) -> None:
    rows = things(
        3, big=2**40, part=lambda n: n if n else 0.5, at="2021-04-22T09:49:00Z", local="2021-04-22T09:49:00+12:00",
        day="2021-04-22", name="Türksat 5B", flag=True, nested={"a": 1}, listed=[1], never=None,
    )  # fmt: skip
    contract = contract_of(inferred_from(tmp_path, *rows), tmp_path)
    assert {prop.path: (prop.logical_type.value, prop.physical_type) for prop in contract.properties} == {
        "id": ("string", "VARCHAR(24)"),
        "big": ("integer", "BIGINT"),
        "part": ("number", "DOUBLE PRECISION"),
        "at": ("timestamp", "TIMESTAMPTZ"),
        "local": ("string", "VARCHAR(64)"),
        "day": ("date", "DATE"),
        "name": ("string", "VARCHAR(32)"),
        "flag": ("boolean", "BOOLEAN"),
        "nested": ("object", "SUPER"),
        "listed": ("array", "SUPER"),
        "never": ("string", "VARCHAR(256)"),
    }


def test_a_field_of_several_types_is_told_and_the_records_it_costs(tmp_path: Path) -> None:
    inferred = inferred_from(tmp_path, *things(9, mixed=1), {"id": "0" * 23 + "f", "mixed": "two"})
    assert "values of several types" in inferred.doubts["mixed"]
    assert inferred.rejected == {"mixed-type": 1}


def test_what_looks_like_an_address_of_a_person_leaves_no_value_in_the_draft(tmp_path: Path) -> None:
    rows = things(40, mail=lambda n: f"crew{n % 2}@example.org")
    inferred = inferred_from(tmp_path, *rows)
    assert "@example.org" not in inferred.text.replace("TODO@example.com", "")
    assert contract_of(inferred, tmp_path).properties[1].classification == "restricted"


def test_values_of_another_datasets_key_are_a_reference_and_other_ids_are_none(tmp_path: Path) -> None:
    pads = [{"id": f"{number:024x}"} for number in range(100, 104)]
    rows = things(40, pad=lambda n: f"{100 + n % 4:024x}", other=lambda n: f"{900 + n:024x}")
    assert inferred_from(tmp_path, *rows, pads=pads).references == {"pad": "pads.id"}


def test_a_column_is_called_as_redshift_folds_its_name_and_of_two_such_one_is_left_out(tmp_path: Path) -> None:
    inferred = inferred_from(tmp_path, *things(3, spaceTrack=1, spacetrack=2))
    assert [prop.name for prop in contract_of(inferred, tmp_path).properties] == ["id", "spaceTrack"]
    assert "Redshift folds names" in inferred.doubts["spacetrack"]


_NAMES = st.sampled_from(
    ["id", "a", "b_c", "c", "C", "D", "x.y", "[]", "", "ünï", "type", "enum", "properties"]
) | st.text(max_size=3)
_SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=5)
    | st.sampled_from(["2020-01-01", "2020-01-01T00:00:00Z", "https://a.b", "no", "1", "", "- x", "a: b", "#", "\n"])
)
_ANYTHING = st.recursive(
    _SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_NAMES, inner, max_size=3), max_leaves=6
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.dictionaries(_NAMES, _ANYTHING, max_size=5), min_size=1, max_size=6))
def test_whatever_the_records_a_draft_is_written_that_tells_what_it_cannot_say(rows: list[dict[str, Any]]) -> None:
    body = json.dumps([{"id": f"{number:024x}", **row} for number, row in enumerate(rows)]).encode()
    found = Found("things.json", lambda: io.BytesIO(body))
    inferred = infer(by_dataset([found]), "things")
    assert inferred.profile.record_count == len(rows)
    if not inferred.doubts:
        assert (inferred.findings, inferred.rejected) == ((), {})
