"""Owns what the stand-in serves: the body of each collection, replayed or simulated, with its faults done.

HTTP is server.py's job.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import orjson

from local.spacex_api import faults
from local.spacex_api.faults import DATA_FAULTS, Struck
from local.spacex_api.rates import FaultRefused, FaultSpec
from local.spacex_api.simulator import simulate

SERVICE_FAULTS = ("server-error", "unavailable-once", "not-json", "truncated-answer", "slow")
FAULTS = (*DATA_FAULTS, *SERVICE_FAULTS)


class Source(Protocol):
    """Answers by collection."""

    @property
    def words(self) -> str:
        """Where the data comes from, for people."""
        ...

    def names(self) -> list[str]:
        """Every collection there is."""
        ...

    def body(self, name: str) -> bytes:
        """The collection as it is served. Raises KeyError when there is none."""
        ...


class Replay:
    """A folder of recorded answers, served byte for byte. Raises FileNotFoundError when it holds none."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        if not self.names():
            raise FileNotFoundError(
                f"{folder} holds no recorded answers. Expected files named after collections, such as launches.json."
            )

    @property
    def words(self) -> str:
        """Where the data comes from, for people."""
        return f"recorded answers in {self._folder}"

    def names(self) -> list[str]:
        """Every collection there is."""
        return sorted(path.stem for path in self._folder.glob("*.json"))

    def body(self, name: str) -> bytes:
        """The recorded answer, untouched."""
        if name not in self.names():
            raise KeyError(name)
        return (self._folder / f"{name}.json").read_bytes()


class Sample:
    """The built-in simulation. Made on first use and kept."""

    def __init__(self, launch_count: int, seed: int) -> None:
        self._launch_count = launch_count
        self._seed = seed
        self._collections = simulate(launch_count, seed)

    @property
    def words(self) -> str:
        """Where the data comes from, for people."""
        return f"sample: a simulated history of {self._launch_count} launches (seed {self._seed})"

    def names(self) -> list[str]:
        """Every collection there is."""
        return sorted(self._collections)

    def body(self, name: str) -> bytes:
        """The collection as compact JSON."""
        return orjson.dumps(self._collections[name])


@dataclass(frozen=True, slots=True)
class Spoiled:
    """A source with faults: what it serves, what was done to it, and what the service does wrong."""

    words: str
    bodies: Mapping[str, bytes]
    struck: tuple[Struck, ...]
    service: tuple[FaultSpec, ...]

    def service_faults(self, dataset: str) -> set[str]:
        """What goes wrong when that collection is asked for."""
        return {spec.name for spec in self.service if spec.dataset == dataset and spec.rate > 0}


def spoil(source: Source, wanted: Sequence[str], seed: int) -> Spoiled:
    """The source with the wanted faults done. Raises FaultRefused before anything is served."""
    specs = [FaultSpec.parse(text, known=FAULTS) for text in wanted]
    for spec in specs:
        if spec.dataset not in source.names():
            raise FaultRefused(f"{spec}: the source has no {spec.dataset}. It has: {', '.join(source.names())}.")
        if spec.name in DATA_FAULTS:
            faults.check(spec)
    bodies, struck = {name: source.body(name) for name in source.names()}, []
    for dataset in dict.fromkeys(spec.dataset for spec in specs if spec.name in DATA_FAULTS):
        mine = [spec for spec in specs if spec.dataset == dataset and spec.name in DATA_FAULTS]
        records, done = faults.strike(_records(bodies[dataset], dataset), mine, seed)
        bodies[dataset] = orjson.dumps(records)
        struck += done
    service = tuple(spec for spec in specs if spec.name in SERVICE_FAULTS)
    return Spoiled(source.words, bodies, tuple(struck), service)


def _records(body: bytes, dataset: str) -> list[dict[str, Any]]:
    try:
        records = json.loads(body)
    except ValueError as exc:
        raise FaultRefused(f"the answer for {dataset} is not JSON: no fault can be done to it.") from exc
    if not isinstance(records, list):
        raise FaultRefused(f"the answer for {dataset} is not a list of records: no fault can be done to it.")
    return records
