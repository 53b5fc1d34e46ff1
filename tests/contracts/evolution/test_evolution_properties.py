"""What holds of any two versions of a contract."""

import copy
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contracts.evolution.changes import Change, Effect
from contracts.evolution.dataset import changes
from contracts.evolution.versions import Bump, Version, bump_between, bump_for
from tests.contracts.evolution.edits import edited, launches

CALM = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def _places(value: Any, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every address in a contract's values but the version's."""
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    below = [place for key, child in children for place in _places(child, (*at, key))]
    return [*([at] if at and at != ("version",) else []), *below]


PLACES = _places(launches())
# Without a name, a kind or a list of entries it would be no contract by the standard, which the comparison relies on.
STRUCTURE = {"name", "property", "value", "schema", "properties", "items", "id", "kind", "apiVersion", "role", "server"}


def test_a_contract_does_not_differ_from_itself() -> None:
    assert changes(launches(), copy.deepcopy(launches())) == ()


@CALM
@given(st.sampled_from(PLACES), st.data())
def test_no_difference_is_missed(place: tuple[Any, ...], data: st.DataObject) -> None:
    """Whatever is dropped or written otherwise, wherever it stands, is told as something."""
    old, new = launches(), copy.deepcopy(launches())
    node: Any = new
    for key in place[:-1]:
        node = node[key]
    last = place[-1]
    if isinstance(last, str) and last in STRUCTURE:
        if not isinstance(node[last], str):
            return
        node[last] = f"{node[last]}_other"
    elif isinstance(node[last], dict | list) or data.draw(st.booleans()):
        del node[last]
    else:
        node[last] = {str: "other", bool: not node[last], int: 424242, float: 0.424242}[type(node[last])]
    if new["schema"]:
        assert changes(old, new) != ()


TIGHTENINGS = st.fixed_dictionaries(
    {},
    optional={
        "properties/details/required": st.just(True),
        "properties/launch_library_id/unique": st.just(True),
        "properties/flight_number/logicalTypeOptions": st.fixed_dictionaries({"minimum": st.integers(2, 9)}),
        "properties/name/logicalTypeOptions": st.fixed_dictionaries(
            {"minLength": st.integers(2, 9)}, optional={"maxLength": st.integers(10, 99)}
        ),
        "properties/cores/logicalTypeOptions": st.fixed_dictionaries(
            {"minItems": st.integers(2, 3)}, optional={"maxItems": st.integers(3, 9)}
        ),
        "properties/launch_library_id/relationships": st.just([{"type": "foreignKey", "to": "crew.id"}]),
        "properties/cores/items/properties/core/required": st.just(True),
        "/customProperties/driftPolicy/value": st.just({"unknownFields": "quarantine", "damagedFields": "quarantine"}),
        "/slaProperties/latency/value": st.integers(1, 23),
    },
)


def _sides(found: tuple[Change, ...]) -> dict[str, list[tuple[Effect, Effect]]]:
    sides: dict[str, list[tuple[Effect, Effect]]] = {}
    for change in found:
        sides.setdefault(f"{change.topic}:{change.where}", []).append((change.consumer, change.producer))
    return sides


@CALM
@given(TIGHTENINGS)
def test_what_tightens_breaks_the_producer_alone_and_its_way_back_the_consumers(edit: dict[str, Any]) -> None:
    old, new = launches(), edited(launches(), {"set": edit})
    forth, back = changes(old, new), changes(new, old)
    assert bool(forth) == bool(edit)
    assert all(change.consumer is Effect.ADDITIVE and change.producer is Effect.BREAKING for change in forth)
    mirrored = {topic: [(producer, consumer) for consumer, producer in sides] for topic, sides in _sides(back).items()}
    assert _sides(forth) == mirrored
    assert max((bump_for(change) for change in forth), default=Bump.NONE) <= Bump.MINOR
    assert {bump_for(change) for change in back} <= {Bump.MAJOR}


VERSIONS = st.builds(Version, *[st.integers(0, 3)] * 3)


@given(VERSIONS, VERSIONS)
def test_a_bump_is_the_greatest_part_that_moved_forward(old: Version, new: Version) -> None:
    bump = bump_between(old, new)
    assert (bump is Bump.NONE) == (new <= old)
    assert old.bumped(bump) <= max(old, new)
