"""Rules that compare several fields: what the judge says, held against the same rules in plain Python."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts import rules
from contracts.comparisons import AcrossFields, Agrees, AtMost, SameInstant, Term, Together
from contracts.model import Contract, LogicalType, Rule, frame_path
from contracts.rules import Note
from tests.validation.hand_made import contract, prop
from validation.judge import Judge

PROPERTIES = (
    prop("id", LogicalType.STRING),
    prop("at", LogicalType.TIMESTAMP),
    prop("ended_at", LogicalType.TIMESTAMP),
    prop("at_s", LogicalType.INTEGER),
    prop("on", LogicalType.DATE),
    prop("until", LogicalType.DATE),
    prop("mass_kg", LogicalType.NUMBER),
    prop("mass_lbs", LogicalType.INTEGER),
    prop("secret_kg", LogicalType.NUMBER, classification="restricted"),
    prop("orbit", LogicalType.OBJECT, prop("orbit.low", LogicalType.NUMBER), prop("orbit.high", LogicalType.NUMBER)),
    prop(
        "cores",
        LogicalType.ARRAY,
        prop(
            "cores[]",
            LogicalType.OBJECT,
            prop("cores[].landings", LogicalType.INTEGER),
            prop("cores[].flights", LogicalType.INTEGER),
        ),
    ),
)

SAME = SameInstant("at_s", "at", 1.0)
MASSES = Agrees("mass_lbs", (Term("mass_kg", 2.20462),), absolute=1.0, ratio=0.01)


def rule(comparison: AcrossFields) -> Rule:
    return rules.across_fields(comparison, Note(reason="Because."), "the-rule")


def contract_of(comparison: AcrossFields) -> Contract:
    return replace(contract(), properties=PROPERTIES, rules=(rule(comparison),))


def told(comparison: AcrossFields, record: dict[str, Any]) -> list[tuple[str, str]]:
    (violations,) = Judge(contract_of(comparison)).judge([record])
    return [(violation.path, violation.message) for violation in violations]


@pytest.mark.parametrize(
    ("comparison", "record"),
    [
        (SAME, {"at": "1970-01-02T00:00:00Z", "at_s": 86_400}),
        (SAME, {"at": "1970-01-02T00:00:00.900Z", "at_s": 86_400}),
        (SAME, {"at": "1970-01-02T00:00:00.000Z", "at_s": 86_401}),
        (SAME, {"at": "1970-01-01T20:00:00-04:00", "at_s": 86_400}),
        (SAME, {"at": "1970-01-02T05:30:00+05:30", "at_s": 86_400}),
        (SAME, {"at": None, "at_s": 5}),
        (SAME, {"at_s": 5}),
        (SAME, {"at": "soon", "at_s": 5}),
        (SAME, {"at": "1970-01-02T00:00:00Z", "at_s": "five"}),
        (MASSES, {"mass_kg": 20, "mass_lbs": 44}),
        (MASSES, {"mass_kg": 20, "mass_lbs": 45}),
        (MASSES, {"mass_kg": 10_000, "mass_lbs": 22_200}),
        (MASSES, {"mass_kg": None, "mass_lbs": 44}),
        (AtMost("at", "ended_at"), {"at": "2020-01-01T00:00:00Z", "ended_at": "2020-01-01T00:00:00.000Z"}),
        (AtMost("at", "ended_at"), {"at": "2020-01-01T02:00:00+02:00", "ended_at": "2020-01-01T00:30:00Z"}),
        (AtMost("on", "until"), {"on": "2020-01-01", "until": "2020-01-01"}),
        (AtMost("orbit.low", "orbit.high"), {"orbit": {"low": 1, "high": 1.5}}),
        (AtMost("orbit.low", "orbit.high"), {"orbit": None}),
        (AtMost("orbit.low", "orbit.high"), {}),
        (AtMost("cores[].landings", "cores[].flights"), {"cores": []}),
        (Together(("at", "at_s")), {"at": "x", "at_s": 1}),
        (Together(("at", "at_s")), {"at": None}),
        (Together(("orbit.low", "orbit.high")), {"orbit": None}),
    ],
)
def test_what_agrees_or_cannot_be_compared_holds(comparison: AcrossFields, record: dict[str, Any]) -> None:
    assert told(comparison, record) == []


@pytest.mark.parametrize(
    ("comparison", "record", "path", "message"),
    [
        (
            SAME,
            {"at": "1970-01-02T00:00:00Z", "at_s": 86_402},
            "at_s",
            'is 86402; expected the instant of at, "1970-01-02T00:00:00Z", within 1 s',
        ),
        (
            MASSES,
            {"mass_kg": 20, "mass_lbs": 48},
            "mass_lbs",
            "is 48; expected mass_kg (20) times 2.20462, give or take 1 or 1 %",
        ),
        (
            AtMost("at", "ended_at"),
            {"at": "2020-01-01T00:00:00-01:00", "ended_at": "2020-01-01T00:30:00Z"},
            "at",
            'is "2020-01-01T00:00:00-01:00"; expected at most ended_at, "2020-01-01T00:30:00Z"',
        ),
        (
            AtMost("on", "until"),
            {"on": "2020-01-02", "until": "2020-01-01"},
            "on",
            'is "2020-01-02"; expected at most until, "2020-01-01"',
        ),
        (
            AtMost("cores[].landings", "cores[].flights"),
            {"cores": [{"landings": 1, "flights": 1}, {"landings": 2, "flights": 1}]},
            "cores[1].landings",
            "is 2; expected at most cores[].flights, 1",
        ),
        (
            Together(("at", "at_s")),
            {"at": None, "at_s": 1},
            "at",
            "at null or missing while at_s is there; expected all or none",
        ),
        (
            Together(("orbit.low", "orbit.high")),
            {"orbit": {"low": 1}},
            "orbit.low",
            "orbit.high null or missing while orbit.low is there; expected all or none",
        ),
        (
            Agrees("secret_kg", (Term("mass_kg", 1.0),), absolute=0.0, ratio=0.0),
            {"secret_kg": 5, "mass_kg": 6},
            "secret_kg",
            "is not shown here; expected mass_kg (not shown here), exactly",
        ),
    ],
)
def test_what_does_not_agree_is_told_with_what_was_expected(
    comparison: AcrossFields, record: dict[str, Any], path: str, message: str
) -> None:
    assert told(comparison, record) == [(path, message)]


MOMENTS = st.integers(-62_135_000_000, 253_402_000_000).map(
    lambda s: datetime(1970, 1, 1, tzinfo=UTC) + timedelta(0, s)
)
INSTANTS = MOMENTS.flatmap(
    lambda at: st.integers(-14 * 60, 14 * 60).map(lambda m: at.astimezone(timezone(timedelta(minutes=m))))
)
TEXTS = INSTANTS.map(lambda at: at.isoformat(timespec="microseconds"))
NEAR = st.floats(-5, 5)


def breaks(comparison: AcrossFields, record: dict[str, Any]) -> bool:
    """The second opinion."""
    match comparison:
        case SameInstant(seconds, instant, tolerance_s):
            return bool(abs(record[seconds] - datetime.fromisoformat(record[instant]).timestamp()) > tolerance_s)
        case Agrees(field, terms, absolute, ratio):
            total = sum(record[term.field] * term.times for term in terms)
            return bool(abs(record[field] - total) > max(absolute, ratio * abs(total)))
        case AtMost(field, of) if isinstance(record[field], str):
            return datetime.fromisoformat(record[field]) > datetime.fromisoformat(record[of])
        case AtMost(field, of):
            return bool(record[field] > record[of])
        case Together():
            raise AssertionError


@given(at=TEXTS, off_s=st.integers(-3, 3))
def test_instants_are_compared_as_python_does(at: str, off_s: int) -> None:
    record = {"at": at, "at_s": int(datetime.fromisoformat(at).timestamp()) + off_s}

    assert bool(told(SAME, record)) is breaks(SAME, record)


@given(first=TEXTS, second=TEXTS)
def test_instants_are_ordered_as_python_does(first: str, second: str) -> None:
    record = {"at": first, "ended_at": second}

    assert bool(told(AtMost("at", "ended_at"), record)) is breaks(AtMost("at", "ended_at"), record)


@given(first=st.dates(), second=st.dates())
def test_days_are_ordered_as_python_does(first: date, second: date) -> None:
    record = {"on": first.isoformat(), "until": second.isoformat()}

    assert bool(told(AtMost("on", "until"), record)) is (first > second)


@given(mass_kg=st.floats(0, 1e6), off=NEAR)
def test_sums_are_compared_as_python_does(mass_kg: float, off: float) -> None:
    record = {"mass_kg": mass_kg, "mass_lbs": round(mass_kg * 2.20462 + off)}

    assert bool(told(MASSES, record)) is breaks(MASSES, record)


def test_a_comparison_is_told_of_where_its_fields_repeat() -> None:
    assert rule(AtMost("cores[].landings", "cores[].flights")).path == "cores[].landings"
    assert frame_path("cores[].landings") == "cores[]"
