"""A load that is stopped ends as if undisturbed: some kinds of points, of each victim. All: `make crash-test`."""

from collections.abc import Iterator, Sequence

import pytest

from tests.crash.faults import KILLS, RESET, Case, every_kill, every_network_fault, some_kills, some_network_faults
from tests.crash.harness import Harness, open_harness, warm_processes

pytestmark = [pytest.mark.stack, pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def harness(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Harness]:
    with open_harness(tmp_path_factory.mktemp("crash"), warm_processes()) as opened:
        yield opened


def assert_undisturbed(harness: Harness, cases: Sequence[Case]) -> None:
    assert cases
    troubled = [str(outcome) for case in cases if (outcome := harness.run(case)).problems]
    assert not troubled, "\n".join(troubled)


def test_the_load_has_every_fate_a_row_can_have(harness: Harness) -> None:
    harness.ground.put_back()
    deleted = set(harness.ground.rows(DELETED))
    assert harness.load() == 0
    counts = harness.ground.rows(
        "select inserted_count, updated_count, unchanged_count, deleted_count, kept_count from pipeline.load_ledger "
        "where run_id = 'third'"
    )
    assert len(counts) == 2
    assert all(count > 0 for row in counts for count in row)
    assert len(deleted - set(harness.ground.rows(DELETED))) == 2, "no row of a dataset is restored"
    for dataset in ("capsules", "cores"):
        assert any(key.startswith(f"quarantine/{dataset}/") for key in harness.undisturbed.objects)
        assert any(key.startswith(f"accepted/{dataset}/") and "/reduced/" in key for key in harness.undisturbed.objects)


DELETED = """
select id from raw_spacex.capsules where _deleted_at is not null
union all select id from raw_spacex.cores where _deleted_at is not null
"""


def test_two_undisturbed_loads_leave_the_same_and_a_lost_or_double_row_is_seen(harness: Harness) -> None:
    harness.ground.put_back()
    assert harness.load() == 0
    assert harness.ground.state() == harness.undisturbed
    harness.ground.rows("insert into raw_spacex.cores select * from raw_spacex.cores limit 1 returning id")
    assert harness.ground.state().differences(harness.undisturbed) == [
        "table raw_spacex.cores has 21 rows, expected 20: 0 lost or other, 0 wrong"
    ]
    harness.ground.rows("delete from raw_spacex.cores returning id")
    assert harness.ground.state().differences(harness.undisturbed) == [
        "table raw_spacex.cores has 0 rows, expected 20: 20 lost or other, 0 wrong"
    ]


def test_a_finished_load_that_is_run_again_changes_nothing(harness: Harness) -> None:
    harness.ground.put_back()
    assert [harness.load(), harness.load()] == [0, 0]
    assert harness.ground.state() == harness.undisturbed


def test_there_are_points_enough(harness: Harness) -> None:
    assert len(every_kill(harness.points)) > 60 * len(KILLS)
    labels = {point.label for point in harness.points}
    for words in ("copy ", "commit of ", "get accepted/", "put manifests/", "lock table", "insert into raw_spacex"):
        assert any(label.startswith(words) for label in labels), words
    resets = {case.point.when for case in every_network_fault(harness.points) if case.fault is RESET}
    assert resets == {"before", "after"}


@pytest.mark.parametrize("victim", list(KILLS))
def test_a_load_ends_as_if_undisturbed_when_something_is_killed(harness: Harness, victim: str) -> None:
    few = some_kills(harness.points)[::5]  # what is killed takes turns of four
    assert_undisturbed(harness, [case for case in few if case.fault is KILLS[victim]])


def test_a_load_ends_as_if_undisturbed_when_the_network_fails(harness: Harness) -> None:
    assert_undisturbed(harness, some_network_faults(harness.points)[::3])
