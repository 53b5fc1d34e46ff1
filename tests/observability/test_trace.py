import json
import logging
from datetime import UTC, datetime
from typing import Any

import pytest

from observability.trace import read_spans, trace_rows, trace_summary

BEGAN_NS = 1_795_413_876_000_000_000


def _line(*spans: dict[str, Any]) -> bytes:
    return json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": list(spans)}]}]}).encode()


def _span(span_id: str, parent: str | None, name: str, start_s: float, end_s: float, **more: Any) -> dict[str, Any]:
    return {
        "traceId": "0" * 31 + "1",
        "spanId": span_id,
        "parentSpanId": parent or "",
        "name": name,
        "startTimeUnixNano": str(BEGAN_NS + round(start_s * 1e9)),
        "endTimeUnixNano": str(BEGAN_NS + round(end_s * 1e9)),
        **more,
    }


TREE = _line(
    _span("b", "a", "load", 4, 9, status={"code": 2}),
    _span("c", "a", "gate", 0.5, 3.75),
    _span("d", "c", "gate launches", 1, 2),
    _span("a", None, "run", 0, 10),
)


def test_spans_come_back_by_start_with_their_values() -> None:
    attributes = [
        {"key": "rows", "value": {"intValue": "205"}},
        {"key": "ratio", "value": {"doubleValue": 0.5}},
        {"key": "clean", "value": {"boolValue": True}},
        {"key": "dataset", "value": {"stringValue": "launches"}},
    ]
    (span,) = read_spans([_line(_span("a", None, "gate", 0, 0.25, attributes=attributes))])
    assert span.attributes == {"rows": 205, "ratio": 0.5, "clean": True, "dataset": "launches"}
    assert span.started_at == datetime.fromtimestamp(BEGAN_NS // 10**9, UTC)
    assert (span.seconds, span.failed, span.parent_span_id) == (0.25, False, None)


def test_the_summary_is_a_tree_with_durations_and_failures() -> None:
    assert trace_summary(read_spans([TREE])).splitlines() == [
        "run                   10.00 s",
        "  gate                 3.25 s",
        "    gate launches      1.00 s",
        "  load                 5.00 s  failed",
    ]


def test_a_span_whose_parent_is_absent_is_a_root() -> None:
    rows = trace_rows(read_spans([_line(_span("b", "gone", "load", 2, 3), _span("c", "b", "copy", 2.5, 3))]))
    assert [(row.span.name, row.depth, row.offset_seconds) for row in rows] == [("load", 0, 0.0), ("copy", 1, 0.5)]


def test_a_root_written_by_two_attempts_is_one_span_over_both() -> None:
    (run,) = read_spans(
        [_line(_span("a", None, "run", 5, 7)), _line(_span("a", None, "run", 0, 2, status={"code": 2}))]
    )
    assert run.seconds == 7
    assert not run.failed  # the later attempt went well


def test_the_half_line_of_a_killed_process_is_logged_and_left_out(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        spans = read_spans([TREE, b"", TREE[: len(TREE) // 2], b'{"resourceSpans": 3}'])
    assert len(spans) == 4
    assert [record.getMessage()[:6] for record in caplog.records] == ["line 3", "line 4"]


def test_no_spans_make_an_empty_summary() -> None:
    assert trace_rows(()) == ()
    assert trace_summary(()) == ""
