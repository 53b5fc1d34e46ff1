"""Owns what the pipeline measures: each metric's name, unit and dimensions. Measuring is observability/telemetry.py's.

Dashboards and alarms are made of the same catalogue (terraform/metrics.json, which release/metrics.py derives).
"""

from dataclasses import dataclass

#: Of every metric: which deployment it is of.
ENVIRONMENT = "environment"


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric. CloudWatch adds nothing up itself: `dimension_sets` says by which of the dimensions it is kept."""

    name: str
    unit: str
    description: str
    dimension_sets: tuple[tuple[str, ...], ...]  # the first has them all
    statistic: str = "Sum"  # what a graph shows


ROWS = Metric(
    "spacex_elt.rows",
    "{row}",
    "Rows by dataset, stage and fate",
    (("dataset", "stage", "fate"), ("dataset", "stage"), ("stage", "fate")),
)
VIOLATIONS = Metric(
    "spacex_elt.violations", "{record}", "Records that broke a rule", (("dataset", "rule"), ("dataset",))
)
VERDICTS = Metric(
    "spacex_elt.gate.verdicts", "{verdict}", "Gate verdicts", (("dataset", "gate", "verdict"), ("verdict",))
)
STEP_DURATION = Metric(
    "spacex_elt.step.duration", "s", "How long each step took", (("step", "outcome"), ("step",)), "Maximum"
)

#: Every metric, by the word that Terraform calls it by.
CATALOGUE = {"rows": ROWS, "violations": VIOLATIONS, "verdicts": VERDICTS, "step_duration": STEP_DURATION}
