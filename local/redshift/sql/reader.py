"""Owns walking over a statement's tokens, for the grammars written by hand. The grammars are session.py and ddl.py."""

from collections.abc import Callable

from local.redshift.sql.lexing import Kind, Statement, Token, quote
from local.redshift.sql.refusal import Refused, syntax_error
from local.redshift.sql.reserved import is_reserved, refused_name

_NAMES = (Kind.WORD, Kind.QUOTED)


class Reader:
    """A position in a statement. `take` methods advance or return None/False; `expect` methods advance or refuse."""

    def __init__(self, statement: Statement) -> None:
        self.statement = statement
        self.must_stand_alone = False  # in no transaction; a grammar says so
        self._at = 0

    @property
    def here(self) -> Token | None:
        """The next token, if any."""
        tokens = self.statement.tokens
        return tokens[self._at] if self._at < len(tokens) else None

    @property
    def at_end(self) -> bool:
        """Whether all tokens are read."""
        return self.here is None

    def looks_at(self, *words: str) -> bool:
        """Whether the next tokens are these words or symbols."""
        following = self.statement.tokens[self._at : self._at + len(words)]
        return len(following) == len(words) and all(
            token.kind in (Kind.WORD, Kind.SYMBOL) and token.text == word
            for token, word in zip(following, words, strict=True)
        )

    def take(self, *words: str) -> bool:
        """Read these words or symbols if they come next."""
        found = self.looks_at(*words)
        if found:
            self._at += len(words)
        return found

    def take_before(self, word: str, read: Callable[[], bool]) -> bool:
        """Read a word and what `read` reads after it, or neither."""
        start = self._at
        if self.take(word) and read():
            return True
        self._at = start
        return False

    def look_for_name_between(self, before: tuple[str, ...], after: tuple[str, ...]) -> str | None:
        """Read a name between these words, or nothing."""
        start = self._at
        if self.take(*before) and self.here is not None and self.here.kind in _NAMES:
            name = self.word()
            if self.take(*after):
                return name
        self._at = start
        return None

    def take_one_of(self, *words: str) -> str | None:
        """Read one of these words if it comes next."""
        return next((word for word in words if self.take(word)), None)

    def take_kind(self, kind: Kind) -> str | None:
        """Read a token of this kind if it comes next."""
        token = self.here
        if token is None or token.kind is not kind:
            return None
        self._at += 1
        return token.text

    def expect(self, *words: str) -> None:
        """Read these words or refuse."""
        if not self.take(*words):
            raise self.unexpected(" ".join(words).upper())

    def expect_kind(self, kind: Kind) -> str:
        """Read a token of this kind or refuse."""
        text = self.take_kind(kind)
        if text is None:
            raise self.unexpected(f"a {kind.value}")
        return text

    def expect_end(self) -> None:
        """Refuse anything left over."""
        if not self.at_end:
            raise self.unexpected("the end of the statement")

    def unexpected(self, wanted: str) -> Refused:
        """Build the refusal of the token at hand."""
        found = f'"{self.here.text}"' if self.here else "the end of the statement"
        return syntax_error(f"at or near {found}: {wanted} was expected")

    def name(self) -> str:
        """Read one name, folded, unquoted."""
        token = self.here
        if token is not None and token.kind is Kind.WORD and is_reserved(token.text):
            raise refused_name(token.text)
        return self.word()

    def word(self) -> str:
        """Read one name that may be a reserved word: a value, a type, or what is to be named in a refusal."""
        token = self.here
        if token is None or token.kind not in _NAMES:
            raise self.unexpected("a name")
        self._at += 1
        return token.text

    def qualified(self) -> tuple[str, ...]:
        """Read a name of one to three parts."""
        parts = [self.name()]
        while self.take("."):
            parts.append(self.name())
        if len(parts) > 3:
            raise syntax_error(f"the name {'.'.join(parts)} has more than three parts")
        return tuple(parts)

    def looks_at_names_in_parentheses(self) -> bool:
        """Whether `(a, b)` comes next, of names alone."""
        following = iter(self.statement.tokens[self._at :])
        if not self.looks_at("("):
            return False
        next(following)
        for name, sign in zip(following, following, strict=False):
            if name.kind not in _NAMES or sign.kind is not Kind.SYMBOL or sign.text not in (",", ")"):
                return False
            if sign.text == ")":
                return True
        return False

    def names_in_parentheses(self) -> list[str]:
        """Read `(a, b)`."""
        self.expect("(")
        names = [self.name()]
        while self.take(","):
            names.append(self.name())
        self.expect(")")
        return names

    def rest(self, until: int | None = None) -> str:
        """Return the text from here to the end or this offset, and move to the end."""
        start = self.here.start if self.here else len(self.statement.text)
        self._at = len(self.statement.tokens)
        return self.statement.text[start:until].strip()

    def text_until(self, *words: str) -> str:
        """Return the text up to one of these words outside parentheses, or to a closing one or the end."""
        first, depth = self.here, 0
        end = first.start if first else 0
        while (token := self.here) is not None:
            if depth == 0 and token.kind in (Kind.WORD, Kind.SYMBOL) and token.text in (*words, ",", ")"):
                break
            depth += {"(": 1, ")": -1}.get(token.text, 0) if token.kind is Kind.SYMBOL else 0
            end = token.end
            self._at += 1
        if first is None or end == first.start:
            raise self.unexpected("an expression")
        return self.statement.text[first.start : end]

    def position_of_last(self, *words: str) -> int | None:
        """Return the text offset of these words when they end the statement."""
        tail = self.statement.tokens[-len(words) :]
        matches = len(tail) == len(words) and all(
            token.kind is Kind.WORD and token.text == word for token, word in zip(tail, words, strict=True)
        )
        return tail[0].start if matches else None


def dotted(parts: tuple[str, ...]) -> str:
    """Write a qualified name for PostgreSQL."""
    return ".".join(quote(part) for part in parts)
