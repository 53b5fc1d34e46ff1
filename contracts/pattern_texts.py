"""Owns making texts that match a pattern. Which patterns there are is contracts/patterns.py's job."""

import string
from random import Random

_ALPHABET = string.ascii_letters + string.digits + "-._~"  # what an unbounded or negated set is filled from
_MORE = 3  # how many more than the least an open count gives at most


def matching_text(pattern: str, random: Random) -> str:
    """A text that matches the whole pattern, which contracts.patterns.parse has accepted."""
    body = pattern.removeprefix("^")
    if body.endswith("$") and not body.endswith("\\$"):
        body = body[:-1]
    return _Writer(body, random).alternatives()


class _Writer:
    """Recursive descent over the pattern, writing as it reads. What is not chosen is read and thrown away."""

    def __init__(self, text: str, random: Random) -> None:
        self._text = text
        self._position = 0
        self._random = random

    def alternatives(self) -> str:
        found = [self._sequence()]
        while self._peek() == "|":
            self._position += 1
            found.append(self._sequence())
        return self._random.choice(found)

    def _peek(self) -> str:
        return self._text[self._position : self._position + 1]

    def _take(self) -> str:
        self._position += 1
        return self._text[self._position - 1]

    def _sequence(self) -> str:
        written = ""
        while self._peek() not in ("", "|", ")"):
            start = self._position
            written += self._repeated(self._atom(), start)
        return written

    def _repeated(self, first: str, start: int) -> str:
        """The atom that began at `start` as often as its quantifier lets, each time written anew."""
        end = self._position
        least, most = self._count()
        after, written = self._position, ""
        for number in range(self._random.randint(least, most)):
            self._position = start
            written += first if number == 0 else self._atom()
        assert end <= after  # noqa: S101 - a quantifier stands behind its atom
        self._position = after
        return written

    def _atom(self) -> str:
        char = self._take()
        if char == "(":
            self._position += 2 * (self._text[self._position : self._position + 2] == "?:")
            written = self.alternatives()
            self._position += 1
            return written
        if char == "[":
            return self._random.choice(self._set())
        return self._take() if char == "\\" else char

    def _set(self) -> str:
        end = self._text.index("]", self._position)
        members, self._position = self._text[self._position : end], end + 1
        if members.startswith("^"):
            refused = _members(members[1:])
            return "".join(char for char in _ALPHABET if char not in refused)
        return _members(members)

    def _count(self) -> tuple[int, int]:
        match self._peek():
            case "?":
                self._position += 1
                return 0, 1
            case "*":
                self._position += 1
                return 0, _MORE
            case "+":
                self._position += 1
                return 1, 1 + _MORE
            case "{":
                end = self._text.index("}", self._position)
                least, comma, most = self._text[self._position + 1 : end].partition(",")
                self._position = end + 1
                return int(least), int(most) if most else int(least) + (_MORE if comma else 0)
        return 1, 1


def _members(text: str) -> str:
    """The characters of a set's inside, such as `0-9a-f_-`."""
    found, position = "", 0
    while position < len(text):
        if text[position + 1 : position + 2] == "-" and position + 2 < len(text):
            found += "".join(chr(code) for code in range(ord(text[position]), ord(text[position + 2]) + 1))
            position += 3
        else:
            found += text[position]
            position += 1
    return found
