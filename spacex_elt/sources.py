"""Owns what `--source` means: where the API that Airbyte reads is, and the words for it.

The simulator and the replay are stand-ins (local/spacex_api); the live API is the real one.
"""

import shlex
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from contracts.errors import UsageError
from loader.airbyte_http import PUBLIC, AirbyteHttp
from spacex_elt.stand_ins import refuse_without_stand_ins

LIVE_URL = "https://api.spacexdata.com/v4"


@dataclass(frozen=True, slots=True)
class Source:
    """An API that Airbyte can read from now."""

    base_url: str
    words: str
    datasets: tuple[str, ...]  # those it is asked for
    landing_faults: tuple[str, ...] = ()  # damage that the Airbyte stand-in is to do to what it lands


@dataclass(frozen=True, slots=True)
class SourceRequest:
    """What the caller asked for."""

    source: str = "sample"  # sample | live | a folder
    launches: int = 205
    seed: int = 42
    faults: tuple[str, ...] = ()
    datasets: tuple[str, ...] = ()  # empty: all that there are

    def as_options(self) -> str:
        """The options of `spacex-elt run` that ask for the same, without the defaults."""
        default = SourceRequest()
        words = [("--source", self.source)] if self.source != default.source else []
        words += [("--launches", str(self.launches))] if self.launches != default.launches else []
        words += [("--seed", str(self.seed))] if self.seed != default.seed else []
        words += [("--fault", fault) for fault in self.faults]
        words += [("--dataset", dataset) for dataset in self.datasets]
        return shlex.join(word for pair in words for word in pair)


@contextmanager
def open_source(request: SourceRequest, known: Sequence[str]) -> Iterator[Source]:
    """The source, running as long as the context. Raises UsageError for a source that cannot be."""
    datasets = _chosen(request.datasets, known)
    if request.source == "live":
        _refuse_faults(request)
        yield Source(LIVE_URL, f"live ({LIVE_URL})", datasets)
        return
    refuse_without_stand_ins()
    if request.source == "sample":
        yield from _sample(request, datasets)
    else:
        _refuse_faults(request)
        yield from _folder(Path(request.source), request, datasets)


def damage_landing(server: AirbyteHttp, source_id: str, faults: Sequence[str]) -> None:
    """Orders damage from the Airbyte stand-in, until its source is configured again. No real server would obey."""
    body = {"configuration": {"destination_faults": list(faults)}}
    server.call("PATCH", f"{PUBLIC}/sources/{source_id}", body, lambda _: None)


def _sample(request: SourceRequest, datasets: tuple[str, ...]) -> Iterator[Source]:
    from local.airbyte.damage import split_faults
    from local.spacex_api.rates import FaultRefused
    from local.spacex_api.server import SpacexApi
    from local.spacex_api.source import Sample, spoil

    try:
        api_faults, landing_faults = split_faults(request.faults)
        served = spoil(Sample(request.launches, request.seed), api_faults, request.seed)
    except FaultRefused as exc:
        raise UsageError(str(exc)) from exc
    faults = f", faults: {' '.join(request.faults)}" if request.faults else ""
    with SpacexApi(served) as api:
        words = f"sample (seed {request.seed}, {request.launches} launches{faults})"
        yield Source(api.url, words, datasets, tuple(landing_faults))


def _folder(folder: Path, request: SourceRequest, datasets: tuple[str, ...]) -> Iterator[Source]:
    from local.spacex_api.server import SpacexApi
    from local.spacex_api.source import Replay, spoil

    if not request.source or not folder.is_dir():
        raise UsageError(
            f"there is no source {request.source or '(none named)'}. Expected sample, live, or a folder of recorded "
            "answers (launches.json, rockets.json, …)."
        )
    present = tuple(name for name in datasets if (folder / f"{name}.json").is_file())
    absent = sorted(set(request.datasets) - set(present))
    if absent or not present:
        expected = ", ".join(f"{name}.json" for name in absent or datasets)
        raise UsageError(f"the folder {folder} has no {expected}. Expected one JSON array a file, as the API answers.")
    with SpacexApi(spoil(Replay(folder), (), request.seed)) as api:
        yield Source(api.url, f"folder {folder.resolve().name}", present)


def _chosen(wanted: tuple[str, ...], known: Sequence[str]) -> tuple[str, ...]:
    unknown = sorted(set(wanted) - set(known))
    if unknown:
        raise UsageError(f"there is no dataset {', '.join(unknown)}. Expected one or more of: {', '.join(known)}.")
    return wanted or tuple(known)


def _refuse_faults(request: SourceRequest) -> None:
    if request.faults:
        raise UsageError(f"--fault works on --source sample only, not on {request.source}: real data is not damaged.")
