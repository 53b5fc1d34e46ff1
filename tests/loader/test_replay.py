"""Replaying quarantine on the stack: what passes now is let in, once, and nothing else is touched."""

import base64
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from hashlib import sha256
from io import BytesIO
from typing import Any
from uuid import uuid4

import pytest

from contracts.errors import UsageError
from contracts.model import Contract, Rule, RuleKind, Scope, Severity
from loader.decisions import Journal, ReplayBegun, ReplayEnded, State, Triage
from loader.edits import EditedRow, digest_of
from loader.lines import iter_lines
from loader.load import LoadOutput
from loader.pipeline import Pipeline
from loader.plan import Request, make_plan
from loader.publish import publish_step, refuse_imbalance
from loader.quarantine import read_quarantine
from loader.queue import Queued, Triaged, Wanted, read_queue, triage
from loader.replay import replay_step
from loader.run_folder import newest_quarantine, read_incidents
from loader.s3 import S3Store
from loader.selection import ReplayRequest, select
from loader.steps import gate_step, load_step
from loader.store import StoredObject
from observability.incidents import IncidentState
from observability.run_record import DatasetRecord
from spacex_elt.wiring import open_pipeline
from tests.loader.landing import EPOCH_MS, compressed, envelope, sync_job
from tests.loader.rig import Rig, thing, things
from validation.results import Verdict

pytestmark = [pytest.mark.stack, pytest.mark.timeout(300)]

SMALL = Rule("text-small", "text", RuleKind.PATTERN, "^[a-z]+$", Scope.ROW, Severity.ERROR, "validity", "")
SHORT = Rule("text-short", "text", RuleKind.PATTERN, "^[A-Za-z]{1,4}$", Scope.ROW, Severity.ERROR, "validity", "")
ENOUGH = Rule("row-count", "", RuleKind.ROW_COUNT, 2, Scope.SET, Severity.ERROR, "completeness", "")

Record = dict[str, Any]


@dataclass
class Story:
    """One dataset's snapshots and replays, each a run of its own."""

    pipeline: Pipeline
    rig: Rig

    @property
    def dataset(self) -> str:
        return self.rig.contract.dataset

    def under(self, contract: Contract) -> "Story":
        """The same, judged by another contract."""
        known = {**self.pipeline.contracts, contract.dataset: contract}
        return Story(replace(self.pipeline, contracts=known), replace(self.rig, contract=contract))

    def mended(self, *without: Rule) -> "Story":
        """The same, without some of the contract's rules."""
        contract = self.rig.contract
        kept = tuple(rule for rule in contract.rules if rule not in without)
        return self.under(replace(contract, rules=kept, content_hash="-".join(rule.rule_id for rule in without)))

    def snapshot(self, day: int, *objects: list[Record]) -> DatasetRecord:
        """Lands a day's snapshot, one object every ten seconds, and takes it through all steps."""
        run_id = f"{self.dataset}-day-{day}"
        for number, records in enumerate(objects):
            at_ms = EPOCH_MS + day * 86_400_000 + number * 10_000
            lines = [envelope(record, day) for record in records]
            key = f"landing/{self.dataset}/2026_03_21_{at_ms}_0.jsonl.gz"
            self.pipeline.lake.put(key, compressed(lines), "application/gzip")
        job = sync_job(day, {self.dataset: sum(map(len, objects))})
        known = {self.dataset: self.rig.contract}
        plan = make_plan(
            self.pipeline.lake, Request(run_id, "a test", job, (self.dataset,), known, self.pipeline.now())
        )
        self.pipeline.run_folder(run_id).write("plan.json", plan)
        return self.steps(run_id)

    def plan(self, run_id: str, **chosen: Any) -> None:
        replay_step(self.pipeline, f"{self.dataset}-{run_id}", ReplayRequest(self.dataset, **chosen))

    def load(self, run_id: str) -> LoadOutput:
        for shard in self.pipeline.run_folder(run_id).plan().shards:
            gate_step(self.pipeline, run_id, shard.shard_id)
        return load_step(self.pipeline, run_id, self.dataset)

    def steps(self, run_id: str) -> DatasetRecord:
        self.load(run_id)
        record = publish_step(self.pipeline, run_id)
        refuse_imbalance(record)
        return record.datasets[0]

    def replay(self, run_id: str, **chosen: Any) -> DatasetRecord:
        self.plan(run_id, **chosen)
        return self.steps(f"{self.dataset}-{run_id}")


