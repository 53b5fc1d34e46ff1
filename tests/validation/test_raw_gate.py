"""The raw gate's streaming, accounts and verdicts."""

import gzip
import io
import json
from collections.abc import Collection, Iterator, Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.errors import ServiceUnavailable
from contracts.model import Contract, DriftPolicy, RejectLimit, RuleKind, Severity
from loader.lines import landed_lines
from tests.validation.hand_made import RULES, ListSink, check, contract, good, rule
from tests.validation.hand_made import line as line_with_end
from validation import raw_gate
from validation.envelope import Unparseable, parse_line
from validation.lines import LandedLine, ObjectDamaged, OverlongLine
from validation.raw_gate import RawGate, judge_batch
from validation.results import RawGateResult, ShardResult, Verdict
from validation.uniqueness import Identity

CONTRACT = contract()
GATE = RawGate(CONTRACT)


def line(record: Any, **envelope: Any) -> bytes:
    return line_with_end(record, **envelope).removesuffix(b"\n")


def ids(count: int) -> list[str]:
    return [f"{number:04x}" for number in range(count)]


def verdict_of(of: Contract, *lines: bytes, expected_count: int | None = None) -> RawGateResult:
    shard, _ = check(of, *lines)
    return judge_batch(of, "3f9c1a2b77", [shard], expected_count, [])


def failed(result: RawGateResult) -> list[str]:
    return [found.rule_id for found in result.set_checks if not found.passed]


def test_a_clean_object_is_told_to_be_clean_and_its_bytes_are_untouched() -> None:
    lines = [line(good(id=key)) for key in ids(3)]

    shard, sink = check(CONTRACT, *lines)

    assert sink.accepted == [("landing/a", one) for one in lines]
    assert [counts.is_clean for counts in sink.finished] == [True]
    assert (shard.line_count, shard.accepted_count, shard.rejected_count) == (3, 3, 0)


def test_a_rejected_record_goes_to_quarantine_with_its_place_its_key_and_every_reason() -> None:
    bad = line(good(id="0002", seats="5", status="lost"))

    shard, sink = check(CONTRACT, line(good()), bad)

    (rejection,) = sink.rejections
    assert (rejection.object_key, rejection.line_number, rejection.key) == ("landing/a", 2, "0002")
    assert rejection.raw == bad.removesuffix(b"\n")
    assert [violation.rule_id for violation in rejection.violations] == ["seats-type", "status-enum"]
    assert shard.violations_by_rule == {"seats-type": 1, "status-enum": 1}
    assert shard.rejected_keys == ("0002",)
    assert shard.first_rejection == 'seats is a string, "5"; expected an integer (rule seats-type)'


def test_a_rule_that_a_record_breaks_twice_counts_one_record() -> None:
    shard, sink = check(CONTRACT, line(good(cores=[{}, {}])))

    assert shard.violations_by_rule == {"cores-core-required": 1}
    assert [violation.path for violation in sink.rejections[0].violations] == ["cores[0].core", "cores[1].core"]


def test_a_record_that_breaks_only_a_warning_is_accepted_and_counted() -> None:
    shard, sink = check(CONTRACT, line(good(mass_kg=-1)))

    assert (len(sink.accepted), sink.rejections) == (1, [])
    assert (shard.warnings_by_rule, shard.violations_by_rule) == ({"mass_kg-minimum": 1}, {})
    assert judge_batch(CONTRACT, "b", [shard], None, []).verdict is Verdict.GO


def test_a_rejected_record_also_tells_the_warnings_it_broke() -> None:
    shard, sink = check(CONTRACT, line(good(mass_kg=-1, seats=9)))

    assert {violation.rule_id for violation in sink.rejections[0].violations} == {"mass_kg-minimum", "seats-maximum"}
    assert shard.warnings_by_rule == {}
    assert shard.first_rejection == "seats is 9; expected at most 7 (rule seats-maximum)"


def test_a_line_that_holds_no_record_is_rejected_and_the_next_line_is_judged() -> None:
    shard, sink = check(CONTRACT, line(good())[:-20], b"\xff\xfe", b"[1]\n", line(good()))

    assert [rejection.line_number for rejection in sink.rejections] == [1, 2, 3]
    assert {violation.rule_id for rejection in sink.rejections for violation in rejection.violations} == {
        "line-readable"
    }
    assert (shard.unparseable_count, shard.unkeyed_rejection_count, shard.accepted_count) == (3, 3, 1)


