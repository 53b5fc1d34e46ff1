"""A contract with one rule more never accepts more."""

import json
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.model import Rule, Scope
from contracts.sample import as_others, good_records, in_envelope
from contracts.specimens import bad_records
from tests.contracts.every_kind import EVERY_KIND
from tests.validation.hand_made import ListSink
from validation.raw_gate import RawGate

ROW_RULES = [rule for rule in EVERY_KIND.rules if rule.scope is Scope.ROW]
GOOD = [(record, ()) for record in good_records(EVERY_KIND, 20, 1)]
SPECIMENS = [one for rule in ROW_RULES for one in bad_records(EVERY_KIND, rule)]
BAD = [
    (record, one.changes)
    for record, one in zip(
        as_others(EVERY_KIND, (one.record for one in SPECIMENS), 1, len(GOOD)), SPECIMENS, strict=True
    )
]
LINES = [
    json.dumps(in_envelope(record, number, changes)).encode() for number, (record, changes) in enumerate(GOOD + BAD)
]


def accepted(rules: list[Rule]) -> set[bytes]:
    sink = ListSink()
    RawGate(replace(EVERY_KIND, rules=tuple(rules))).check_shard("b", "0", [("a", LINES)], sink)
    return {line for _, line in sink.accepted}


@settings(deadline=None, max_examples=25)
@given(data=st.data())
def test_a_rule_more_never_accepts_more(data: st.DataObject) -> None:
    some = data.draw(st.lists(st.sampled_from(ROW_RULES), unique_by=lambda rule: rule.rule_id, min_size=1))
    one = data.draw(st.sampled_from(some))

    assert accepted(some) <= accepted([rule for rule in some if rule is not one])


def test_the_lines_tell_contracts_apart() -> None:
    assert len(accepted([])) > len(accepted(ROW_RULES)) >= len(GOOD)