def fates(record: DatasetRecord) -> tuple[int | None, ...]:
    """Extracted, accepted, quarantined, then inserted, updated, unchanged, deleted."""
    return (
        *(record.extracted, record.accepted, record.quarantined),
        *(record.inserted, record.updated, record.unchanged, record.deleted),
    )


def queue(story: Story) -> dict[str, Queued]:
    """The dataset's records in quarantine, by their key."""
    found = read_queue(story.pipeline.lake, story.dataset, Wanted())
    return {str(queued.record.key): queued for queued in found}


def states(story: Story) -> dict[str, str]:
    return {key: queued.state.value for key, queued in sorted(queue(story).items())}


def run_of(story: Story, run_id: str) -> str:
    return f"{story.dataset}-{run_id}"


def discard(story: Story, *keys: str) -> Triaged:
    word = Triage(State.DISCARDED, "ana", "a test launch", story.pipeline.now(), ())
    return triage(story.pipeline.lake, story.dataset, Wanted(keys=frozenset(keys)), word)


@pytest.fixture
def story(new_rig: Callable[[Contract], Rig]) -> Iterator[Story]:
    contract = things(f"replayed_{uuid4().hex[:8]}")
    contract = replace(contract, rules=(*contract.rules, SMALL, SHORT, ENOUGH))
    with open_pipeline("replays") as pipeline:
        yield Story(replace(pipeline, contracts={contract.dataset: contract}), new_rig(contract))


#: Two bad rows in the snapshot's first object, one in its last; `a` was published well the day before.
YESTERDAY = [thing("a", text="old"), thing("b", text="same")]
TODAY = (
    [thing("a", text="NEW"), thing("b", text="same"), thing("c", text="toolong")],
    [thing("d", text="fine"), thing("e", text="NO")],
)


@pytest.fixture
def published(story: Story) -> Story:
    story.snapshot(1, YESTERDAY)
    assert fates(story.snapshot(2, *TODAY)) == (5, 2, 3, 1, 0, 1, 0)
    assert story.rig.live() == [("a", "old"), ("b", "same"), ("d", "fine")]
    return story


def test_rows_that_are_still_bad_stay_where_they_are(published: Story) -> None:
    before = published.rig.everything()

    record = published.replay("again")

    assert fates(record) == (3, 0, 3, 0, 0, 0, 0)
    assert (record.verdict, record.is_partial) == (Verdict.QUARANTINE, True)
    assert "3 of 3 replayed records rejected again" in record.reason
    assert published.rig.everything() == before
    assert published.rig.staging_tables() == []
    rejected = list(read_quarantine(published.pipeline.lake, published.dataset, record.batch_id))
    assert [each.key for each in rejected] == ["a", "c", "e"]


def test_rows_that_are_good_now_are_let_in_and_no_other_is_touched(published: Story) -> None:
    record = published.mended(SMALL).replay("mended")

    assert fates(record) == (3, 2, 1, 1, 1, 0, 0)
    assert published.rig.live() == [("a", "NEW"), ("b", "same"), ("d", "fine"), ("e", "NO")]
    assert published.rig.rows("select count(*) from {raw} where _deleted_at is not null") == [(0,)]


def test_a_few_rows_are_chosen_by_rule_or_key_or_both(published: Story) -> None:
    mended = published.mended(SMALL, SHORT)
    assert fates(mended.replay("by rule", rules=("text-small",), keys=("e",))) == (1, 1, 0, 1, 0, 0, 0)
    assert published.rig.live() == [("a", "old"), ("b", "same"), ("d", "fine"), ("e", "NO")]
    assert fates(mended.replay("by key", keys=("c",))) == (1, 1, 0, 1, 0, 0, 0)
    assert published.rig.live() == [("a", "old"), ("b", "same"), ("c", "toolong"), ("d", "fine"), ("e", "NO")]


