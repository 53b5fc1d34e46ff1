"""Owns the answer where the stand-ins are not installed: the image has none. The stand-ins themselves are local/'s."""

from importlib.util import find_spec

from contracts.errors import UsageError


def refuse_without_stand_ins() -> None:
    """Raises UsageError when this installation has no local/ to start."""
    if find_spec("local") is None:
        raise UsageError(
            "this installation has no stand-ins: it is the image's, which only runs steps. Expected a checkout of the "
            "repository: make setup, then .venv/bin/spacex-elt."
        )
