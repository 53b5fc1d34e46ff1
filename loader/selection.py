"""Owns which quarantined records a replay means, and what forbids it. Planning them is loader/replay.py's job."""

import base64
import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass

import orjson

from contracts.errors import UsageError
from contracts.model import Contract
from loader import publication
from loader.batch import Plan
from loader.decisions import MOST_ATTEMPTS, OPEN, History, Journal, State
from loader.edits import EditedRow, Line, line_of
from loader.lines import iter_lines
from loader.load import prepare_warehouse
from loader.manifest import manifest_entries
from loader.pipeline import Pipeline
from loader.queue import Queued, Wanted, read_queue, refuse_unknown
from loader.run_folder import RunFolder, find_run_of, newest_quarantine
from loader.store import ObjectStore
from loader.warehouse import Session
from validation.wording import counted, few


@dataclass(frozen=True, slots=True)
class ReplayRequest:
    """Which records to replay: those that broke one of the rules and have one of the keys. None said: all that wait."""

    dataset: str
    rules: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()
    batch_id: str = ""  # default: that of the named records; else of the newest snapshot that set rows aside
    quarantine_ids: tuple[str, ...] = ()
    is_again: bool = False  # also condemned records, and those that another run has taken
    may_change_keys: bool = False  # edited records only
    edits_digest: str = ""
    by: str = ""
    why: str = ""


@dataclass(frozen=True, slots=True)
class Selection:
    """The records of one snapshot's quarantine that are to be replayed. A snapshot published has few of them."""

    dataset: str
    batch_id: str
    snapshot_at_ms: int
    lines: tuple[Line, ...]  # in the order in which they lay: by object, then by line
    left: Counter[State]  # records that were meant and are not for replay, by where they stand

    @property
    def selection_id(self) -> str:
        """The same lines from the same places have the same id, 16 hex digits."""
        digest = hashlib.sha256()
        for line in self.lines:
            digest.update(f"{line.record.quarantine_id}\0{base64.b64encode(line.raw).decode()}\0".encode())
        return digest.hexdigest()[:16]


def select(
    pipeline: Pipeline,
    request: ReplayRequest,
    edits: Sequence[EditedRow] = (),
    run_id: str = "",
    history: History | None = None,
) -> Selection:
    """The records that a request means. Writes nothing. Raises UsageError when they cannot be replayed."""
    contract, store = pipeline.contract(request.dataset), pipeline.lake
    history = history or Journal(store, contract.dataset).read()
    batch_id, queued = _in_one_batch(store, request, history)
    chosen, left = _chosen(request, batch_id, queued, run_id)
    rows = {row.quarantine_id: row for row in edits}
    lines = tuple(
        line_of(contract, each.record, rows.get(each.record.quarantine_id), may_change_key=request.may_change_keys)
        for each in sorted(chosen, key=lambda each: (each.record.object_key, each.record.line_number))
    )
    with pipeline.warehouse() as session:
        prepare_warehouse(session, pipeline.contracts)
        row = session.rows(publication.find_landed(), (request.dataset, batch_id))
        if not row:
            raise _unpublished(store, request.dataset, batch_id)
        selection = Selection(request.dataset, batch_id, int(row[0][0]), lines, left)
        _refuse_rivals(store, session, contract, selection)
    return selection


def _in_one_batch(store: ObjectStore, request: ReplayRequest, history: History) -> tuple[str, list[Queued]]:
    """The batch that is meant, and its records; of named ones only those."""
    named = frozenset(request.quarantine_ids)
    batch_id = request.batch_id or (None if named else newest_quarantine(store, request.dataset))
    if batch_id is None and not named:
        raise UsageError(f"no run on record set rows of {request.dataset} aside: there is nothing to replay.")
    wanted = Wanted(named, (batch_id,) if batch_id else ())
    queued = list(read_queue(store, request.dataset, wanted, history))
    refuse_unknown(request.dataset, named, [each.record.quarantine_id for each in queued])
    batches = sorted({each.record.batch_id for each in queued})
    if len(batches) > 1:
        raise UsageError(
            f"the named records of {request.dataset} lie in {len(batches)} batches ({few(batches)}), and a replay is "
            "of one snapshot. Name those of one, or say --batch."
        )
    return (batches[0] if batches else batch_id or ""), queued


