"""Owns inferring a first draft of a contract from records: profile, key, references, and a trial of the draft.

What a draft says is validation/draft.py's job; where records come from is loader/records.py's.
"""

import tempfile
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any

import orjson
import xxhash

from contracts.document import Finding, ProblemsFound
from contracts.errors import UsageError
from contracts.model import Contract
from contracts.read import SUFFIX, read_contract
from contracts.writing import to_yaml
from loader.records import Records
from validation.draft import Seen, draft, key_candidates, references
from validation.profile import Profile, Profiler

_CANDIDATES = 3  # columns of which each value is remembered, to see whether all differ
_CHUNK = 2_000


@dataclass(frozen=True, slots=True)
class Inferred:
    """The draft of one dataset's contract, and what a person must know of it."""

    dataset: str
    text: str  # the contract file
    profile: Profile
    key: str
    references: Mapping[str, str]
    doubts: Mapping[str, str]  # by path
    findings: tuple[Finding, ...]  # why the draft is no contract yet, TODO aside
    rejected: Mapping[str, int]  # records that the draft itself would reject, by rule
    unread: str  # the first thing that held no record


def infer(datasets: Mapping[str, Records], dataset: str) -> Inferred:
    """The draft for one of the datasets; the others tell what it refers to. Reads its records three times."""
    others = [_seen(records) for name, records in datasets.items() if name != dataset]
    records = datasets[dataset]
    seen = _seen(records)
    if not seen.profile.record_count:
        raise UsageError(f"{dataset} holds no records, so nothing can be inferred. {records.unread}".strip())
    seen = replace(seen, references=references(seen, others))
    drafted = draft(seen)
    text = f"# What a record of {dataset} must be: a draft from {seen.profile.record_count} records.\n"
    text += to_yaml(drafted.values)
    contract, findings = _read(text, dataset)
    return Inferred(
        dataset=dataset,
        text=text,
        profile=seen.profile,
        key=seen.key,
        references=seen.references,
        doubts=drafted.doubts,
        findings=findings,
        rejected=_trial(contract, records) if contract else {},
        unread=records.unread,
    )


def _seen(records: Records) -> Seen:
    profiler = Profiler()
    for record in records:
        profiler.add(record)
    profile, paths = profiler.profile(), tuple(profiler.paths())
    candidates = key_candidates(profile, paths)[:_CANDIDATES] if profile.record_count else []
    return Seen(records.dataset, profile, paths, _key(records, candidates))


def _key(records: Records, candidates: list[str]) -> str:
    """The first candidate without a repeated value; records that are equal as a whole count once."""
    known: dict[str, dict[int, int]] = {path: {} for path in candidates}
    for record in records:
        whole = _digest(record)
        for path in list(known):
            value = _digest(record[path])
            if known[path].setdefault(value, whole) != whole:
                del known[path]
    return next(iter(known), "")


def _digest(value: Any) -> int:
    return xxhash.xxh3_64_intdigest(orjson.dumps(value, option=orjson.OPT_SORT_KEYS))


def _read(text: str, dataset: str) -> tuple[Contract | None, tuple[Finding, ...]]:
    with tempfile.TemporaryDirectory(prefix="spacex-elt-infer-") as folder:
        path = Path(folder, dataset + SUFFIX)
        path.write_text(text, encoding="utf-8")
        try:
            return read_contract(path), ()
        except ProblemsFound as problems:
            return None, tuple(replace(finding, file=path.name) for finding in problems.findings)


def _trial(contract: Contract, records: Records) -> dict[str, int]:
    """How many records the draft would reject, by rule."""
    from validation.judge import Judge  # pandera takes two seconds to import

    judge = Judge(contract)
    rejecting = {rule.rule_id for rule in contract.rules if rule.rejects}
    found: Counter[str] = Counter()
    remaining = iter(records)
    while chunk := list(islice(remaining, _CHUNK)):
        for violations in judge.judge(chunk):
            found.update({violation.rule_id for violation in violations} & rejecting)
    return dict(sorted(found.items()))
