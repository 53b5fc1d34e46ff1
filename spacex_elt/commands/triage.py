"""Owns the commands that decide about quarantined records: acknowledge, discard, replay. Nothing asks back.

What is decided is kept in the journal (loader/decisions.py).
"""

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from contracts.errors import Retry, UsageError
from spacex_elt.commands.output import AsJson, complain, print_result, results
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
    contracts_of,
    each_once,
)

if TYPE_CHECKING:
    from loader.decisions import Triage

app = typer.Typer()

By = Annotated[str, typer.Option("--by", help="Who decides.")]
Why = Annotated[str, typer.Option("--why", help="The reason, for whoever reads it later.")]
All = Annotated[bool, typer.Option("--all", help="All of the dataset's records: needed when nothing else is said.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would be done, and do nothing.")]


@app.command()
def acknowledge(
    dataset: OfDataset,
    by: By,
    why: Why,
    ids: Ids = None,
    rule: Rules = None,
    key: Keys = None,
    batch: Batches = None,
    run: OfRun = "",
    older_than: OlderThan = "",
    newer_than: NewerThan = "",
    everything: All = False,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Say that new records are known, by whom and why. They wait for a replay all the same.

    Example: spacex-elt quarantine acknowledge --dataset launches --rule cores-core-type --by ana --why "ticket 7"
    """
    from loader.decisions import State, Triage

    asked = Asked(ids, rule, key, batch, run, older_than, newer_than)
    _triage(
        Triage(State.ACKNOWLEDGED, by.strip(), why.strip(), datetime.now(UTC), ()),
        dataset,
        asked,
        everything,
        dry_run,
        as_json,
    )


@app.command()
def discard(
    dataset: OfDataset,
    by: By,
    why: Why,
    ids: Ids = None,
    rule: Rules = None,
    key: Keys = None,
    batch: Batches = None,
    run: OfRun = "",
    older_than: OlderThan = "",
    newer_than: NewerThan = "",
    everything: All = False,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Give records up for good: no replay takes them again. Retention removes them in its time.

    Example: spacex-elt quarantine discard --dataset launches 0a1b2c3d4e5f6071 --by ana --why "a test launch"
    """
    from loader.decisions import State, Triage

    asked = Asked(ids, rule, key, batch, run, older_than, newer_than)
    _triage(
        Triage(State.DISCARDED, by.strip(), why.strip(), datetime.now(UTC), ()),
        dataset,
        asked,
        everything,
        dry_run,
        as_json,
    )


@app.command()
def replay(
    dataset: OfDataset,
    ids: Ids = None,
    rule: Rules = None,
    key: Keys = None,
    batch: Annotated[
        str, typer.Option(help="The batch whose quarantine it is (default: the newest that set rows aside).")
    ] = "",
    edited: Annotated[
        Path | None, typer.Option(help="Replay the records of this file, edited: lines as `export` writes them.")
    ] = None,
    change_keys: Annotated[bool, typer.Option("--change-keys", help="An edit may change a record's key.")] = False,
    by: Annotated[
        str, typer.Option(help="Who replays (default: the run); who edited, where a line does not say.")
    ] = "",
    why: Annotated[str, typer.Option(help="The reason; of edits, where a line does not say.")] = "",
    run_id: Annotated[str | None, typer.Option(help="Go on with this run, with the words it began with.")] = None,
    again: Annotated[
        bool, typer.Option("--again", help="Also records that three replays did not publish, or another run has taken.")
    ] = False,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Send records through the gates again, under today's contract, and publish what passes: all steps, here and now.

    Ends as a run does. Example: spacex-elt quarantine replay --dataset launches --rule cores-core-type --by ana
    """
    from loader.edits import digest_of, read_edits
    from loader.incidents import find_docs
    from loader.publish import refuse_bad_end
    from loader.selection import ReplayRequest, select
    from observability.trace import trace_summary
    from spacex_elt import report
    from spacex_elt.progress import Progress
    from spacex_elt.run import new_run_id
    from spacex_elt.run import replay as run_replay
    from spacex_elt.wiring import open_pipeline

    contracts_of([dataset])
    if edited is not None and ids:
        raise UsageError("both ids and --edited name the records to replay. Expected one of them.")
    edits = read_edits(_lines_of(edited), str(edited), by, why) if edited is not None else ()
    request = ReplayRequest(
        dataset=dataset,
        rules=each_once(rule),
        keys=each_once(key),
        batch_id=batch,
        quarantine_ids=each_once([row.quarantine_id for row in edits] or ids),
        is_again=again,
        may_change_keys=change_keys,
        edits_digest=digest_of(edits),
        by=by,
        why=why,
    )
    run_id = run_id or new_run_id(datetime.now(UTC))
    with open_pipeline(run_id) as pipeline:
        if dry_run:
            selection = select(pipeline, request, edits, run_id)
            left = {state.value: count for state, count in sorted(selection.left.items())}
            lines = selection.lines
            told = {"dataset": dataset, "batch_id": selection.batch_id, "selected": len(lines), "left": left}
            print_result({**told, "edited": sum(line.edit is not None for line in lines), "dry_run": True})
            return
        progress = Progress()
        progress.say(f"run {run_id}")
        try:
            record = run_replay(pipeline, run_id, request, edits, progress)
        except Retry:
            complain(f"run {run_id} stopped here. When the cause is gone, say the same with --run-id {run_id}.")
            raise
        docs = find_docs(pipeline, run_id)
    if as_json:
        print_result(report.run_as_json(record, docs))
    else:
        report.print_run(results(), record, docs, trace_summary(record.spans))
    refuse_bad_end(record)


def _triage(word: "Triage", dataset: str, asked: Asked, is_all: bool, dry_run: bool, as_json: bool) -> None:
    from loader.decisions import State
    from loader.queue import triage
    from spacex_elt.wiring import open_lake

    contracts_of([dataset])
    state = word.state.value
    if not word.by or not word.why:
        raise UsageError(f"nobody, or no reason, is named for what becomes {state}. Expected --by and --why.")
    if not asked.says_something and not is_all:
        raise UsageError(
            f"nothing says which records of {dataset} are meant. Expected ids, --rule, --key, --batch, --run, "
            "--older-than or --newer-than; or --all."
        )
    with open_lake() as lake:
        wanted = asked.wanted(lake, dataset, word.decided_at)
        if wanted is None:
            raise UsageError(f"run {asked.run_id} took up no {dataset}. See: spacex-elt quarantine list")
        done = triage(lake, dataset, wanted, word, is_dry=dry_run)
    if as_json:
        left = {each.value: count for each, count in sorted(done.left.items())}
        print_result({"dataset": dataset, state: done.taken, "left": left, "dry_run": dry_run})
        return
    records = f"{done.taken:,} record{'' if done.taken == 1 else 's'}"
    results().print(f"{records} {'would be ' if dry_run else ''}{state}.")
    if done.left:
        results().print(f"Left as they are: {done.left_words}.")
    if done.left[State.REPLAYING]:
        results().print("A run has taken those that are replaying: go on with it first, or replay them --again.")


def _lines_of(path: Path) -> list[bytes]:
    try:
        return path.read_bytes().splitlines()
    except OSError as exc:
        raise UsageError(f"{path} cannot be read: {exc.strerror}. Expected a file of JSON lines.") from exc