@pytest.mark.parametrize("key", [None, True, 1.5, ["0001"], {"$oid": "0001"}])
def test_a_rejected_record_whose_key_cannot_be_read_is_counted_as_such(key: Any) -> None:
    shard, sink = check(CONTRACT, line(good(id=key)))

    assert (shard.rejected_keys, shard.unkeyed_rejection_count) == ((), 1)
    assert sink.rejections[0].key is None


# Duplicates ----------------------------------------------------------------------------------------------------------


def test_an_equal_record_is_dropped_and_counted_whatever_the_order_of_its_fields() -> None:
    record = good()
    shuffled = dict(reversed(record.items()))

    shard, sink = check(CONTRACT, line(record), line(shuffled, _airbyte_raw_id="another"))

    assert (shard.accepted_count, shard.duplicate_count, shard.rejected_count) == (1, 1, 0)
    assert (len(sink.accepted), sink.rejections) == (1, [])
    assert judge_batch(CONTRACT, "b", [shard], None, []).verdict is Verdict.GO


def test_two_records_of_one_key_with_different_content_hold_the_batch() -> None:
    result = verdict_of(CONTRACT, line(good(seats=1)), line(good(seats=2)))

    assert (result.verdict, failed(result)) == (Verdict.NO_GO, ["id-unique"])
    assert "records with different content share id 0a1b" in result.reason


def test_conflicts_are_found_across_objects_and_chunks() -> None:
    sink = ListSink()
    objects = [("a", [line(good(seats=1))]), ("b", [line(good(seats=1)), line(good(seats=2))])]

    shard = GATE.check_shard("batch", "0", objects, sink)

    assert [(counts.accepted_count, counts.duplicate_count, counts.quarantined_count) for counts in shard.objects] == [
        (1, 0, 0),
        (0, 1, 1),
    ]


def test_a_value_that_must_be_unique_besides_the_key_is_told() -> None:
    of = contract(*RULES, rule("status", RuleKind.UNIQUE, severity=Severity.WARNING))

    result = verdict_of(of, line(good(id="0001")), line(good(id="0002")))

    assert (result.verdict, failed(result)) == (Verdict.GO, ["status-unique"])


# Unknown fields ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("policy", "verdict", "accepted_count"),
    [
        (DriftPolicy.ALLOW, Verdict.GO, 1),
        (DriftPolicy.WARN, Verdict.GO, 1),
        (DriftPolicy.QUARANTINE, Verdict.QUARANTINE, 0),
        (DriftPolicy.NO_GO, Verdict.NO_GO, 0),
    ],
)
def test_an_unknown_field_does_what_its_policy_says(policy: DriftPolicy, verdict: Verdict, accepted_count: int) -> None:
    of = contract(rule("", RuleKind.UNKNOWN_FIELD, policy))
    shard, _ = check(of, line(good(wings=2)))

    assert shard.accepted_count == accepted_count
    assert shard.warnings_by_rule == ({"record-unknown-field": 1} if policy is DriftPolicy.WARN else {})
    assert judge_batch(of, "b", [shard], None, []).verdict is verdict


# Damage --------------------------------------------------------------------------------------------------------------


def truncated(lines: list[bytes], lost_bytes: int) -> Iterator[LandedLine]:
    packed = gzip.compress(b"\n".join(lines), mtime=0)
    return landed_lines(io.BytesIO(packed[:-lost_bytes]))


def test_an_object_that_is_cut_short_holds_the_batch_and_what_was_read_is_counted() -> None:
    lines = [line(good(id=key, name=key)) for key in ids(400)]
    sink = ListSink()

    shard = GATE.check_shard(
        "batch", "0", [("cut.gz", truncated(lines, 200)), ("whole", [line(good(id="ffff"))])], sink
    )

    cut, whole = shard.objects
    assert 0 < cut.accepted_count < 400
    assert (cut.unparseable_count, cut.line_count) == (1, cut.accepted_count + 1)
    assert sink.rejections[0].line_number == cut.line_count
    assert whole.is_clean
    result = judge_batch(CONTRACT, "b", [shard], None, [])
    assert (result.verdict, failed(result)) == (Verdict.NO_GO, ["object-readable"])
    assert "cut.gz" in result.reason