def test_the_lines_are_replayed_as_they_lay_in_objects_named_as_theirs(published: Story) -> None:
    published.plan("look")
    plan = published.pipeline.run_folder(f"{published.dataset}-look").plan()
    (batch,) = plan.batches
    prefix = f"replays/{published.dataset}/"
    assert [landed.key.removeprefix(prefix).split("/")[1] for landed in batch.objects] == [
        f"2026_03_21_{EPOCH_MS + 2 * 86_400_000}_0.jsonl.gz",
        f"2026_03_21_{EPOCH_MS + 2 * 86_400_000 + 10_000}_0.jsonl.gz",
    ]
    assert published.pipeline.lake.get(batch.objects[0].key) == compressed(
        [envelope(TODAY[0][0], 2), envelope(TODAY[0][2], 2)]
    )
    assert plan.source.startswith(f"replay of {published.dataset} batch ")


def test_a_part_of_a_snapshots_first_object_is_as_new_as_the_snapshot(published: Story) -> None:
    published.mended(SMALL).replay("first", keys=("a",))
    assert ("a", "NEW") in published.rig.live()


def test_what_a_replay_has_published_is_not_taken_again(published: Story) -> None:
    mended = published.mended(SMALL)
    mended.replay("once")
    before = published.rig.everything()

    assert fates(mended.replay("twice")) == (1, 0, 1, 0, 0, 0, 0)  # c is as long as it was
    assert published.rig.everything() == before
    with pytest.raises(UsageError, match="waits for a replay: 2 replayed"):
        mended.plan("thrice", keys=("a", "e"), is_again=True)


def test_a_replay_does_not_bring_yesterday_back(published: Story) -> None:
    published.plan("late")
    published.snapshot(3, [thing("a", text="newer"), thing("d", text="fine")])
    before = published.rig.everything()

    record = published.steps(f"{published.dataset}-late")

    assert (record.was_superseded, record.inserted) == (True, None)
    assert published.rig.everything() == before


def test_rows_of_a_snapshot_that_was_held_are_not_replayed(story: Story) -> None:
    story.snapshot(1, YESTERDAY)
    held = story.snapshot(2, [thing("a", text="NO")])  # one row only
    assert held.verdict is Verdict.NO_GO
    with pytest.raises(UsageError, match=r"held as a whole.*spacex-elt plan --run-id <new run> --job-id 2$"):
        story.plan("held")
    assert list(story.pipeline.lake.list(f"replays/{story.dataset}/")) == []


@pytest.mark.parametrize(
    ("chosen", "told"),
    [
        ({"rules": ("text-round",)}, "rule or key text-round. Rules broken there: text-short, text-small"),
        ({"keys": ("a", "zz")}, "rule or key zz"),
        ({"rules": ("text-short",), "keys": ("a",)}, "there is nothing to replay"),
        ({"batch_id": "0123456789abcdef"}, "there is nothing to replay"),
    ],
)
def test_a_choice_that_means_nothing_is_refused(published: Story, chosen: dict[str, Any], told: str) -> None:
    with pytest.raises(UsageError, match=told):
        published.plan("nothing", **chosen)


def test_without_a_quarantine_there_is_nothing_to_replay(story: Story) -> None:
    story.snapshot(1, YESTERDAY)
    with pytest.raises(UsageError, match="no run on record set rows"):
        story.plan("nothing")


def test_a_row_that_claims_the_key_of_a_published_one_is_not_put_in_its_place(story: Story) -> None:
    twins = [thing("a", text="good"), thing("a", text="BAD"), thing("b", text="good"), thing("c", text="BAD")]
    story.snapshot(1, twins)
    mended = story.mended(SMALL)
    with pytest.raises(UsageError, match=r"1 selected key \(a\)"):
        mended.plan("twins")
    assert fates(mended.replay("single", keys=("c",))) == (1, 1, 0, 1, 0, 0, 0)
    assert sorted(each.state.value for each in read_queue(story.pipeline.lake, story.dataset, Wanted())) == [
        "new",
        "replayed",
    ]


