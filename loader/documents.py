"""Owns how steps hand results to each other: frozen dataclasses as JSON documents. Storing them is the store's job."""

from typing import Any, TypeVar, cast

from pydantic import TypeAdapter, ValidationError

from contracts.errors import UsageError

Document = TypeVar("Document")


_ADAPTERS: dict[Any, TypeAdapter[Any]] = {}


def _adapter(kind: Any) -> TypeAdapter[Any]:
    """The type's adapter, built once: building costs milliseconds, using it microseconds."""
    if kind not in _ADAPTERS:
        _ADAPTERS[kind] = TypeAdapter(kind)
    return _ADAPTERS[kind]


def to_json(document: object) -> bytes:
    """The document as compact UTF-8 JSON; the same document always gives the same bytes."""
    return _adapter(type(document)).dump_json(document)


def from_json(kind: type[Document], body: bytes, where: str) -> Document:
    """The document that `body` holds. Raises UsageError naming `where` when it is not one of that kind."""
    try:
        return cast(Document, _adapter(kind).validate_json(body, extra="forbid"))
    except ValidationError as exc:
        first = exc.errors()[0]
        raise UsageError(
            f"{where} is not a {kind.__name__} of this version: {'.'.join(map(str, first['loc']))}: {first['msg']}. "
            "It was written by another version or changed by hand; start a new run."
        ) from exc
