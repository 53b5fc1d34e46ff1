"""Owns a run on the laptop's Airflow: Airbyte is pointed at the source, then the DAG does the rest.

The steps are the same as `spacex-elt run` calls (spacex_elt/run.py); what Airflow is told is local/airflow.py's job.
"""

import re
from contextlib import ExitStack
from typing import TYPE_CHECKING

from contracts.errors import PipelineError
from loader.pipeline import Pipeline
from loader.run_folder import RUNS_LOOKED_BACK, recent_runs
from observability.run_record import RunRecord
from spacex_elt.exit_codes import error_of
from spacex_elt.progress import Progress
from spacex_elt.run import point_at
from spacex_elt.settings import state_dir
from spacex_elt.sources import SourceRequest, open_source

if TYPE_CHECKING:
    from local.airflow import DagRunOutcome, TaskTry

DAG = "spacex_elt"
_EXIT_CODE = re.compile(r"ended with (\d+)")
_IS_GOOD = {"success", "skipped"}


def run_dag(pipeline: Pipeline, request: SourceRequest, progress: Progress) -> "DagRunOutcome":
    """One run of the DAG over the source. Raises what points to the stack or the source, not what the run came to."""
    from local import airflow

    airflow.refuse_second(state_dir())  # before Airbyte is pointed away from what the other one reads
    with open_source(request, tuple(pipeline.contracts)) as source, ExitStack() as tasks:
        point_at(pipeline.sync_server, source)
        shown = _Tasks(progress)
        tasks.callback(shown.close)
        return airflow.run_dag(state_dir(), DAG, {"datasets": list(request.datasets)}, shown.change)


def find_record(pipeline: Pipeline, run_id: str) -> RunRecord | None:
    """The run's record, or None when it did not come to its publish step."""
    return next((run for run in recent_runs(pipeline.lake, RUNS_LOOKED_BACK) if run.run_id == run_id), None)


def why_it_failed(outcome: "DagRunOutcome") -> PipelineError | None:
    """The last failure among the DAG run's tasks as an error of ours, or None when the run succeeded."""
    if outcome.is_success:
        return None
    last = [each for each in outcome.tries if each.state not in _IS_GOOD][-1:]
    told = f"task {_name(last[0])}: {last[0].message}" if last else "no task of it failed"
    found = _EXIT_CODE.search(told)
    return error_of(int(found[1]) if found else None)(
        f"DAG run {outcome.run_id} failed; {told} Airflow's whole log: {outcome.log}"
    )


class _Tasks:
    """Shows each try of each task as a step."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._open = ExitStack()

    def change(self, task: "TaskTry") -> None:
        """A task began, or its try ended."""
        if task.state == "running":
            self._outcome = self._open.enter_context(self._progress.step(_name(task)))
            return
        self._outcome.words = task.state if task.state in _IS_GOOD else f"{task.state}: {task.message}"
        self._outcome.is_trouble = task.state not in _IS_GOOD
        self.close()

    def close(self) -> None:
        """Ends what is shown as running."""
        self._open.close()


def _name(task: "TaskTry") -> str:
    return task.task_id if task.map_index < 0 else f"{task.task_id}[{task.map_index}]"
