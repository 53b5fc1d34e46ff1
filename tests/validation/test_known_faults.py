"""True faults of the API that lie in no recording, or in one dataset only: records made by hand that have them too.

Each shows the rule that tells it, and that what is odd but true is told by none.
"""

import copy
from typing import Any

import pytest

from contracts.derive.expectations import ExpectationKind, expectations
from contracts.model import RuleKind, Severity
from contracts.read import read_contracts
from contracts.sample import good_record
from tests.validation.hand_made import ListSink, line
from tests.validation.test_findings import dangling, repeated
from validation.raw_gate import RawGate, judge_batch
from validation.results import ShardResult, Verdict

CONTRACTS = read_contracts()
Record = dict[str, Any]

COTS_2 = {"date_utc": "2012-05-22T07:44:00.000Z", "date_unix": 1335944640, "date_local": "2012-05-22T03:44:00-04:00"}
SSO_A = {"date_utc": "2018-12-03T18:34:00.000Z", "date_unix": 1543861920, "date_local": "2018-12-03T10:34:00-08:00"}
RATSAT = {"date_utc": "2008-09-28T23:15:00.000Z", "date_unix": 1222643700, "date_local": "2008-09-28T11:15:00+12:00"}
IRIDIUM_5 = {"date_utc": "2018-03-30T14:13:51.000Z", "date_unix": 1522419231, "date_local": "2018-03-30T07:13:51-08:00"}
STARLINK_4_4 = {
    "date_utc": "2021-12-18T12:41:40.000Z",
    "date_unix": 1639831300,
    "date_local": "2021-12-18T12:41:40-08:00",
}
STARLINK_6 = {"static_fire_date_utc": "2020-04-17T11:48:00.000Z", "static_fire_date_unix": 1587687810}
STARLINK_6_LAUNCH = {
    "date_utc": "2020-04-22T19:30:00.000Z",
    "date_unix": 1587583800,
    "date_local": "2020-04-22T15:30:00-04:00",
}
SES_9 = {
    "static_fire_date_utc": "2016-10-02T14:11:00.000Z",
    "static_fire_date_unix": 1475417460,
    "date_utc": "2016-03-04T23:35:00.000Z",
    "date_unix": 1457134500,
    "date_local": "2016-03-04T18:35:00-05:00",
}
CAR_IN_2022 = {
    "apoapsis_au": 1.664332332453025,
    "periapsis_au": 0.986015924224046,
    "semi_major_axis_au": 57.70686413577451,
}


def nulled(*names: str) -> dict[str, Any]:
    return dict.fromkeys(names)


TOLD: list[tuple[str, str, Record, set[str]]] = [
    ("launches", "COTS 2", COTS_2 | nulled(*STARLINK_6), {"dates-agree", "local-date-agrees"}),
    ("launches", "SSO-A", SSO_A, {"dates-agree", "local-date-agrees"}),
    ("launches", "RatSat", RATSAT, {"local-date-agrees"}),
    ("launches", "Iridium NEXT Mission 5", IRIDIUM_5, {"local-date-agrees"}),
    ("launches", "Starlink 4-4", STARLINK_4_4, {"local-date-agrees"}),
    ("launches", "Starlink-6", STARLINK_6 | STARLINK_6_LAUNCH, {"static-fire-dates-agree"}),
    ("launches", "SES-9", SES_9, {"static-fire-before-launch"}),
    ("launches", "half a test", {"static_fire_date_unix": None}, {"static-fire-dates-together"}),
    ("launches", "CRS-17", {"details": "likely to land on OCISLY instead.\n    "}, {"details-pattern"}),
    ("payloads", "FalconSAT-2", {"mass_kg": 20, "mass_lbs": 43}, {"masses-agree"}),
    ("payloads", "half a mass", {"mass_lbs": None}, {"masses-together"}),
    ("payloads", "NROL-108", {"orbit": None}, {"orbit-words-together"}),
    ("payloads", "half an orbit", {"mean_motion": None}, {"orbit-together"}),
    ("payloads", "a longitude counted to 360", {"longitude": 200}, {"longitude-maximum"}),
    ("roadster", "the car on 2022-11-30", CAR_IN_2022, {"semi-major-axis-agrees"}),
    ("starlink", "a position without a height", {"height_km": None}, {"position-together"}),
    ("cores", "a note with a blank", {"last_update": "Retired. "}, {"last_update-pattern"}),
    ("cores", "more landings than attempts", {"rtls_landings": 3, "rtls_attempts": 2}, {"rtls-landings-attempted"}),
    ("launchpads", "more successes than attempts", {"launch_successes": 100}, {"successes-attempted"}),
    ("rockets", "feet for metres", {"diameter": {"meters": 12, "feet": 12}}, {"diameters-agree"}),
]