def test_two_rows_of_one_key_hold_a_replay(story: Story) -> None:
    story.snapshot(1, [thing("b", text="good"), thing("a", text="ONE"), thing("a", text="TWO")])
    record = story.mended(SMALL).replay("both")
    assert (record.verdict, record.inserted) == (Verdict.NO_GO, None)
    assert story.rig.live() == [("b", "good")]
    opened = [each for each in read_incidents(story.pipeline.lake) if each.dataset == story.dataset]
    assert [(each.rule_id, each.state) for each in opened] == [("id-unique", IncidentState.OPEN)]
    assert opened[0].headline.startswith(f"a replay of {story.dataset} is held")


def test_a_replay_that_passes_does_not_resolve_what_holds_the_dataset(published: Story) -> None:
    published.snapshot(3, [thing("a", text="good")])  # one row only: held
    published.mended(SMALL).replay(
        "passes", batch_id=published.pipeline.run_folder(f"{published.dataset}-day-2").plan().batches[0].batch_id
    )
    assert ("a", "NEW") in published.rig.live()
    states = [each.state for each in read_incidents(published.pipeline.lake) if each.dataset == published.dataset]
    assert states == [IncidentState.OPEN]


def test_what_a_replay_sets_aside_again_does_not_hide_the_rest(published: Story) -> None:
    before = newest_quarantine(published.pipeline.lake, published.dataset)
    published.replay("one of three", keys=("c",))
    assert newest_quarantine(published.pipeline.lake, published.dataset) == before


def test_a_dry_look_writes_nothing(published: Story) -> None:
    before = [stored.key for stored in published.pipeline.lake.list("")]
    assert len(select(published.pipeline, ReplayRequest(published.dataset)).lines) == 3
    assert [stored.key for stored in published.pipeline.lake.list("")] == before


def test_a_run_that_is_planned_for_something_else_is_not_planned_over(published: Story) -> None:
    published.plan("mine", keys=("a",))
    with pytest.raises(UsageError, match="planned for something else"):
        published.plan("mine", keys=("c",))
    with pytest.raises(UsageError, match="planned for something else"):
        published.plan("day-2")


class Died(BaseException):
    """The process is gone."""


class DyingStore(S3Store):
    """Dies right before one of its writes."""

    def __init__(self, bucket: str, writes_left: int) -> None:
        super().__init__(bucket)
        self._writes_left = writes_left

    def put(self, key: str, body: bytes, content_type: str) -> StoredObject:
        if self._writes_left == 0:
            raise Died
        self._writes_left -= 1
        return super().put(key, body, content_type)

    def put_new(self, key: str, body: bytes, content_type: str) -> StoredObject:
        if self._writes_left == 0:
            raise Died
        self._writes_left -= 1
        return super().put_new(key, body, content_type)


def test_a_replay_killed_before_any_of_its_writes_ends_as_if_undisturbed(published: Story) -> None:
    published.plan("undisturbed")
    undisturbed = published.pipeline.run_folder(f"{published.dataset}-undisturbed").plan()
    for write in range(5):  # two objects, the request, the journal, the plan
        dying = Story(
            replace(published.pipeline, lake=DyingStore(published.pipeline.lake.bucket, write)), published.rig
        )
        with pytest.raises(Died):
            dying.plan(f"killed-{write}", is_again=True)
        published.plan(f"killed-{write}", is_again=True)
        made = published.pipeline.run_folder(f"{published.dataset}-killed-{write}").plan()
        assert (made.batches, made.shards) == (undisturbed.batches, undisturbed.shards)


