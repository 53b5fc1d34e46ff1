"""Owns the replay step: quarantined records of one batch, planned once more for the ordinary steps to take on.

Judging and loading them is the other steps' job (loader/steps.py), as of any batch; what a quarantined record is,
loader/quarantine.py's.
"""

import base64
import gzip
import hashlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import groupby

import orjson

from contracts.errors import RowsDoNotReconcile, UsageError
from contracts.model import Contract
from loader import layout, publication
from loader.batch import Batch, LandedObject, Plan, batch_identity, split_into_shards
from loader.lines import count_lines, iter_lines
from loader.load import prepare_warehouse
from loader.manifest import manifest_entries
from loader.pipeline import Pipeline
from loader.plan import SHARD_BYTES
from loader.quarantine import QuarantinedRecord, read_quarantine
from loader.run_folder import RunFolder, find_run_of, newest_quarantine
from loader.store import ObjectStore
from loader.warehouse import Session
from validation.raw_gate import GATE_VERSION
from validation.wording import counted, few

_REQUEST = "replay.json"


@dataclass(frozen=True, slots=True)
class ReplayRequest:
    """Which records to replay: those that broke one of the rules and have one of the keys. None said: all."""

    dataset: str
    rules: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()
    batch_id: str = ""  # default: that of the newest snapshot that set rows aside


@dataclass(frozen=True, slots=True)
class Selection:
    """The records of one snapshot's quarantine that are to be replayed. A snapshot published has few of them."""

    dataset: str
    batch_id: str
    snapshot_at_ms: int
    records: tuple[QuarantinedRecord, ...]  # as they lay: by object, then by line

    @property
    def selection_id(self) -> str:
        """The same lines from the same places have the same id, 16 hex digits."""
        digest = hashlib.sha256()
        for record in self.records:
            digest.update(f"{record.quarantine_id}\0{record.raw_base64}\0".encode())
        return digest.hexdigest()[:16]


def replay_step(pipeline: Pipeline, run_id: str, request: ReplayRequest) -> Plan:
    """Plans a run out of quarantined records. A run's first plan stays its plan, and asking again gives it back.

    Raises UsageError when nothing is selected, or when the records' snapshot is not published itself.
    """
    folder = pipeline.run_folder(run_id)
    with pipeline.telemetry.step("replay"):
        made = folder.find(Plan, "plan.json")
        if made is not None:
            _refuse_other(folder, request)
        else:
            selection = select(pipeline, request)
            made = _planned(pipeline, run_id, request, selection)
            folder.write(_REQUEST, request)
            folder.write("plan.json", made)
        pipeline.telemetry.count_rows(request.dataset, "plan", {"extracted": made.batch(request.dataset).line_count})
        return made


def select(pipeline: Pipeline, request: ReplayRequest) -> Selection:
    """The records that a request means. Writes nothing. Raises UsageError when they cannot be replayed."""
    contract, store = pipeline.contract(request.dataset), pipeline.lake
    batch_id = request.batch_id or newest_quarantine(store, request.dataset)
    if batch_id is None:
        raise UsageError(f"no run on record set rows of {request.dataset} aside: there is nothing to replay.")
    records = _chosen(request, batch_id, list(read_quarantine(store, request.dataset, batch_id)))
    with pipeline.warehouse() as session:
        prepare_warehouse(session, pipeline.contracts)
        row = session.rows(publication.find_landed(), (request.dataset, batch_id))
        if not row:
            raise _unpublished(store, request.dataset, batch_id)
        selection = Selection(request.dataset, batch_id, int(row[0][0]), records)
        _refuse_rivals(store, session, contract, selection)
    return selection


def _chosen(
    request: ReplayRequest, batch_id: str, records: Sequence[QuarantinedRecord]
) -> tuple[QuarantinedRecord, ...]:
    where = f"{request.dataset} batch {batch_id}"
    if not records:
        raise UsageError(
            f"no record of {where} lies in quarantine (any more): there is nothing to replay. "
            f"See: spacex-elt quarantine show {request.dataset}"
        )
    broken = {violation.rule_id for record in records for violation in record.violations}
    unknown = [*sorted({*request.rules} - broken), *sorted({*request.keys} - {str(record.key) for record in records})]
    if unknown:
        raise UsageError(
            f"no record of {where} in quarantine has the rule or key {', '.join(unknown)}. Rules broken there: "
            f"{', '.join(sorted(broken))}. See: spacex-elt quarantine show {request.dataset} --batch {batch_id}"
        )
    chosen = [record for record in records if _is_meant(request, record)]
    if not chosen:
        raise UsageError(
            f"none of the {counted(len(records), 'record')} of {where} in quarantine has both one of the rules and one "
            f"of the keys: there is nothing to replay. See: spacex-elt quarantine show {request.dataset}"
        )
    return tuple(sorted(chosen, key=lambda record: (record.object_key, record.line_number)))


