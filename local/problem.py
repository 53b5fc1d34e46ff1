"""Owns the one error the local stack raises. Turning it into an exit code is the command line's job (spacex_elt/)."""


class StackProblem(Exception):
    """The local stack cannot do what was asked. The message says what, where, what was expected, what to do next."""
