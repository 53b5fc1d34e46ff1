"""Owns writing one run's spans and counters as OTLP JSON. Reading them back is observability/trace.py's job.

Storing the files beside the run record is the loader's.
"""

import hashlib
import io
import logging
import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from types import TracebackType
from typing import TextIO, cast

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.json.file.metric_exporter import FileMetricExporter
from opentelemetry.exporter.otlp.json.file.trace_exporter import FileSpanExporter
from opentelemetry.metrics import Counter as APICounter
from opentelemetry.sdk.metrics import Counter, Histogram, MeterProvider
from opentelemetry.sdk.metrics.export import AggregationTemporality, MetricExporter, PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.id_generator import IdGenerator, RandomIdGenerator
from opentelemetry.sdk.trace.sampling import ALWAYS_ON
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from contracts.errors import PipelineError
from observability.catalogue import ROWS, STEP_DURATION, VERDICTS, VIOLATIONS, Metric
from observability.embedded_metrics import EmbeddedMetricExporter
from validation.results import Verdict

SERVICE = "spacex-elt"
SPANS_FILE = "spans.jsonl"
METRICS_FILE = "metrics.jsonl"

AttributeValue = str | int | float | bool

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_log = logging.getLogger(__name__)
_propagator = TraceContextTextMapPropagator()

# Each process of a run writes what it counted itself; added up over the files, deltas are the run's totals.
_DELTA: dict[type, AggregationTemporality] = {
    Counter: AggregationTemporality.DELTA,
    Histogram: AggregationTemporality.DELTA,
}
# The SDK's own bounds suit milliseconds; a step takes from tenths of a second to an hour.
_DURATION_BOUNDS_S = (0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1800.0, 3600.0)


def trace_id_of(run_id: str) -> int:
    """The trace every process of this run writes to when nobody hands it a traceparent."""
    return int.from_bytes(hashlib.sha256(run_id.encode()).digest()[:16], "big")


def root_span_id_of(run_id: str) -> int:
    """The id of the run's root span, so that steps in other processes can name it as their parent."""
    return int.from_bytes(hashlib.sha256(b"run:" + run_id.encode()).digest()[:8], "big")


def start(
    run_id: str,
    folder: Path,
    *,
    environment: str,
    traceparent: str | None = None,
    metrics_namespace: str = "",
    say: Callable[[str], None] = lambda line: None,
) -> "Telemetry":
    """Opens telemetry that appends to `spans.jsonl` and `metrics.jsonl` in `folder`.

    With `traceparent` (W3C) the spans join that trace. Without it the trace id follows from the run id, so that steps
    run as separate processes share one trace. Writing is best effort: a full disk is logged once and hides nothing.
    With `metrics_namespace` the counters are also said, a line each, as CloudWatch takes metrics out of a log.
    """
    embedded = EmbeddedMetricExporter(say, namespace=metrics_namespace, environment=environment)
    return Telemetry(run_id, folder, environment, traceparent, [embedded] if metrics_namespace else [])


@dataclass(frozen=True, slots=True)
class OpenSpan:
    """A span that is being measured."""

    _span: trace.Span

    def note(self, **attributes: AttributeValue) -> None:
        """Adds what became known meanwhile. Counts and names only: never a record's values, never a secret."""
        self._span.set_attributes(attributes)

    def fail(self, reason: str) -> None:
        """Marks the span as failed where no exception says so, as when a gate says no-go."""
        self._span.set_status(trace.StatusCode.ERROR, reason)


