"""Owns cutting SQL text into statements and tokens the way Redshift does. What they mean is the parsers' job.

Three things differ from PostgreSQL 18 and are settled here, once, so that every later step sees standard text:
a backslash in any string literal is an escape, `$1` is a parameter, and dollar quotes are plain strings.
"""

import re
from dataclasses import dataclass
from enum import Enum

from local.redshift.sql.refusal import NAME_TOO_LONG, Refused, not_supported, syntax_error
from local.redshift.sql.reserved import is_reserved

PARAMETER_PREFIX = "redshift_parameter_"
_LONGEST_NAME = 63  # PostgreSQL's limit in bytes; Redshift allows 127
_ESCAPES = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}
_DOLLAR_QUOTE = re.compile(r"\$(?:[A-Za-z_\x80-\U0010ffff][A-Za-z0-9_\x80-\U0010ffff]*)?\$")
_PARAMETER = re.compile(r"\$(\d+)")
_WORD = re.compile(r"[A-Za-z_\x80-\U0010ffff][A-Za-z0-9_$\x80-\U0010ffff]*")
_NUMBER = re.compile(r"(?:\d+(?:\.(?!\.)\d*)?|\.\d+)(?:[eE][+-]?\d+)?")
_SYMBOL = re.compile(r"::|<=|>=|<>|!=|\|\||!~\*|!~|~\*|->>|->|#>>|#>|@>|<@|&&|\?\||\?&|<<|>>|:=|=>|.", re.DOTALL)


class Kind(Enum):
    """What a token is."""

    WORD = "word"
    QUOTED = "quoted identifier"
    STRING = "string"
    NUMBER = "number"
    PARAMETER = "parameter"
    SYMBOL = "symbol"