def _chosen(
    request: ReplayRequest, batch_id: str, queued: Sequence[Queued], run_id: str
) -> tuple[list[Queued], Counter[State]]:
    where, see = f"{request.dataset} batch {batch_id}", f"See: spacex-elt quarantine show {request.dataset}"
    if not queued:
        raise UsageError(f"no record of {where} lies in quarantine (any more): there is nothing to replay. {see}")
    broken = {violation.rule_id for each in queued for violation in each.judged.violations}
    unknown = [
        *sorted({*request.rules} - broken),
        *sorted({*request.keys} - {str(each.record.key) for each in queued}),
    ]
    if unknown:
        raise UsageError(
            f"no record of {where} in quarantine has the rule or key {', '.join(unknown)}. Rules broken there: "
            f"{', '.join(sorted(broken))}. {see} --batch {batch_id}"
        )
    wanted = Wanted(rules=request.rules, keys=frozenset(request.keys))
    meant = [each for each in queued if wanted.takes(each)]
    if not meant:
        raise UsageError(
            f"none of the {counted(len(queued), 'record')} of {where} in quarantine has both one of the rules and one "
            f"of the keys: there is nothing to replay. {see}"
        )
    chosen = [each for each in meant if _may_be_taken(each, request, run_id)]
    left = Counter(each.state for each in meant if not _may_be_taken(each, request, run_id))
    if not chosen:
        raise _none_waits(where, meant, left)
    return chosen, left


def _may_be_taken(queued: Queued, request: ReplayRequest, run_id: str) -> bool:
    if queued.state is State.REPLAYING:
        return request.is_again or queued.run_id == run_id  # ours, of a try that was cut off
    return queued.state in OPEN or (queued.state is State.CONDEMNED and request.is_again)


def _none_waits(where: str, meant: Sequence[Queued], left: Counter[State]) -> UsageError:
    told = ", ".join(f"{count} {state.value}" for state, count in sorted(left.items()))
    runs = sorted({each.run_id for each in meant if each.state is State.REPLAYING})
    advice = ""
    if runs:
        advice += f" Run {few(runs)} has taken records and not ended: go on with it."
    if runs or left[State.CONDEMNED]:
        advice += f" To take them all the same, say --again; {MOST_ATTEMPTS} replays in vain condemn a record."
    return UsageError(f"none of the records of {where} that are meant waits for a replay: {told}.{advice}")


def _unpublished(store: ObjectStore, dataset: str, batch_id: str) -> UsageError:
    """Why a held snapshot's records are not for replay, and what is."""
    run = find_run_of(store, dataset, batch_id)
    plan = run and RunFolder(store, run.run_id).find(Plan, "plan.json")
    job_id = plan.job_id if plan else "<its Airbyte job>"
    return UsageError(
        f"{dataset} batch {batch_id} was held as a whole, or never loaded: none of its rows is published, so a part of "
        "them would not make a true table. Once data or contract are mended, judge the whole snapshot again: "
        f"spacex-elt plan --run-id <new run> --job-id {job_id}"
    )


def _refuse_rivals(store: ObjectStore, session: Session, contract: Contract, selection: Selection) -> None:
    """Raises UsageError when the same snapshot has published another record of a selected key.

    Neither is older than the other, and the gate, which looks for that within a batch, sees only one of them.
    """
    if session.rows(publication.find_newer(), (selection.dataset, selection.snapshot_at_ms)):
        return  # superseded: loading says so, and the older objects may be gone
    ours: dict[str, set[bytes]] = {}
    for line in selection.lines:
        if line.record.key is not None or line.edit is not None:
            key, content = _content(contract, line.raw)
            ours.setdefault(key, set()).add(content)
    rivals = set()
    for (batch_id,) in session.rows(publication.find_batches(), (selection.dataset, selection.snapshot_at_ms)):
        for published in _published_lines(store, selection.dataset, str(batch_id)):
            key, content = _content(contract, published)
            if key in ours and ours[key] != {content}:
                rivals.add(key)
    if rivals:
        told = f" ({few(sorted(rivals))})" if contract.key.classification == "public" else ""
        raise UsageError(
            f"{selection.dataset} batch {selection.batch_id}: {counted(len(rivals), 'selected key')}{told} belong to "
            "another record of the same snapshot, which is published. A replay would put one in the other's place. "
            "Choose the others with --key, and mend the source."
        )


def _content(contract: Contract, line: bytes) -> tuple[str, bytes]:
    """The key of a line in Airbyte's envelope, and what is the same for equal records."""
    record = orjson.loads(line)["_airbyte_data"]
    return str(record.get(contract.key.name)), orjson.dumps(record, option=orjson.OPT_SORT_KEYS)


def _published_lines(store: ObjectStore, dataset: str, batch_id: str) -> Iterator[bytes]:
    for key in manifest_entries(store, dataset, batch_id):
        with closing(store.open(key)) as body:
            yield from iter_lines(body)
