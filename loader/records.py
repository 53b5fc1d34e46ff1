"""Owns finding records to look at, in files or in a bucket, whatever holds them. Judging them is the gates' job.

Read are JSON as the API answers it (an array of records, or one record), JSON lines, and Airbyte's envelopes; with
`.gz` at the end of the name, compressed.
"""

import gzip
import re
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

import orjson

from contracts.errors import UsageError
from loader.lines import iter_lines
from loader.store import ObjectStore
from validation.envelope import Unparseable, parse_line
from validation.lines import ObjectDamaged

Record = dict[str, Any]

_SUFFIXES = (".jsonl.gz", ".json.gz", ".jsonl", ".json")
_NO_GZIP = (EOFError, gzip.BadGzipFile, zlib.error)
_NAME = re.compile(r"[a-z][a-z0-9_]*")
_LANDED = re.compile(
    r"(?:.*/)?(?P<dataset>[a-z_0-9]+)/\d{4}_\d{1,2}_\d{1,2}_(?P<epoch_ms>\d{13})_[0-9a-zA-Z-]+\.jsonl\.gz"
)


@dataclass(frozen=True, slots=True)
class Found:
    """One file or object that may hold records."""

    name: str  # its path, for people and for what the path says
    open: Callable[[], BinaryIO]


@dataclass(slots=True)
class Records:
    """The records of one dataset, as often as they are asked for."""

    dataset: str
    sources: tuple[Found, ...]
    unread: str = ""  # the first thing that held no record, after reading

    def __iter__(self) -> Iterator[Record]:
        for source in self.sources:
            for record in _read(source):
                if isinstance(record, dict):
                    yield record
                else:
                    self.unread = self.unread or f"{source.name}: {record}"


def in_files(path: Path) -> list[Found]:
    """The file, or the files of a folder and of those in it. Raises UsageError when there is none."""
    if path.is_file():
        return [Found(str(path), partial(_open, path))]
    files = sorted(each for each in path.rglob("*") if each.name.endswith(_SUFFIXES) and each.is_file())
    if not files:
        raise UsageError(f"{path} holds no records. Expected files named {', '.join('*' + s for s in _SUFFIXES)}.")
    return [Found(str(file), partial(_open, file)) for file in files]


def _open(path: Path) -> BinaryIO:
    return path.open("rb")


def in_bucket(store: ObjectStore, prefix: str) -> list[Found]:
    """The objects below a prefix. Raises UsageError when there is none."""
    found = [
        Found(f"s3://{store.bucket}/{stored.key}", partial(store.open, stored.key, stored.etag))
        for stored in store.list(prefix)
        if stored.key.endswith(_SUFFIXES)
    ]
    if not found:
        raise UsageError(
            f"s3://{store.bucket}/{prefix} holds no records. Expected objects named "
            f"{', '.join('*' + suffix for suffix in _SUFFIXES)}."
        )
    return found


def by_dataset(found: Sequence[Found], only: str = "") -> Mapping[str, Records]:
    """What was found, by the dataset that its name tells; of landed objects those of the newest sync.

    A single file is of the dataset `only`, whatever its name. Raises UsageError for a name that is no dataset's.
    """
    if only and len(found) == 1:
        return {only: Records(only, tuple(found))}
    datasets: dict[str, list[Found]] = {}
    for each in found:
        datasets.setdefault(_dataset(each.name), []).append(each)
    return {name: Records(name, _of_newest_sync(datasets[name])) for name in sorted(datasets)}


def _dataset(name: str) -> str:
    landed = _LANDED.fullmatch(name)
    if landed:
        return landed["dataset"]
    base = name.rsplit("/", 1)[-1]
    dataset = next((base.removesuffix(suffix) for suffix in _SUFFIXES if base.endswith(suffix)), base)
    if not _NAME.fullmatch(dataset):
        raise UsageError(f"{name} does not tell its dataset. Expected a name as in launches.json, or --dataset.")
    return dataset


def _of_newest_sync(found: Sequence[Found]) -> tuple[Found, ...]:
    """A sync lands a whole snapshot: an older one would tell each record again."""
    landed = {each.name: _LANDED.fullmatch(each.name) for each in found}
    newest_first = sorted(found, key=lambda each: _epoch(landed[each.name]), reverse=True)
    if not landed[newest_first[0].name]:
        return tuple(found)
    sync_id = _sync_id(newest_first[0])
    kept = []
    for each in newest_first:
        if each is not newest_first[0] and _sync_id(each) != sync_id:
            break
        kept.append(each)
    return tuple(sorted(kept, key=lambda each: each.name))


def _epoch(landed: re.Match[str] | None) -> int:
    return int(landed["epoch_ms"]) if landed else 0


def _sync_id(found: Found) -> Any:
    with closing(found.open()) as body:
        try:
            first = orjson.loads(next(iter_lines(body), b"null"))
        except (ObjectDamaged, orjson.JSONDecodeError):
            return None
    meta = first.get("_airbyte_meta") if isinstance(first, dict) else None
    return meta.get("sync_id") if isinstance(meta, dict) else None


def _read(source: Found) -> Iterator[Record | str]:
    """The records, and in words what is none. Raises UsageError for a file that is not what its name says."""
    with closing(source.open()) as body:
        is_gzip = source.name.endswith(".gz")
        try:
            if ".jsonl" in source.name[-9:]:
                lines = iter_lines(body) if is_gzip else iter(body)
                yield from map(_record, (line for line in lines if line.strip()))
            else:
                whole = gzip.decompress(body.read()) if is_gzip else body.read()
                answer = orjson.loads(whole)
                for item in answer if isinstance(answer, list) else [answer]:
                    yield item if isinstance(item, dict) else "an item that is no JSON object"
        except (ObjectDamaged, *_NO_GZIP, orjson.JSONDecodeError) as exc:
            raise UsageError(f"{source.name} cannot be read: {exc}. Expected JSON, as its name says.") from exc


def _record(line: bytes) -> Record | str:
    if b'"_airbyte_' in line:
        opened = parse_line(line.removesuffix(b"\n"))
        return f"a line that {opened.reason}" if isinstance(opened, Unparseable) else opened.record
    try:
        value = orjson.loads(line)
    except orjson.JSONDecodeError as exc:
        return f"a line that is not JSON: {exc.msg}"
    return value if isinstance(value, dict) else "a line that is no JSON object"
