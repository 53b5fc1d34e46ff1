"""Owns extracting: a sync of the Airbyte connection, followed to its end. Which streams is the connection's matter."""

import re
import time
from typing import Any

from airflow.providers.airbyte.hooks.airbyte import AirbyteHook
from airflow.providers.airbyte.operators.airbyte import AirbyteTriggerSyncOperator
from airflow.providers.airbyte.triggers.airbyte import AirbyteSyncTrigger
from airflow.sdk.exceptions import AirflowException, AirflowFailException

_UNDER_WAY = {"pending", "queued", "running", "incomplete"}
_LOOK_EVERY_S = 5
_STATUS = re.compile(r"[Ss]tatus code (\d{3})")
_CONFIGURATION_IS_WRONG = {400, 401, 403, 404, 422}


class SyncOperator(AirbyteTriggerSyncOperator):
    """Starts a sync, or goes on with one that is under way, and hands on its job id.

    The provider's operator, deferrable, hands on no job id, asks once a minute, and fails on a job that is still
    `queued`; trying again it would start a second sync, which the server refuses. Here the next try follows the job
    that is there. With `past_job_id` nothing is extracted: that sync's objects lie in the lake.
    """

    template_fields = (*AirbyteTriggerSyncOperator.template_fields, "past_job_id")

    def __init__(self, *, past_job_id: str = "", **kwargs: Any) -> None:
        super().__init__(deferrable=True, **kwargs)
        self.past_job_id = past_job_id

    def execute(self, context: Any) -> Any:
        """Finds or starts the job and waits in the triggerer."""
        if self.past_job_id:
            return int(self.past_job_id)
        hook = AirbyteHook(airbyte_conn_id=self.airbyte_conn_id, api_version=self.api_version)
        try:
            self.job_id = self._under_way(hook) or hook.submit_sync_connection(self.connection_id).job_id
        except Exception as exc:
            raise _told(exc) from exc
        self.log.info("following Airbyte job %s", self.job_id)
        self.defer(
            trigger=AirbyteSyncTrigger(
                conn_id=self.airbyte_conn_id,
                job_id=self.job_id,
                end_time=time.time() + self.timeout,
                poll_interval=_LOOK_EVERY_S,
            ),
            method_name="execute_complete",
        )

    def execute_complete(self, context: Any, event: Any = None) -> Any:
        """Hands on the job id. Raises what the provider raises when the job did not succeed."""
        super().execute_complete(context, event)
        return event["job_id"]

    def _under_way(self, hook: AirbyteHook) -> int | None:
        from airbyte_api.api import ListJobsRequest  # most of a second, which reading the DAG file need not pay
        from airbyte_api.models import JobTypeEnum

        request = ListJobsRequest(connection_id=self.connection_id, job_type=JobTypeEnum.SYNC, limit=5)
        answer = hook.airbyte_api.jobs.list_jobs(request=request).jobs_response
        jobs = answer.data if answer else []
        return next((job.job_id for job in jobs if job.status.value in _UNDER_WAY), None)


def _told(exc: Exception) -> AirflowException:
    """What the server refuses is not worth a retry; a server that is away is."""
    cause = exc.args[0] if isinstance(exc, AirflowException) and exc.args else exc
    told = _STATUS.search(str(cause))
    status = getattr(cause, "status_code", int(told[1]) if told else None)
    if status in _CONFIGURATION_IS_WRONG:
        return AirflowFailException(
            f"Airbyte refused to start the sync ({status}): {cause}. Check the Airflow connection "
            "airbyte_default and the connection id."
        )
    return AirflowException(f"Airbyte did not start the sync: {cause}")