def test_a_replay_asked_for_again_after_any_step_ends_as_if_asked_once(published: Story) -> None:
    mended, run_id = published.mended(SMALL), f"{published.dataset}-steps"
    mended.plan("steps")
    mended.plan("steps")
    first = mended.load(run_id)
    mended.plan("steps")
    assert asdict(mended.load(run_id)) == asdict(first)  # its own ledger row: what this run did, not "nothing"
    assert fates(mended.steps(run_id)) == (3, 2, 1, 1, 1, 0, 0)
    assert published.rig.live() == [("a", "NEW"), ("b", "same"), ("d", "fine"), ("e", "NO")]


def test_a_published_record_is_replayed_and_one_rejected_again_is_new_with_its_new_reasons(published: Story) -> None:
    assert states(published) == {"a": "new", "c": "new", "e": "new"}
    longest = Rule("text-longest", "text", RuleKind.MAX_LENGTH, 4, Scope.ROW, Severity.ERROR, "validity", "")
    contract = published.mended(SMALL, SHORT).rig.contract
    mended = published.under(replace(contract, rules=(*contract.rules, longest)))
    mended.plan("mended")
    assert states(published) == {"a": "replaying", "c": "replaying", "e": "replaying"}

    record = mended.steps(run_of(published, "mended"))

    assert states(published) == {"a": "replayed", "c": "new", "e": "replayed"}
    found = queue(published)
    assert record.replay_of == found["c"].record.batch_id
    assert (found["c"].attempts, found["a"].attempts) == (1, 0)
    assert found["a"].run_id == run_of(published, "mended")
    assert [each.rule_id for each in found["c"].record.violations] == ["text-short"]
    assert [each.rule_id for each in found["c"].judged.violations] == ["text-longest"]
    taken = read_queue(published.pipeline.lake, published.dataset, Wanted(batch_ids=(record.batch_id,)))
    assert sorted(str(each.record.key) for each in taken) == ["a", "c", "e"]


def test_three_replays_in_vain_condemn_a_record_until_somebody_says_again(published: Story) -> None:
    for number in range(3):
        published.replay(f"try-{number}", keys=("c",))
    assert states(published) == {"a": "new", "c": "condemned", "e": "new"}
    with pytest.raises(UsageError, match=r"waits for a replay: 1 condemned.*--again"):
        published.plan("try-3", keys=("c",))
    assert fates(published.replay("rest"))[:3] == (2, 0, 2)
    assert fates(published.mended(SMALL, SHORT).replay("again", keys=("c",), is_again=True)) == (1, 1, 0, 1, 0, 0, 0)
    assert states(published)["c"] == "replayed"


def test_a_record_that_a_run_has_taken_is_no_other_runs_until_it_is_taken_on_purpose(published: Story) -> None:
    mended = published.mended(SMALL)
    mended.plan("first", keys=("a", "e"))
    with pytest.raises(UsageError, match=r"2 replaying. Run .*-first has taken records.*--again"):
        mended.plan("second", keys=("a", "e"))
    mended.plan("second", keys=("a",), is_again=True)

    with pytest.raises(UsageError, match=r"run .*-second has taken records"):
        mended.load(run_of(published, "first"))
    assert fates(mended.steps(run_of(published, "second"))) == (1, 1, 0, 0, 1, 0, 0)
    assert states(published) == {"a": "replayed", "c": "new", "e": "replaying"}
    assert published.rig.live() == [("a", "NEW"), ("b", "same"), ("d", "fine")]


def test_a_replay_that_was_held_gives_its_records_back(story: Story) -> None:
    story.snapshot(1, [thing("b", text="good"), thing("a", text="ONE"), thing("a", text="TWO")])
    assert story.mended(SMALL).replay("both").verdict is Verdict.NO_GO
    found = read_queue(story.pipeline.lake, story.dataset, Wanted())
    assert [(each.state.value, each.attempts) for each in found] == [("new", 1), ("new", 1)]


def test_a_discarded_record_is_never_replayed(published: Story) -> None:
    mended = published.mended(SMALL)
    mended.plan("early", keys=("e",))
    assert discard(published, "a", "e").left == {State.REPLAYING: 1}
    assert states(published) == {"a": "discarded", "c": "new", "e": "replaying"}
    assert fates(mended.steps(run_of(published, "early")))[:3] == (1, 1, 0)
    with pytest.raises(UsageError, match="waits for a replay: 1 discarded"):
        mended.plan("late", keys=("a",), is_again=True)


