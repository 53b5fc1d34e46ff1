"""Owns what is announced and the port it leaves by. The adapter that speaks SNS is observability/alerts_sns.py."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

SUBJECT_LIMIT = 100  # SNS refuses a longer one, a line break in it, and anything but ASCII


@dataclass(frozen=True, slots=True)
class Announcement:
    """One message to people. `attributes` (severity, owner, dataset, gate, environment, run_id) are for filters."""

    subject: str
    text: str
    attributes: Mapping[str, str]


class Alerts(Protocol):
    """Where announcements go."""

    def send(self, announcement: Announcement) -> None:
        """Hands one announcement over. Raises ServiceUnavailable (try again) or UsageError (fix the settings)."""
        ...


def subject_line(text: str) -> str:
    """`text` as a subject: one line of at most 100 printable ASCII characters."""
    line = re.sub(r"\s+", " ", text.replace("…", "...")).strip()
    line = "".join(letter if " " <= letter <= "~" else "?" for letter in line)
    return line if len(line) <= SUBJECT_LIMIT else line[: SUBJECT_LIMIT - 3].rstrip() + "..."
