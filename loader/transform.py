"""Owns the transform step's engine: runs `dbt build` in a process of its own and reads its outcome, gate 3.

What is built and tested is the dbt project's job (dbt/); what a no-go means for the run is loader/steps.py's.
"""

import json
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections import Counter, deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from contracts.errors import PipelineError, ServiceUnavailable, UsageError
from loader.warehouse import WarehouseAddress
from observability.run_record import ModelRecord, TransformRecord
from validation.results import Verdict
from validation.wording import few

#: The address comes over stdin, so that no argument, file or process listing ever shows the password. A shell's own
#: DBT_ variables (a target, a selection, a full refresh) go: this build is the same wherever it runs. Collecting cyclic
#: garbage costs a process that lives for seconds a fifth of its time.
_START_DBT = """
import gc, json, os, sys
gc.disable()
for name in [name for name in os.environ if name.startswith("DBT_")]:
    del os.environ[name]
os.environ.update(json.load(sys.stdin))
from dbt.cli.main import cli
cli()
"""
_GRACE_S = 30
_PARSE_CACHE = "partial_parse.msgpack"
_FAILED = frozenset({"error", "fail", "runtime error", "partial success"})
_LOGIN_REFUSED = re.compile(
    r"password authentication failed|authentication failed|28P01|28000|(role|user|database) \S+ does not exist", re.I
)
_CONNECTION_LOST = re.compile(
    r"communication error|connection (refused|reset|closed|time)|timed out|BrokenPipe|socket closed|is closed"
    r"|terminating connection|could not connect|too many connections|the database system is",
    re.I,
)
_PROJECT_BROKEN = re.compile(
    r"^\s*(Compilation|Parsing|Validation|Dbt Project|Dbt Profile|Runtime|Internal) Error", re.I
)


@dataclass(slots=True)
class _Output:
    """What dbt printed: its last errors, and the last lines that were no log events (a traceback, say)."""

    errors: deque[str] = field(default_factory=lambda: deque(maxlen=20))
    other_lines: deque[str] = field(default_factory=lambda: deque(maxlen=20))
    was_stopped: bool = False


def run_dbt(
    address: WarehouseAddress,
    project_dir: Path,
    work_dir: Path,
    *,
    on_progress: Callable[[str], None] = lambda line: None,
    time_limit_s: float = 1800,
    thread_count: int = 4,
) -> TransformRecord:
    """Builds and tests every model of the project, and says whether all of it held.

    `project_dir` is only read; target files and logs go to `work_dir`, which may be shared by runs and keeps what makes
    the next start quicker. `on_progress` gets one line per finished node. A failed model or test is a no-go, never an
    error. Raises ServiceUnavailable when the warehouse or dbt itself fell away, UsageError when the login is refused
    or the project cannot be parsed.
    """
    if not (project_dir / "dbt_project.yml").is_file():
        raise UsageError(f"there is no dbt project in {project_dir}: dbt_project.yml is missing. Check the setting.")
    work_dir.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="build-", dir=work_dir) as folder:
        target_dir = Path(folder)
        _copy_if_there(work_dir / _PARSE_CACHE, target_dir / _PARSE_CACHE)
        command = _command(project_dir, target_dir, work_dir / "logs", thread_count)
        exit_code, output = _run(command, _variables(address), target_dir, on_progress, time_limit_s)
        if (target_dir / _PARSE_CACHE).exists():
            (target_dir / _PARSE_CACHE).replace(work_dir / _PARSE_CACHE)
        results = target_dir / "run_results.json"
        if output.was_stopped:
            raise ServiceUnavailable(f"dbt did not finish within {time_limit_s:.0f} s. Run the step again.")
        if not results.exists():
            raise explain_missing_results(exit_code, output.errors, output.other_lines, str(address))
        manifest = json.loads((target_dir / "manifest.json").read_bytes())
        return read_run_results(json.loads(results.read_bytes()), exit_code, str(address), manifest["nodes"])


