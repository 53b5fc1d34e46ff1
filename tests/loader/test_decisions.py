"""The journal of decisions: only added to, one winner, and where each record stands after all of them."""

from datetime import UTC, datetime
from threading import Thread
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.errors import ServiceUnavailable, UsageError
from loader.decisions import (
    Decision,
    History,
    Journal,
    ReplayBegun,
    ReplayedObject,
    ReplayEnded,
    Standing,
    State,
    Triage,
    history_of,
)
from loader.store import ObjectExists, StoredObject
from tests.loader.memory_store import MemoryStore

AT = datetime(2026, 3, 21, tzinfo=UTC)


def acknowledged(*ids: str, by: str = "ana") -> Triage:
    return Triage(State.ACKNOWLEDGED, by, "known", AT, ids)


def discarded(*ids: str, by: str = "ana") -> Triage:
    return Triage(State.DISCARDED, by, "of no use", AT, ids)


def begun(run_id: str, *ids: str) -> ReplayBegun:
    return ReplayBegun(run_id, f"batch-{run_id}", "snapshot", "ana", "", AT, (ReplayedObject("replays/x", ids),))


def ended(
    run_id: str, *rejected: str, outcome: Literal["published", "held", "superseded"] = "published"
) -> ReplayEnded:
    return ReplayEnded(run_id, f"batch-{run_id}", AT, outcome, "because", rejected)


def after(*decisions: Decision) -> History:
    return history_of(decisions, len(decisions))


def test_a_record_that_nobody_decided_upon_is_new() -> None:
    assert after(acknowledged("a")).standing("b") == Standing()


def test_what_a_replay_published_is_replayed_and_what_it_rejected_is_new_again() -> None:
    history = after(acknowledged("a", "b"), begun("r", "a", "b"), ended("r", "b"))
    assert history.standing("a") == Standing(State.REPLAYED, 0, "r")
    assert history.standing("b") == Standing(State.NEW, 1, "r", "batch-r")


@pytest.mark.parametrize("outcome", ["held", "superseded"])
def test_a_replay_that_published_nothing_gives_all_its_records_back(outcome: Literal["held", "superseded"]) -> None:
    history = after(begun("r", "a", "b"), ended("r", "b", outcome=outcome))
    assert history.standing("a") == Standing(State.NEW, 1, "r")
    assert history.standing("b") == Standing(State.NEW, 1, "r", "batch-r")


def test_the_third_replay_in_vain_condemns() -> None:
    tries = [word for number in range(3) for word in (begun(f"r{number}", "a"), ended(f"r{number}", "a"))]
    assert [after(*tries[: 2 * count]).standing("a").state for count in (1, 2, 3)] == [
        *(State.NEW, State.NEW, State.CONDEMNED)
    ]
    assert after(*tries, begun("r4", "a"), ended("r4")).standing("a").state is State.REPLAYED


def test_a_run_that_lost_its_record_to_another_says_nothing_of_where_it_stands() -> None:
    assert after(begun("r1", "a"), begun("r2", "a"), ended("r1", "a")).standing("a").state is State.REPLAYING
    assert after(begun("r1", "a"), begun("r2", "a"), ended("r1", "a")).standing("a").run_id == "r2"


def test_the_end_of_a_replay_whose_beginning_is_past_its_retention_means_nothing() -> None:
    assert after(ended("r", "a")).standing("a") == Standing()


def test_a_records_trail_has_its_own_decisions_only() -> None:
    words = (acknowledged("a"), discarded("b"), begun("r", "a"), begun("s", "c"), ended("s"), ended("r"))
    assert after(*words).trails() == {
        "a": [words[0], words[2], words[5]],
        "b": [words[1]],
        "c": [words[3], words[4]],
    }


ids = st.lists(st.sampled_from("abc"), min_size=1, max_size=3, unique=True).map(tuple)


@given(st.lists(ids, max_size=6))
def test_saying_a_word_again_changes_nothing(every: list[tuple[str, ...]]) -> None:
    words = [discarded(*some) for some in every]
    once, twice = after(*words), after(*(word for word in words for _ in range(2)))
    assert {key: once.standing(key) for key in "abc"} == {key: twice.standing(key) for key in "abc"}


def test_a_journal_is_read_as_it_was_written() -> None:
    store = MemoryStore()
    words = (acknowledged("a"), begun("r", "a"), ended("r", "a"), discarded("a"))
    said = iter(words)
    for _ in words:
        Journal(store, "things").decide(lambda history: next(said))
    assert Journal(store, "things").read().decisions == words
    assert store.writes == [f"decisions/things/{number:08}.json" for number in (1, 2, 3, 4)]
    assert Journal(store, "thing").read().decisions == ()


def test_with_nothing_to_say_nothing_is_written() -> None:
    store = MemoryStore()
    assert Journal(store, "things").decide(lambda history: None).decisions == ()
    assert store.writes == []


def test_of_two_who_decide_at_once_the_second_sees_the_first_ones_word() -> None:
    store, seen = MemoryStore(), []

    def decide(history: History) -> Decision | None:
        seen.append(history.decisions)
        if len(seen) == 1:  # between its look and its word, somebody else speaks
            Journal(store, "things").decide(lambda history: discarded("a", by="ben"))
        return acknowledged("a") if history.standing("a").state is State.NEW else None

    history = Journal(store, "things").decide(decide)

    assert seen == [(), (discarded("a", by="ben"),)]
    assert history.decisions == (discarded("a", by="ben"),)


def test_many_who_decide_at_once_all_have_their_word_in_some_order() -> None:
    store = MemoryStore()
    names = [f"person {number}" for number in range(8)]

    def speak(name: str) -> None:
        Journal(store, "things").decide(lambda history: acknowledged("a", by=name))

    threads = [Thread(target=speak, args=(name,)) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    told = [decision.by for decision in Journal(store, "things").read().decisions if isinstance(decision, Triage)]
    assert sorted(told) == names


class Forgetful(MemoryStore):
    """Writes, and then behaves like a store whose answer got lost and whose client asked again."""

    def put_new(self, key: str, body: bytes, content_type: str) -> StoredObject:
        super().put_new(key, body, content_type)
        raise ObjectExists(key)


def test_a_word_whose_answer_was_lost_is_said_once() -> None:
    store = Forgetful()
    Journal(store, "things").decide(lambda history: acknowledged("a"))
    assert len(store.writes) == 1


def test_who_never_comes_first_is_told_to_try_again() -> None:
    store = MemoryStore()

    def decide(history: History) -> Decision | None:
        store.put_new(f"decisions/things/{history.last_number + 1:08}.json", OTHERS, "application/json")
        return discarded("a")

    with pytest.raises(ServiceUnavailable, match="at the same moment"):
        Journal(store, "things").decide(decide)


OTHERS = (
    b'{"decision":{"state":"acknowledged","by":"ben","why":"x","decided_at":"2026-03-21T00:00:00Z",'
    b'"quarantine_ids":["b"],"kind":"triage"}}'
)


@pytest.mark.parametrize(
    "body", [b"", b"{}", b"[]", OTHERS.replace(b"acknowledged", b"replayed"), OTHERS.replace(b'"triage"', b'"word"')]
)
def test_a_document_that_is_no_decision_is_named(body: bytes) -> None:
    store = MemoryStore()
    store.put("decisions/things/00000001.json", body, "application/json")
    with pytest.raises(UsageError, match=r"s3://lake/decisions/things/00000001\.json"):
        Journal(store, "things").read()