def _is_meant(request: ReplayRequest, record: QuarantinedRecord) -> bool:
    has_rule = not request.rules or any(violation.rule_id in request.rules for violation in record.violations)
    return has_rule and (not request.keys or record.key in request.keys)


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
    for record in selection.records:
        if record.key is not None:
            ours.setdefault(record.key, set()).add(_content(base64.b64decode(record.raw_base64))[1])
    rivals = set()
    for (batch_id,) in session.rows(publication.find_batches(), (selection.dataset, selection.snapshot_at_ms)):
        for line in _published_lines(store, selection.dataset, str(batch_id)):
            record_of_line, content = _content(line)
            key = str(record_of_line.get(contract.key.name))
            if key in ours and ours[key] != {content}:
                rivals.add(key)
    if rivals:
        told = f" ({few(sorted(rivals))})" if contract.key.classification == "public" else ""
        raise UsageError(
            f"{selection.dataset} batch {selection.batch_id}: {counted(len(rivals), 'selected key')}{told} belong to "
            "another record of the same snapshot, which is published. A replay would put one in the other's place. "
            "Choose the others with --key, and mend the source."
        )


def _content(line: bytes) -> tuple[dict[str, object], bytes]:
    """The record of a line in Airbyte's envelope, and what is the same for equal records."""
    record = orjson.loads(line)["_airbyte_data"]
    return record, orjson.dumps(record, option=orjson.OPT_SORT_KEYS)


def _published_lines(store: ObjectStore, dataset: str, batch_id: str) -> Iterator[bytes]:
    for key in manifest_entries(store, dataset, batch_id):
        with closing(store.open(key)) as body:
            yield from iter_lines(body)


def _refuse_other(folder: RunFolder, request: ReplayRequest) -> None:
    if folder.find(ReplayRequest, _REQUEST) != request:
        raise UsageError(f"run {folder.run_id} is planned for something else. It goes on with that; start a new run.")


def _planned(pipeline: Pipeline, run_id: str, request: ReplayRequest, selection: Selection) -> Plan:
    contract = pipeline.contract(selection.dataset)
    objects = tuple(_written(pipeline.lake, selection))
    batch = Batch(
        dataset=selection.dataset,
        batch_id=batch_identity(selection.dataset, objects, contract.content_hash, GATE_VERSION),
        contract_version=contract.version,
        objects=objects,
        expected_count=len(selection.records),
        is_partial=True,
        snapshot_at_ms=selection.snapshot_at_ms,
    )
    if batch.line_count != batch.expected_count:
        raise RowsDoNotReconcile(
            f"{selection.dataset} batch {batch.batch_id}: {batch.expected_count} records were selected and "
            f"s3://{pipeline.lake.bucket}/{layout.replay_prefix(selection.dataset, selection.selection_id)} holds "
            f"{batch.line_count} lines. Nothing was planned."
        )
    shards = split_into_shards(batch, SHARD_BYTES)
    job_id = f"replay {selection.selection_id}"  # in the place of a sync's: nothing else may plan this run
    return Plan(run_id, _words(request, selection), job_id, pipeline.now(), (batch,), shards)


def _words(request: ReplayRequest, selection: Selection) -> str:
    """Where the data came from, for people."""
    by = [f"rule {rule_id}" for rule_id in request.rules]
    by += [counted(len(request.keys), "key")] if request.keys else []
    return f"replay of {selection.dataset} batch {selection.batch_id}" + (f" ({', '.join(by)})" if by else "")


def _written(store: ObjectStore, selection: Selection) -> Iterator[LandedObject]:
    """Writes the selected lines, as they lay, one object per object they landed in; again gives the same bytes."""
    prefix = layout.replay_prefix(selection.dataset, selection.selection_id)
    for origin, records in groupby(selection.records, key=lambda record: record.object_key):
        key = prefix + layout.file_name(origin)
        stored = store.put(key, _compressed(records), "application/gzip")
        with closing(store.open(key, stored.etag)) as body:
            line_count, damage = count_lines(body)
        yield LandedObject(key, stored.etag, stored.size_bytes, line_count, damage)


def _compressed(records: Iterable[QuarantinedRecord]) -> bytes:
    lines = (base64.b64decode(record.raw_base64) + b"\n" for record in records)
    return gzip.compress(b"".join(lines), mtime=0)
