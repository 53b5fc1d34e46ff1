import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from contracts.document import ProblemsFound
from contracts.errors import ContractInvalid
from contracts.model import DriftPolicy, LogicalType, RuleKind, Severity
from contracts.read import FOLDER, content_hash, read_contract, read_contracts

MOONS = """\
# A small contract that is right.
version: 1.2.0
kind: DataContract
apiVersion: v3.2.0
id: moons
name: Moons
status: active
description:
  purpose: To know the moons.
schema:
  - name: moons
    physicalName: moons
    description: One moon.
    logicalType: object
    dataGranularityDescription: One row per moon (id).
    properties:
      - name: id
        description: The moon's id.
        primaryKey: true
        logicalType: string
        logicalTypeOptions: {pattern: "^[a-z]{4}$"}
        physicalType: VARCHAR(4)
        required: true
        unique: true
        examples: [luna]
      - name: radius_km
        description: How big it is. Null means unknown.
        logicalType: integer
        logicalTypeOptions: {minimum: 1}
        physicalType: INTEGER
        examples: [1737]
        customProperties:
          - property: unit
            value: km
          - property: rules
            value:
              minimum: {severity: warning, reason: A moon has a size.}
      - name: craters
        description: Its craters.
        logicalType: array
        logicalTypeOptions: {minItems: 1}
        physicalType: SUPER
        required: true
        items:
          logicalType: object
          required: true
          properties:
            - name: name
              description: The crater's name.
              logicalType: string
              required: true
              examples: [Tycho]
            - name: seen_at
              description: When it was first seen. Null means unknown.
              logicalType: timestamp
              examples: ["1651-01-01T00:00:00Z"]
    quality:
      - id: row-count
        description: Planets have moons.
        dimension: completeness
        severity: error
        type: library
        metric: rowCount
        mustBeGreaterThan: 0
support:
  - channel: moons
    url: mailto:moons@example.com
team:
  name: Moon watchers
slaProperties:
  - {property: latency, value: 1, unit: d}
  - {property: freshness, value: 48, unit: h}
customProperties:
  - property: rejectLimit
    value: {ratio: 0.1, floorCount: 2, reason: Moons are few.}
  - property: driftPolicy
    value: {unknownFields: quarantine}
"""


def _write(folder: Path, text: str, name: str = "moons.odcs.yaml") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_a_contract_is_read_into_its_typed_view(tmp_path: Path) -> None:
    moons = read_contract(_write(tmp_path, MOONS))
    assert (moons.dataset, moons.version, moons.file_name) == ("moons", "1.2.0", "moons.odcs.yaml")
    assert (moons.title, moons.description, moons.purpose) == ("Moons", "One moon.", "To know the moons.")
    assert (moons.owner, moons.support_url) == ("Moon watchers", "mailto:moons@example.com")
    assert (moons.latency_h, moons.freshness_h, moons.grain) == (24.0, 48.0, "One row per moon (id).")
    assert (moons.reject_limit.ratio, moons.reject_limit.floor_count) == (0.1, 2)
    assert moons.key.name == "id"
    assert [prop.path for prop in moons.walk()] == [
        "id",
        "radius_km",
        "craters",
        "craters[]",
        "craters[].name",
        "craters[].seen_at",
    ]
    radius = moons.properties[1]
    assert (radius.logical_type, radius.physical_type, radius.unit) == (LogicalType.INTEGER, "INTEGER", "km")
    assert (radius.required, radius.example, radius.classification) == (False, 1737, "public")


def test_rules_stand_in_the_files_order_and_set_rules_come_last(tmp_path: Path) -> None:
    moons = read_contract(_write(tmp_path, MOONS))
    assert [rule.rule_id for rule in moons.rules] == [
        "unknown-field",
        "source-damage",
        "id-required",
        "id-type",
        "id-pattern",
        "radius_km-type",
        "radius_km-minimum",
        "radius_km-maximum",
        "craters-required",
        "craters-type",
        "craters-min-items",
        "craters-item-required",
        "craters-item-type",
        "craters-item-unknown-field",
        "craters-name-required",
        "craters-name-type",
        "craters-seen_at-type",
        "craters-seen_at-format",
        "row-count",
        "id-unique",
    ]
    assert moons.rule("radius_km-minimum").severity is Severity.WARNING
    assert moons.rule("radius_km-maximum").argument == 2**31 - 1
    assert moons.rule("unknown-field").argument is DriftPolicy.QUARANTINE
    assert moons.rule("unknown-field").severity is Severity.ERROR
    assert moons.rule("row-count").argument == 1
    assert moons.rule("row-count").description == "the dataset has at least 1 records. Planets have moons."
    assert moons.rule("id-unique").kind is RuleKind.UNIQUE


