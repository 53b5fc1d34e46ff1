"""Owns a batch's COPY manifest in the lake: writing it, and reading what it names. COPY itself is loader/load.py's."""

import json
from collections.abc import Sequence

from contracts.derive.redshift import jsonpaths
from contracts.model import Contract
from loader import layout
from loader.gate import ManifestEntry
from loader.store import ObjectMissing, ObjectStore


def write_manifest(
    store: ObjectStore, contract: Contract, batch_id: str, entries: Sequence[ManifestEntry]
) -> tuple[str, str]:
    """Writes JSONPaths and then the manifest, and returns their addresses, manifest first."""
    jsonpaths_key = layout.jsonpaths_key(contract.dataset, batch_id)
    store.put(jsonpaths_key, jsonpaths(contract).encode(), "application/json")
    manifest = {
        "entries": [
            {
                "url": f"s3://{store.bucket}/{entry.key}",
                "mandatory": True,
                "meta": {"content_length": entry.size_bytes},
            }
            for entry in entries
        ]
    }
    manifest_key = layout.manifest_key(contract.dataset, batch_id)
    store.put(manifest_key, json.dumps(manifest, indent=1).encode(), "application/json")
    return f"s3://{store.bucket}/{manifest_key}", f"s3://{store.bucket}/{jsonpaths_key}"


def manifest_entries(store: ObjectStore, dataset: str, batch_id: str) -> list[str]:
    """The keys that a batch's manifest has COPY load; none for a batch of which nothing was accepted."""
    try:
        manifest = json.loads(store.get(layout.manifest_key(dataset, batch_id)))
    except ObjectMissing:
        return []
    return [entry["url"].removeprefix(f"s3://{store.bucket}/") for entry in manifest["entries"]]
