"""Owns cutting a COPY or UNLOAD into words. Walking over them is words.py's, what they mean the grammars' job."""

import re
from dataclasses import dataclass
from enum import Enum

from local.redshift.copy.failure import not_supported, syntax_error


class Kind(Enum):
    """What a token is."""

    WORD = "word"
    QUOTED = "quoted identifier"
    STRING = "string"
    DOLLAR_QUOTED = "string between dollar signs"
    NUMBER = "number"
    SIGN = "sign"
    END = "end of the statement"


@dataclass(frozen=True, slots=True)
class Token:
    """A token; `value` is without quotes, words are in upper case."""

    kind: Kind
    value: str
    text: str


_TOKEN = re.compile(
    r"""(?P<space>\s+|--[^\n]*|/\*.*?\*/)
    |(?P<string>'(?:[^']|'')*')
    |(?P<dollar>\$\$.*?\$\$)
    |(?P<quoted>"(?:[^"]|"")+")
    |(?P<number>\d+(?![\w$]))
    |(?P<word>[^\W\d][\w$]*)
    |(?P<sign>[(),.;=-])""",
    re.VERBOSE | re.DOTALL,
)


def tokenize(statement: str) -> list[Token]:
    """The tokens of a statement, END last. Raises CopyFailed at the first character that begins none."""
    tokens = []
    position = 0
    while position < len(statement):
        match = _TOKEN.match(statement, position)
        if match is None:
            raise syntax_error(f'syntax error at or near "{statement[position : position + 20]}"')
        position = match.end()
        if match.lastgroup != "space":
            tokens.append(_token(str(match.lastgroup), match.group()))
    return [*tokens, Token(Kind.END, "", "end of statement")]


def _token(group: str, text: str) -> Token:
    if group == "string" and "\\" in text:
        raise not_supported(f"a backslash in the string {text}")  # Redshift reads an escape there
    if group == "string":
        return Token(Kind.STRING, text[1:-1].replace("''", "'"), text)
    if group == "dollar":
        return Token(Kind.DOLLAR_QUOTED, text[2:-2], text)
    if group == "quoted":
        return Token(Kind.QUOTED, text[1:-1].replace('""', '"'), text)
    if group == "word":
        return Token(Kind.WORD, text.upper(), text)
    return Token(Kind.NUMBER if group == "number" else Kind.SIGN, text, text)
