"""However a batch is cut into objects, shards and processes, it comes to what one reader of all of it comes to."""

import io
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.model import Contract, DriftPolicy, RuleKind, Severity
from loader import layout
from loader.batch import Batch, LandedObject, Shard
from loader.gate import GateOutput, ObjectGate, gate_shard, together
from loader.lines import iter_lines
from loader.quarantine import quarantined, read_quarantine
from loader.reduce import reduce_batch
from tests.loader.landing import EPOCH_MS, compressed
from tests.loader.memory_store import MemoryStore
from tests.validation.hand_made import ListSink, contract, good, line, rule
from validation.raw_gate import RawGate, judge_batch
from validation.results import ShardResult, Verdict

#: Few rules, because each example makes a judge anew for each shard.
CONTRACT = contract(
    rule("id", RuleKind.REQUIRED),
    rule("id", RuleKind.PATTERN, "^[0-9a-f]{4}$"),
    rule("id", RuleKind.UNIQUE),
    rule("mass_kg", RuleKind.MINIMUM, 0, Severity.WARNING),
    rule("cores[].core", RuleKind.REQUIRED),
    rule("status", RuleKind.UNIQUE, severity=Severity.WARNING),
    rule("", RuleKind.SOURCE_DAMAGE, DriftPolicy.WARN),
)
Lines = Sequence[bytes]


def one(record: Any, **envelope: Any) -> bytes:
    return line(record, **envelope).removesuffix(b"\n")


def land(store: MemoryStore, objects: Sequence[Lines]) -> Batch:
    landed = []
    for number, lines in enumerate(objects):
        key = f"landing/crafts/2026_03_21_{EPOCH_MS}_{number}.jsonl.gz"
        stored = store.put(key, compressed(lines), "application/gzip")
        landed.append(LandedObject(key, stored.etag, stored.size_bytes, len(lines), None))
    store.writes.clear()
    return Batch("crafts", "b" * 16, "1.0.0", tuple(landed), sum(map(len, objects)))


def shards_of(batch: Batch, sizes: Sequence[int]) -> Iterator[Shard]:
    """Shards of so many objects each; the last takes the rest."""
    objects = list(batch.objects)
    for number, size in enumerate([*sizes, len(objects)]):
        taken, objects = objects[:size], objects[size:]
        if taken:
            yield Shard(f"crafts-{number}", "crafts", batch.batch_id, tuple(taken))


def gated(store: MemoryStore, batch: Batch, sizes: Sequence[int] = (), of: Contract = CONTRACT) -> list[GateOutput]:
    return [gate_shard(store, of, batch, shard) for shard in shards_of(batch, sizes)]


def published(store: MemoryStore, outputs: Sequence[GateOutput]) -> list[bytes]:
    """The lines that COPY would load."""
    entries = [entry for output in outputs for entry in output.entries]
    lines = [list(iter_lines(io.BytesIO(store.get(entry.key)))) for entry in entries]
    assert [len(found) for found in lines] == [entry.record_count for entry in entries]
    assert [len(store.get(entry.key)) for entry in entries] == [entry.size_bytes for entry in entries]
    return sorted(line for found in lines for line in found)


def quarantine(store: MemoryStore) -> list[tuple[Any, ...]]:
    found = [
        (each.object_key, each.line_number, each.key, each.violations, each.raw_base64, each.byte_offset)
        for each in read_quarantine(store, "crafts")
    ]
    return sorted(found, key=str)


def in_order(batch: Batch, objects: Sequence[Lines], of: Contract = CONTRACT) -> tuple[ShardResult, ListSink]:
    """What one process comes to that reads all of it and remembers everything."""
    sink = ListSink()
    keyed = [(landed.key, lines) for landed, lines in zip(batch.objects, objects, strict=True)]
    return RawGate(of).check_shard(batch.batch_id, "all", keyed, sink), sink


def totals(outputs: Sequence[GateOutput | ShardResult]) -> dict[str, Any]:
    shards = [each.result if isinstance(each, GateOutput) else each for each in outputs]
    counts = ("line_count", "accepted_count", "duplicate_count", "unparseable_count", "quarantined_count")
    result = judge_batch(CONTRACT, "b" * 16, shards, None, [])
    return {
        "objects": [replace(each, found=type(each.found)()) for shard in shards for each in shard.objects],
        "counts": {name: sum(getattr(shard, name) for shard in shards) for name in counts},
        "checks": result.set_checks,
        "verdict": result.verdict,
        "reason": result.reason,
        "found": replace(ShardResult("", "", "", tuple(o for s in shards for o in s.objects)).found, warned_keys={}),
    }