def test_comments_white_space_and_the_order_of_keys_do_not_change_the_content(tmp_path: Path) -> None:
    first = read_contract(_write(tmp_path, MOONS))
    respelt = MOONS.replace("# A small contract that is right.\n", "\n\n").replace(
        "version: 1.2.0\nkind: DataContract\n", "kind: 'DataContract' # again\nversion: '1.2.0'\n"
    )
    assert respelt != MOONS
    again = read_contract(_write(tmp_path, respelt))
    assert again.content_hash == first.content_hash
    assert re.fullmatch("[0-9a-f]{32}", first.content_hash)


def test_every_change_of_a_value_changes_the_content(tmp_path: Path) -> None:
    first = read_contract(_write(tmp_path, MOONS))
    changed = read_contract(_write(tmp_path, MOONS.replace("Moons are few.", "Moons are rare.")))
    assert changed.content_hash != first.content_hash
    assert content_hash({"a": 1}) != content_hash({"a": "1"})


def test_a_folder_is_read_by_dataset_in_order(tmp_path: Path) -> None:
    _write(tmp_path, MOONS)
    _write(tmp_path, MOONS.replace("moons", "comets"), "comets.odcs.yaml")
    assert list(read_contracts(tmp_path)) == ["comets", "moons"]


def test_a_missing_contract_names_those_that_exist() -> None:
    with pytest.raises(ContractInvalid, match=rf"no such contract; .*: {', '.join(read_contracts())}"):
        read_contract(FOLDER / "moons.odcs.yaml")


def test_a_folder_without_contracts_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ContractInvalid, match="no contract here"):
        read_contracts(tmp_path)
    with pytest.raises(ContractInvalid, match="no such folder"):
        read_contracts(tmp_path / "nowhere")


WRONG: list[dict[str, Any]] = yaml.safe_load(
    Path(__file__).with_name("wrong_contracts.yaml").read_text(encoding="utf-8")
)


@pytest.mark.parametrize("case", WRONG, ids=[case["name"] for case in WRONG])
def test_a_wrong_contract_is_refused_with_file_line_and_key(case: dict[str, Any], tmp_path: Path) -> None:
    assert MOONS.count(case["replace"]) == 1
    path = _write(tmp_path, MOONS.replace(case["replace"], case["by"]))
    with pytest.raises(ProblemsFound) as caught:
        read_contract(path)
    told = [(found.file, found.line, found.key) for found in caught.value.findings if case["says"] in found.message]
    assert told == [(str(path), case["line"], case["key"])]


def test_every_problem_is_told_at_once(tmp_path: Path) -> None:
    path = _write(tmp_path, MOONS.replace("INTEGER", "INT").replace("quarantine", "ignore"))
    with pytest.raises(ProblemsFound) as caught:
        read_contract(path)
    assert [finding.line for finding in caught.value.findings] == [30, 77]


def test_bytes_that_are_no_text_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "moons.odcs.yaml"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ContractInvalid, match="not YAML"):
        read_contract(path)


def test_a_file_that_is_no_mapping_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ContractInvalid, match="a contract is a mapping"):
        read_contract(_write(tmp_path, "- a list\n"))


@pytest.mark.parametrize("key", ["~", "7", "true", "1.5", "[a, b]"])
def test_a_key_that_is_no_text_is_refused_where_it_lies(tmp_path: Path, key: str) -> None:
    path = _write(tmp_path, MOONS.replace("examples: [1737]", f"examples: [{{? {key} : x}}]"))
    line = 1 + MOONS[: MOONS.index("examples: [1737]")].count("\n")
    with pytest.raises(ProblemsFound, match=rf":{line}: the key .* is no text") as caught:
        read_contract(path)
    assert [finding.line for finding in caught.value.findings] == [line]


def test_another_vendors_words_are_none_of_our_business(tmp_path: Path) -> None:
    theirs = "  - {property: colour, value: red, vendor: atlan}\n"
    assert read_contract(_write(tmp_path, MOONS + theirs)).dataset == "moons"


def test_days_stay_text(tmp_path: Path) -> None:
    with_day = MOONS.replace("examples: [1737]", "examples: [1610-01-07]")
    assert read_contract(_write(tmp_path, with_day)).properties[1].example == "1610-01-07"
