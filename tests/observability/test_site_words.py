from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from observability.site import drawings, words
from tests.observability.hand_made import NOW, dataset_record, spans
from validation.results import Verdict


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (-5, "just now"),
        (0, "just now"),
        (59, "just now"),
        (60, "1 minute ago"),
        (3599, "59 minutes ago"),
        (3600, "1 hour ago"),
        (86399, "23 hours ago"),
        (86400, "yesterday"),
        (5 * 86400, "5 days ago"),
    ],
)
def test_ages_read_as_people_say_them(seconds: int, said: str) -> None:
    assert words.ago(NOW - timedelta(seconds=seconds), NOW) == said


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0.004, "0.00 s"), (9.5, "9.50 s"), (42.04, "42.0 s"), (60, "1 min 00 s"), (185, "3 min 05 s")],
)
def test_durations_have_the_precision_they_deserve(seconds: float, said: str) -> None:
    assert words.duration(seconds) == said


@pytest.mark.parametrize(
    ("dataset", "number", "said"),
    [
        ("launches", 1, "1 launch"),
        ("launches", 2050, "2,050 launches"),
        ("cores", 1, "1 core"),
        ("rockets", 0, "0 rockets"),
    ],
)
def test_records_are_called_by_their_own_noun(dataset: str, number: int, said: str) -> None:
    assert words.records(dataset, number) == said


def test_an_instant_is_told_in_utc() -> None:
    assert words.instant(datetime(2026, 3, 4, 5, 6, tzinfo=UTC)) == "4 Mar 2026, 05:06 UTC"


@given(lines=st.integers(0, 10**7), rejected=st.integers(0, 10**7))
def test_the_parts_of_a_bar_fill_it_and_none_that_counts_is_invisible(lines: int, rejected: int) -> None:
    record = dataset_record("launches", lines=lines, rejected=min(lines, rejected), verdict=Verdict.QUARANTINE)
    for bar in drawings.row_bars(record):
        assert sum(part.count for part in bar.parts) == bar.total
        shown = [part for part in bar.parts if part.count]
        assert all(part.width > 3 for part in shown)
        assert sum(part.width for part in shown) == pytest.approx(drawings.WIDTH if shown else 0, abs=0.5)


def test_the_waterfall_places_spans_by_their_time() -> None:
    bars = drawings.waterfall(spans(NOW))
    assert [(bar.span.name, bar.depth, bar.x, bar.width) for bar in bars] == [
        ("run", 0, 0.0, 1000.0),
        ("gate", 1, 125.0, 150.0),
        ("gate launches", 2, 130.0, 100.0),
        ("load", 1, 280.0, 300.0),
        ("transform", 1, 585.0, 400.0),
    ]


def test_a_run_without_spans_has_no_waterfall() -> None:
    assert drawings.waterfall(()) == ()
