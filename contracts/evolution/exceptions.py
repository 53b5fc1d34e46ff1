"""Owns contracts/exceptions.yaml: breaking changes that somebody accepted, who and until when.

Which changes there are is dataset.py's job.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from contracts import document
from contracts.document import Finding, Problem, ProblemsFound
from contracts.evolution.changes import TOPICS, VERBS, Change, Effect

FILE_NAME = "exceptions.yaml"

_KEYS = ("dataset", "change", "owner", "reason", "expires")
_FORM = f"expected a list of {{{', '.join(_KEYS)}}}"


@dataclass(frozen=True, slots=True)
class AcceptedChange:
    """One breaking change that its owner answers for. It holds up to and on the day `expires`."""

    dataset: str
    change_id: str
    owner: str
    reason: str
    expires: date

    def accepts(self, dataset: str, change: Change, today: date) -> bool:
        """Whether it covers this change, today."""
        is_meant = (self.dataset, self.change_id) == (dataset, change.change_id)
        is_breaking = Effect.BREAKING in (change.consumer, change.producer)
        return is_meant and is_breaking and today <= self.expires

    def __str__(self) -> str:
        return f"{self.dataset} {self.change_id}, accepted by {self.owner} until {self.expires}: {self.reason}"


def today() -> date:
    """The day by which exceptions expire, in UTC."""
    return datetime.now(UTC).date()


def read_exceptions(path: Path) -> tuple[AcceptedChange, ...]:
    """The exceptions in a file, none when there is no such file. Raises ProblemsFound."""
    if not path.is_file():
        return ()
    values = document.parse(path.read_bytes(), str(path))
    problems = list(_problems(values))
    if problems:
        raise ProblemsFound(document.locate(path, problems))
    return tuple(_accepted(item) for item in values)


def parse_exceptions(text: bytes, name: str) -> tuple[AcceptedChange, ...]:
    """The exceptions in a text that lies in no file, such as an older version; those that are wrong are left out."""
    values = document.parse(text, name)
    items = values if isinstance(values, list) else []
    return tuple(_accepted(item) for item in items if not list(_item_problems(item, ())))


def lint_exceptions(folder: Path, today: date) -> Sequence[Finding]:
    """Everything wrong with a folder's exceptions, the expired among them. Whether one fits a change, the diff says."""
    path = folder / FILE_NAME
    try:
        accepted = read_exceptions(path)
    except ProblemsFound as problems:
        return problems.findings
    late = [
        Problem((index, "expires"), f"expired: renew it with a reason, or undo {item.change_id} of {item.dataset}")
        for index, item in enumerate(accepted)
        if item.expires < today
    ]
    return document.locate(path, late) if late else []


def _accepted(item: dict[str, Any]) -> AcceptedChange:
    dataset, change, owner, reason, expires = (" ".join(str(item[key]).split()) for key in _KEYS)
    return AcceptedChange(dataset, change, owner, reason, date.fromisoformat(expires))


def _problems(values: Any) -> Iterator[Problem]:
    if not isinstance(values, list):
        yield Problem((), _FORM)
        return
    seen: set[tuple[Any, Any]] = set()
    for index, item in enumerate(values):
        found = list(_item_problems(item, (index,)))
        yield from found
        if found:
            continue
        name = (item["dataset"], item["change"])
        if name in seen:
            yield Problem((index, "change"), "accepted twice")
        seen.add(name)


def _item_problems(item: Any, at: document.KeyPath) -> Iterator[Problem]:
    if not isinstance(item, dict) or set(item) != set(_KEYS):
        yield Problem(at, _FORM)
        return
    for key in _KEYS:
        if not str(item[key] or "").strip():
            yield Problem((*at, key), "empty: somebody must answer for the exception, and say why")
    if not _is_day(item["expires"]):
        yield Problem((*at, "expires"), f"{item['expires']!r} is no day; expected yyyy-mm-dd")
    topic_verb = str(item["change"]).partition(":")[0]
    topic, _, verb = topic_verb.rpartition("-")
    if topic not in TOPICS or verb not in VERBS:
        message = f"no change is called {item['change']!r}; take the id that `spacex-elt contracts diff` prints"
        yield Problem((*at, "change"), message)


def _is_day(value: Any) -> bool:
    try:
        date.fromisoformat(str(value))
    except ValueError:
        return False
    return len(str(value)) == len("2026-01-31")
