"""Owns walking over the words of a COPY or UNLOAD. Cutting a statement into them is tokens.py's.

What they mean together is the grammars' job (grammar.py, unload/grammar.py).
"""

from local.redshift.copy.failure import CopyFailed, syntax_error
from local.redshift.copy.tokens import Kind, Token, tokenize


class Words:
    """The words of a statement, and how far they have been read."""

    def __init__(self, statement: str) -> None:
        self._tokens = tokenize(statement)
        self._next = 0

    def argument(self, option: str) -> str:
        """The string after an option and a possible AS."""
        self.take_word("AS")
        return self.string(option)

    def string(self, after: str) -> str:
        """The string that must stand here. `after` says in the error what it belongs to."""
        token = self.take()
        if token.kind is not Kind.STRING:
            raise syntax_error(f'syntax error at or near "{token.text}": {after} takes a string')
        return token.value

    def name(self) -> str:
        """The name that must stand here, folded to lower case even in quotes."""
        token = self.take()
        if token.kind not in (Kind.WORD, Kind.QUOTED):
            raise syntax_error(f'syntax error at or near "{token.text}": expected a name')
        return token.value.lower() if token.kind is Kind.QUOTED else token.text.lower()

    def peek(self) -> Token:
        """The next word, which stays the next."""
        return self._tokens[self._next]

    def take(self) -> Token:
        """The next word."""
        token = self.peek()
        if token.kind is not Kind.END:
            self._next += 1
        return token

    def take_word(self, word: str) -> bool:
        """Whether the next word was this one; then it is taken."""
        found = self.peek().kind is Kind.WORD and self.peek().value == word
        self._next += found
        return found

    def take_sign(self, sign: str) -> bool:
        """Whether the next word was this sign; then it is taken."""
        found = self.peek().kind is Kind.SIGN and self.peek().value == sign
        self._next += found
        return found

    def expect_word(self, word: str) -> None:
        """Take this word. Raises CopyFailed when another one is there."""
        if not self.take_word(word):
            raise self.unexpected()

    def unexpected(self) -> CopyFailed:
        """The error that the next word makes."""
        return syntax_error(f'syntax error at or near "{self.peek().text}"')

    def at_end(self) -> bool:
        """Whether nothing follows but a semicolon."""
        if self.take_sign(";") and self.peek().kind is not Kind.END:
            raise self.unexpected()
        return self.peek().kind is Kind.END