def test_a_held_replay_is_not_loaded_any_more_once_its_records_are_discarded(story: Story) -> None:
    story.snapshot(1, [thing("b", text="good"), thing("a", text="ONE"), thing("a", text="TWO")])
    mended = story.mended(SMALL)
    mended.replay("both")
    discard(story, "a")
    with pytest.raises(UsageError, match="were discarded since"):
        mended.load(run_of(story, "both"))


def test_steps_run_again_after_the_end_change_nothing_that_was_decided(published: Story) -> None:
    mended = published.mended(SMALL)
    mended.replay("mended")
    discard(published, "c")
    before = list(published.pipeline.lake.list(f"decisions/{published.dataset}/"))
    assert fates(mended.steps(run_of(published, "mended"))) == (3, 2, 1, 1, 1, 0, 0)
    assert list(published.pipeline.lake.list(f"decisions/{published.dataset}/")) == before
    assert states(published) == {"a": "replayed", "c": "discarded", "e": "replayed"}


def edited(published: Story, key: str, **values: Any) -> tuple[EditedRow, ...]:
    """The edit of one record."""
    record = {**thing(key), **values}
    return (EditedRow(queue(published)[key].record.quarantine_id, record, "ana", "as the source says now"),)


def replay_edited(story: Story, run_id: str, edits: tuple[EditedRow, ...], **chosen: Any) -> DatasetRecord:
    ids = tuple(row.quarantine_id for row in edits)
    request = ReplayRequest(story.dataset, quarantine_ids=ids, edits_digest=digest_of(edits), **chosen)
    replay_step(story.pipeline, run_of(story, run_id), request, edits)
    return story.steps(run_of(story, run_id))


def test_an_edited_record_goes_through_the_same_gates_and_leaves_a_trail(published: Story) -> None:
    edits = edited(published, "c", text="fits")
    assert fates(replay_edited(published, "edited", edits)) == (1, 1, 0, 1, 0, 0, 0)
    assert published.rig.live() == [("a", "old"), ("b", "same"), ("c", "fits"), ("d", "fine")]
    begun, ended = Journal(published.pipeline.lake, published.dataset).read().trails()[edits[0].quarantine_id]
    assert isinstance(begun, ReplayBegun)
    assert isinstance(ended, ReplayEnded)
    (edit,) = begun.edits
    assert (edit.by, edit.why, ended.outcome) == ("ana", "as the source says now", "published")
    (line,) = iter_lines(BytesIO(published.pipeline.lake.get(begun.objects[0].key)))
    assert sha256(line).hexdigest() == edit.after_sha256
    raw = base64.b64decode(queue(published)["c"].record.raw_base64)
    assert sha256(raw).hexdigest() == edit.before_sha256  # what was set aside is as it was


def test_an_edit_that_is_still_wrong_is_rejected_again(published: Story) -> None:
    assert fates(replay_edited(published, "edited", edited(published, "c", text="STILL")))[:3] == (1, 0, 1)
    assert (states(published)["c"], queue(published)["c"].attempts) == ("new", 1)


def test_an_edit_keeps_its_records_key_unless_another_is_meant(published: Story) -> None:
    wrong = edited(published, "c", id="z", text="fits")
    with pytest.raises(UsageError, match="changes the record's key id"):
        replay_edited(published, "other key", wrong)
    assert fates(replay_edited(published, "meant", wrong, may_change_keys=True)) == (1, 1, 0, 1, 0, 0, 0)
    assert ("z", "fits") in published.rig.live()


def test_an_edit_never_takes_the_place_of_a_record_that_is_published(published: Story) -> None:
    with pytest.raises(UsageError, match=r"1 selected key \(d\) belong to another record"):
        replay_edited(published, "claims", edited(published, "c", id="d", text="mine"), may_change_keys=True)
    assert states(published)["c"] == "new"


