"""Owns the commands of the local stack. The stack itself is local/'s."""

import signal
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from datetime import UTC, datetime

import typer

from contracts.errors import ServiceUnavailable
from spacex_elt.commands.options import Datasets, Faults, Launches, Seed, Source
from spacex_elt.commands.output import AsJson, print_result, results
from spacex_elt.progress import Progress
from spacex_elt.settings import state_dir
from spacex_elt.stand_ins import refuse_without_stand_ins

app = typer.Typer(no_args_is_help=True, callback=refuse_without_stand_ins)


@contextmanager
def _told() -> Iterator[None]:
    """Tells the stack's own problems as ours."""
    from local.problem import StackProblem

    try:
        yield
    except StackProblem as exc:
        raise ServiceUnavailable(str(exc)) from exc


@app.command("up")
def start_stack() -> None:
    """Start the local stack. Twice is harmless."""
    from local.stack import up

    with _told():
        up(state_dir(), Progress().say)


@app.command("down")
def stop_stack() -> None:
    """Stop the local stack and keep its data."""
    from local.stack import down

    with _told():
        down(state_dir(), Progress().say)


@app.command("status")
def show_stack(as_json: AsJson = False) -> None:
    """Show the local stack's parts."""
    from local.stack import status
    from spacex_elt.report import print_stack

    with _told():
        state = status(state_dir())
    if as_json:
        print_result(state.to_json())
    else:
        print_stack(results(), state)


@app.command("reset")
def reset_stack() -> None:
    """Stop the local stack and remove every file it made."""
    from local.stack import reset

    with _told():
        reset(state_dir(), Progress().say)


@app.command("dag")
def run_dag(
    source: Source = "sample",
    launches: Launches = 205,
    seed: Seed = 42,
    fault: Faults = None,
    dataset: Datasets = None,
    as_json: AsJson = False,
) -> None:
    """Run the DAG once on the laptop's Airflow: its real operators, each step in a container of the ECS stand-in.

    Ends as the run did. Example: spacex-elt local dag --fault wrong-type:1%
    """
    from loader.incidents import find_docs
    from loader.publish import refuse_bad_end
    from observability.trace import trace_summary
    from spacex_elt import dag, report
    from spacex_elt.run import new_run_id
    from spacex_elt.sources import SourceRequest
    from spacex_elt.wiring import open_pipeline

    request = SourceRequest(source, launches, seed, tuple(fault or ()), tuple(dataset or ()))
    with _told(), open_pipeline(new_run_id(datetime.now(UTC))) as pipeline:
        outcome = dag.run_dag(pipeline, request, Progress())
        record = dag.find_record(pipeline, outcome.run_id)
        docs = find_docs(pipeline, outcome.run_id)
    if as_json:
        print_result(report.dag_run_as_json(outcome, record, docs))
    else:
        if record is not None:
            report.print_run(results(), record, docs, trace_summary(record.spans))
        report.print_dag_run(results(), outcome)
    if record is not None:
        refuse_bad_end(record)
    failure = dag.why_it_failed(outcome)
    if failure is not None:
        raise failure


@app.command("airflow")
def serve_airflow(
    source: Source = "sample",
    launches: Launches = 205,
    seed: Seed = 42,
    fault: Faults = None,
    dataset: Datasets = None,
) -> None:
    """Start Airflow with its user interface on this machine, the DAG unpaused, until Ctrl-C.

    Example: spacex-elt local airflow
    """
    from loader.publish import FRONT_PAGE
    from local import airflow, airflow_server
    from spacex_elt import dag
    from spacex_elt.run import new_run_id, point_at
    from spacex_elt.settings import read_settings
    from spacex_elt.sources import SourceRequest, open_source
    from spacex_elt.wiring import open_pipeline

    request = SourceRequest(source, launches, seed, tuple(fault or ()), tuple(dataset or ()))
    progress = Progress()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)
    with _told(), open_pipeline(new_run_id(datetime.now(UTC))) as pipeline, ExitStack() as running:
        airflow.refuse_second(state_dir())  # before Airbyte is pointed away from what the other one reads
        opened = running.enter_context(open_source(request, tuple(pipeline.contracts)))
        point_at(pipeline.sync_server, opened)
        progress.say("Airflow starts; that takes up to a minute.")
        with progress.step("airflow") as outcome:
            address = running.enter_context(airflow_server.serve(state_dir(), dag.DAG, outcome.tell))
            outcome.words = f"{address}/dags/{dag.DAG}"
        progress.say(f"It reads {opened.words}. A day's first run begins by itself, others with the button Trigger.")
        progress.say(f"Data docs: {read_settings().docs_url}/{FRONT_PAGE}. Stop Airflow with Ctrl-C.")
        with suppress(KeyboardInterrupt):
            signal.pause()
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # stopping must come to its end
        with progress.step("stop") as outcome:
            running.close()
            outcome.words = "Airflow is stopped"
