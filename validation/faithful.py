"""Owns whether a line's JSON was read as it was written. What the line must hold is validation/envelope.py's business.

JSON parsers take the last of two equal keys, round what does not fit a double and make floats of huge integers, all in
silence. The gate would then judge one value and Redshift load another, so such lines are refused.
"""

import json
import re
from decimal import Decimal
from typing import Any, Final

DEPTH_LIMIT: Final = 200  # below what orjson can write back (254), far above what any API answers

_INT64: Final = range(-(2**63), 2**63)
_STRING: Final = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"')
_BRACKET: Final = re.compile(rb"[\[\]{}]")
_DOUBLE_DIGITS: Final = 17  # as many significant digits as any double needs


class _Unfaithful(Exception):
    """Leaves the JSON parser at the first thing that would be read differently. Holds the reason."""


def why_not_faithful(value: Any, line: bytes) -> str | None:
    """Why `value`, which orjson read from `line`, differs from what is written there or from what Redshift would hold.

    The reason never quotes the line.
    """
    if line.count(b"{") + line.count(b"[") > DEPTH_LIMIT and _depth(line) > DEPTH_LIMIT:
        return f"is nested more than {DEPTH_LIMIT} levels deep"
    if b"\\u0000" in line and _holds_nul(value):
        return "holds a NUL character, which Redshift cannot hold"
    try:
        json.loads(line, object_pairs_hook=_single_keys, parse_int=_whole_number, parse_float=_number)
    except _Unfaithful as found:
        return str(found)
    return None


def _single_keys(pairs: list[tuple[str, Any]]) -> None:
    if len({name for name, _ in pairs}) < len(pairs):
        raise _Unfaithful("names a key twice in one object; which of the two is meant cannot be known")


def _whole_number(digits: str) -> None:
    if len(digits) > 20 or int(digits) not in _INT64:
        raise _Unfaithful("holds an integer that does not fit 64 bits")


def _number(text: str) -> None:
    if len(text) > _DOUBLE_DIGITS and _is_rounded(text):
        raise _Unfaithful("holds a number with more digits than a 64-bit float keeps")
    if not float(text) and _digits(text):
        raise _Unfaithful("holds a number too small for a 64-bit float")


def _digits(text: str) -> str:
    """The significant digits of a number, as written."""
    mantissa = text.lstrip("-").lower().partition("e")[0]
    return mantissa.replace(".", "").strip("0")


def _is_rounded(text: str) -> bool:
    # Seventeen digits name one double and no other, however it would be written best. Longer, but exact, is fine too.
    return len(_digits(text)) > _DOUBLE_DIGITS and bool(float(text)) and Decimal(text) != Decimal(float(text))


def _depth(line: bytes) -> int:
    """How deep the JSON is nested, as written: what stands before an equal key counts too."""
    depth = deepest = 0
    for bracket in _BRACKET.findall(_STRING.sub(b"", line)):
        depth += 1 if bracket in b"[{" else -1
        deepest = max(deepest, depth)
    return deepest


def _children(value: object) -> list[object]:
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else []


def _holds_nul(value: object) -> bool:
    if isinstance(value, str):
        return "\x00" in value
    if isinstance(value, dict) and any("\x00" in name for name in value):
        return True
    return any(_holds_nul(child) for child in _children(value))
