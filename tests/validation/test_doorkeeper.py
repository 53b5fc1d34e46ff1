"""The doorkeeper opens for nothing that the judge or the envelope would refuse or warn of, and it does open."""

import copy
import functools
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts import rules
from contracts.comparisons import AcrossFields, Agrees, AtMost, SameInstant, Term, Together
from contracts.errors import ContractInvalid
from contracts.model import DriftPolicy, RuleKind, Scope
from contracts.read import read_contracts
from contracts.rules import Note
from contracts.sample import good_record
from contracts.specimens import bad_records
from tests.validation import hand_made
from tests.validation import test_across_fields as across_fields
from tests.validation.hand_made import line, rule
from tests.validation.recordings import COUNTS, recorded
from validation.doorkeeper import Doorkeeper
from validation.envelope import Envelope, parse_line
from validation.judge import Judge
from validation.raw_gate import RawGate

OPEN = hand_made.contract(*(one for one in hand_made.RULES if one.kind is not RuleKind.UNKNOWN_FIELD))
CLOSED = hand_made.contract(*hand_made.RULES, rule("links", RuleKind.UNKNOWN_FIELD, DriftPolicy.QUARANTINE))
COMPARISONS: list[AcrossFields] = [
    SameInstant("at_s", "at", 1.0),
    SameInstant("at_s", "ended_at", 3600.5),
    Agrees("mass_lbs", (Term("mass_kg", 2.20462),), absolute=1.0, ratio=0.01),
    Agrees("orbit.high", (Term("orbit.low", 1.0), Term("mass_kg", -0.1)), absolute=2.0, ratio=0.0),
    AtMost("at", "ended_at"),
    AtMost("on", "until"),
    AtMost("orbit.low", "orbit.high"),
    AtMost("cores[].landings", "cores[].flights"),
    Together(("orbit.low", "orbit.high")),
    Together(("cores[].landings", "cores[].flights")),
    Together(("on", "until", "at")),
    Together(("mass_kg", "orbit.low")),
]
ACROSS = replace(
    hand_made.contract(),
    properties=across_fields.PROPERTIES,
    rules=tuple(rules.across_fields(one, Note(), f"rule-{number}") for number, one in enumerate(COMPARISONS)),
)
CONTRACTS = {
    "across fields": ACROSS,
    **read_contracts(),
    "hand-made": hand_made.contract(),
    "closed to unknown fields": CLOSED,
    "open to unknown fields": OPEN,
}


def good(name: str) -> dict[str, Any]:
    if name == "across fields":
        return {
            "id": "a",
            **{"at": "2020-05-30T19:22:00Z", "at_s": 1590866520, "ended_at": "2020-05-30T20:22:00.25Z"},
            **{"on": "2020-05-30", "until": "2020-06-01", "mass_kg": 20, "mass_lbs": 44},
            **{"orbit": {"low": 300.5, "high": 300.5}, "cores": [{"landings": 1, "flights": 2}, None]},
        }
    return hand_made.good() if CONTRACTS[name].dataset == "crafts" else good_record(CONTRACTS[name])


@functools.cache
def doorkeeper(name: str) -> Doorkeeper:
    return Doorkeeper(CONTRACTS[name])


@functools.cache
def judge(name: str) -> Judge:
    return Judge(CONTRACTS[name])


def compact(record: Any, **envelope: Any) -> bytes:
    """A line as Airbyte writes it: without spaces, without its end."""
    return orjson.dumps(json.loads(line(record, **envelope)))


def is_opened(door: Doorkeeper, raw: bytes) -> bool:
    return door.opens_for([raw]) != [None]


def opens(raw: bytes, name: str = "hand-made") -> bool:
    return is_opened(doorkeeper(name), raw)


@pytest.mark.parametrize("name", CONTRACTS)
def test_a_good_record_is_let_through_however_it_is_spelled(name: str) -> None:
    record = good(name)
    backwards = json.loads(line(record), object_pairs_hook=lambda pairs: dict(reversed(pairs)))
    spellings = [
        *(compact(record), line(record), orjson.dumps(backwards)),
        json.dumps(json.loads(line(record))).encode() + b"\r\n",
    ]

    assert doorkeeper(name).opens_for(spellings) == [RawGate(CONTRACTS[name]).identity(record)] * len(spellings)