def read_run_results(
    document: Mapping[str, Any],
    exit_code: int,
    warehouse: str = "the warehouse",
    manifest: Mapping[str, Mapping[str, Any]] | None = None,
) -> TransformRecord:
    """The verdict that dbt's run_results.json and exit code amount to.

    `manifest` holds the project's nodes by id, for what a test was derived from.
    Raises ServiceUnavailable when a node failed because the warehouse went away: that is not the data's fault.
    """
    known = manifest or {}
    nodes = tuple(_node(result, known.get(result["unique_id"], {})) for result in document["results"])
    lost = [node for node in nodes if node.status == "error" and _CONNECTION_LOST.search(node.message or "")]
    if lost:
        raise ServiceUnavailable(
            f"{warehouse} fell away during dbt's {lost[0].kind} {lost[0].name}: {_first_line(lost[0].message)}. "
            "Run the step again; tables that were not rebuilt keep their last good rows."
        )
    failed = [node for node in nodes if node.status in _FAILED]
    counts = dict(sorted(Counter(node.status for node in nodes).items()))
    is_good = bool(nodes) and not failed and exit_code == 0
    return TransformRecord(
        verdict=Verdict.GO if is_good else Verdict.NO_GO,
        reason=_good_reason(nodes) if is_good else _bad_reason(nodes, failed, exit_code),
        counts=counts,
        nodes=nodes,
    )


def explain_missing_results(
    exit_code: int, errors: Iterable[str], other_lines: Iterable[str], warehouse: str
) -> PipelineError:
    """The error of ours for a dbt that ended before it had any result."""
    said = " ".join(" ".join(errors or other_lines).split()) or f"nothing (exit code {exit_code})"
    if _LOGIN_REFUSED.search(said):
        return UsageError(f"{warehouse} refused dbt's login: {said}. Check what SPACEX_ELT_WAREHOUSE_… leads to.")
    if not _CONNECTION_LOST.search(said) and _PROJECT_BROKEN.search(said):
        return UsageError(f"the dbt project cannot be used as it is: {said}. Correct it and run the step again.")
    return ServiceUnavailable(f"dbt ended before it built anything on {warehouse}: {said}. Run the step again.")


def _command(project_dir: Path, target_dir: Path, log_dir: Path, thread_count: int) -> list[str]:
    # -P: our own dbt/ folder must never stand in for the package of that name.
    return [
        *(sys.executable, "-P", "-c", _START_DBT),
        *("--no-version-check", "--no-send-anonymous-usage-stats", "--no-use-colors", "--log-format", "json"),
        *("--log-format-file", "text", "--log-path", str(log_dir.resolve())),
        *("build", "--project-dir", str(project_dir.resolve()), "--profiles-dir", str(project_dir.resolve())),
        *("--target-path", str(target_dir.resolve()), "--threads", str(thread_count)),
        *("--exclude-resource-type", "exposure"),  # nothing to build or test: only the lineage's end
    ]


def _variables(address: WarehouseAddress) -> dict[str, str]:
    """What dbt/profiles.yml reads, and what keeps dbt from telling anybody that it ran."""
    return {
        "DBT_WAREHOUSE_HOST": address.host,
        "DBT_WAREHOUSE_PORT": str(address.port),
        "DBT_WAREHOUSE_DATABASE": address.database,
        "DBT_WAREHOUSE_USER": address.user,
        "DBT_ENV_SECRET_WAREHOUSE_PASSWORD": address.password,
        "DO_NOT_TRACK": "1",
    }


def _run(
    command: Sequence[str],
    variables: Mapping[str, str],
    folder: Path,
    on_progress: Callable[[str], None],
    time_limit_s: float,
) -> tuple[int, _Output]:
    output = _Output()
    with subprocess.Popen(
        command,
        cwd=folder,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        errors="replace",
    ) as process:

        def interrupt() -> threading.Timer:
            """Interrupted, dbt takes back what it has running in the warehouse; killed, it would leave it at work."""
            process.send_signal(signal.SIGINT)
            killing = threading.Timer(_GRACE_S, process.kill)
            killing.daemon = True
            killing.start()
            return killing

        def stop() -> None:
            output.was_stopped = True
            interrupt()

        timer = threading.Timer(time_limit_s, stop)
        timer.start()
        try:
            assert process.stdin is not None and process.stdout is not None  # noqa: S101 both were asked for above
            process.stdin.write(json.dumps(variables))
            process.stdin.close()
            for line in process.stdout:
                _take_line(line, output, on_progress)
        except BrokenPipeError:
            pass  # dbt did not even start: its exit code says so
        except BaseException:
            killing = interrupt()
            for _ in process.stdout or ():  # whose last words nobody needs, but it must get them out
                pass
            killing.cancel()
            raise
        finally:
            timer.cancel()
    return process.returncode, output