class Telemetry:
    """The spans and counters of one process of one run. A context manager: leaving it writes what is left."""

    def __init__(
        self,
        run_id: str,
        folder: Path,
        environment: str,
        traceparent: str | None,
        exporters: Sequence[MetricExporter] = (),
    ) -> None:
        resource = _resource(run_id, environment)
        # Spans are written as they end, not in batches: a killed step leaves those that it finished.
        spans = SimpleSpanProcessor(FileSpanExporter(stream=_best_effort(folder / SPANS_FILE)))
        self._tracers = TracerProvider(
            sampler=ALWAYS_ON, resource=resource, id_generator=_RunIds(run_id), shutdown_on_exit=False
        )
        self._tracers.add_span_processor(spans)
        exporter = FileMetricExporter(stream=_best_effort(folder / METRICS_FILE), preferred_temporality=_DELTA)
        readers = [
            PeriodicExportingMetricReader(each, export_interval_millis=math.inf) for each in (exporter, *exporters)
        ]
        self._meters = MeterProvider(readers, resource=resource, shutdown_on_exit=False)
        self._tracer = self._tracers.get_tracer(SERVICE)
        self._outer = _propagator.extract({"traceparent": traceparent}) if traceparent else Context()
        self._base = self._outer if _is_valid(self._outer) else _below_root(run_id)
        self._make_instruments()

    def _make_instruments(self) -> None:
        meter = self._meters.get_meter(SERVICE)

        def counter(metric: Metric) -> APICounter:
            return meter.create_counter(metric.name, metric.unit, metric.description)

        self._rows, self._violations, self._verdicts = counter(ROWS), counter(VIOLATIONS), counter(VERDICTS)
        self._step_duration = meter.create_histogram(
            STEP_DURATION.name,
            STEP_DURATION.unit,
            STEP_DURATION.description,
            explicit_bucket_boundaries_advisory=_DURATION_BOUNDS_S,
        )

    def __enter__(self) -> "Telemetry":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Writes what is left. Nothing can be measured afterwards."""
        self._meters.force_flush()
        self._meters.shutdown()
        self._tracers.shutdown()

    @property
    def trace_id(self) -> str:
        """The run's trace as 32 hex digits."""
        return trace.format_trace_id(trace.get_current_span(self._base).get_span_context().trace_id)

    @property
    def traceparent(self) -> str:
        """What a program started now needs, to put its spans below the one that is open here."""
        carrier: dict[str, str] = {}
        _propagator.inject(carrier, self._parent())
        return carrier["traceparent"]

    def run(self, **attributes: AttributeValue) -> AbstractContextManager[OpenSpan]:
        """The whole run, measured: the root of its trace (or, under a traceparent, the run's span below that)."""
        return self._open("run", self._outer, attributes)

    @contextmanager
    def step(self, name: str, **attributes: AttributeValue) -> Iterator[OpenSpan]:
        """One step, measured as a span below the run and in the step duration histogram."""
        began = time.monotonic()
        outcome = "error"
        try:
            with self.span(name, step=name, **attributes) as opened:
                yield opened
            outcome = "ok"
        finally:
            self._step_duration.record(time.monotonic() - began, {"step": name, "outcome": outcome})

    def span(self, name: str, /, **attributes: AttributeValue) -> AbstractContextManager[OpenSpan]:
        """A piece of work, measured as a span below the one that is open. An exception marks it as failed."""
        return self._open(name, self._parent(), attributes)

    def add_span(
        self, name: str, started_at: datetime, seconds: float, /, *, failed: bool, **attributes: AttributeValue
    ) -> None:
        """Adds a piece of work that somebody else measured, such as a dbt node, below the span that is open."""
        began_ns = (started_at - _EPOCH) // timedelta(microseconds=1) * 1000  # a float would lose the microsecond
        span = self._tracer.start_span(name, self._parent(), attributes=attributes, start_time=began_ns)
        if failed:
            span.set_status(trace.StatusCode.ERROR)
        span.end(began_ns + round(seconds * 1e9))

    def count_rows(self, dataset: str, stage: str, fates: Mapping[str, int]) -> None:
        """Adds rows by fate (accepted, quarantined, inserted, …) at one stage (gate, load, …)."""
        for fate, rows in fates.items():
            self._rows.add(rows, {"dataset": dataset, "stage": stage, "fate": fate})

    def count_violations(self, dataset: str, violations_by_rule: Mapping[str, int]) -> None:
        """Adds the records that broke each rule."""
        for rule_id, records in violations_by_rule.items():
            self._violations.add(records, {"dataset": dataset, "rule": rule_id})

    def count_verdict(self, dataset: str, gate: str, verdict: Verdict) -> None:
        """Adds one verdict of one gate."""
        self._verdicts.add(1, {"dataset": dataset, "gate": gate, "verdict": verdict.value})

    def _parent(self) -> Context | None:
        """The context of the span that is open here, else of the run's root, which another process may write."""
        return None if trace.get_current_span().get_span_context().is_valid else self._base

    @contextmanager
    def _open(self, name: str, context: Context | None, attributes: Mapping[str, AttributeValue]) -> Iterator[OpenSpan]:
        with self._tracer.start_as_current_span(
            name, context, attributes=attributes, record_exception=False, set_status_on_exception=False
        ) as span:
            try:
                yield OpenSpan(span)
            except BaseException as exc:
                _record(span, exc)
                raise


def _record(span: trace.Span, exc: BaseException) -> None:
    """Says what went wrong. Only our own messages: a driver's may quote a row or a connection string."""
    attributes = {"exception.type": type(exc).__qualname__}
    if isinstance(exc, PipelineError):
        attributes["exception.message"] = str(exc)
    span.add_event("exception", attributes)
    span.set_status(trace.StatusCode.ERROR, attributes.get("exception.message", attributes["exception.type"]))


def _resource(run_id: str, environment: str) -> Resource:
    return Resource.create(
        {
            "service.name": SERVICE,
            "service.version": _version(),
            "deployment.environment.name": environment,
            "spacex_elt.run_id": run_id,
        }
    )


def _version() -> str:
    try:
        return version(SERVICE)
    except PackageNotFoundError:  # run from a checkout that was never installed
        return "unknown"


def _is_valid(context: Context) -> bool:
    return trace.get_current_span(context).get_span_context().is_valid


def _below_root(run_id: str) -> Context:
    root = trace.SpanContext(
        trace_id_of(run_id), root_span_id_of(run_id), is_remote=True, trace_flags=trace.TraceFlags(1)
    )
    return trace.set_span_in_context(trace.NonRecordingSpan(root), Context())


class _RunIds(IdGenerator):
    """Random span ids, but a root span (the only one for which the SDK wants a trace id) gets the run's ids."""

    def __init__(self, run_id: str) -> None:
        self._run_id = run_id
        self._random = RandomIdGenerator()
        self._is_root_next = False

    def generate_trace_id(self) -> int:
        self._is_root_next = True
        return trace_id_of(self._run_id)

    def generate_span_id(self) -> int:
        if self._is_root_next:
            self._is_root_next = False
            return root_span_id_of(self._run_id)
        return self._random.generate_span_id()


class _BestEffortFile(io.TextIOBase):
    """A file that takes text while it can, says once that it cannot, and never raises."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._is_broken = False

    def write(self, text: str) -> int:
        if not self._is_broken:
            try:
                self._path.parent.mkdir(parents=True, exist_ok=True)
                with self._path.open("a", encoding="utf-8") as file:
                    file.write(text)
            except OSError as exc:
                self._is_broken = True
                _log.warning("telemetry cannot be written to %s (%s); the run goes on without it", self._path, exc)
        return len(text)


def _best_effort(path: Path) -> TextIO:
    return cast(TextIO, _BestEffortFile(path))
