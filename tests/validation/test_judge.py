"""Each kind of rule, on records made for it."""

from dataclasses import replace
from typing import Any

import pytest

from contracts.errors import ContractInvalid
from contracts.model import LogicalType, RuleKind, Scope
from contracts.specimens import bad_records
from tests.contracts.every_kind import EVERY_KIND
from tests.validation.hand_made import contract, good, prop, rule
from validation.frames import Flattener
from validation.judge import Judge, failures

JUDGE = Judge(contract())


def broken(record: dict[str, Any]) -> list[tuple[str, str]]:
    (violations,) = JUDGE.judge([record])
    return [(violation.rule_id, violation.path) for violation in violations]


def test_a_record_that_keeps_its_contract_breaks_no_rule() -> None:
    assert broken(good()) == []


@pytest.mark.parametrize(
    ("changes", "rule_id", "path"),
    [
        ({"id": None}, "id-required", "id"),
        ({"id": 5}, "id-type", "id"),
        ({"id": "0a1b\n"}, "id-pattern", "id"),
        ({"id": "x0a1b"}, "id-pattern", "id"),
        ({"name": "éééééééé"}, "name-max-bytes", "name"),
        ({"name": "é"}, "name-min-length", "name"),
        ({"name": "abcdefghijk"}, "name-max-length", "name"),
        ({"seats": -1}, "seats-minimum", "seats"),
        ({"seats": 8}, "seats-maximum", "seats"),
        ({"seats": "5"}, "seats-type", "seats"),
        ({"seats": True}, "seats-type", "seats"),
        ({"seats": 5.0}, "seats-type", "seats"),
        ({"seats": [5]}, "seats-type", "seats"),
        ({"mass_kg": "1.5"}, "mass_kg-type", "mass_kg"),
        ({"mass_kg": False}, "mass_kg-type", "mass_kg"),
        ({"mass_kg": -0.5}, "mass_kg-minimum", "mass_kg"),
        ({"active": 1}, "active-type", "active"),
        ({"status": "Active"}, "status-enum", "status"),
        ({"links": "none"}, "links-type", "links"),
        ({"links": []}, "links-type", "links"),
        ({"links": {}}, "links-wiki-required", "links.wiki"),
        ({"links": {"wiki": None}}, "links-wiki-required", "links.wiki"),
        ({"links": {"wiki": "w", "photo": {"url": 1}}}, "links-photo-url-type", "links.photo.url"),
        ({"links": {"wiki": "w", "photo": {"by": 1}}}, "links-photo-unknown-field", "links.photo.by"),
        ({"crew": []}, "crew-min-items", "crew"),
        ({"crew": ["Al", "Bo", "Cy", "Di"]}, "crew-max-items", "crew"),
        ({"crew": {"0": "Al"}}, "crew-type", "crew"),
        ({"crew": ["Al", 7]}, "crew-items-type", "crew[1]"),
        ({"crew": ["Al", "bo"]}, "crew-items-pattern", "crew[1]"),
        ({"cores": [{"core": "a"}, {"core": None}]}, "cores-core-required", "cores[1].core"),
        ({"cores": [{"core": "a"}, {}]}, "cores-core-required", "cores[1].core"),
        ({"cores": [{"core": "a", "flight": 0}]}, "cores-flight-minimum", "cores[0].flight"),
        ({"cores": ["a"]}, "cores-items-type", "cores[0]"),
        ({"cores": [{"core": "a", "legs": 1}]}, "cores-items-unknown-field", "cores[0].legs"),
        (
            {"cores": [{"core": "a"}, {"core": "b", "landings": [1, 2, "3"]}]},
            "cores-landings-items-type",
            "cores[1].landings[2]",
        ),
        ({"wings": None}, "record-unknown-field", "wings"),
    ],
)
def test_a_record_that_breaks_one_rule_is_told_that_rule_and_where(
    changes: dict[str, Any], rule_id: str, path: str
) -> None:
    assert broken(good(**changes)) == [(rule_id, path)]


@pytest.mark.parametrize(
    "changes",
    [
        {"mass_kg": 3},
        {"mass_kg": None, "seats": None, "flown_at": None, "built_date": None, "active": None, "status": None},
        {"links": None, "crew": None, "cores": None},
        {"links": {"wiki": "w", "photo": None}},
        {"cores": []},
        {"cores": [{"core": "a", "flight": None, "landings": None}]},
        {"seats": 0},
        {"seats": 7},
        {"name": "ab"},
    ],
)
def test_what_the_contract_allows_breaks_no_rule(changes: dict[str, Any]) -> None:
    assert broken(good(**changes)) == []


def test_a_missing_optional_field_breaks_no_rule() -> None:
    assert broken({"id": "0a1b"}) == []


REAL_INSTANTS = ["2020-02-29T00:00:00Z", "2021-04-22T23:59:59.123456+12:00", "2006-03-24T22:30:00.000-04:30"]
UNREAL_INSTANTS = [
    "2021-02-30T00:00:00Z",
    "2021-02-29T00:00:00Z",
    "2021-04-22",
    "2021-04-22T10:00:00",
    "2021-04-22 10:00:00Z",
    "2021-04-22T24:00:00Z",
    "2021-04-22T10:60:00Z",
    "2021-04-22T10:00:60Z",
    "2021-04-22T10:00:00Z\n",
    "2021-04-22T10:00:00+15:00",
    "2021-13-01T10:00:00Z",
    "0000-01-01T00:00:00Z",
    "\u0662\u0660\u0662\u0661-04-22T10:00:00Z",
    "soon",
    "",
]


