"""Owns the points of a load: how they are told apart, counted, and what may happen at one.

They are seen by the proxies (proxy.py): nothing of the product knows that it is watched.
"""

import re
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Literal

When = Literal["before", "after"]
Place = Literal["warehouse", "load gate", "S3"]

_COMMENT = re.compile(r"--.*")
_MADE_UP = re.compile(r"[0-9a-f]{8,}")  # ids of batches, spans and the like
_COLUMNS = re.compile(r' ?\( ?".*')
_LONGEST_LABEL = 72


class Answer(Enum):
    """What a proxy does at a point."""

    PASS = "passes it on"
    RESET = "resets the connection"
    STALL = "says nothing until the client leaves"
    FAIL_500 = "answers 500"
    FAIL_503 = "answers 503"
    SLOW = "answers drop by drop"
    TRUNCATE = "cuts the body short"


@dataclass(frozen=True, slots=True)
class Point:
    """Right before a request goes to its server, or right after the server's answer came and before it is passed on."""

    place: Place
    when: When
    label: str
    nth: int  # of the points with this label, from 1

    def __str__(self) -> str:
        where = "the load gate's " if self.place == "load gate" else ""
        return f"{self.when} {where}{self.label}" + (f" ({self.nth})" if self.nth > 1 else "")

    @property
    def request(self) -> tuple[Place, str]:
        """What is asked, whenever and how often."""
        return self.place, self.label


def label_of(text: str) -> str:
    """A request in one short line, without columns and without what is made up anew each time."""
    line = " ".join(_COMMENT.sub("", text).split())
    return _COLUMNS.sub("", _MADE_UP.sub("…", line))[:_LONGEST_LABEL].strip()


class Watch:
    """Is told of every point that a load passes, and says what happens there. Points are counted from `begin` on."""

    def __init__(self) -> None:
        self.points: list[Point] = []
        self._act: Callable[[Point], Answer] = _pass
        self._counts = Counter[tuple[Place, When, str]]()
        self._lock = threading.Lock()

    def begin(self, act: Callable[[Point], Answer] | None = None) -> None:
        """Forget the points so far; ask `act` at each from now on. It runs in the thread that met the point."""
        with self._lock:
            self.points = []
            self._counts.clear()
            self._act = act or _pass

    def pass_by(self, place: Place, when: When, label: str) -> Answer:
        """Note a point; what is to happen there."""
        with self._lock:
            self._counts[place, when, label] += 1
            point = Point(place, when, label, self._counts[place, when, label])
            self.points.append(point)
            act = self._act
        return act(point)


def _pass(point: Point) -> Answer:
    return Answer.PASS
