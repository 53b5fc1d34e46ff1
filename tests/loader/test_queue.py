"""Quarantine as a queue: what is found in which order, where it stands, what it comes to in numbers."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from contracts.errors import UsageError
from loader.batch import Plan
from loader.decisions import Decision, Journal, ReplayBegun, ReplayedObject, ReplayEnded, State, Triage
from loader.documents import to_json
from loader.queue import Runs, Wanted, batches_of_run, read_queue, stats, triage
from tests.loader.memory_store import MemoryStore
from tests.loader.quarantine import put, set_aside
from tests.observability.hand_made import dataset_record, run_record

NOW = datetime(2026, 4, 1, tzinfo=UTC)
OLD, NEW = "00000000000000aa", "00000000000000bb"


@pytest.fixture
def store() -> MemoryStore:
    """Two batches: a and b ten days ago, c (and d, by another rule) an hour ago."""
    store = MemoryStore()
    put(store, [set_aside("a", batch_id=OLD), set_aside("b", "text-short", OLD)], NOW - timedelta(days=10))
    put(store, [set_aside("c", batch_id=NEW), set_aside("d", "id-pattern", NEW)], NOW - timedelta(hours=1))
    put(store, [set_aside("x", dataset="things_too")], NOW)
    return store


def keys(store: MemoryStore, **wanted: Any) -> str:
    return "".join(str(queued.record.key) for queued in read_queue(store, "things", Wanted(**wanted)))


def say(store: MemoryStore, *decisions: Decision) -> None:
    said = iter(decisions)
    for _ in decisions:
        Journal(store, "things").decide(lambda history: next(said))


def word(state: Any, *ids: str) -> Triage:
    return Triage(state, "ana", "because", NOW, ids)


def test_the_newest_come_first_and_each_objects_in_their_order(store: MemoryStore) -> None:
    assert keys(store) == "cdab"


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ({"rules": ("text-short", "id-pattern")}, "db"),
        ({"keys": frozenset("ad")}, "da"),
        ({"quarantine_ids": frozenset(["a-aa"])}, "a"),
        ({"batch_ids": (OLD,)}, "ab"),
        ({"batch_ids": ("00000000000000cc",)}, ""),
        ({"before": NOW - timedelta(days=7)}, "ab"),
        ({"since": NOW - timedelta(days=7)}, "cd"),
        ({"since": NOW - timedelta(days=7), "rules": ("text-small",)}, "c"),
        ({"states": (State.ACKNOWLEDGED,)}, "b"),
        ({"states": (State.NEW,)}, "cda"),
    ],
)
def test_what_is_wanted_is_found_and_nothing_else(store: MemoryStore, wanted: dict[str, Any], found: str) -> None:
    say(store, word(State.ACKNOWLEDGED, "b-aa"))
    assert keys(store, **wanted) == found


def replayed(store: MemoryStore) -> ReplayBegun:
    """A run has replayed a and b under another contract, and b was rejected again, for another reason."""
    taken = ReplayedObject("replays/things/1/x.jsonl.gz", ("a-aa", "b-aa"))
    begun = ReplayBegun("run-2", "00000000000000ee", OLD, "ana", "", NOW, (taken,))
    again = replace(set_aside("b", "text-longest", "00000000000000ee"), object_key=taken.key, line_number=2)
    put(store, [replace(again, contract_version="2.0.0")], NOW)
    say(store, begun, ReplayEnded("run-2", begun.batch_id, NOW, "published", "", ("b-aa",)))
    return begun


def test_what_a_replay_set_aside_again_is_told_as_the_record_that_it_is(store: MemoryStore) -> None:
    begun = replayed(store)
    found = {str(each.record.key): each for each in read_queue(store, "things", Wanted())}
    assert "".join(found) == "cdab"
    assert [found[key].state for key in "ab"] == [State.REPLAYED, State.NEW]
    assert found["b"].judged.violations[0].rule_id == "text-longest"
    assert (found["b"].judged.contract_version, found["b"].record.contract_version) == ("2.0.0", "1.0.0")
    assert found["b"].record.raw_base64 and not found["b"].judged.raw_base64
    assert keys(store, rules=("text-longest",)) == "b"
    assert keys(store, rules=("text-short",)) == ""
    assert keys(store, batch_ids=(begun.batch_id,)) == "ab"
    assert keys(store, batch_ids=(begun.batch_id, NEW)) == "cdab"


def test_a_replays_batch_means_only_what_it_took(store: MemoryStore) -> None:
    taken = ReplayedObject("replays/things/1/x.jsonl.gz", ("a-aa",))
    say(store, ReplayBegun("run-2", "00000000000000ee", OLD, "ana", "", NOW, (taken,)))
    assert keys(store, batch_ids=("00000000000000ee",)) == "a"


def test_a_word_is_one_decision_about_all_that_it_suits(store: MemoryStore) -> None:
    say(store, word(State.DISCARDED, "a-aa"))
    before = len(store.writes)
    done = triage(store, "things", Wanted(), word(State.ACKNOWLEDGED))
    assert (done.taken, dict(done.left), done.left_words) == (3, {State.DISCARDED: 1}, "1 discarded")
    assert len(store.writes) == before + 1
    assert keys(store, states=(State.ACKNOWLEDGED,)) == "cdb"

    again = triage(store, "things", Wanted(), word(State.ACKNOWLEDGED))
    assert (again.taken, again.left_words) == (0, "3 acknowledged, 1 discarded")
    assert len(store.writes) == before + 1


def test_a_discard_is_for_good(store: MemoryStore) -> None:
    triage(store, "things", Wanted(), word(State.ACKNOWLEDGED))
    assert triage(store, "things", Wanted(keys=frozenset("a")), word(State.DISCARDED)).taken == 1
    assert triage(store, "things", Wanted(keys=frozenset("a")), word(State.ACKNOWLEDGED)).taken == 0
    assert keys(store, states=(State.DISCARDED,)) == "a"


def test_a_dry_word_writes_nothing(store: MemoryStore) -> None:
    before = list(store.writes)
    assert triage(store, "things", Wanted(), word(State.DISCARDED), is_dry=True).taken == 4
    assert store.writes == before


@pytest.mark.parametrize(
    ("wanted", "told"),
    [
        (Wanted(quarantine_ids=frozenset(["a-aa", "zz"])), r"1 record .*\(zz\)"),
        (Wanted(quarantine_ids=frozenset(["a-aa"]), rules=("id-pattern",)), r"\(a-aa\)"),
        (Wanted(rules=("no-such",)), "no record of things"),
    ],
)
def test_a_word_about_nothing_is_refused(store: MemoryStore, wanted: Wanted, told: str) -> None:
    before = list(store.writes)
    with pytest.raises(UsageError, match=told):
        triage(store, "things", wanted, word(State.DISCARDED))
    assert store.writes == before


def test_numbers_are_by_rule_state_and_age_and_tell_what_goes_soon(store: MemoryStore) -> None:
    replayed(store)
    say(store, word(State.DISCARDED, "d-bb"))

    told = stats(store, "things", NOW, timedelta(days=15))

    assert told.record_count == 4
    assert told.by_state == {State.NEW: 2, State.REPLAYED: 1, State.DISCARDED: 1}
    assert {rule: dict(states) for rule, states in told.by_rule.items()} == {
        "text-small": {State.NEW: 1, State.REPLAYED: 1},
        "text-longest": {State.NEW: 1},
        "id-pattern": {State.DISCARDED: 1},
    }
    assert told.by_age == {"less than 1 day": 1, "7 to 30 days": 1}
    assert (told.expiring_count, told.first_expiry_at) == (2, NOW + timedelta(days=5))
    assert stats(store, "things", NOW, timedelta(days=90)).expiring_count == 0
    assert stats(store, "nothing", NOW, timedelta(days=90)).first_expiry_at is None


def test_a_run_is_found_by_its_batch_and_a_batch_by_its_run(store: MemoryStore) -> None:
    def record(run_id: str, batch_id: str, at: datetime) -> None:
        found = replace(dataset_record("things"), batch_id=batch_id)
        ran = replace(run_record(run_id, (found,)), started_at=at)
        store.put(f"records/{at:%Y%m%dT%H%M%S.%fZ}_{run_id}.json", to_json(ran), "application/json")

    record("first", OLD, NOW - timedelta(days=10))
    record("rerun", OLD, NOW - timedelta(days=9))
    runs = Runs(store)
    assert [runs.of(each.record) for each in read_queue(store, "things", Wanted())] == ["", "", "rerun", "rerun"]
    with pytest.raises(UsageError, match="there is no run nobody"):
        batches_of_run(store, "nobody", "things")
    store.put("runs/first/plan.json", to_json(Plan("first", "", "1", NOW, (), ())), "application/json")
    assert batches_of_run(store, "first", "things") == ()


def test_records_are_handed_on_before_the_next_object_is_opened(store: MemoryStore) -> None:
    opened: list[str] = []

    class Watched(MemoryStore):
        def open(self, key: str, etag: str | None = None) -> Any:
            opened.append(key)
            return store.open(key, etag)

        def list(self, prefix: str) -> Any:
            return store.list(prefix)

    found = read_queue(Watched(), "things", Wanted())
    assert next(found).record.key == "c"
    assert len(opened) == 1