def test_bytes_that_are_no_gzip_are_damage_too() -> None:
    sink = ListSink()

    shard = GATE.check_shard("batch", "0", [("x.gz", landed_lines(io.BytesIO(b"not gzip")))], sink)

    assert (shard.line_count, shard.unparseable_count) == (1, 1)


def test_an_object_known_to_be_damaged_holds_the_batch() -> None:
    shard, _ = check(CONTRACT, line(good()))

    result = judge_batch(CONTRACT, "b", [shard], None, ["landing/crafts/b.jsonl.gz"])

    assert (result.verdict, failed(result)) == (Verdict.NO_GO, ["object-readable"])


def test_trouble_of_the_store_is_not_taken_for_bad_data() -> None:
    def lines() -> Iterator[bytes]:
        yield line(good())
        raise ServiceUnavailable("the store went away")

    with pytest.raises(ServiceUnavailable):
        GATE.check_shard("batch", "0", [("a", lines())], ListSink())


def test_trouble_of_the_sink_is_not_taken_for_damage() -> None:
    class FullSink(ListSink):
        def accept(self, object_key: str, line: bytes) -> None:
            raise ObjectDamaged("the sink's own")

    with pytest.raises(ObjectDamaged):
        GATE.check_shard("batch", "0", [("a", [line(good())])], FullSink())


# Verdicts ------------------------------------------------------------------------------------------------------------


def test_a_clean_batch_is_go() -> None:
    result = verdict_of(CONTRACT, line(good()), expected_count=1)

    assert (result.verdict, failed(result)) == (Verdict.GO, [])
    assert result.reason == "crafts batch 3f9c1a2b…: 1 record accepted"


def test_a_batch_with_rejects_within_the_limit_goes_ahead_without_them() -> None:
    lines = [line(good(id=key)) for key in ids(9)] + [line(good(id="ffff", cores=[{"core": None}]))]

    result = verdict_of(contract(limit=RejectLimit(0.2, 0, "")), *lines)

    assert result.verdict is Verdict.QUARANTINE
    assert result.reason == (
        "crafts batch 3f9c1a2b…: 1 of 10 records rejected (10 %, limit 20 %)."
        " First: cores[0].core is null (rule cores-core-required)"
    )


@pytest.mark.parametrize(
    ("limit", "bad_count", "verdict"),
    [
        (RejectLimit(0.2, 0, ""), 2, Verdict.QUARANTINE),
        (RejectLimit(0.2, 0, ""), 3, Verdict.NO_GO),
        (RejectLimit(0.0, 1, ""), 1, Verdict.QUARANTINE),
        (RejectLimit(0.0, 1, ""), 2, Verdict.NO_GO),
        (RejectLimit(0.0, 0, ""), 0, Verdict.GO),
        (RejectLimit(1.0, 0, ""), 10, Verdict.QUARANTINE),
    ],
)
def test_the_limit_counts_at_its_edges(limit: RejectLimit, bad_count: int, verdict: Verdict) -> None:
    lines = [line(good(id=key, seats=9 if number < bad_count else 1)) for number, key in enumerate(ids(10))]

    assert verdict_of(contract(limit=limit), *lines).verdict is verdict


def test_an_empty_collection_is_no_go_and_says_so() -> None:
    result = judge_batch(CONTRACT, "b", [GATE.check_shard("b", "0", [], ListSink())], 0, [])

    assert (result.verdict, failed(result)) == (Verdict.NO_GO, ["record-row-count"])
    assert "empty collection" in result.reason


def test_an_empty_collection_is_no_go_even_where_the_contract_is_silent() -> None:
    of = contract(rule("id", RuleKind.REQUIRED))

    assert judge_batch(of, "b", [], None, []).verdict is Verdict.NO_GO


@pytest.mark.parametrize(("least", "verdict"), [(3, Verdict.GO), (4, Verdict.NO_GO)])
def test_too_few_records_hold_the_batch(least: int, verdict: Verdict) -> None:
    of = contract(rule("", RuleKind.ROW_COUNT, least))

    assert verdict_of(of, *[line(good(id=key)) for key in ids(3)], line(good(id="0000"))).verdict is verdict