@pytest.mark.parametrize(("snapshot", "dataset"), COUNTS)
def test_of_what_was_recorded_exactly_that_is_let_through_which_breaks_nothing(snapshot: str, dataset: str) -> None:
    records = recorded(snapshot, dataset)
    broken = judge(dataset).judge(records)

    assert len(records) == COUNTS[snapshot, dataset] > 0
    assert [opens(compact(record), dataset) for record in records] == [not violations for violations in broken]


@pytest.mark.parametrize("name", read_contracts())
def test_no_specimen_of_a_broken_rule_is_let_through(name: str) -> None:
    contract = CONTRACTS[name]
    of_records = [of for of in contract.rules if of.scope is Scope.ROW and of.kind is not RuleKind.SOURCE_DAMAGE]
    specimens = [one for of in of_records for one in bad_records(contract, of)]

    assert len(specimens) > 10
    assert [str(one) for one in specimens if opens(compact(one.record), name)] == []


@pytest.mark.parametrize(
    "damage",
    [
        lambda raw: raw.replace(b'"seats":4', b'"seats":4,"seats":4'),
        lambda raw: raw.replace(b'"seats":4', b'"seats":4,"\\u0073eats":4'),
        lambda raw: raw.replace(b'"seats":4', b'"seats":4.0'),
        lambda raw: raw.replace(b'"seats":4', b'"seats":4e0'),
        lambda raw: raw.replace(b'"seats":4', b'"seats":true'),
        lambda raw: raw.replace(b"9525.5", b"9223372036854775808"),
        lambda raw: raw.replace(b"9525.5", b"95255000000000000000000"),
        lambda raw: raw.replace(b"9525.5", b"9525.50000000000000000001"),
        lambda raw: raw.replace(b"9525.5", b"1e-400"),
        lambda raw: raw.replace(b"Dragon", b"Dra\\u0000"),
        lambda raw: raw.replace(b"Dragon", b"Dra\\ud800"),
        lambda raw: raw.replace(b"Dragon", b"Dra\xff"),
        lambda raw: raw.replace(b"Dragon", b"Dra\x00"),
        lambda raw: raw.replace(b"_airbyte_raw_id", b"_airbyte_ab_id"),
        lambda raw: raw.replace(b'"changes":[]', b'"changes":[{"field":"name","change":"NULLED"}]'),
        lambda raw: raw.replace(b'"_airbyte_data":', b'"_airbyte_data":{},"_airbyte_data":'),
        lambda raw: raw[:-1],
        lambda raw: b"\xef\xbb\xbf" + raw,
        lambda raw: b"[" + raw + b"]",
        lambda raw: b"",
        lambda raw: b"[" * 100_000,
        lambda raw: raw + b" " * (4 * 1024 * 1024),
    ],
)
@pytest.mark.parametrize("name", ["closed to unknown fields", "open to unknown fields"])
def test_no_line_is_let_through_that_is_not_what_it_seems(name: str, damage: Callable[[bytes], bytes]) -> None:
    raw = compact(hand_made.good())

    assert opens(raw, name)
    assert damage(raw) != raw
    assert not opens(damage(raw), name)


DEEP: Any = json.loads("[" * 220 + "]" * 220)


@pytest.mark.parametrize(
    ("value", "is_let_through"),
    [
        (1, True),
        (2**63 - 1, True),
        (2**63, False),
        ([[]], True),
        (DEEP, False),
    ],
    ids=["1", "2**63 - 1", "2**63", "a list", "220 lists"],
)
def test_what_lies_in_an_unknown_field_is_looked_at_too(value: Any, is_let_through: bool) -> None:
    assert opens(compact(hand_made.good(unknown=value)), "open to unknown fields") is is_let_through
    assert not opens(compact(hand_made.good(unknown=value)), "hand-made")


def test_a_field_that_may_be_unknown_and_is_only_warned_of_goes_to_the_judge() -> None:
    warned = hand_made.contract(rule("", RuleKind.UNKNOWN_FIELD, DriftPolicy.WARN))
    allowed = hand_made.contract(rule("", RuleKind.UNKNOWN_FIELD, DriftPolicy.ALLOW))
    raw = compact(hand_made.good(unknown=1))

    assert not is_opened(Doorkeeper(warned), raw)
    assert is_opened(Doorkeeper(allowed), raw)


