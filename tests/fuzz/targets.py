"""Owns what is fuzzed, and what must hold of it for any bytes. Each target raises when something does not.

Made for a fuzzer that looks at coverage, and run over the kept inputs by the ordinary tests.
"""

import gzip
import io
import json
import tempfile
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from contracts.errors import ContractInvalid
from contracts.model import Contract
from contracts.read import read_contract, read_contracts
from loader.lines import landed_lines
from tests.contracts.reference_judge import broken_rules
from tests.validation.hand_made import ListSink
from validation.doorkeeper import Doorkeeper
from validation.envelope import Envelope, parse_line
from validation.raw_gate import RawGate
from validation.results import ShardResult

DATASET = "launches"  # the richest of the contracts


class DoesNotHold(AssertionError):
    """What must hold for any bytes did not."""


@cache
def _contract() -> Contract:
    return read_contracts()[DATASET]


@cache
def _doorkeeper() -> Doorkeeper:
    return Doorkeeper(_contract())


@cache
def _gate() -> RawGate:
    return RawGate(_contract())


def line(data: bytes) -> None:
    """A landed line: read whole or refused with a reason that does not quote it, and never waved through when bad."""
    opened = parse_line(data)
    if isinstance(opened, Envelope):
        _hold(_equal(opened.record, json.loads(data)["_airbyte_data"]), "the record is not what the line says")
    if _doorkeeper().opens_for([data]) != [None]:
        _hold(isinstance(opened, Envelope), "the doorkeeper opened for a line that is not read")
        is_broken = isinstance(opened, Envelope) and broken_rules(_contract(), opened.record)
        _hold(not is_broken, "the doorkeeper opened for a record that breaks a rule")


def contract(data: bytes) -> None:
    """A contract file: read, or refused with where and why."""
    with tempfile.TemporaryDirectory(prefix="spacex-elt-fuzz-") as folder:
        path = Path(folder, f"{DATASET}.odcs.yaml")
        path.write_bytes(data)
        try:
            read = read_contract(path)
        except ContractInvalid as exc:
            _hold(str(path) in str(exc), "a refusal that does not say which file")
        else:
            _hold(len({rule.rule_id for rule in read.rules}) == len(read.rules), "two rules of one name")


def landed(data: bytes) -> None:
    """A landed object, damaged or not: every line has one fate."""
    for compressed in (data, gzip.compress(data, mtime=0)):
        sink = ListSink()
        counts = _judged(compressed, sink)
        fates = counts.accepted_count + counts.duplicate_count + counts.rejected_count
        _hold(fates == counts.line_count, "a line without a fate, or with two")
        _hold(len(sink.rejections) == counts.rejected_count, "a rejected line that is not in quarantine")


def _judged(compressed: bytes, sink: ListSink) -> ShardResult:
    return _gate().check_shard("batch", "shard", [("landed", landed_lines(io.BytesIO(compressed)))], sink)


def _equal(read: Any, written: Any) -> bool:
    """Equal as JSON: a number is one number however it is spelled, but true is no number."""
    if isinstance(read, dict) and isinstance(written, dict):
        return read.keys() == written.keys() and all(_equal(read[key], written[key]) for key in read)
    if isinstance(read, list) and isinstance(written, list):
        return len(read) == len(written) and all(map(_equal, read, written))
    return type(read) is type(written) and bool(read == written)


def _hold(is_so: bool, otherwise: str) -> None:
    if not is_so:
        raise DoesNotHold(otherwise)


TARGETS: Mapping[str, Callable[[bytes], None]] = {"line": line, "contract": contract, "landed": landed}
