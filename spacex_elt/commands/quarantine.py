"""Owns the commands that look at quarantine. Deciding about records is spacex_elt/commands/triage.py's job.

Where records stand is in the journal (loader/decisions.py); telling them is spacex_elt/queue_report.py's.
"""

import os
import sys
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO, Annotated, Any

import orjson
import typer

from contracts.errors import UsageError
from spacex_elt.commands import triage
from spacex_elt.commands.output import AsJson, print_result, results
from spacex_elt.commands.wanted import (
    Asked,
    Batches,
    Ids,
    Keys,
    NewerThan,
    OfDataset,
    OfRun,
    OlderThan,
    Rules,
    States,
    contracts_of,
)
from spacex_elt.console import print_pieces, silence

app = typer.Typer(no_args_is_help=True)
app.add_typer(triage.app)


@app.command("list")
def list_records(
    dataset: Annotated[list[str] | None, typer.Option(help="Only these datasets.")] = None,
    rule: Rules = None,
    key: Keys = None,
    state: States = None,
    batch: Batches = None,
    run: OfRun = "",
    older_than: OlderThan = "",
    newer_than: NewerThan = "",
    limit: Annotated[int, typer.Option(min=1, help="Rows of the table. JSON always has them all.")] = 50,
    as_json: AsJson = False,
) -> None:
    """List quarantined records, newest first: where each stands, and the first rule it broke.

    Example: spacex-elt quarantine list --dataset launches --state new --older-than 7d
    """
    from loader.queue import Runs, read_queue
    from spacex_elt import queue_report
    from spacex_elt.wiring import open_lake

    now, contracts = datetime.now(UTC), contracts_of(dataset)
    asked = Asked(None, rule, key, batch, run, older_than, newer_than, state)
    with open_lake() as lake:
        runs = Runs(lake)

        def rows() -> Iterator[dict[str, Any]]:
            for name, contract in contracts.items():
                wanted = asked.wanted(lake, name, now)
                for queued in read_queue(lake, name, wanted) if wanted else ():
                    yield queue_report.listed(contract, queued, runs.of(queued.record), now)

        if as_json:
            print_pieces(_array(rows()))
        else:
            queue_report.print_list(results(), rows(), limit)


@app.command()
def show(
    dataset: str,
    ids: Ids = None,
    batch: Annotated[str, typer.Option(help="This batch (default: that of the newest run that set rows aside).")] = "",
    as_json: AsJson = False,
) -> None:
    """Show records whole: where each lay, every rule it broke, what was decided. Values as far as the contract lets.

    Example: spacex-elt quarantine show launches
    """
    from loader.decisions import Journal
    from loader.queue import Runs, Wanted, read_queue, refuse_unknown
    from loader.run_folder import newest_quarantine
    from spacex_elt import queue_report
    from spacex_elt.wiring import open_lake

    contract = contracts_of([dataset])[dataset]
    with open_lake() as lake:
        chosen = batch or (None if ids else newest_quarantine(lake, dataset))
        history, runs = Journal(lake, dataset).read(), Runs(lake)
        wanted = Wanted(frozenset(ids or ()), (chosen,) if chosen else ())
        trails = history.trails()
        told = [
            queue_report.whole(contract, each, runs.of(each.record), trails.get(each.record.quarantine_id, ()))
            for each in (read_queue(lake, dataset, wanted, history) if ids or chosen else ())
        ]
    missing = {*(ids or ())} - {record["quarantine_id"] for record in told}
    refuse_unknown(dataset, missing - trails.keys(), ())
    told += [queue_report.gone(dataset, each, trails[each]) for each in sorted(missing)]
    if as_json:
        print_result(told)
    else:
        queue_report.print_whole(results(), dataset, told, contract.version)


@app.command()
def stats(
    dataset: Annotated[list[str] | None, typer.Option(help="Only these datasets.")] = None, as_json: AsJson = False
) -> None:
    """Count quarantined records by dataset, rule and state; what waits by age; what retention is about to take.

    Example: spacex-elt quarantine stats
    """
    from loader import queue
    from spacex_elt import queue_report
    from spacex_elt.settings import read_settings
    from spacex_elt.wiring import open_lake

    now = datetime.now(UTC)
    names = tuple(contracts_of(dataset))
    with open_lake() as lake:
        retention = timedelta(days=read_settings().quarantine_retention_days)
        every = [queue.stats(lake, name, now, retention) for name in names]
    if as_json:
        print_result([queue_report.counted_as_json(each) for each in every])
    else:
        queue_report.print_stats(results(), every)


@app.command()
def export(
    dataset: OfDataset,
    to: Annotated[str, typer.Option(help="The file to write, or - for stdout.")],
    ids: Ids = None,
    rule: Rules = None,
    key: Keys = None,
    state: States = None,
    batch: Batches = None,
    run: OfRun = "",
    older_than: OlderThan = "",
    newer_than: NewerThan = "",
    redacted: Annotated[bool, typer.Option("--redacted", help="Without raw bytes and values not public.")] = False,
    as_json: AsJson = False,
) -> None:
    """Write records as JSON lines, each with its bytes as they lay, to look at elsewhere or to edit for a replay.

    Whole only where every property of the contract is public. Example: spacex-elt quarantine export --dataset launches
    --to rejected.jsonl
    """
    from loader.queue import read_queue, refuse_unknown
    from loader.redaction import is_all_public
    from spacex_elt import queue_report
    from spacex_elt.wiring import open_lake

    contract = contracts_of([dataset])[dataset]
    if not redacted and not is_all_public(contract):
        raise UsageError(
            f"the contract of {dataset} has properties that are not public, so its records are not written out whole. "
            "Say --redacted to have them without those values and without the bytes as they lay."
        )
    asked, written = Asked(ids, rule, key, batch, run, older_than, newer_than, state), []
    with open_lake() as lake, _opened(to) as out:
        wanted = asked.wanted(lake, dataset, datetime.now(UTC))
        for queued in read_queue(lake, dataset, wanted) if wanted else ():
            out.write(orjson.dumps(queue_report.exported(contract, queued, is_redacted=redacted)) + b"\n")
            written.append(queued.record.quarantine_id)
        refuse_unknown(dataset, ids or (), written)
    if to != "-":
        if as_json:
            print_result({"dataset": dataset, "exported": len(written), "to": to, "is_redacted": redacted})
        else:
            results().print(f"{len(written)} records written to {to}", soft_wrap=True, markup=False)


def _array(rows: Iterable[dict[str, Any]]) -> Iterator[str]:
    """One line of JSON, row by row: there may be very many."""
    before = "["
    for row in rows:
        yield before + orjson.dumps(row).decode()
        before = ","
    yield "[]\n" if before == "[" else "]\n"


@contextmanager
def _opened(to: str) -> Iterator[IO[bytes]]:
    """Where an export goes. A file is there whole or not at all, and only its owner may read it."""
    if to == "-":
        try:
            yield sys.stdout.buffer
            sys.stdout.buffer.flush()
        except BrokenPipeError:  # whoever read has had enough
            silence(sys.stdout)
        return
    path = Path(to)
    try:
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", delete=False) as out:
            part = Path(out.name)
            try:
                yield out
                out.flush()
                os.fsync(out.fileno())
                part.replace(path)
            finally:
                part.unlink(missing_ok=True)
    except OSError as exc:
        raise UsageError(f"{to} cannot be written: {exc.strerror}. Expected a file in a folder that is there.") from exc
