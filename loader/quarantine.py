"""Owns the form of a quarantined record and reading it back. Deciding what goes there is the raw gate's job."""

import base64
import hashlib
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass

from loader import layout
from loader.batch import Batch
from loader.documents import from_json
from loader.lines import iter_lines
from loader.store import ObjectStore
from validation.results import Rejection, Violation


@dataclass(frozen=True, slots=True)
class QuarantinedRecord:
    """One rejected line, why, and where it came from. The same line of the same batch is always the same document."""

    quarantine_id: str
    dataset: str
    batch_id: str
    contract_version: str
    object_key: str
    line_number: int  # from 1
    key: str | None
    violations: tuple[Violation, ...]
    raw_base64: str  # the bytes as they lay: a line in quarantine need not be text
    state: str = "new"  # when it was set aside; what became of it since is in the journal (loader/decisions.py)


def quarantined(batch: Batch, rejection: Rejection) -> QuarantinedRecord:
    """The document of a rejection."""
    origin = f"{batch.batch_id}\0{rejection.object_key}\0{rejection.line_number}"
    return QuarantinedRecord(
        quarantine_id=hashlib.sha256(origin.encode()).hexdigest()[:16],
        dataset=batch.dataset,
        batch_id=batch.batch_id,
        contract_version=batch.contract_version,
        object_key=rejection.object_key,
        line_number=rejection.line_number,
        key=rejection.key,
        violations=rejection.violations,
        raw_base64=base64.b64encode(rejection.raw).decode(),
    )


def read_quarantine(store: ObjectStore, dataset: str, batch_id: str = "") -> Iterator[QuarantinedRecord]:
    """The quarantined records of a dataset (or of one batch of it), object by object."""
    for stored in store.list(layout.quarantine_prefix(dataset, batch_id)):
        yield from read_object(store, stored.key)


def read_object(store: ObjectStore, key: str) -> Iterator[QuarantinedRecord]:
    """The quarantined records of one object, in the order of the lines they were."""
    with closing(store.open(key)) as body:
        for line in iter_lines(body):
            yield from_json(QuarantinedRecord, line, f"s3://{store.bucket}/{key}")
