"""Owns what a job does wrong on request: what a server under load, or a connector that breaks, would show.

Ordered in the source's settings as `job_faults`, for its next sync only. Damage to what is landed is damage.py's.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from local.spacex_api.rates import FaultRefused

_TOLD = ("queued", "incomplete")


@dataclass(frozen=True, slots=True)
class JobFaults:
    """What the next job is to show."""

    told: tuple[str, ...] = ()  # what its first answers (POST and GET of the job) say of its status
    fails: bool = False

    @classmethod
    def parse(cls, specs: Sequence[str]) -> "JobFaults":
        """`queued:2`: the job's first two answers say so, its creation's first; `failed`: it fails at once."""
        told: list[str] = []
        for spec in specs:
            name, _, count = str(spec).partition(":")
            if name in _TOLD and count.isascii() and count.isdecimal():
                told += [name] * int(count)
            elif spec != "failed":
                raise FaultRefused(f"there is no job fault {spec!r}. Expected queued:N, incomplete:N or failed.")
        return cls(tuple(told), "failed" in specs)
