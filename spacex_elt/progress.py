"""Owns what people see while a run works: a live line on a terminal, plain lines elsewhere. Always on stderr."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from rich.console import Console
from rich.markup import escape

from spacex_elt.console import stderr_console


class Progress:
    """Tells what goes on. Results go to stdout and are not its job."""

    def __init__(self, console: Console | None = None) -> None:
        self._console = console or stderr_console()

    def say(self, text: str) -> None:
        """One line."""
        self._console.print(escape(text), soft_wrap=True)

    @contextmanager
    def step(self, name: str) -> Iterator["Outcome"]:
        """A step with a beginning and an end; `outcome.words` set inside are told at its end."""
        started = time.monotonic()
        if self._console.is_terminal:
            with self._console.status(f"{escape(name)} …") as status:
                outcome = Outcome(lambda text: status.update(f"{escape(name)} … [dim]{escape(text)}[/]"))
                yield outcome
        else:
            outcome = Outcome(lambda text: None)
            yield outcome
        seconds = time.monotonic() - started
        mark = "[yellow]![/]" if outcome.is_trouble else "[green]✓[/]"
        line = f"{mark} {escape(name):<11} {escape(outcome.words)} [dim]({seconds:.1f} s)[/]"
        self._console.print(line, soft_wrap=True)


@dataclass
class Outcome:
    """What a step came to, in words; `tell` shows where it is while it works, where there is somebody to see it."""

    tell: Callable[[str], None]
    words: str = ""
    is_trouble: bool = False