AMOS_6 = {"failures": [{"time": -165180, "altitude": 0, "reason": "buckled liner in several of the COPV tanks"}]}
OCEAN = {"landing_attempt": True, "landing_success": True, "landing_type": "Ocean", "landpad": None}
LOST_BEFORE = {"landing_attempt": True, "landing_success": None}
TRUE_THOUGH_ODD: list[tuple[str, str, Record]] = [
    ("launches", "Amos-6, lost before it flew", AMOS_6),
    ("launches", "CRS-3, landed on the sea", {"cores": [OCEAN]}),
    ("launches", "CRS-7, lost before it could land", {"cores": [LOST_BEFORE]}),
    ("launches", "Starlink 3-1, whose outcome nobody entered", {"success": None, "upcoming": False}),
    ("launches", "a month as a date", {"date_precision": "month", "upcoming": True, "success": None, "payloads": []}),
    ("payloads", "the car, for ever", {"lifespan_years": 3_500_000}),
    ("payloads", "Beresheet, for two days", {"lifespan_years": 0.00547945}),
    ("payloads", "a secret one", nulled("mass_kg", "mass_lbs")),
    ("payloads", "one without a launch", {"launch": None}),
    ("starlink", "a satellite that burnt up", nulled("longitude", "latitude", "height_km", "velocity_kms")),
]


def judged(dataset: str, *records: Record) -> ShardResult:
    lines = [line({**record, "id": f"{number:024x}"}) for number, record in enumerate(records)]
    return RawGate(CONTRACTS[dataset]).check_shard("b", "0", [("a", lines)], ListSink())


def changed(dataset: str, changes: Record) -> Record:
    """A good record with the changes; what is inside the first booster is changed there."""
    record = copy.deepcopy(good_record(CONTRACTS[dataset]))
    if "cores" in changes:
        changes = {**changes, "cores": [{**record["cores"][0], **changes["cores"][0]}]}
    return {**record, **changes}


@pytest.mark.parametrize(("dataset", "name", "changes", "rules"), TOLD, ids=[f"{row[0]}-{row[1]}" for row in TOLD])
def test_a_true_fault_is_told_and_its_record_kept(dataset: str, name: str, changes: Record, rules: set[str]) -> None:
    shard = judged(dataset, changed(dataset, changes))
    assert (shard.accepted_count, shard.warnings_by_rule) == (1, dict.fromkeys(sorted(rules), 1)), name


@pytest.mark.parametrize(("dataset", "name", "changes"), TRUE_THOUGH_ODD, ids=[row[1] for row in TRUE_THOUGH_ODD])
def test_what_is_odd_but_true_is_told_by_no_rule(dataset: str, name: str, changes: Record) -> None:
    shard = judged(dataset, changed(dataset, changes))
    assert (shard.accepted_count, shard.warnings_by_rule) == (1, {}), name


def test_four_launches_of_one_number_are_told_and_published() -> None:
    contract = CONTRACTS["launches"]
    names = ("USSF-44", "Starlink 4-36", "Galaxy 33 (15R) & 34 (12R)", "Hotbird 13F")
    records = [{**good_record(contract), "name": name, "flight_number": 188} for name in names]
    shard = judged("launches", *records)
    result = judge_batch(contract, "b", [shard], 4, [])
    assert repeated(contract, [{**record, "id": name} for record, name in zip(records, names, strict=True)]) == {
        "flight-number-unique": 4
    }
    assert [check.rule_id for check in result.set_checks if not check.passed] == ["flight-number-unique"]
    assert result.verdict is Verdict.GO


def test_the_load_gate_asks_for_unique_flight_numbers_as_a_warning() -> None:
    asked = [
        (found.column, found.severity)
        for found in expectations(CONTRACTS["launches"])
        if found.kind is ExpectationKind.UNIQUE
    ]
    assert asked == [
        ("flight_number", Severity.WARNING),
        ("name", Severity.WARNING),
        ("id", Severity.ERROR),
    ]


def test_payloads_of_deleted_launches_dangle_and_a_payload_without_one_does_not() -> None:
    contract = CONTRACTS["payloads"]
    named = ["6161c7d26db1a92bfba85346", "61eef7489eb1064137a1bd6f", "628025222c0aa958437dcf76", None, "0" * 24]
    payloads = [{**good_record(contract), "launch": launch_id} for launch_id in named]
    assert dangling(contract, payloads, {"launches": [{"id": "0" * 24}]}) == {"launch-reference": 3}
    assert contract.rule("launch-reference").severity is Severity.WARNING


@pytest.mark.parametrize(
    ("dataset", "published", "extracted", "is_allowed"),
    [
        ("launches", 142, 139, True),  # three were deleted in a year
        ("launches", 205, 187, False),  # past launches alone
        ("launches", 205, 1, False),  # the latest alone: what the connector asks for when nobody tells it otherwise
        ("payloads", 166, 163, True),
        ("payloads", 225, 100, False),
        ("starlink", 1445, 1444, True),
        ("starlink", 3526, 1445, False),
        ("rockets", 4, 3, True),
        ("rockets", 4, 2, False),
        ("launchpads", 6, 4, False),
    ],
)
def test_real_deletions_pass_and_a_part_of_a_snapshot_does_not(
    dataset: str, published: int, extracted: int, is_allowed: bool
) -> None:
    (rule,) = [rule for rule in CONTRACTS[dataset].rules if rule.kind is RuleKind.SHRINKAGE]
    assert rule.severity is Severity.ERROR
    assert rule.argument.allows(extracted, published) is is_allowed