@pytest.mark.parametrize(
    ("expected_count", "verdict"), [(None, Verdict.GO), (1, Verdict.GO), (2, Verdict.GO), (3, Verdict.NO_GO)]
)
def test_fewer_lines_than_airbyte_committed_hold_the_batch(expected_count: int | None, verdict: Verdict) -> None:
    result = verdict_of(CONTRACT, line(good(id="0001")), line(good(id="0002")), expected_count=expected_count)

    assert result.verdict is verdict
    assert (failed(result) == ["complete-sync"]) is (verdict is Verdict.NO_GO)


DAMAGE = {
    "changes": [
        {"field": "name", "change": "NULLED", "reason": "SOURCE_RETRIEVAL_ERROR"},
        {"field": "links.wiki", "change": "TRUNCATED", "reason": "DESTINATION_SERIALIZATION_ERROR"},
    ]
}


@pytest.mark.parametrize(
    ("policy", "verdict", "accepted_count", "held_by"),
    [
        (DriftPolicy.ALLOW, Verdict.GO, 1, []),
        (DriftPolicy.WARN, Verdict.GO, 1, []),
        (DriftPolicy.QUARANTINE, Verdict.QUARANTINE, 0, []),
        (DriftPolicy.NO_GO, Verdict.NO_GO, 0, ["record-source-damage"]),
    ],
)
def test_a_value_that_the_sync_did_not_pass_on_does_what_its_policy_says(
    policy: DriftPolicy, verdict: Verdict, accepted_count: int, held_by: list[str]
) -> None:
    of = contract(*RULES, rule("", RuleKind.SOURCE_DAMAGE, policy), limit=RejectLimit(1.0, 1, ""))

    shard, sink = check(of, line(good(), _airbyte_meta=DAMAGE))

    result = judge_batch(of, "b", [shard], None, [])
    assert (result.verdict, shard.accepted_count, failed(result)) == (verdict, accepted_count, held_by)
    assert shard.warnings_by_rule == ({"record-source-damage": 1} if policy is DriftPolicy.WARN else {})
    for rejection in sink.rejections:
        assert [(one.path, one.message) for one in rejection.violations] == [
            ("name", "was nulled by Airbyte (SOURCE_RETRIEVAL_ERROR)"),
            ("links.wiki", "was truncated by Airbyte (DESTINATION_SERIALIZATION_ERROR)"),
        ]


def test_the_verdict_of_several_shards_is_taken_over_all_of_them() -> None:
    of = contract(limit=RejectLimit(0.25, 0, ""))
    clean, _ = check(of, *[line(good(id=key)) for key in ids(3)])
    dirty, _ = check(of, line(good(id="ffff", seats=9)))

    assert judge_batch(of, "b", [clean, dirty], None, []).verdict is Verdict.QUARANTINE
    assert judge_batch(of, "b", [dirty], None, []).verdict is Verdict.NO_GO


# Properties ----------------------------------------------------------------------------------------------------------

RECORDS = st.builds(
    lambda key, seats, core: good(id=key, seats=seats, cores=[{"core": core}]),
    st.sampled_from(["0001", "0002", "0003", "zz", None, 7]),
    st.sampled_from([1, 2, 9, "5", None]),
    st.sampled_from(["B1", None, 3]),
)
LINES = st.one_of(RECORDS.map(line), st.binary(max_size=40), RECORDS.map(lambda record: line(record)[:-9]))


def fates(shard: ShardResult) -> tuple[int, int, int, int]:
    return shard.accepted_count, shard.duplicate_count, shard.unparseable_count, shard.quarantined_count


@settings(max_examples=60, deadline=None)
@given(st.lists(LINES, max_size=12))
def test_no_line_is_lost(lines: list[bytes]) -> None:
    sink = ListSink()

    shard = GATE.check_shard("batch", "0", [("a", lines)], sink)

    assert sum(fates(shard)) == shard.line_count == len(lines)
    assert len(sink.accepted) == shard.accepted_count
    assert len(sink.rejections) == shard.rejected_count
    given_back = [raw for _, raw in sink.accepted] + [rejection.raw for rejection in sink.rejections]
    assert len(given_back) + shard.duplicate_count == len(lines)
    assert set(given_back) <= set(lines)


