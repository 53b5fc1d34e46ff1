"""Owns the regular expressions that contracts may use: the part that every gate reads alike.

Python, Rust (Polars), ECMAScript (the standard's) and POSIX (Redshift) agree on literals, `[...]` sets, groups,
`|` and the quantifiers; they differ on `.`, `\\d`, `\\w`, `\\b`, look-around and lazy matching, so those are refused.
A pattern always describes the whole value; a leading `^` and a trailing `$` are allowed and change nothing.
"""

from dataclasses import dataclass, replace

_SPECIAL = set("\\.[]{}()*+?^$|")


class PatternInvalid(ValueError):
    """The pattern is outside the common part. The message says what is wrong and where."""


@dataclass(frozen=True, slots=True)
class Pattern:
    """A pattern that was read. `posix` says the same to Redshift's `~`, without a single backslash."""

    posix: str
    max_bytes: int | None  # the longest UTF-8 value that can match; None when there is no bound


@dataclass(frozen=True, slots=True)
class _Part:
    posix: str
    max_bytes: int | None


def parse(pattern: str) -> Pattern:
    """Reads a pattern. Raises PatternInvalid."""
    inside = body(pattern)
    reader = _Reader(inside)
    part = reader.alternatives()
    if reader.position < len(inside):
        raise reader.error("a `)` that closes nothing")
    return Pattern(f"^({part.posix})$", part.max_bytes)


def body(pattern: str) -> str:
    """A pattern without its anchors."""
    inside = pattern.removeprefix("^")
    return inside[:-1] if inside.endswith("$") and not inside.endswith("\\$") else inside


class _Reader:
    """Recursive descent over one pattern: alternatives > sequence > quantified atom."""

    def __init__(self, text: str):
        self.text = text
        self.position = 0

    def error(self, what: str) -> PatternInvalid:
        return PatternInvalid(f"{what} at character {self.position + 1} of {self.text!r}")

    def peek(self) -> str:
        return self.text[self.position : self.position + 1]

    def take(self) -> str:
        char = self.peek()
        if not char:
            raise self.error("the pattern ends too early")
        self.position += 1
        return char

    def alternatives(self) -> _Part:
        parts = [self._sequence()]
        while self.peek() == "|":
            self.take()
            parts.append(self._sequence())
        lengths = [part.max_bytes for part in parts]
        longest = None if None in lengths else max(length for length in lengths if length is not None)
        return _Part("|".join(part.posix for part in parts), longest)

    def _sequence(self) -> _Part:
        whole = _Part("", 0)
        while self.peek() not in ("", "|", ")"):
            part = self._quantified(self._atom())
            total = None if whole.max_bytes is None or part.max_bytes is None else whole.max_bytes + part.max_bytes
            whole = _Part(whole.posix + part.posix, total)
        return whole

    def _atom(self) -> _Part:
        char = self.take()
        if char == "(":
            return self._group()
        if char == "[":
            return self._set()
        if char == "\\":
            char = self.take()
            if char not in _SPECIAL and char not in "-/":
                raise self.error(f"`\\{char}` is read differently by different engines; write a set such as [0-9]")
        elif char in _SPECIAL:
            raise self.error(f"`{char}` is not part of what every engine reads alike here; write \\{char} or a set")
        return _Part(f"[{char}]" if char in _SPECIAL - {"\\", "^"} else _plain(char), len(char.encode()))

    def _group(self) -> _Part:
        if self.peek() == "?":
            self.take()
            if self.take() != ":":
                raise self.error("look-around and named groups are not read alike by every engine")
        part = self.alternatives()
        if self.take() != ")":
            raise self.error("a `(` that is not closed")
        return replace(part, posix=f"({part.posix})")

    def _set(self) -> _Part:
        start = self.position
        is_negated = self.peek() == "^"
        if is_negated:
            self.take()
        members = ""
        while (char := self.take()) != "]":
            if char in "\\[":
                raise self.error(f"`{char}` inside a set is read differently by different engines")
            members += char
        if not members:
            raise self.error("an empty set")
        width = 1 if not is_negated and members.isascii() else 4
        return _Part(f"[{self.text[start : self.position]}", width)

    def _quantified(self, part: _Part) -> _Part:
        char = self.peek()
        if char not in ("*", "+", "?", "{") or not char:
            return part
        start = self.position
        self.take()
        most = {"*": None, "+": None, "?": 1}[char] if char != "{" else self._count()
        if self.peek() in ("?", "+", "*"):
            raise self.error("lazy and possessive quantifiers are not read alike by every engine")
        total = None if most is None or part.max_bytes is None else most * part.max_bytes
        return _Part(part.posix + self.text[start : self.position], total)

    def _count(self) -> int | None:
        inside = ""
        while (char := self.take()) != "}":
            inside += char
        least, comma, most = inside.partition(",")
        if not least.isdecimal() or (most and (not most.isdecimal() or int(most) < int(least))):
            raise self.error(f"`{{{inside}}}` is no count; write {{n}}, {{n,}} or {{n,m}}")
        bound = most or ("" if comma else least)
        if int(bound or least) > 255:  # POSIX's limit
            raise self.error("a count above 255")
        return int(bound) if bound else None


def _plain(char: str) -> str:
    # Redshift wants backslashes doubled in some settings and not in others: a set needs none.
    if char == "\\":
        raise PatternInvalid("a backslash as such cannot be written alike for every engine")
    if char == "^":
        raise PatternInvalid("`^` as such cannot be written alike for every engine; only a leading anchor can")
    return char
