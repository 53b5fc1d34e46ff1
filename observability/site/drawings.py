"""Owns the geometry of the drawings: where bars begin and how wide they are. The templates turn them into SVG. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from observability.run_record import DatasetRecord, SpanRecord
from observability.trace import trace_rows

WIDTH = 1000  # units of every drawing's view box
_LEAST = 4  # a bar of a single row of a million is still seen


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a bar. `kind` is its CSS class."""

    kind: str
    label: str
    count: int
    x: float
    width: float


@dataclass(frozen=True, slots=True)
class Bar:
    """A whole, split into parts that add up to it."""

    label: str
    total: int
    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class SpanBar:
    """One span of the waterfall."""

    span: SpanRecord
    depth: int
    x: float
    width: float


def row_bars(record: DatasetRecord) -> tuple[Bar, ...]:
    """Where a dataset's rows went: at the raw gate, and in the published table when they came that far."""
    gate = [("accepted", record.accepted), ("quarantined", record.quarantined), ("duplicate", record.duplicate)]
    bars = [_bar("At the raw gate", record.extracted, gate)]
    if record.inserted is not None and record.updated is not None and record.unchanged is not None:
        load = [("inserted", record.inserted), ("restored", record.restored or 0)]
        load += [("updated", record.updated), ("unchanged", record.unchanged)]
        bars.append(_bar("In the published table", record.accepted, load))
    return tuple(bars)


def waterfall(spans: Sequence[SpanRecord]) -> tuple[SpanBar, ...]:
    """The run's spans, placed between its first start and its last end."""
    rows = trace_rows(spans)
    whole = max((row.offset_seconds + row.span.seconds for row in rows), default=0.0) or 1.0
    return tuple(
        SpanBar(
            row.span,
            row.depth,
            _rounded(min(row.offset_seconds / whole * WIDTH, WIDTH - _LEAST)),
            _rounded(max(row.span.seconds / whole * WIDTH, _LEAST)),
        )
        for row in rows
    )


def _bar(label: str, total: int, counts: Sequence[tuple[str, int]]) -> Bar:
    widths = [max(number / total * WIDTH, _LEAST) if number and total else 0.0 for _, number in counts]
    scale = WIDTH / sum(widths) if sum(widths) else 0.0
    parts, x = [], 0.0
    for (kind, number), width in zip(counts, widths, strict=True):
        parts.append(Part(kind, kind, number, _rounded(x), _rounded(width * scale)))
        x += width * scale
    return Bar(label, total, tuple(parts))


def _rounded(number: float) -> float:
    return round(number, 1)