@pytest.mark.parametrize("text", REAL_INSTANTS)
def test_an_instant_that_exists_passes(text: str) -> None:
    assert broken(good(flown_at=text)) == []


@pytest.mark.parametrize("text", UNREAL_INSTANTS)
def test_an_instant_that_does_not_exist_is_found(text: str) -> None:
    assert broken(good(flown_at=text)) == [("flown_at-format", "flown_at")]


@pytest.mark.parametrize(
    "text", ["2021-02-29", "2021-2-3", "2021-02-03\n", "20210203", "2021-00-10", "2021-02-03T00:00:00Z"]
)
def test_a_day_that_does_not_exist_is_found(text: str) -> None:
    assert broken(good(built_date=text)) == [("built_date-format", "built_date")]


def test_every_rule_that_a_record_breaks_is_told() -> None:
    record = good(id=None, seats="5", crew=[], cores=[{}, {"core": 1, "flight": 0}], wings=2, rudder=1)

    assert sorted(broken(record)) == [
        ("cores-core-required", "cores[0].core"),
        ("cores-core-type", "cores[1].core"),
        ("cores-flight-minimum", "cores[1].flight"),
        ("crew-min-items", "crew"),
        ("id-required", "id"),
        ("record-unknown-field", "rudder"),
        ("record-unknown-field", "wings"),
        ("seats-type", "seats"),
    ]


def test_violations_stay_with_their_record() -> None:
    judged = JUDGE.judge([good(), good(seats=8), good(), good(cores=[{}])])

    assert [[violation.path for violation in violations] for violations in judged] == [
        [],
        ["seats"],
        [],
        ["cores[0].core"],
    ]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"seats": "5"}, 'is a string, "5"; expected an integer'),
        ({"seats": 8}, "is 8; expected at most 7"),
        ({"status": "lost"}, 'is "lost"; expected one of active, retired'),
        ({"id": None}, "is null"),
        ({"crew": []}, "has 0 items; expected at least 1"),
        ({"id": "z" * 200}, f'is "{"z" * 78}…; expected a text of the form ^[0-9a-f]{{4}}$'),
        ({"flown_at": "soon"}, 'is "soon"; expected an instant that exists, as in 2021-04-22T09:49:00Z'),
    ],
)
def test_a_message_says_what_is_there_and_what_was_expected(changes: dict[str, Any], message: str) -> None:
    ((violation,),) = JUDGE.judge([good(**changes)])

    assert violation.message == message


@pytest.mark.parametrize("name", ["secret-agent", 12345, ["secret"]])
def test_a_value_that_is_not_public_is_never_shown(name: Any) -> None:
    (violations,) = JUDGE.judge([good(name=name)])

    assert violations
    assert not any("secret" in violation.message or "12345" in violation.message for violation in violations)


def test_an_object_that_holds_something_not_public_is_not_shown_either() -> None:
    inside = replace(prop("links.wiki", LogicalType.STRING), classification="internal")
    links = prop("links", LogicalType.OBJECT, inside)
    of = contract(rule("links", RuleKind.TYPE, LogicalType.OBJECT), properties=(prop("id", LogicalType.STRING), links))

    ((violation,),) = Judge(of).judge([{"id": "0a1b", "links": ["secret"]}])

    assert violation.message == "is an array; expected an object"


def test_what_lies_in_an_object_that_is_not_public_is_not_shown() -> None:
    inside = prop("links.wiki", LogicalType.STRING)
    links = replace(prop("links", LogicalType.OBJECT, inside), classification="internal")
    of = contract(rule("links.wiki", RuleKind.ENUM, ("w",)), properties=(prop("id", LogicalType.STRING), links))

    ((violation,),) = Judge(of).judge([{"id": "0a1b", "links": {"wiki": "secret"}}])

    assert violation.message == "is not shown here; expected one of w"


def test_a_pattern_that_cannot_be_judged_is_refused_when_the_gate_is_made() -> None:
    with pytest.raises(ContractInvalid, match=r"id-pattern.*look-around"):
        Judge(contract(rule("id", RuleKind.PATTERN, "(?=a)")))


def test_a_set_rule_is_not_judged_record_by_record() -> None:
    assert Judge(contract(rule("id", RuleKind.UNIQUE))).judge([good(), good()]) == [(), ()]


def test_rules_that_nothing_breaks_are_left_out_of_pandera_and_change_nothing() -> None:
    judge = Judge(EVERY_KIND)
    # What does not fit 64 bits is never read, so that no record with it comes to the judge.
    rules = [
        rule for rule in EVERY_KIND.rules if rule.scope is Scope.ROW and rule.argument not in {-(2**63), 2**63 - 1}
    ]
    records = [one.record for rule in rules for one in bad_records(EVERY_KIND, rule)]
    frames = Flattener(EVERY_KIND).flatten(records)

    whole = {
        (rule_id, place[0])
        for path, schema in judge.schemas.items()
        for rule_id, place in failures(schema, frames[path])
    }

    told = {(broken.rule_id, index) for index, found in enumerate(judge.judge(records)) for broken in found}
    assert len(whole) > len(EVERY_KIND.rules) / 2
    assert told == whole