def _take_line(line: str, output: _Output, on_progress: Callable[[str], None]) -> None:
    """Sorts one line of dbt's output: an error, a finished node, an event of no interest, or no event at all."""
    try:
        event = json.loads(line)
        info, data = event["info"], event["data"]
    except (ValueError, KeyError, TypeError):
        if line.strip():
            output.other_lines.append(line.strip())
        return
    if info["level"] == "error":
        output.errors.append(str(data.get("exc") or info["msg"]))
    total = data.get("total") or data.get("num_models")
    if info["name"].endswith("Result") and total:
        name = data.get("node_info", {}).get("node_name") or data.get("name", "")
        on_progress(f"{data.get('index')} of {total} {str(data.get('status', '')).lower()} {name}")


def _node(result: Mapping[str, Any], planned: Mapping[str, Any]) -> ModelRecord:
    meta = planned.get("config", {}).get("meta", {})
    kind, _, *names = str(result["unique_id"]).split(".")
    # A data test's id ends with a hash, a unit test's with its own name after its model's.
    name = names[0] if kind != "unit_test" else names[-1]
    return ModelRecord(
        name=name,
        kind=kind,
        status=str(result["status"]),
        seconds=float(result["execution_time"]),
        failures=result.get("failures"),
        message=_without_paths(result.get("message")),
        dataset=str(meta.get("dataset", "")),
        rule_id=str(meta.get("rule_id", "")),
    )


def _without_paths(message: str | None) -> str | None:
    """dbt's message without the line that names a file which is gone by the time anybody reads it."""
    if message is None:
        return None
    lines = [line.strip() for line in message.splitlines() if not line.strip().startswith("compiled code at ")]
    return "\n".join(line for line in lines if line) or None


def _good_reason(nodes: Sequence[ModelRecord]) -> str:
    warned = [node.name for node in nodes if node.status == "warn"]
    if not warned:
        return f"all {len(nodes)} dbt nodes passed."
    return f"all {len(nodes)} dbt nodes passed, {len(warned)} with a warning: {few(warned)}."


def _bad_reason(nodes: Sequence[ModelRecord], failed: Sequence[ModelRecord], exit_code: int) -> str:
    if not nodes:
        return "dbt found nothing to build: expected the project's models and tests. Check the project folder."
    if not failed:
        return f"dbt ended with exit code {exit_code} although no node failed. See dbt's log."
    named = "; ".join(f"{node.kind} {node.name} ({_first_line(node.message)})" for node in failed[:3])
    more = f" and {len(failed) - 3} more" if len(failed) > 3 else ""
    skipped = sum(node.status == "skipped" for node in nodes)
    kept = f" {skipped} nodes behind them were skipped and keep their last good rows." if skipped else ""
    return f"{len(failed)} of {len(nodes)} dbt nodes failed: {named}{more}.{kept}"


def _first_line(message: str | None) -> str:
    lines = (message or "no message").splitlines()
    # "Database Error in model fct_launches (models/…)" only repeats the node's name; what went wrong stands below.
    wanted = lines[1] if len(lines) > 1 and re.match(r"^\w+( \w+)? Error in ", lines[0]) else lines[0]
    return wanted.split(". Please ")[0].rstrip(".")[:300]  # the driver's advice is about proxies and firewalls


def _copy_if_there(source: Path, destination: Path) -> None:
    if source.exists():
        shutil.copyfile(source, destination)
