"""Owns the forms of text that a profile tells apart. Whether a text may have a form is the contract's to say."""

import re
from datetime import date, datetime
from enum import StrEnum
from typing import Final

_HEX_ID: Final = re.compile(r"[0-9a-f]{24}")
_UUID: Final = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_URL: Final = re.compile(r"https?://[^ \t\r\n]+")
_EMAIL: Final = re.compile(r"[^@ \t\r\n]+@[^@ \t\r\n]+[.][^@ \t\r\n]+")
_DAY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_INSTANT: Final = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:[.][0-9]{1,6})?"
    r"(?P<offset>Z|[+-](?:0[0-9]|1[0-4]):[0-5][0-9])"
)


class Form(StrEnum):
    """What a text looks like: the first of these that fits."""

    EMPTY = "empty"
    PADDED = "padded"  # white space at an edge
    HEX_ID = "id"  # 24 hex digits, as MongoDB numbers things
    UUID = "uuid"
    INSTANT = "instant"  # ISO 8601, told in UTC
    LOCAL_INSTANT = "local instant"  # ISO 8601 on another clock than UTC's
    DAY = "day"  # yyyy-mm-dd
    URL = "url"
    EMAIL = "email"
    TEXT = "text"


def form_of(text: str) -> Form:
    """The form of a text. Instants and days count as such only when they exist: 2021-02-30 is text."""
    if not text:
        return Form.EMPTY
    if text != text.strip():
        return Form.PADDED
    for form, pattern in _PLAIN.items():
        if pattern.fullmatch(text):
            return form
    return _time_form(text) if text[0] in "0123456789" else Form.TEXT


_PLAIN: Final = {Form.HEX_ID: _HEX_ID, Form.UUID: _UUID, Form.URL: _URL, Form.EMAIL: _EMAIL}


def _time_form(text: str) -> Form:
    instant = _INSTANT.fullmatch(text)
    if not (instant or _DAY.fullmatch(text)) or not _exists(text[:10]):
        return Form.TEXT
    if not instant:
        return Form.DAY
    return Form.INSTANT if instant["offset"] in {"Z", "+00:00", "-00:00"} else Form.LOCAL_INSTANT


def _exists(day: str) -> bool:
    try:
        date.fromisoformat(day)
    except ValueError:
        return False
    return True


def moment(text: str) -> datetime:
    """An instant of the form INSTANT or LOCAL_INSTANT, to compare with another."""
    return datetime.fromisoformat(text)
