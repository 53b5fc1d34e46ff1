"""Owns walking over a statement's tokens, for the grammars written by hand. The grammars are session.py and ddl.py."""

from local.redshift.sql.lexing import Kind, Statement, Token, quote
from local.redshift.sql.refusal import Refused, syntax_error

_NAMES = (Kind.WORD, Kind.QUOTED)


class Reader:
    """A position in a statement. `take` methods advance or return None/False; `expect` methods advance or refuse."""

    def __init__(self, statement: Statement) -> None:
        self.statement = statement
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
