"""Owns metrics as lines of a log that CloudWatch makes metrics of (embedded metric format). Whose log is the caller's.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
"""

import json
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from opentelemetry.sdk.metrics import Counter, Histogram
from opentelemetry.sdk.metrics.export import (
    AggregationTemporality,
    HistogramDataPoint,
    MetricExporter,
    MetricExportResult,
    MetricsData,
    NumberDataPoint,
)

from observability.catalogue import CATALOGUE, ENVIRONMENT, Metric

_UNITS = {"s": "Seconds"}  # all else is counted
_BY_NAME = {metric.name: metric for metric in CATALOGUE.values()}


class EmbeddedMetricExporter(MetricExporter):
    """Says each data point as one line of JSON. What it says is added up by CloudWatch over all containers."""

    def __init__(self, say: Callable[[str], None], *, namespace: str, environment: str) -> None:
        super().__init__(
            preferred_temporality={Counter: AggregationTemporality.DELTA, Histogram: AggregationTemporality.DELTA}
        )
        self._say = say
        self._namespace = namespace
        self._environment = environment

    def export(self, metrics_data: MetricsData, timeout_millis: float = 10_000, **kwargs: Any) -> MetricExportResult:
        """Says the data points, in the order in which they come."""
        now_ms = time.time_ns() // 1_000_000
        for name, point in _points(metrics_data):
            line = _line(_BY_NAME[name], point, self._namespace, self._environment, now_ms)
            self._say(json.dumps(line, separators=(",", ":")))
        return MetricExportResult.SUCCESS

    def force_flush(self, timeout_millis: float = 10_000) -> bool:
        """Nothing is held back."""
        return True

    def shutdown(self, timeout_millis: float = 30_000, **kwargs: Any) -> None:
        """Nothing is open."""


def _points(data: MetricsData) -> Iterator[tuple[str, NumberDataPoint | HistogramDataPoint]]:
    for resource in data.resource_metrics:
        for scope in resource.scope_metrics:
            for metric in scope.metrics:
                for point in metric.data.data_points:
                    if isinstance(point, NumberDataPoint | HistogramDataPoint):
                        yield metric.name, point


def _line(
    metric: Metric, point: NumberDataPoint | HistogramDataPoint, namespace: str, environment: str, now_ms: int
) -> Mapping[str, Any]:
    directive = {
        "Namespace": namespace,
        "Dimensions": [[ENVIRONMENT, *dimensions] for dimensions in metric.dimension_sets],
        "Metrics": [{"Name": metric.name, "Unit": _UNITS.get(metric.unit, "Count")}],
    }
    # Several steps in one process (`spacex-elt run`) are told by their mean: a bucket is no value.
    value = point.value if isinstance(point, NumberDataPoint) else point.sum / point.count
    return {
        "_aws": {"Timestamp": now_ms, "CloudWatchMetrics": [directive]},
        ENVIRONMENT: environment,
        **dict(point.attributes or {}),
        metric.name: value,
    }