CHANGED = {"changes": [{"field": "name", "change": "NULLED", "reason": "SOURCE"}]}
RECORDS = st.builds(
    lambda key, mass, status, core: good(id=key, mass_kg=mass, status=status, cores=[{"core": core}]),
    st.sampled_from(["0001", "0002", "0003", "zz", None]),
    st.sampled_from([1, 2.5, -1]),
    st.sampled_from(["active", "retired", None]),
    st.sampled_from(["B1", "B1", "B1", None]),
)
LINES = st.one_of(
    RECORDS.map(one),
    RECORDS.map(one),
    RECORDS.map(lambda record: one(dict(reversed(record.items())))),
    RECORDS.map(lambda record: one(record, _airbyte_meta=CHANGED)),
    st.sampled_from([b"", b"{", b"\r", b"[1]"]),
)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.lists(LINES, max_size=6), min_size=1, max_size=5),
    st.lists(st.integers(1, 3), max_size=3),
    st.integers(1, 6),
)
def test_any_cut_comes_to_what_one_reader_comes_to(objects: list[Lines], sizes: list[int], rows_at_once: int) -> None:
    store = MemoryStore()
    batch = land(store, objects)
    expected, sink = in_order(batch, objects)

    outputs = reduce_batch(store, CONTRACT, batch, gated(store, batch, sizes), rows_at_once)

    assert totals(outputs) == totals([expected])
    assert published(store, outputs) == sorted(raw for _, raw in sink.accepted)
    again = [quarantined(batch, rejection) for rejection in sink.rejections]
    assert quarantine(store) == sorted(
        ((e.object_key, e.line_number, e.key, e.violations, e.raw_base64, e.byte_offset) for e in again), key=str
    )
    with_warned = [each.result for each in outputs]
    warned = ShardResult("", "", "", tuple(o for s in with_warned for o in s.objects)).warned_keys
    assert warned == expected.warned_keys


@settings(max_examples=15, deadline=None)
@given(st.lists(st.lists(LINES, max_size=6), min_size=2, max_size=4))
def test_the_gate_and_the_reduce_again_change_nothing(objects: list[Lines]) -> None:
    store = MemoryStore()
    batch = land(store, objects)
    first = reduce_batch(store, CONTRACT, batch, gated(store, batch))
    once = {stored.key: store.get(stored.key) for stored in store.list("")}

    gated(store, batch)  # as a retry of the gate alone would, when the load step has reduced already
    assert published(store, first) == published(store, reduce_batch(store, CONTRACT, batch, gated(store, batch)))

    assert {stored.key: store.get(stored.key) for stored in store.list("")} == once


def test_one_clean_object_leaves_no_digests_and_nothing_to_reduce() -> None:
    store = MemoryStore()
    batch = land(store, [[one(good(id="0001", status="active")), one(good(id="0002", status="retired"))]])

    outputs = gated(store, batch)

    assert reduce_batch(store, CONTRACT, batch, outputs) == tuple(outputs)
    assert store.writes == []


def test_a_record_that_landed_twice_is_loaded_once_and_the_clean_object_is_written_without_it() -> None:
    store = MemoryStore()
    records = [good(id=f"000{number}") for number in range(4)]
    first, second = [one(record) for record in records[:3]], [one(record) for record in records[2:]]
    batch = land(store, [first, second])

    (output,) = reduce_batch(store, CONTRACT, batch, gated(store, batch))

    assert [entry.key for entry in output.entries] == [
        batch.objects[0].key,
        layout.reduced_key("crafts", batch.batch_id, batch.objects[1].key),
    ]
    assert published(store, [output]) == sorted({*first, *second})
    assert (output.result.accepted_count, output.result.duplicate_count) == (4, 1)


def test_two_shards_that_claim_one_key_with_different_content_hold_the_batch() -> None:
    store = MemoryStore()
    batch = land(store, [[one(good(seats=1))], [one(good(seats=2))]])

    outputs = reduce_batch(store, CONTRACT, batch, gated(store, batch, [1, 1]))

    result = judge_batch(CONTRACT, batch.batch_id, [output.result for output in outputs], None, [])
    assert result.verdict is Verdict.NO_GO
    assert "records with different content share id 0a1b" in result.reason
    (record,) = read_quarantine(store, "crafts")
    assert (record.object_key, record.violations[0].rule_id) == (batch.objects[1].key, "id-unique")


def test_the_order_of_objects_is_the_batchs_and_not_that_of_their_keys() -> None:
    keys = [f"landing/cores/2026_3_{day}_{EPOCH_MS + day}_{part}.jsonl.gz" for day in (9, 10) for part in (2, 10)]

    assert sorted(sorted(keys), key=layout.stated_order) == keys
    assert sorted(keys) != keys


def test_what_the_bounded_memory_cannot_hold_is_left_to_the_reduce() -> None:
    store = MemoryStore()
    lines = [one(good(id=f"{number % 50:04x}")) for number in range(100)]
    batch = land(store, [lines])
    (shard,) = shards_of(batch, [1])
    judge = ObjectGate(store, CONTRACT, batch, most_held=10)

    output = together(batch, shard, [judge(landed) for landed in batch.objects])
    (reduced,) = reduce_batch(store, CONTRACT, batch, [output], rows_at_once=7)

    assert (output.result.duplicate_count, reduced.result.duplicate_count) == (10, 50)
    assert published(store, [reduced]) == sorted(set(lines))


def test_a_line_too_long_to_hold_is_kept_by_its_first_bytes() -> None:
    store = MemoryStore()
    long = one(good(id="0002", links={"wiki": "w" * 5_000_000}))
    batch = land(store, [[one(good(id="0001")), long, one(good(id="0003"))]])

    (output,) = gated(store, batch)

    (record,) = read_quarantine(store, "crafts")
    assert (record.size_bytes, record.line_number) == (len(long), 2)
    assert record.byte_offset == len(one(good(id="0001"))) + 1
    assert len(record.raw_base64) < 10_000
    assert output.result.accepted_count == 2