@dataclass(frozen=True, slots=True)
class Token:
    """One token. `text` is folded for words and identifiers, decoded for strings; the offsets are in Statement.text."""

    kind: Kind
    text: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement: as it was written, and in standard form without comments."""

    original: str
    text: str
    tokens: tuple[Token, ...]


def statements(sql: str) -> list[Statement]:
    """Cut a script at its semicolons. Empty statements vanish."""
    return _Lexer(sql).run()


def quote(name: str) -> str:
    """Write a name as a PostgreSQL identifier."""
    if len(name.encode()) > _LONGEST_NAME:
        raise Refused(
            f'name "{name}" is longer than {_LONGEST_NAME} bytes',
            sqlstate=NAME_TOO_LONG,
            hint="Redshift allows 127 bytes; the PostgreSQL behind this stand-in does not.",
        )
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """Write a text as a PostgreSQL string literal (standard_conforming_strings is on there)."""
    if "\0" in text:
        raise syntax_error("a string holds a zero byte")
    return "'" + text.replace("'", "''") + "'"


class _Lexer:
    def __init__(self, sql: str) -> None:
        self._sql = sql
        self._at = 0
        self._found: list[Statement] = []
        self._start_statement()

    def _start_statement(self) -> None:
        self._began = self._at
        self._pieces: list[str] = []
        self._length = 0
        self._tokens: list[Token] = []

    def run(self) -> list[Statement]:
        while self._at < len(self._sql):
            self._step()
        self._end_statement()
        return self._found

    def _step(self) -> None:
        sql, at = self._sql, self._at
        character = sql[at]
        if character.isspace() or sql.startswith(("--", "/*"), at):
            self._at = self._after_blank()
            self._write(" ")
        elif character == ";":
            self._end_statement()
            self._at += 1
            self._start_statement()
        elif character == "'":
            self._string(at + 1)
        elif character in "eE" and sql.startswith("'", at + 1):
            self._string(at + 2)
        elif character == '"':
            self._quoted()
        elif character == "$":
            self._dollar()
        else:
            self._plain(character)

    def _after_blank(self) -> int:
        sql, at = self._sql, self._at
        if sql.startswith("--", at):
            end = sql.find("\n", at)
            return len(sql) if end < 0 else end + 1
        if not sql.startswith("/*", at):
            return at + 1
        depth, at = 1, at + 2
        while depth:
            opening, closing = sql.find("/*", at), sql.find("*/", at)
            if closing < 0:
                raise syntax_error("a comment is not closed")
            nested = 0 <= opening < closing
            depth += 1 if nested else -1
            at = (opening if nested else closing) + 2
        return at

    def _string(self, at: int) -> None:
        sql, decoded = self._sql, []
        while True:
            if at >= len(sql):
                raise syntax_error("a string is not closed")
            character = sql[at]
            if character == "'":
                if not sql.startswith("'", at + 1):
                    break
                decoded.append("'")
                at += 2
            elif character == "\\":
                text, at = self._escape(at + 1)
                decoded.append(text)
            else:
                decoded.append(character)
                at += 1
        self._at = at + 1
        self._string_token("".join(decoded))

    def _escape(self, at: int) -> tuple[str, int]:
        if at >= len(self._sql):
            raise syntax_error("a string is not closed")
        character = self._sql[at]
        if character.isdigit() or character == "x":
            raise not_supported("a numeric backslash escape in a string")
        return _ESCAPES.get(character, character), at + 1

    def _quoted(self) -> None:
        sql, at, name = self._sql, self._at + 1, []
        while True:
            end = sql.find('"', at)
            if end < 0:
                raise syntax_error("a quoted identifier is not closed")
            name.append(sql[at:end])
            at = end + 1
            if not sql.startswith('"', at):
                break
            name.append('"')
            at += 1
        self._at = at
        folded = "".join(name).lower()  # Redshift folds quoted names too, unless told otherwise
        if not folded:
            raise syntax_error('a quoted identifier is empty: ""')
        self._token(Kind.QUOTED, folded, quote(folded))

    def _dollar(self) -> None:
        if parameter := _PARAMETER.match(self._sql, self._at):
            self._at = parameter.end()
            self._token(Kind.PARAMETER, parameter[1], PARAMETER_PREFIX + parameter[1])
            return
        opening = _DOLLAR_QUOTE.match(self._sql, self._at)
        if not opening:
            raise syntax_error("a lone $")
        end = self._sql.find(opening[0], opening.end())
        if end < 0:
            raise syntax_error(f"a string quoted with {opening[0]} is not closed")
        self._at = end + len(opening[0])
        self._string_token(self._sql[opening.end() : end])

    def _plain(self, character: str) -> None:
        sql, at = self._sql, self._at
        if word := _WORD.match(sql, at):
            self._word(word[0])
        elif (character.isdigit() or character == ".") and (number := _NUMBER.match(sql, at)):
            self._at = number.end()
            word = _WORD.match(sql, self._at)
            if word and not is_reserved(word[0].lower()):  # PostgreSQL 18 reads 1_000 and 0x1F as numbers
                raise syntax_error(f"trailing junk after the number {number[0]}")
            self._token(Kind.NUMBER, number[0], number[0])
            if word:  # redshift_connector writes `then -4when`
                self._write(" ")
        else:
            symbol = _SYMBOL.match(sql, at)
            assert symbol is not None  # noqa: S101 (the pattern's last alternative matches anything)
            self._at = symbol.end()
            self._token(Kind.SYMBOL, symbol[0], symbol[0])

    def _word(self, word: str) -> None:
        self._at += len(word)
        if self._sql.startswith("'", self._at) and word.lower() in {"n", "b", "x"}:
            raise not_supported(f"a string literal with the prefix {word}")
        if word.lower().startswith(PARAMETER_PREFIX):
            raise not_supported(f'the name "{word}"')
        self._token(Kind.WORD, word.lower(), word)

    def _string_token(self, decoded: str) -> None:
        self._token(Kind.STRING, decoded, literal(decoded))

    def _token(self, kind: Kind, text: str, written: str) -> None:
        start = self._length
        self._write(written)
        self._tokens.append(Token(kind, text, start, self._length))

    def _write(self, piece: str) -> None:
        self._pieces.append(piece)
        self._length += len(piece)

    def _end_statement(self) -> None:
        if self._tokens:
            original = self._sql[self._began : self._at].strip()
            self._found.append(Statement(original, "".join(self._pieces), tuple(self._tokens)))
