"""Owns quarantines for tests that need no gate: records put where the raw gate would put them."""

import base64
import gzip
from collections.abc import Iterable
from datetime import datetime

import orjson

from loader import layout
from loader.documents import to_json
from loader.quarantine import QuarantinedRecord
from tests.loader.landing import envelope
from tests.loader.memory_store import MemoryStore
from tests.loader.rig import thing
from validation.results import Violation

BATCH = "00000000000000aa"


def set_aside(
    key: str | None,
    rule_id: str = "text-small",
    batch_id: str = BATCH,
    raw: bytes | None = None,
    path: str = "text",
    dataset: str = "things",
) -> QuarantinedRecord:
    """One record of `things` that broke one rule. Its id begins with its key."""
    line = raw if raw is not None else envelope(thing(key or "", text="BAD"), 1)
    return QuarantinedRecord(
        quarantine_id=f"{key}-{batch_id[-2:]}",
        dataset=dataset,
        batch_id=batch_id,
        contract_version="1.0.0",
        object_key=f"landing/{dataset}/2026_03_21_1774051200000_0.jsonl.gz",
        line_number=1,
        key=key,
        violations=(Violation(rule_id, path, "is BAD"),),
        raw_base64=base64.b64encode(line).decode(),
    )


def put(store: MemoryStore, records: Iterable[QuarantinedRecord], at: datetime, shard: int = 0) -> str:
    """Stores records of one batch as one object, written at that instant."""
    found = list(records)
    store.now = at
    body = gzip.compress(b"".join(to_json(record) + b"\n" for record in found), mtime=0)
    prefix = layout.quarantine_prefix(found[0].dataset, found[0].batch_id)
    return store.put(f"{prefix}things-{shard}.jsonl.gz", body, "application/gzip").key


def exported(quarantine_id: str, record: object, **more: object) -> bytes:
    """A line of an export, as somebody has edited it."""
    return orjson.dumps({"quarantine_id": quarantine_id, "record": record, **more})
