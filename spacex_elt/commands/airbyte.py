"""Owns the commands that set an Airbyte server up and check it. What they compare is extraction/'s."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from spacex_elt.commands.output import AsJson, print_result, results

if TYPE_CHECKING:
    from extraction.checking import Check
    from extraction.differences import Difference
    from extraction.files import Wanted
    from extraction.server import AirbyteWorkspace
    from spacex_elt.settings import AirbyteSettings

app = typer.Typer(no_args_is_help=True)

_SHOWN = 20  # changes of one thing; a manifest has hundreds of lines


@app.command()
def apply(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would be done, and do nothing.")] = False,
    send_keys: Annotated[
        bool, typer.Option("--send-keys", help="Send the keys to the lake again: a server never shows what it has.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Make an Airbyte server match the files in extraction/. Shows first what differs; twice is harmless.

    Ends with 0 when the server matches (with --dry-run: when it was looked at), 2 for a wrong setting, a refused
    credential or something that no server can change, 12 when the server is away.

    Example: spacex-elt airbyte apply --dry-run
    """
    from contracts.errors import UsageError
    from extraction.differences import compare
    from spacex_elt.settings import read_airbyte_settings

    settings = read_airbyte_settings()
    wanted, workspace = _open(settings)
    found = workspace.find(wanted)
    differences = compare(wanted, found, send_keys=send_keys)
    if not as_json:
        _show(differences)
    ids: dict[str, str] = {}
    if not dry_run:
        applied = workspace.apply(wanted, found, differences)
        ids = {
            "SPACEX_ELT_AIRBYTE_WORKSPACE_ID": applied.workspace,
            "SPACEX_ELT_AIRBYTE_SOURCE_ID": applied.source,
            "SPACEX_ELT_AIRBYTE_CONNECTION_ID": applied.connection,
        }
        if left := compare(wanted, workspace.find(wanted)):
            raise UsageError(f"the server took it and holds something else: {_in_short(left)}. Compare its version.")
    if as_json:
        print_result({"dry_run": dry_run, "differences": _as_json(differences), "settings": ids})
    else:
        console = results()
        for name, value in ids.items():
            console.print(f"{name}={value}", markup=False, soft_wrap=True)


@app.command()
def check(as_json: AsJson = False) -> None:
    """Check a connection against the files in extraction/, and its last sync against what the contracts need.

    Ends with 0 when all is as it should be (also before the first sync), 2 when the server is configured differently,
    11 when the last sync that succeeded brought fewer rows than a contract needs, 12 when the server is away.

    Example: spacex-elt airbyte check
    """
    from contracts.errors import GateClosed, UsageError
    from contracts.read import FOLDER, read_contracts
    from extraction.checking import check as check_connection
    from extraction.differences import compare
    from spacex_elt.settings import read_airbyte_settings

    settings = read_airbyte_settings()
    wanted, workspace = _open(settings)
    found = workspace.find(wanted)
    connection = found.connection or {}
    selected = tuple(stream["name"] for stream in connection.get("configurations", {}).get("streams") or ())
    last = workspace.last_success(connection["connectionId"]) if connection else None
    checked = check_connection(read_contracts(FOLDER), compare(wanted, found), selected, last)
    wrong = _wrong_settings(settings, connection)
    if as_json:
        print_result(_check_as_json(checked, wrong))
    else:
        _show_check(checked)
    if checked.differences or checked.unselected or wrong:
        told = [_in_short(checked.differences)] if checked.differences else []
        told += [f"not selected: {', '.join(checked.unselected)}"] if checked.unselected else []
        raise UsageError(f"the server is configured differently: {'; '.join([*told, *wrong])}.")
    if checked.too_few:
        few = ", ".join(f"{count.committed or 0} {count.stream} of {count.least}" for count in checked.too_few)
        raise GateClosed(f"Airbyte job {checked.job_id} brought too few rows: {few}. Look at its log and the source.")


def _open(settings: "AirbyteSettings") -> tuple["Wanted", "AirbyteWorkspace"]:
    """What the files want, and where."""
    from extraction.files import read_wanted
    from extraction.server import AirbyteWorkspace, find_workspace
    from spacex_elt.secrets import read_s3_keys
    from spacex_elt.wiring import airbyte_http

    values = {"SPACEX_ELT_LAKE_BUCKET": settings.lake_bucket, "AWS_REGION": settings.aws_region}
    keys = read_s3_keys(settings.airbyte_s3_secret_id) if settings.airbyte_s3_secret_id else {}
    wanted = read_wanted(values, keys)
    server = airbyte_http(settings)
    return wanted, AirbyteWorkspace(server, find_workspace(server, settings.airbyte_workspace_id))


def _wrong_settings(settings: "AirbyteSettings", connection: Any) -> list[str]:
    """Settings that lead to something else than what was checked."""
    named = {
        "SPACEX_ELT_AIRBYTE_CONNECTION_ID": (settings.airbyte_connection_id, connection.get("connectionId")),
        "SPACEX_ELT_AIRBYTE_SOURCE_ID": (settings.airbyte_source_id, connection.get("sourceId")),
    }
    return [f"{name} is {said}, not {true}" for name, (said, true) in named.items() if said and true and said != true]


def _show(differences: "tuple[Difference, ...]") -> None:
    console = results()
    for difference in differences:
        verb = "is made" if difference.is_new else "is changed"
        console.print(f"{difference.kind} {difference.name} {verb}", markup=False, soft_wrap=True)
        for change in difference.changes[:_SHOWN]:
            console.print(f"    {change.key}: {change.old} → {change.new}", markup=False, soft_wrap=True)
        if len(difference.changes) > _SHOWN:
            console.print(f"    … and {len(difference.changes) - _SHOWN} more")
    if not differences:
        console.print("Nothing to do: the server matches the files.")


def _show_check(checked: "Check") -> None:
    console = results()
    if checked.differences:
        _show(checked.differences)
    last = f"job {checked.job_id}" if checked.job_id is not None else "no sync has succeeded yet"
    console.print(f"rows of the last sync that succeeded ({last})", markup=False)
    for count in checked.counts:
        mark = "ok" if count.is_enough else "–" if checked.job_id is None else "too few"
        brought = "–" if count.committed is None else f"{count.committed:,}"
        console.print(f"    {count.stream:<12} {brought:>9}  at least {count.least:,}  {mark}", markup=False)


def _check_as_json(checked: "Check", wrong: list[str]) -> dict[str, Any]:
    return {
        "differences": _as_json(checked.differences),
        "unselected": list(checked.unselected),
        "wrong_settings": wrong,
        "job_id": checked.job_id,
        "streams": [asdict(count) | {"is_enough": count.is_enough} for count in checked.counts],
    }


def _as_json(differences: "tuple[Difference, ...]") -> list[dict[str, Any]]:
    return [asdict(difference) for difference in differences]


def _in_short(differences: "tuple[Difference, ...]") -> str:
    first = differences[0]
    if first.is_new:
        told = f"there is no {first.kind} {first.name}"
    else:
        change = first.changes[0]
        told = f"{first.kind} {first.name}: {change.key} is {change.old}, not {change.new}"
    more = f", and {len(differences) - 1} more things" if len(differences) > 1 else ""
    return f"{told}{more} (see spacex-elt airbyte apply --dry-run)"
