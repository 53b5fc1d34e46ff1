"""Owns the options that say which quarantined records a command means. Finding them is loader/queue.py's job."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from contracts.errors import UsageError

if TYPE_CHECKING:
    from contracts.model import Contract
    from loader.decisions import State
    from loader.queue import Wanted
    from loader.store import ObjectStore

_DURATION = re.compile(r"(?P<count>\d{1,5})(?P<unit>[mhd])")
_UNITS = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}

Ids = Annotated[list[str] | None, typer.Argument(help="Records by their id; none: all that the options leave.")]
OfDataset = Annotated[str, typer.Option("--dataset", help="Whose quarantine.")]
Rules = Annotated[list[str] | None, typer.Option("--rule", help="Only those that broke one of these rules.")]
Keys = Annotated[list[str] | None, typer.Option("--key", help="Only records of these keys.")]
Batches = Annotated[list[str] | None, typer.Option("--batch", help="Only those of these batches.")]
OfRun = Annotated[str, typer.Option("--run", help="Only those that this run set aside, or took for a replay.")]
States = Annotated[list[str] | None, typer.Option("--state", help="Only those that stand there; may be repeated.")]
OlderThan = Annotated[str, typer.Option("--older-than", help="Only those set aside longer ago: 30m, 12h, 7d.")]
NewerThan = Annotated[str, typer.Option("--newer-than", help="Only those set aside since: 30m, 12h, 7d.")]


@dataclass(frozen=True, slots=True)
class Asked:
    """What was said about which records, as it was typed."""

    ids: list[str] | None = None
    rules: list[str] | None = None
    keys: list[str] | None = None
    batches: list[str] | None = None
    run_id: str = ""
    older_than: str = ""
    newer_than: str = ""
    states: list[str] | None = None

    @property
    def says_something(self) -> bool:
        """Whether this leaves anything out."""
        return any(getattr(self, each.name) for each in fields(self))

    def wanted(self, lake: "ObjectStore", dataset: str, now: datetime) -> "Wanted | None":
        """What it means for a dataset, or None when the run that is named took up none of it."""
        from loader.queue import Wanted, batches_of_run

        batch_ids = each_once(self.batches)
        if self.run_id:
            of_run = batches_of_run(lake, self.run_id, dataset)
            batch_ids = tuple(batch_id for batch_id in of_run if not batch_ids or batch_id in batch_ids)
            if not batch_ids:
                return None
        return Wanted(
            quarantine_ids=frozenset(self.ids or ()),
            batch_ids=batch_ids,
            rules=each_once(self.rules),
            keys=frozenset(self.keys or ()),
            states=_states(self.states),
            before=now - _duration(self.older_than, "--older-than") if self.older_than else None,
            since=now - _duration(self.newer_than, "--newer-than") if self.newer_than else None,
        )


def _duration(text: str, option: str) -> timedelta:
    match = _DURATION.fullmatch(text)
    if match is None:
        raise UsageError(f"{option} {text!r} is no length of time. Expected minutes, hours or days: 30m, 12h, 7d.")
    return int(match["count"]) * _UNITS[match["unit"]]


def _states(names: Iterable[str] | None) -> tuple["State", ...]:
    from loader.decisions import State

    known = {state.value: state for state in State}
    for name in names or ():
        if name not in known:
            raise UsageError(f"no record can be {name!r}. Expected one of: {', '.join(known)}.")
    return tuple(known[name] for name in each_once(names))


def contracts_of(datasets: Iterable[str] | None) -> "Mapping[str, Contract]":
    """The contracts of the datasets, of all when none is named."""
    from contracts.read import FOLDER, read_contracts

    known = read_contracts(FOLDER)
    for dataset in datasets or ():
        if dataset not in known:
            raise UsageError(f"there is no dataset {dataset}. Expected one of: {', '.join(known)}.")
    return {name: known[name] for name in each_once(datasets) or known}


def each_once(names: Iterable[str] | None) -> tuple[str, ...]:
    """Names in order, each once."""
    return tuple(sorted({*(names or ())}))
