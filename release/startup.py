"""Owns dist/startup.sh: a deployment's own variables as exports, above the committed dags/startup.sh.

What else the script exports, and its check that these are there, is dags/startup.sh's.
"""

import re
import shlex
from collections.abc import Mapping

#: The task definitions, one for each family of steps.
TASKS = tuple(f"SPACEX_ELT_{family}_TASK" for family in ("LOADER", "TRANSFORMER", "PUBLISHER", "MAINTAINER"))
#: What the DAGs read. Each is needed: a deployment without one is refused here, and again by dags/startup.sh.
NAMES = (
    "SPACEX_ELT_ENVIRONMENT",
    "SPACEX_ELT_ECS_CLUSTER",
    *TASKS,
    "SPACEX_ELT_LOG_GROUP",
    "SPACEX_ELT_SUBNET_IDS",
    "SPACEX_ELT_SECURITY_GROUP_IDS",
    "SPACEX_ELT_LAKE_BUCKET",
    "SPACEX_ELT_ALERT_TOPIC_ARN",
    "SPACEX_ELT_AIRBYTE_CONNECTION_ID",
    "SPACEX_ELT_DEADLINE_HOURS",
)
#: What a deployment may set besides.
OPTIONAL_NAMES = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",)
_TASK_DEFINITION = re.compile(r"[A-Za-z0-9_-]{1,255}:[1-9][0-9]*")


class DeploymentRefused(Exception):
    """The deployment file cannot be rendered; the message says why."""


def read_deployment(text: str, name: str) -> dict[str, str]:
    """The variables of a deployment file: KEY=VALUE lines, `#` before a comment line. Raises DeploymentRefused."""
    values: dict[str, str] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        key, equals, value = (part.strip() for part in line.partition("="))
        if not equals or not value:
            raise DeploymentRefused(f"{name}, line {number}: expected KEY=VALUE with a value.")
        if key in values:
            raise DeploymentRefused(f"{name}, line {number}: {key} is there twice. Keep one.")
        values[key] = value
    _refuse_wrong(values, name)
    return values


def render_startup(values: Mapping[str, str], committed: str) -> str:
    """The script that MWAA sources: the variables, each quoted for the shell, then what is committed."""
    shebang, _, rest = committed.partition("\n")
    exports = [f"export {key}={shlex.quote(values[key])}" for key in (*NAMES, *OPTIONAL_NAMES) if key in values]
    return "\n".join([shebang, "# The deployment's own variables, put here by `make dist`.", *exports, "", rest])


def _refuse_wrong(values: Mapping[str, str], name: str) -> None:
    unknown = sorted(set(values) - {*NAMES, *OPTIONAL_NAMES})
    missing = [key for key in NAMES if key not in values]
    if unknown:
        raise DeploymentRefused(
            f"{name} sets {', '.join(unknown)}. Expected only: {', '.join(NAMES + OPTIONAL_NAMES)}."
        )
    if missing:
        raise DeploymentRefused(f"{name} does not set {', '.join(missing)}. See release/example.env.")
    for task in TASKS:
        if not _TASK_DEFINITION.fullmatch(values[task]):
            raise DeploymentRefused(
                f"{name}: {task} is {values[task]}. Expected family:revision, such as spacex-elt-prod-loader:42: "
                "without its revision the DAGs and the image would not move together."
            )
