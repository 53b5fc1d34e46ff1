"""Owns settings: the one reader of the environment. What they wire together is spacex_elt/wiring.py's job.

The same names are set by the task definitions in production and by `.local/stack.env` on a laptop.
"""

import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from pydantic import AliasChoices, Field, ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from contracts.errors import UsageError

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

REPOSITORY = Path(__file__).resolve().parent.parent
STATE_DIR = REPOSITORY / ".local"
ENV_FILE_VARIABLE = "SPACEX_ELT_ENV_FILE"


class AirbyteSettings(BaseSettings):
    """What it takes to reach an Airbyte server and to say where it writes: enough to set one up."""

    model_config = SettingsConfigDict(env_prefix="SPACEX_ELT_", env_ignore_empty=True, extra="ignore", frozen=True)

    airbyte_url: str  # the server's base, without /api
    airbyte_secret_id: str = ""  # Secrets Manager: JSON with client_id, client_secret; empty: it asks for no token
    airbyte_workspace_id: str = ""  # empty: the only one there is
    airbyte_connection_id: str = ""  # with the source's: what `spacex-elt airbyte apply` ends with
    airbyte_source_id: str = ""
    airbyte_s3_secret_id: str = ""  # JSON with access_key_id, secret_access_key; empty: it has a role
    lake_bucket: str
    aws_region: str = Field("", validation_alias=AliasChoices("AWS_REGION", "AWS_DEFAULT_REGION"))


class Settings(AirbyteSettings):
    """What differs between two deployments of the same code, and nothing else."""

    environment: str  # names the deployment in telemetry and incidents: "prod", "laptop"
    docs_bucket: str
    docs_url: str  # where people open the docs bucket
    # One of these three says how to log in to the warehouse.
    warehouse_secret_id: str = ""  # Secrets Manager: JSON with host, port, database, username, password
    warehouse_cluster: str = ""  # a provisioned Redshift cluster that lets our role in, for an hour at a time
    warehouse_workgroup: str = ""  # a Redshift Serverless workgroup that does
    warehouse_database: str = ""  # with a cluster or workgroup: the database's name
    copy_role_arn: str  # the role Redshift assumes for COPY
    alert_topic_arn: str
    metrics_namespace: str = ""  # where CloudWatch keeps the metrics that it takes out of the log; empty: none are told
    collector_url: str = Field("", validation_alias="OTEL_EXPORTER_OTLP_ENDPOINT")  # gets the spans; empty: nobody does
    alert_queue_url: str = ""  # where `spacex-elt alerts` reads what was announced
    airbyte_connection_id: str
    airbyte_source_id: str
    quarantine_retention_days: int = Field(default=90, ge=1)  # rejected records, and the staging of held batches
    lake_retention_days: int = Field(default=400, ge=1)  # every other object of a batch or run
    dbt_project_dir: Path = REPOSITORY / "dbt"
    work_dir: Path = Path(tempfile.gettempdir()) / f"spacex-elt-{os.getuid()}"  # what a read-only container can write

    @model_validator(mode="after")
    def _one_way_to_log_in(self) -> "Settings":
        ways = [self.warehouse_secret_id, self.warehouse_cluster, self.warehouse_workgroup]
        if sum(map(bool, ways)) != 1:
            raise ValueError(
                "set exactly one of SPACEX_ELT_WAREHOUSE_SECRET_ID, SPACEX_ELT_WAREHOUSE_CLUSTER, "
                "SPACEX_ELT_WAREHOUSE_WORKGROUP"
            )
        if bool(self.warehouse_database) == bool(self.warehouse_secret_id):
            raise ValueError(
                "set SPACEX_ELT_WAREHOUSE_DATABASE with a cluster or workgroup, and only then: a secret holds its own"
            )
        return self


AnySettings = TypeVar("AnySettings", bound=AirbyteSettings)


def state_dir() -> Path:
    """Where the local stack keeps its state."""
    return Path(os.environ.get("SPACEX_ELT_STATE_DIR", STATE_DIR))


def read_settings() -> Settings:
    """The settings of this process, an env file's first. Raises UsageError naming what is missing."""
    return _read(Settings)


def read_airbyte_settings() -> AirbyteSettings:
    """The settings of a process that only sets an Airbyte server up. Raises UsageError naming what is missing."""
    return _read(AirbyteSettings)


def _read(kind: type[AnySettings]) -> AnySettings:
    load_env_file()
    try:
        return kind()
    except ValidationError as exc:
        names = ", ".join(map(_told, exc.errors()))
        raise UsageError(
            f"settings are missing or wrong: {names}. Expected them in the environment, or a running local stack: "
            "start it with `spacex-elt local up`."
        ) from exc


def _told(error: "ErrorDetails") -> str:
    """One thing that is wrong: of a single variable, or between several."""
    if not error["loc"]:
        return str(error["ctx"]["error"])
    return f"SPACEX_ELT_{str(error['loc'][0]).upper()} ({error['msg'].lower()})"


def load_env_file() -> None:
    """Puts an env file's variables into the environment: the one named by SPACEX_ELT_ENV_FILE, or the local stack's.

    They win over what the shell has set, so that a laptop's own AWS account is never touched by accident.
    """
    named = os.environ.get(ENV_FILE_VARIABLE)
    path = Path(named) if named else state_dir() / "stack.env"
    if not path.exists():
        if named:
            raise UsageError(f"{ENV_FILE_VARIABLE} names {named}, which is not there. Expected KEY=VALUE lines.")
        return
    os.environ.pop("AWS_PROFILE", None)
    for line in path.read_text().splitlines():
        if line.strip() and not line.startswith("#"):
            name, _, value = line.partition("=")
            os.environ[name.strip()] = value.strip()


def traceparent() -> str | None:
    """The trace that whoever started this process wants its spans in (W3C Trace Context). Empty is none."""
    return os.environ.get("TRACEPARENT") or None