DAYS = st.one_of(
    st.dates().map(str),
    st.tuples(st.integers(0, 9999), st.integers(0, 13), st.integers(0, 32)).map(
        lambda at: f"{at[0]:04}-{at[1]:02}-{at[2]:02}"
    ),
    st.sampled_from(["1900-02-29", "2000-02-29", "2024-02-29", "2023-02-29", "0000-02-29", "0004-02-29", "2021-04-31"]),
)
TIMES = st.one_of(
    st.times().map(lambda at: f"T{at.isoformat()}Z"),
    st.from_regex(r"\AT[0-2][0-9]:[0-6][0-9]:[0-6][0-9](\.[0-9]{0,7})?(Z|[+-][01][0-9]:[0-6][0-9])?\n?\Z"),
)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(DAYS, TIMES), min_size=20, max_size=50))
def test_only_days_and_instants_that_exist_are_let_through(moments: list[tuple[str, str]]) -> None:
    records = [hand_made.good(built_date=day, flown_at=day + time) for day, time in moments]

    passed = [record for record in records if opens(compact(record))]

    assert judge("hand-made").judge(passed) == [()] * len(passed)


def test_nearly_every_day_is_let_through() -> None:
    days = [str(date(1999, 1, 1) + timedelta(number)) for number in range(2000)]

    refused = [day for day in days if not opens(compact(hand_made.good(built_date=day)))]

    assert refused == ["2000-02-29"]  # leaps only by the rule of centuries


WEIRD: st.SearchStrategy[Any] = st.one_of(
    st.sampled_from(
        [
            *(None, True, False, 0, -1, 1, 4.0, 0.5, -0.0, 1e300, 5e-324),
            *(2**31, 2**53 + 1, 2**63 - 1, 2**63, 2**64 - 1, 2**64, -(2**63)),
            *("", "5", "x" * 300, "é" * 200, "a\n", "\x00", "\x7f", "\U0001f680", "\ud800"),
            *("2021-02-30", "2020-05-30", "2020-05-30T19:22:00Z", "2020-05-30T19:22:00+14:59"),
            *([], {}, [None], [[]], {"a": 1}, [1, "a"]),
        ]
    ),
    st.integers(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=12),
)
Place = tuple[str | int, ...]


def places(value: Any, at: Place = ()) -> list[Place]:
    """Where the parts of a value lie."""
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [at, *(place for step, child in inside for place in places(child, (*at, step)))]


def change(record: Any, at: Place, how: str, value: Any) -> Any:
    """The record with one part replaced, left out or doubled, or with one part more beside it."""
    if not at:
        return record
    around = record
    for step in at[:-1]:
        around = around[step]
    if how == "replace":
        around[at[-1]] = value
    elif isinstance(around, list):
        around[:] = around + around if how == "add" else around[:-1]
    elif how == "add":
        around["added"] = value
    else:
        del around[at[-1]]
    return record


@st.composite
def lines(draw: st.DrawFn, name: str) -> bytes:
    """A line of a good record, with changes to the record, to its spelling and to its bytes, or with none."""
    record = copy.deepcopy(good(name))
    for _ in range(draw(st.integers(0, 2))):
        at = draw(st.sampled_from(places(record)))
        record = change(record, at, draw(st.sampled_from(["replace", "replace", "remove", "add"])), draw(WEIRD))
    raw = draw(st.sampled_from(SPELLINGS))(record)
    for _ in range(draw(st.sampled_from([0, 0, 0, 1, 3]))):
        raw = draw(st.sampled_from(DAMAGES))(raw, draw(st.integers(0, len(raw))), draw(st.binary(max_size=2)))
    return raw


def spell(record: Any, **how: Any) -> bytes:
    return json.dumps({**hand_made.ENVELOPE, "_airbyte_data": record}, **how).encode("utf-8", "surrogatepass")


SPELLINGS = [
    functools.partial(spell, separators=(",", ":"), ensure_ascii=False),
    functools.partial(spell, separators=(",", ":"), ensure_ascii=False),
    functools.partial(spell, separators=(",", ":")),
    functools.partial(spell),
]


def double_a_member(raw: bytes, at: int, _: bytes) -> bytes:
    """Repeats what lies between two commas, which often is a whole member of an object."""
    start = raw.find(b",", at)
    end = raw.find(b",", start + 1)
    return raw[:end] + raw[start:end] + raw[end:] if start >= 0 and end >= 0 else raw


