"""The commands about contracts, from outside: what they print, and how they end."""

import json
from pathlib import Path

import pytest

from contracts.model import Scope
from contracts.read import read_contract, read_contracts
from spacex_elt.derived import Kind
from tests.contracts.every_kind import EVERY_KIND, FILE
from tests.spacex_elt.program import start


def lines_of(*words: str) -> list[dict[str, object]]:
    done = start("contracts", *words)
    assert (done.returncode, done.stderr) == (0, "")
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_a_contract_is_shown_whole() -> None:
    done = start("contracts", "show", str(FILE))

    assert (done.returncode, done.stderr) == (0, "")
    assert "Flight watchers" in done.stdout
    assert [prop.name for prop in EVERY_KIND.walk() if prop.name not in done.stdout and prop.name != "[]"] == []
    assert [rule.rule_id for rule in EVERY_KIND.rules if rule.rule_id not in done.stdout] == []
    assert "all well" not in done.stdout


def test_a_shown_contract_as_json_has_every_column_and_rule_with_its_gates() -> None:
    (told,) = lines_of("show", str(FILE), "--json")

    columns = told["columns"]
    assert isinstance(columns, list)
    assert {column["path"]: column["example"] for column in columns if column["path"] in {"note", "callsign"}} == {
        "note": None,
        "callsign": "Falcon",
    }
    rules = told["rules"]
    assert isinstance(rules, list)
    assert [rule["rule_id"] for rule in rules] == [rule.rule_id for rule in EVERY_KIND.rules]
    assert all(rule["gates"] for rule in rules)


def test_a_dataset_without_a_contract_is_told_those_that_have_one() -> None:
    done = start("contracts", "show", "moons")

    assert (done.returncode, done.stdout) == (10, "")
    assert "datasets with a contract" in done.stderr
    assert "launches" in done.stderr


def test_the_coverage_of_all_contracts_has_a_line_each_and_a_total() -> None:
    done = start("contracts", "coverage")

    assert done.returncode == 0
    assert [name for name in read_contracts() if f" {name} " not in done.stdout] == []
    total = sum(len(contract.rules) for contract in read_contracts().values())
    assert f" {total} " in next(line for line in done.stdout.splitlines() if "total" in line)


def test_the_coverage_of_one_contract_is_a_matrix_of_its_rules() -> None:
    done = start("contracts", "coverage", str(FILE))

    line = next(line for line in done.stdout.splitlines() if "ship-reference" in line)
    assert line.split() == ["ship-reference", "warning", "·", "·", "✓"]
    (told,) = lines_of("coverage", str(FILE), "--json")
    assert told["flights"]["id-pattern"] == ["raw", "load"]  # type: ignore[index]


@pytest.mark.parametrize("kind", list(Kind))
def test_every_kind_of_document_is_derived(kind: Kind) -> None:
    done = start("contracts", "derive", str(FILE), kind.value)

    assert (done.returncode, done.stderr) == (0, "")
    assert "callsign" in done.stdout


def test_the_pandera_document_names_every_rule_that_the_judge_checks() -> None:
    done = start("contracts", "derive", str(FILE), "pandera")

    judged = [rule.rule_id for rule in EVERY_KIND.rules if rule.scope is Scope.ROW and rule.kind != "source-damage"]
    assert [rule_id for rule_id in judged if f"    {rule_id}: " not in done.stdout] == []
    assert "# flights: one row per item of legs[].crew" in done.stdout


def test_a_document_about_one_dataset_is_refused_for_all() -> None:
    done = start("contracts", "derive", "all", "ddl")

    assert (done.returncode, done.stdout) == (2, "")
    assert "one dataset at a time" in done.stderr


def test_a_sample_is_the_same_for_the_same_seed() -> None:
    first = lines_of("sample", str(FILE), "--count", "5", "--seed", "1")

    assert len(first) == 5
    assert first == lines_of("sample", str(FILE), "--count", "5", "--seed", "1")
    assert first != lines_of("sample", str(FILE), "--count", "5", "--seed", "2")


def test_a_sample_can_be_what_airbyte_lands() -> None:
    (landed,) = lines_of("sample", str(FILE), "--count", "1", "--envelope")

    assert list(landed) == [
        "_airbyte_raw_id",
        "_airbyte_extracted_at",
        "_airbyte_generation_id",
        "_airbyte_meta",
        "_airbyte_data",
    ]


def test_records_that_break_each_rule_say_which_and_where() -> None:
    made = lines_of("sample", str(FILE), "--breaking-each")

    assert {record["rule_id"] for record in made} == {
        rule.rule_id for rule in EVERY_KIND.rules if rule.scope is Scope.ROW
    }
    keys = [record["record"]["id"] for record in made if not str(record["rule_id"]).startswith("id-")]  # type: ignore[index]
    assert len(set(map(str, keys))) == len(keys)


def test_records_that_break_one_rule_are_printed_alone() -> None:
    made = lines_of("sample", str(FILE), "--breaking", "seats-maximum")

    assert [record["seats"] for record in made] == [10]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--breaking", "nope"), "no rule nope"),
        (("--breaking", "id-type", "--breaking-each"), "exclude each other"),
        (("--breaking", "no-shrinkage"), "published before"),
    ],
)
def test_what_cannot_be_sampled_is_refused(words: tuple[str, ...], told: str) -> None:
    done = start("contracts", "sample", str(FILE), *words)

    assert (done.returncode, done.stdout) == (2, "")
    assert told in done.stderr


def test_a_candidate_lies_in_a_file_named_for_its_dataset(tmp_path: Path) -> None:
    other = tmp_path / "flights.odcs.yaml"
    other.write_bytes(FILE.read_bytes())

    assert read_contract(other).content_hash == EVERY_KIND.content_hash
    assert start("contracts", "show", str(other)).returncode == 0
