"""Makes the benchmark's corpus: launches as Airbyte lands them, clean and with faults planted in one line of a hundred.

The same arguments give the same bytes. Launches come from the simulator, under ids, names and numbers of their own.
"""

import gzip
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from itertools import count, cycle
from pathlib import Path
from typing import Any, Final

import orjson

from local.spacex_api.simulator import simulate

SEED: Final = 20
FAULT_EVERY: Final = 100  # lines

_SIMULATED_COUNT: Final = 4_000
_GZIP_LEVEL: Final = 6  # what Airbyte's destination writes with

Record = dict[str, Any]


def _with(**changes: Any) -> Callable[[Record], bytes]:
    return lambda record: line_of({**record, **changes})


def _in_core(**changes: Any) -> Callable[[Record], bytes]:
    return lambda record: line_of({**record, "cores": [{**core, **changes} for core in record["cores"]]})


def _without_name(record: Record) -> bytes:
    return line_of({field: value for field, value in record.items() if field != "name"})


#: What each planted fault does to a line. The last three leave no record.
FAULTS: Final[Mapping[str, Callable[[Record], bytes]]] = {
    "wrong type": _with(flight_number="5"),
    "required field missing": _without_name,
    "pattern broken": _with(rocket="Falcon 9"),
    "day that does not exist": _with(date_utc="2021-02-30T00:00:00.000Z"),
    "value not listed": _with(date_precision="decade"),
    "number below its minimum": _in_core(flight=0),
    "unknown field, nested": _in_core(a_field_nobody_knows=1),
    "key of another record": _with(id=f"{0:024x}"),
    "bytes that are no UTF-8": lambda record: line_of(record).replace(b'"name":"', b'"name":"\xff', 1),
    "line cut short": lambda record: line_of(record)[:-200],
    "equal keys in one object": lambda record: line_of(record).replace(b'"name":', b'"name":"?","name":', 1),
}


@dataclass(frozen=True, slots=True)
class Corpus:
    """Landed objects, and which lines of them are faulty."""

    files: tuple[Path, ...]
    line_count: int
    plain_bytes: int
    faults: Mapping[str, str]  # by `<file name>:<line>`, from 1

    def first_file(self) -> "Corpus":
        """A corpus of the first file alone; all files are of about one size."""
        first = self.files[0]
        faults = {place: kind for place, kind in self.faults.items() if place.startswith(f"{first.name}:")}
        count = len(self.files)
        return Corpus((first,), self.line_count // count, self.plain_bytes // count, faults)


def corpora(folder: Path, megabytes: int, file_count: int) -> dict[str, Corpus]:
    """A clean and a dirty corpus of that size, uncompressed. Made once, then found again."""
    return {
        name: _corpus(folder / f"{name}-{megabytes}-{file_count}", megabytes, file_count) for name in ("clean", "dirty")
    }


def _corpus(folder: Path, megabytes: int, file_count: int) -> Corpus:
    told = folder / "corpus.json"
    if not told.is_file():
        folder.mkdir(parents=True, exist_ok=True)
        told.write_text(json.dumps(asdict(_written(folder, megabytes, file_count)), default=str), encoding="utf-8")
    found = json.loads(told.read_text(encoding="utf-8"))
    return Corpus(tuple(map(Path, found["files"])), found["line_count"], found["plain_bytes"], found["faults"])


def _written(folder: Path, megabytes: int, file_count: int) -> Corpus:
    records = launches()
    kinds = cycle(FAULTS) if folder.name.startswith("dirty") else None
    faults: dict[str, str] = {}
    line_count = plain_bytes = 0
    files = tuple(folder / f"launches-{number}.jsonl.gz" for number in range(file_count))
    for number, file in enumerate(files):
        with gzip.GzipFile(file, "wb", compresslevel=_GZIP_LEVEL, mtime=0) as landed:
            for line_number in count(1):
                record = next(records)
                kind = next(kinds) if kinds and line_number % FAULT_EVERY == 0 else None
                raw = FAULTS[kind](record) if kind else line_of(record)
                if kind:
                    faults[f"{file.name}:{line_number}"] = kind
                landed.write(raw + b"\n")
                line_count += 1
                plain_bytes += len(raw) + 1
                if plain_bytes >= megabytes * 1_000_000 * (number + 1) / file_count:
                    break
    return Corpus(files, line_count, plain_bytes, faults)


def launches() -> Iterator[Record]:
    """Simulated launches without end, each under an id of its own."""
    simulated = cycle(simulate(_SIMULATED_COUNT, SEED)["launches"])
    for number in count():
        launch = next(simulated)
        own = {"id": f"{number:024x}", "name": f"{launch['name']} {number}", "flight_number": number + 1}
        yield {field: own.get(field, value) for field, value in launch.items()}


def landed_launches() -> Iterator[Record]:
    """Launches without end, each in Airbyte's envelope."""
    return map(_landed, launches())


def line_of(record: Record, sync_id: int = 10111) -> bytes:
    """A launch as a landed line, without its end."""
    return orjson.dumps(_landed(record, sync_id))


def _landed(record: Record, sync_id: int = 10111) -> Record:
    return {
        "_airbyte_raw_id": f"26d73cde-7eb1-4e1e-b7db-{record['id'][-12:]}",
        "_airbyte_extracted_at": 1622135805000,
        "_airbyte_generation_id": 11,
        "_airbyte_meta": {"changes": [], "sync_id": sync_id},
        "_airbyte_data": record,
    }