DAMAGES = [
    lambda raw, at, more: raw[:at] + more + raw[at:],
    lambda raw, at, more: raw[:at] + more + raw[at + len(more) :],
    lambda raw, at, more: raw[:at] + raw[at + 1 :],
    lambda raw, at, more: raw[:at] + b"0" + raw[at:],
    lambda raw, at, more: raw[:at],
    double_a_member,
]


@pytest.mark.parametrize("name", CONTRACTS)
@settings(max_examples=20, deadline=None)
@given(data=st.data())
def test_what_is_let_through_is_read_and_breaks_nothing(name: str, data: st.DataObject) -> None:
    raws = data.draw(st.lists(lines(name), min_size=5, max_size=30))

    identities = doorkeeper(name).opens_for(raws)
    passed = [(identity, parse_line(raw)) for raw, identity in zip(raws, identities, strict=True) if identity]

    for identity, opened in passed:
        assert isinstance(opened, Envelope), opened
        assert (opened.changes, RawGate(CONTRACTS[name]).identity(opened.record)) == ((), identity)
    records = [opened.record for _, opened in passed if isinstance(opened, Envelope)]
    assert judge(name).judge(records) == [()] * len(passed)
    assert [Doorkeeper(CONTRACTS[name]).opens_for([raw]) for raw in raws[:3]] == [[one] for one in identities[:3]]


INSTANTS = st.builds(
    "2020-05-30T19:{:02}:{:02}{}{}".format,
    st.sampled_from([21, 22]),
    st.sampled_from([0, 1, 59]),
    st.sampled_from(["", ".0", ".000", ".5", ".999999", ".000001"]),
    st.sampled_from(["Z", "Z", "Z", "+00:00", "-00:00", "+00:01", "-01:00"]),
)
NUMBERS = st.one_of(st.sampled_from([20, 44, 45, 43.08, 43.1, 0, -0.0, 1e300, 2**53 + 1]), st.floats(40, 50))
COMPARED = st.fixed_dictionaries(
    {"id": st.just("a")},
    optional={
        "at": INSTANTS | st.none(),
        "ended_at": INSTANTS | st.sampled_from([None, "soon", "2020-05-30", "20200530T192200Z"]),
        "at_s": st.integers(1590866519, 1590866522) | st.none(),
        "on": st.dates(date(2020, 5, 30), date(2020, 6, 1)).map(str) | st.none(),
        "until": st.dates(date(2020, 5, 30), date(2020, 6, 1)).map(str) | st.none(),
        "mass_kg": st.just(20) | NUMBERS | st.none(),
        "mass_lbs": st.sampled_from([42, 43, 44, 45, 46, None]),
        "orbit": st.none() | st.fixed_dictionaries({}, optional={"low": NUMBERS, "high": NUMBERS | st.none()}),
        "cores": st.lists(
            st.none() | st.fixed_dictionaries({}, optional=dict.fromkeys(["landings", "flights"], st.integers(0, 2)))
        ),
    },
)


@settings(max_examples=20, deadline=None)
@given(records=st.lists(COMPARED, min_size=20, max_size=60))
@pytest.mark.parametrize("comparison", COMPARISONS, ids=str)
def test_a_record_is_let_through_only_if_the_comparison_holds(
    comparison: AcrossFields, records: list[dict[str, Any]]
) -> None:
    contract = replace(ACROSS, rules=(across_fields.rule(comparison),))
    keeper = Doorkeeper(contract)

    passed = [record for record in records if is_opened(keeper, compact(record))]

    assert Judge(contract).judge(passed) == [()] * len(passed)


def test_of_two_rules_of_one_kind_and_path_both_hold() -> None:
    short, small = (rule("name", RuleKind.PATTERN, pattern) for pattern in ("^[A-Za-z]{1,4}$", "^[a-z]+$"))
    door = Doorkeeper(replace(hand_made.contract(), rules=(short, small)))

    assert [is_opened(door, compact({"name": name})) for name in ("ab", "AB", "abcde")] == [
        True,
        False,
        False,
    ]


def test_a_rule_that_the_doorkeeper_does_not_know_is_refused_and_not_passed_over() -> None:
    unknown = replace(hand_made.RULES[0], kind=RuleKind.SHRINKAGE)  # a kind that is none of a record

    with pytest.raises(ContractInvalid, match="does not know shrinkage"):
        Doorkeeper(hand_made.contract(unknown))
