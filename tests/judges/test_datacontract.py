"""What an outside judge says of our contracts and of the records made from them."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator

from contracts.model import Contract, Scope
from contracts.plain_judge import Record
from contracts.read import FOLDER, read_contract
from contracts.sample import good_records
from contracts.specimens import Specimen, bad_records
from tests.contracts.every_kind import FILE as EVERY_KIND_FILE
from tests.judges.outside import ask, exported_json_schema, needed
from validation.judge import Judge

pytestmark = needed

FILES = [*sorted(FOLDER.glob("*.odcs.yaml")), EVERY_KIND_FILE]
SEED = 7


def name_of(file: Path) -> str:
    return file.name.partition(".")[0]


@pytest.mark.parametrize("file", FILES, ids=name_of)
def test_it_finds_our_contracts_valid(file: Path, tmp_path: Path) -> None:
    done = ask("lint", file, "--all-errors", home=tmp_path)

    assert done.returncode == 0, done.stdout + done.stderr
    assert "Data contract is valid" in done.stdout


def test_it_says_what_is_wrong_with_a_contract_that_is(tmp_path: Path) -> None:
    wrong = tmp_path / "flights.odcs.yaml"
    wrong.write_text(EVERY_KIND_FILE.read_text().replace("logicalType: boolean", "logicalType: bool"))

    assert ask("lint", wrong, home=tmp_path).returncode != 0


@pytest.mark.parametrize("file", FILES, ids=name_of)
def test_whatever_its_schema_finds_in_a_record_our_gate_tells_too(file: Path, tmp_path: Path) -> None:
    contract = read_contract(file)
    theirs = Draft7Validator(exported_json_schema(file, tmp_path))
    good = list(good_records(contract, 50, SEED))
    bad = [specimen.record for specimen in specimens_of(contract)]
    ours = Judge(contract).judge([*good, *bad])

    columns = {prop.name: prop.column for prop in contract.properties}  # it calls a property as its column is called

    def complaints(record: Record) -> set[str]:
        places = complained_of(theirs, {columns.get(name, name): value for name, value in record.items()})
        return {_renamed(place, {column: name for name, column in columns.items()}) for place in places}

    assert [complaints(record) for record in good] == [set()] * len(good)
    assert not any(ours[: len(good)])
    found = [complaints(record) for record in bad]
    told = [{violation.path for violation in violations} for violations in ours[len(good) :]]
    assert any(found), "a schema that finds nothing proves nothing"
    missed = [(record, theirs - mine) for record, theirs, mine in zip(bad, found, told, strict=True) if theirs - mine]
    assert missed == []


def specimens_of(contract: Contract) -> list[Specimen]:
    """Those whose lines are read at all: a number beyond 64 bits is refused before any rule is asked."""
    row_rules = [rule for rule in contract.rules if rule.scope is Scope.ROW]
    return [specimen for rule in row_rules for specimen in bad_records(contract, rule) if specimen.told]


def complained_of(validator: Draft7Validator, record: Record) -> set[str]:
    """Where a record breaks the schema, as we write places."""
    return {place for error in validator.iter_errors(record) for place in _places(error)}


def _renamed(place: str, names: dict[str, str]) -> str:
    first = re.split(r"[.\[]", place)[0]
    return names.get(first, first) + place[len(first) :]


def _places(error: Any) -> Iterator[str]:
    at = ""
    for step in error.absolute_path:
        at += f"[{step}]" if isinstance(step, int) else f".{step}" if at else str(step)
    if error.validator != "required":
        yield at
        return
    missing = [name for name in error.validator_value if name not in error.instance]
    yield from (f"{at}.{name}" if at else name for name in missing)
