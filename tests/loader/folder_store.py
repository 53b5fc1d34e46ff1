"""Owns an object store in a folder, for tests with several processes: all of them see what each has written."""

import hashlib
import io
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from loader.store import ObjectChanged, ObjectExists, ObjectMissing, StoredObject

_WRITTEN = datetime(2026, 1, 1, tzinfo=UTC)


class FolderStore:
    """One bucket in a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @property
    def bucket(self) -> str:
        return "lake"

    def list(self, prefix: str) -> Iterator[StoredObject]:
        keys = (path.relative_to(self._folder).as_posix() for path in self._folder.rglob("*") if path.is_file())
        yield from [self._stored(key) for key in sorted(keys) if key.startswith(prefix)]

    def metadata(self, key: str) -> Mapping[str, str]:
        self.get(key)
        return {}

    def get(self, key: str) -> bytes:
        path = self._folder / key
        if not path.is_file():
            raise ObjectMissing(key)
        return path.read_bytes()

    def open(self, key: str, etag: str | None = None) -> BinaryIO:
        body = self.get(key)
        if etag is not None and etag != self._stored(key).etag:
            raise ObjectChanged(key)
        return io.BytesIO(body)

    def put(self, key: str, body: bytes, content_type: str) -> StoredObject:
        path = self._folder / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(body)
        return self._stored(key)

    def put_new(self, key: str, body: bytes, content_type: str) -> StoredObject:
        if (self._folder / key).exists():
            raise ObjectExists(key)
        return self.put(key, body, content_type)

    def put_file(self, key: str, path: Path, content_type: str) -> StoredObject:
        return self.put(key, path.read_bytes(), content_type)

    def delete(self, key: str) -> None:
        (self._folder / key).unlink(missing_ok=True)

    def _stored(self, key: str) -> StoredObject:
        body = self.get(key)
        return StoredObject(key, hashlib.md5(body, usedforsecurity=False).hexdigest(), len(body), _WRITTEN)
