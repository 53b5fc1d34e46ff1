"""Owns reading a run's spans back and showing them as text. Writing them is observability/telemetry.py's job."""

import json
import logging
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from observability.run_record import SpanRecord

_log = logging.getLogger(__name__)
_STATUS_ERROR = 2  # opentelemetry.proto.trace.v1.Status.StatusCode


@dataclass(frozen=True, slots=True)
class SpanRow:
    """One span at its place in the tree."""

    span: SpanRecord
    depth: int
    offset_seconds: float  # since the trace's first span


def read_spans(lines: Iterable[bytes]) -> tuple[SpanRecord, ...]:
    """The spans of OTLP JSON lines, by start.

    A span id met twice (the run's root, written again by a later attempt) is one span from its first start to its
    last end. A line that is no OTLP JSON, such as the half line of a killed process, is logged and left out.
    """
    spans: dict[str, SpanRecord] = {}
    for span in _spans_of(lines):
        known = spans.get(span.span_id)
        spans[span.span_id] = span if known is None else _merged(known, span)
    return tuple(sorted(spans.values(), key=lambda span: (span.started_at, -span.seconds)))


def trace_rows(spans: Sequence[SpanRecord]) -> tuple[SpanRow, ...]:
    """The spans as a tree, parents before children, siblings by start. A span whose parent is absent is a root."""
    ids = {span.span_id for span in spans}
    children: dict[str | None, list[SpanRecord]] = defaultdict(list)
    for span in sorted(spans, key=lambda span: (span.started_at, -span.seconds)):
        children[span.parent_span_id if span.parent_span_id in ids else None].append(span)
    if not spans:
        return ()
    began = min(span.started_at for span in spans)

    def rows(parent: str | None, depth: int) -> Iterator[SpanRow]:
        for span in children[parent]:
            yield SpanRow(span, depth, (span.started_at - began).total_seconds())
            yield from rows(span.span_id, depth + 1)

    return tuple(rows(None, 0))


def trace_summary(spans: Sequence[SpanRecord]) -> str:
    """The tree of spans with their durations, one per line; failed ones are marked."""
    rows = trace_rows(spans)
    labels = ["  " * row.depth + row.span.name for row in rows]
    width = max((len(label) for label in labels), default=0)
    return "\n".join(
        f"{label:<{width}}  {row.span.seconds:8.2f} s{'  failed' if row.span.failed else ''}"
        for label, row in zip(labels, rows, strict=True)
    )


def _spans_of(lines: Iterable[bytes]) -> Iterator[SpanRecord]:
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            yield from [_span(span) for span in _walk(json.loads(line))]
        except (ValueError, KeyError, TypeError, AttributeError):
            _log.warning("line %d of the run's spans is no OTLP JSON and is left out", number)


def _walk(request: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for resource in request["resourceSpans"]:
        for scope in resource["scopeSpans"]:
            yield from scope["spans"]


def _span(span: Mapping[str, Any]) -> SpanRecord:
    began_ns, ended_ns = int(span["startTimeUnixNano"]), int(span["endTimeUnixNano"])
    return SpanRecord(
        span_id=span["spanId"],
        parent_span_id=span.get("parentSpanId") or None,
        name=span["name"],
        started_at=_instant(began_ns),
        seconds=(ended_ns - began_ns) / 1e9,
        attributes={pair["key"]: _value(pair["value"]) for pair in span.get("attributes", ())},
        failed=span.get("status", {}).get("code") == _STATUS_ERROR,
    )


def _instant(nanoseconds: int) -> datetime:
    return datetime.fromtimestamp(nanoseconds // 10**9, UTC) + timedelta(microseconds=nanoseconds % 10**9 // 1000)


def _value(value: Mapping[str, Any]) -> str | int | float | bool:
    (kind, content) = next(iter(value.items()))
    if kind == "intValue":  # OTLP JSON writes 64-bit integers as text
        return int(content)
    if kind in ("boolValue", "doubleValue", "stringValue"):
        return content  # type: ignore[no-any-return]
    return json.dumps(content)


def _merged(one: SpanRecord, other: SpanRecord) -> SpanRecord:
    first, last = sorted((one, other), key=lambda span: span.started_at)
    ended_at = max(span.started_at + timedelta(seconds=span.seconds) for span in (one, other))
    return replace(last, started_at=first.started_at, seconds=(ended_at - first.started_at).total_seconds())
