"""Owns what people see while a run works: a live line on a terminal, plain lines elsewhere. Always on stderr."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.markup import escape


class Progress:
    """Tells what goes on. Results go to stdout and are not its job."""

    def __init__(self, console: Console | None = None) -> None:
        self._console = console or Console(stderr=True, highlight=False)

    def say(self, text: str) -> None:
        """One line."""
        self._console.print(escape(text), soft_wrap=True)

    @contextmanager
    def step(self, name: str) -> Iterator["Outcome"]:
        """A step with a beginning and an end; `outcome.words` set inside are told at its end."""
        outcome, started = Outcome(), time.monotonic()
        with self._console.status(f"{escape(name)} …") if self._console.is_terminal else _nothing():
            yield outcome
        seconds = time.monotonic() - started
        mark = "[yellow]![/]" if outcome.is_trouble else "[green]✓[/]"
        line = f"{mark} {escape(name):<11} {escape(outcome.words)} [dim]({seconds:.1f} s)[/]"
        self._console.print(line, soft_wrap=True)


class Outcome:
    """What a step came to, in words."""

    words = ""
    is_trouble = False


@contextmanager
def _nothing() -> Iterator[None]:
    yield
