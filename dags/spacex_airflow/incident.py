"""Owns telling people that a step of a run failed, also when its container never started.

What a gate found is told by the publish step (observability/), with better words: this leaves it alone. Incidents lie
in the lake in the form of observability/incidents.py, so that the next good run resolves them there.
"""

import hashlib
import json
import logging
from datetime import UTC, datetime
from typing import Any

from airflow.providers.amazon.aws.hooks.s3 import S3Hook
from airflow.providers.amazon.aws.hooks.sns import SnsHook
from botocore.exceptions import BotoCoreError, ClientError  # type: ignore[import-untyped]

from spacex_airflow.names import Deployment, read_deployment

#: Steps, and their exit codes, after which publish has told why: a no-go, rows that do not reconcile, a failed dbt.
TOLD_BY_PUBLISH = {(step, code) for step in ("load", "transform", "publish") for code in (11, 13, 14)}

#: An incident's place is a gate of a dataset; these are a step of a DAG's run.
PLACES = {"spacex_elt": "run", "spacex_elt_replay": "replay", "spacex_elt_maintenance": "maintenance"}
RULE = "step-failed"
_REMEMBERED_RUNS = 50
_LONGEST_REASON = 20_000  # characters; SNS takes 256 KB in all
log = logging.getLogger(__name__)


def raise_incident(context: Any) -> None:
    """Opens the incident of a step that will not be tried again, and announces it once however many runs meet it.

    Sends first, then stores: a crash in between repeats an announcement and never loses one. Steps that fail at the
    same moment (mapped ones) may each announce.
    """
    exception = context.get("exception")
    task = context["ti"]
    if (task.task_id, getattr(exception, "exit_code", None)) in TOLD_BY_PUBLISH:
        return
    deployment = read_deployment()
    now = datetime.now(UTC)
    step, run_id = task.task_id, context["run_id"]
    mark = fingerprint(deployment.environment, PLACES[task.dag_id], step)
    key = f"incidents/{mark}.json"
    known = _read(deployment, key)
    if known is not None and known["state"] == "open":
        if run_id not in known["run_ids"]:
            _store(deployment, key, _met_again(known, run_id, now))
        return
    headline = f"{task.dag_id}: the {step} step failed"
    place = {"environment": deployment.environment, "dataset": PLACES[task.dag_id], "gate": step, "rule_id": RULE}
    opened = {"fingerprint": mark, **place, **_opened(run_id, now, task.task.owner, headline)}
    _announce(deployment, opened, str(exception or "no reason was given"), task.log_url)
    _store(deployment, key, opened)


def fingerprint(environment: str, place: str, step: str) -> str:
    """The identity of the cause, as observability/incidents.py makes it."""
    return hashlib.sha256("\n".join((environment, place, step, RULE)).encode()).hexdigest()[:16]


def _opened(run_id: str, now: datetime, owner: str, headline: str) -> dict[str, Any]:
    return {
        "state": "open",
        "opened_at": now.isoformat(),
        "last_seen_at": now.isoformat(),
        "resolved_at": None,
        "run_ids": [run_id],
        "occurrences": 1,
        "owner": owner,
        "headline": headline,
    }


def _met_again(known: dict[str, Any], run_id: str, now: datetime) -> dict[str, Any]:
    run_ids = [*known["run_ids"], run_id][-_REMEMBERED_RUNS:]
    return known | {"run_ids": run_ids, "last_seen_at": now.isoformat(), "occurrences": known["occurrences"] + 1}


def _announce(deployment: Deployment, incident: dict[str, Any], why: str, log_url: str) -> None:
    text = "\n".join(
        [
            f"{incident['headline']}.",
            "",
            why[:_LONGEST_REASON],
            "",
            f"Where: run {incident['run_ids'][0]}, environment {incident['environment']}",
            "Still served: the last good version of every dataset that this run did not publish.",
            "Next: read the task's log. When the cause is gone, clear the task and those after it.",
            f"Details: {log_url}",
            "",
            f"Owner: {incident['owner']} · incident {incident['fingerprint']}",
            "You hear of this once. The next message says that it is resolved.",
        ]
    )
    attributes = {
        "severity": "error",
        "owner": incident["owner"],
        "dataset": incident["dataset"],
        "gate": incident["gate"],
        "environment": incident["environment"],
        "run_id": incident["run_ids"][0],
    }
    subject = f"[{incident['environment']}] {incident['headline']}"[:100]
    SnsHook().publish_to_target(deployment.alert_topic_arn, text, subject, attributes)


def _read(deployment: Deployment, key: str) -> dict[str, Any] | None:
    try:
        return dict(json.loads(S3Hook().read_key(key, deployment.lake_bucket)))
    except (ClientError, BotoCoreError) as exc:
        # Not there, or the lake is away, which may be why the step failed: people hear of it all the same.
        log.info("no incident could be read from %s: %s", key, exc)
        return None


def _store(deployment: Deployment, key: str, incident: dict[str, Any]) -> None:
    S3Hook().load_string(json.dumps(incident), key, deployment.lake_bucket, replace=True)
