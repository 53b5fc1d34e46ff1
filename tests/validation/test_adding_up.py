"""What was found adds up, however it is grouped."""

from functools import reduce

from hypothesis import given
from hypothesis import strategies as st

from validation.findings import MOST_KEYS, Findings, KeySet, merged

RULES = st.sampled_from(["a", "b", "c"])
KEYS = st.sets(st.text("0123", min_size=1, max_size=2), max_size=4).map(lambda keys: tuple(sorted(keys)))
FIRST = st.one_of(st.just((None, None)), st.tuples(st.text(max_size=3), st.integers(1, 9)))
FINDINGS = st.builds(
    lambda first, **found: Findings(**found, first_rejection=first[0], first_rejected_line=first[1]),
    first=FIRST,
    violations_by_rule=st.dictionaries(RULES, st.integers(1, 9)),
    warnings_by_rule=st.dictionaries(RULES, st.integers(1, 9)),
    warned_keys=st.dictionaries(RULES, st.lists(st.sampled_from("xyz"), min_size=1, max_size=12).map(tuple)),
    rejected_keys=KEYS,
    unkeyed_rejection_count=st.integers(0, 9),
    conflicting_keys=KEYS,
    repeated_values=st.dictionaries(RULES, KEYS),
    damaged=st.lists(st.sampled_from(["o1", "o2"]), max_size=2).map(tuple),
)


@given(st.lists(FINDINGS, max_size=6), st.data())
def test_the_parts_may_be_grouped_in_any_way(parts: list[Findings], data: st.DataObject) -> None:
    cuts = sorted(data.draw(st.lists(st.integers(0, len(parts)), max_size=3)))
    groups = [parts[start:end] for start, end in zip([0, *cuts], [*cuts, len(parts)], strict=True)]

    assert merged(merged(group) for group in groups) == merged(parts)


@given(FINDINGS)
def test_nothing_adds_nothing(found: Findings) -> None:
    assert merged([Findings(), found]) == merged([found]) == merged([found, Findings()])


def test_keys_are_kept_up_to_a_number_and_those_first_in_order_whatever_the_order_they_come_in() -> None:
    keys = [f"{number:06}" for number in range(3 * MOST_KEYS)]
    upwards, downwards = KeySet(), KeySet()
    for key in keys:
        upwards.add(key)
    for key in reversed(keys):
        downwards.add(key)

    assert upwards.first() == downwards.first() == tuple(keys[:MOST_KEYS])
    halves = [Findings(rejected_keys=tuple(keys[start : start + MOST_KEYS])) for start in (0, MOST_KEYS)]
    assert reduce(lambda first, second: merged([second, first]), halves).rejected_keys == tuple(keys[:MOST_KEYS])
