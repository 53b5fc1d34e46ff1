"""Owns what may be shown of a dataset's values, by the classification of its properties."""

from collections.abc import Iterator, Sequence
from typing import Final

from contracts.model import Contract, Property

PUBLIC: Final = "public"


def public_paths(contract: Contract) -> frozenset[str]:
    """The paths that are public, like all around them: a value of their own, text or number, may be shown."""
    return frozenset(_public(contract.properties))


def shown_paths(contract: Contract) -> frozenset[str]:
    """The paths whose values may be shown whole: public, like all around and all within them."""
    return frozenset(_shown(contract.properties))


def is_public(contract: Contract, path: str) -> bool:
    """Whether a value at a path may be shown: nothing there or around it is other than public."""
    around = (
        prop for prop in contract.walk() if path == prop.path or path.startswith((f"{prop.path}.", f"{prop.path}["))
    )
    return all(prop.classification == PUBLIC for prop in around)


def _public(properties: Sequence[Property]) -> Iterator[str]:
    for prop in properties:
        if prop.classification == PUBLIC:
            yield prop.path
            yield from _public(prop.children)


def _shown(properties: Sequence[Property]) -> Iterator[str]:
    for prop in properties:
        if prop.classification == PUBLIC:
            within = list(_shown(prop.children))
            yield from within
            if all(child.path in within for child in prop.children):
                yield prop.path