@settings(max_examples=60, deadline=None)
@given(st.lists(LINES, max_size=8).flatmap(lambda lines: st.tuples(st.just(lines), st.permutations(lines))))
def test_the_verdict_and_the_counts_do_not_depend_on_the_order(orders: tuple[list[bytes], list[bytes]]) -> None:
    first, second = (GATE.check_shard("batch", "0", [("a", lines)], ListSink()) for lines in orders)

    assert fates(first) == fates(second)
    assert first.violations_by_rule == second.violations_by_rule
    verdicts = [judge_batch(CONTRACT, "b", [shard], None, []).verdict for shard in (first, second)]
    assert verdicts[0] is verdicts[1]


@settings(max_examples=20, deadline=None)
@given(st.lists(LINES, max_size=12), st.integers(1, 5))
def test_how_many_lines_wait_for_the_judge_changes_nothing(lines: list[bytes], size: int) -> None:
    whole, in_parts = ListSink(), ListSink()

    expected = GATE.check_shard("batch", "0", [("a", lines)], whole)
    found = RawGate(CONTRACT, judged_at_once=size).check_shard("batch", "0", [("a", lines)], in_parts)

    assert found == expected
    assert (in_parts.accepted, in_parts.rejections) == (whole.accepted, whole.rejections)


class FarSightedDoor:
    """Opens for every line that the judge finds nothing in, as the best of doors would."""

    def __init__(self) -> None:
        self._gate = RawGate(CONTRACT)

    def opens_for(self, lines: Sequence[LandedLine]) -> list[Identity | None]:
        return [self._opened(line) for line in lines]

    def _opened(self, line: LandedLine) -> Identity | None:
        opened = Unparseable("") if isinstance(line, OverlongLine) else parse_line(line)
        if isinstance(opened, Unparseable) or any(self._gate.violations([opened])):
            return None
        return self._gate.identity(opened.record)


FAR_SIGHTED = FarSightedDoor()


@settings(max_examples=40, deadline=None)
@given(st.lists(LINES, max_size=12), st.integers(1, 5))
def test_a_door_changes_nothing_but_the_order_of_what_is_accepted(lines: list[bytes], size: int) -> None:
    closed, open_ = ListSink(), ListSink()

    expected = GATE.check_shard("batch", "0", [("a", lines)], closed)
    found = RawGate(CONTRACT, FAR_SIGHTED, size).check_shard("batch", "0", [("a", lines)], open_)

    assert found == expected
    assert open_.rejections == closed.rejections
    assert sorted(open_.accepted) == sorted(closed.accepted)


@settings(max_examples=40, deadline=None)
@given(st.lists(LINES, max_size=12), st.integers(1, 5), st.booleans())
def test_the_sink_can_write_the_object_without_what_is_left_out(lines: list[bytes], size: int, has_door: bool) -> None:
    kept = KeepingSink(lines)

    RawGate(CONTRACT, FAR_SIGHTED if has_door else None, size).check_shard("batch", "0", [("a", lines)], kept)

    assert sorted(kept.kept) == sorted(raw for _, raw in kept.accepted)


class KeepingSink(ListSink):
    """Does what the loader does: copies the first lines when some are left out, and then what comes."""

    def __init__(self, lines: list[bytes]) -> None:
        super().__init__()
        self._lines = lines
        self._copy: list[bytes] | None = None

    def accept(self, object_key: str, line: bytes) -> None:
        super().accept(object_key, line)
        if self._copy is not None:
            self._copy.append(line)

    def leave_out(self, object_key: str, line_count: int, left_out: Collection[int]) -> None:
        assert self._copy is None
        first = enumerate(self._lines[:line_count], start=1)
        self._copy = [line for number, line in first if number not in left_out]

    @property
    def kept(self) -> list[bytes]:
        return self._lines if self._copy is None else self._copy


def test_what_waits_is_bounded_by_bytes_too() -> None:
    lines = [line(good(id=key, links={"wiki": "w" * 3_000_000})) for key in ids(12)]

    shard, _ = check(CONTRACT, *lines)

    assert sum(len(one) for one in lines) > raw_gate.JUDGED_BYTES
    assert shard.accepted_count == 12


def test_the_result_can_be_written_as_json() -> None:
    shard, _ = check(CONTRACT, line(good(seats=9)), b"\xff")

    assert json.loads(json.dumps(shard.violations_by_rule)) == {"line-readable": 1, "seats-maximum": 1}