def test_a_replay_of_an_edit_goes_on_with_the_same_edit_only(published: Story) -> None:
    edits = edited(published, "c", text="fits")
    replay_edited(published, "edited", edits)
    with pytest.raises(UsageError, match="planned for something else"):
        replay_edited(published, "edited", edited(published, "c", text="oops"))
    assert fates(replay_edited(published, "edited", edits)) == (1, 1, 0, 1, 0, 0, 0)


def test_named_records_find_their_batch_and_unknown_ones_are_told(published: Story) -> None:
    named = queue(published)["e"].record.quarantine_id
    published.snapshot(3, [thing("a", text="NO"), thing("b", text="good"), thing("d", text="good")])
    selection = select(published.pipeline, ReplayRequest(published.dataset, quarantine_ids=(named,)))
    assert [line.record.quarantine_id for line in selection.lines] == [named]
    with pytest.raises(UsageError, match=r"1 record of .* that was named"):
        select(published.pipeline, ReplayRequest(published.dataset, quarantine_ids=(named, "0" * 16)))
    newest = next(read_queue(published.pipeline.lake, published.dataset, Wanted())).record
    assert newest.key == "a"
    with pytest.raises(UsageError, match="lie in 2 batches"):
        select(published.pipeline, ReplayRequest(published.dataset, quarantine_ids=(named, newest.quarantine_id)))


class MuteStore(S3Store):
    """Dies right before it could say a word in the journal."""

    def put_new(self, key: str, body: bytes, content_type: str) -> StoredObject:
        raise Died


def test_a_replay_killed_between_its_commit_and_its_word_says_it_when_it_is_run_again(published: Story) -> None:
    mended, run_id = published.mended(SMALL), run_of(published, "killed")
    mended.plan("killed")
    mute = Story(replace(mended.pipeline, lake=MuteStore(mended.pipeline.lake.bucket)), mended.rig)
    with pytest.raises(Died):
        mute.load(run_id)
    assert published.rig.live() == [("a", "NEW"), ("b", "same"), ("d", "fine"), ("e", "NO")]
    assert states(published) == {"a": "replaying", "c": "replaying", "e": "replaying"}

    assert fates(mended.steps(run_id)) == (3, 2, 1, 1, 1, 0, 0)
    assert states(published) == {"a": "replayed", "c": "new", "e": "replayed"}


class InterruptedStore(S3Store):
    """Lets somebody else speak right before the first word of its own."""

    def __init__(self, bucket: str, speak: Callable[[], object]) -> None:
        super().__init__(bucket)
        self._speak: Callable[[], object] | None = speak

    def put_new(self, key: str, body: bytes, content_type: str) -> StoredObject:
        speak, self._speak = self._speak, None
        if speak is not None:
            speak()
        return super().put_new(key, body, content_type)


def test_a_record_that_is_discarded_while_a_replay_begins_is_not_in_it(published: Story) -> None:
    mended, bucket = published.mended(SMALL), published.pipeline.lake.bucket
    interrupted = InterruptedStore(bucket, lambda: discard(published, "a"))
    Story(replace(mended.pipeline, lake=interrupted), mended.rig).plan("begins")
    assert states(published) == {"a": "discarded", "c": "replaying", "e": "replaying"}
    assert fates(mended.steps(run_of(published, "begins"))) == (2, 1, 1, 1, 0, 0, 0)
    assert published.rig.live() == [("a", "old"), ("b", "same"), ("d", "fine"), ("e", "NO")]


def test_of_two_replays_that_begin_at_once_the_second_gets_what_the_first_left(published: Story) -> None:
    mended, bucket = published.mended(SMALL), published.pipeline.lake.bucket
    interrupted = InterruptedStore(bucket, lambda: mended.plan("first", keys=("a", "c")))
    Story(replace(mended.pipeline, lake=interrupted), mended.rig).plan("second")
    found = queue(published)
    assert {key: found[key].run_id for key in "ace"} == {
        "a": run_of(published, "first"),
        "c": run_of(published, "first"),
        "e": run_of(published, "second"),
    }
