"""Owns landed objects for tests: records in, objects as Airbyte's S3 destination writes them out."""

import gzip
import json
import uuid
from collections.abc import Iterable, Mapping
from typing import Any

from loader.airbyte import SyncJob
from loader.store import ObjectStore

EPOCH_S = 1_774_122_247
EPOCH_MS = EPOCH_S * 1000
DAY_S = 86_400


def envelope(record: Mapping[str, Any], sync_id: int = 1) -> bytes:
    """One landed line."""
    line = {
        "_airbyte_raw_id": str(uuid.uuid5(uuid.NAMESPACE_OID, json.dumps(record, sort_keys=True))),
        "_airbyte_extracted_at": EPOCH_MS,
        "_airbyte_generation_id": sync_id,
        "_airbyte_meta": {"changes": [], "sync_id": sync_id},
        "_airbyte_data": record,
    }
    return json.dumps(line, ensure_ascii=False).encode()


def compressed(lines: Iterable[bytes]) -> bytes:
    """Lines as a landed object's bytes."""
    return gzip.compress(b"".join(line + b"\n" for line in lines), mtime=0)


def land(store: ObjectStore, dataset: str, lines: Iterable[bytes], sync_id: int = 1, part: int = 0) -> str:
    """Writes one landed object and returns its key."""
    key = f"landing/{dataset}/2026_03_21_{EPOCH_MS + sync_id * DAY_S * 1000}_{part}.jsonl.gz"
    store.put(key, compressed(lines), "application/gzip")
    return key


def sync_job(sync_id: int, counts: Mapping[str, int], status: str = "succeeded") -> SyncJob:
    """The job that landed the objects of a sync: one a day."""
    began_s = EPOCH_S + sync_id * DAY_S
    return SyncJob(str(sync_id), status, began_s, began_s + 60, counts, None)
