"""Owns the statements by which a warehouse is known as Redshift: reading them, running one, saying how it went.

What is asked is in the YAML files beside this; which warehouse is asked, redshift.py's business and the tests'.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Any

import yaml
from redshift_connector.core import Connection
from redshift_connector.error import Error

HERE = Path(__file__).parent
PAGES = "https://docs.aws.amazon.com/redshift/latest/dg/"


@dataclass(frozen=True, slots=True)
class Statement:
    """One or more statements of which the last is looked at. `sqlstates` is empty where Redshift accepts it."""

    script: tuple[str, ...]
    about: str
    page: str
    is_outside: bool = False  # of any transaction
    sqlstates: tuple[str, ...] = ()

    @property
    def sql(self) -> str:
        return "; ".join(self.script)


@dataclass(frozen=True, slots=True)
class Question:
    """A query, and its rows as text where Redshift runs it. `here` is what the stand-in says instead, if it differs."""

    script: tuple[str, ...]
    about: str
    page: str
    rows: tuple[tuple[str | None, ...], ...]
    here: tuple[tuple[str | None, ...], ...] | str | None = None
    is_outside: bool = False

    @property
    def sql(self) -> str:
        return "; ".join(self.script)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a warehouse said: rows as text, or why not."""

    rows: tuple[tuple[str | None, ...], ...] = ()
    sqlstate: str = ""
    message: str = ""

    def __str__(self) -> str:
        return f"{self.sqlstate} {self.message}" if self.sqlstate else f"accepted, {len(self.rows)} rows"


def tables() -> list[str]:
    """The statements that make the tables."""
    return [str(sql) for sql in _read("tables.yaml")]


def refused() -> list[Statement]:
    """What Redshift refuses."""
    return [
        Statement(_script(one), group["about"], group["page"], group.get("outside", False), tuple(codes.split(" or ")))
        for group in _read("refused.yaml")
        for codes, written in ((str(codes), written) for codes, written in group["refused"].items())
        for one in written
    ]


def accepted() -> list[Statement]:
    """The neighbours of what Redshift refuses, which it accepts."""
    return [
        Statement(_script(one), group["about"], group["page"], group.get("outside", False))
        for group in _read("refused.yaml")
        for one in group.get("accepted", ())
    ]


def questions() -> list[Question]:
    """What Redshift answers, as far as its documentation says."""
    return [
        Question(
            _script(one["ask"]),
            group["about"],
            one.get("page", group["page"]),
            _rows(one["rows"]),
            one["here"] if isinstance(one.get("here"), str) else _rows(one["here"]) if "here" in one else None,
            one.get("outside", False),
        )
        for group in _read("answered.yaml")
        for one in group["questions"]
    ]


def expected_here(question: Question) -> tuple[tuple[str | None, ...], ...] | str:
    """What the stand-in is known to say: rows, or the SQLSTATE with which it refuses."""
    return question.rows if question.here is None else question.here


def run(connection: Connection, script: tuple[str, ...], *, is_outside: bool = False) -> Outcome:
    """Run a script and undo it, as far as it can be undone. The connection must be in autocommit."""
    cursor = connection.cursor()
    cursor.paramstyle = "qmark"  # the style whose mark stands in none of these statements
    try:
        if not is_outside:
            cursor.execute("begin")
        for sql in script:
            cursor.execute(sql)
        rows = tuple(tuple(_text(value) for value in row) for row in cursor.fetchall()) if cursor.description else ()
        return Outcome(rows)
    except Error as exc:
        details = exc.args[0] if exc.args and isinstance(exc.args[0], dict) else {}
        return Outcome((), str(details.get("C", "driver")), str(details.get("M", exc)))
    finally:
        cursor.execute("rollback")
        cursor.close()


def _text(value: Any) -> str | None:
    """A value as these files write it: booleans as true and false, instants with a blank."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, datetime):
        return value.isoformat(" ")
    if isinstance(value, date | time):
        return value.isoformat()
    return f"{value:f}" if isinstance(value, Decimal) else str(value)


def _rows(written: list[Any]) -> tuple[tuple[str | None, ...], ...]:
    return tuple(tuple(None if value is None else str(value) for value in row) for row in written)


def _script(written: str | list[str]) -> tuple[str, ...]:
    return (written,) if isinstance(written, str) else tuple(written)


def _read(name: str) -> Iterator[Any]:
    yield from yaml.safe_load((HERE / name).read_text(encoding="utf-8"))
