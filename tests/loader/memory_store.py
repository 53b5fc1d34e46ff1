"""Owns an object store in memory, for tests. It fails as S3 does: missing and changed objects are told apart."""

import hashlib
import io
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from loader.store import ObjectChanged, ObjectExists, ObjectMissing, StoredObject


class MemoryStore:
    """One bucket in memory, which writes at the instant `now`. `writes` lists every key written, in order."""

    def __init__(self, bucket: str = "lake") -> None:
        self._bucket = bucket
        self._bodies: dict[str, bytes] = {}
        self._written: dict[str, datetime] = {}
        self.now = datetime(2026, 1, 1, tzinfo=UTC)
        self.writes: list[str] = []

    @property
    def bucket(self) -> str:
        return self._bucket

    def list(self, prefix: str) -> Iterator[StoredObject]:
        yield from [self._stored(key) for key in sorted(self._bodies) if key.startswith(prefix)]

    def metadata(self, key: str) -> Mapping[str, str]:
        self._body(key)
        return {}

    def get(self, key: str) -> bytes:
        return self._body(key)

    def open(self, key: str, etag: str | None = None) -> BinaryIO:
        body = self._body(key)
        if etag is not None and etag != self._stored(key).etag:
            raise ObjectChanged(key)
        return io.BytesIO(body)

    def put(self, key: str, body: bytes, content_type: str) -> StoredObject:
        self._bodies[key] = body
        self._written[key] = self.now
        self.writes.append(key)
        return self._stored(key)

    def put_new(self, key: str, body: bytes, content_type: str) -> StoredObject:
        if self._bodies.setdefault(key, body) is not body:  # at once: threads may want the same key
            raise ObjectExists(key)
        return self.put(key, body, content_type)

    def put_file(self, key: str, path: Path, content_type: str) -> StoredObject:
        return self.put(key, path.read_bytes(), content_type)

    def delete(self, key: str) -> None:
        self._bodies.pop(key, None)

    def _body(self, key: str) -> bytes:
        if key not in self._bodies:
            raise ObjectMissing(key)
        return self._bodies[key]

    def _stored(self, key: str) -> StoredObject:
        body = self._bodies[key]
        return StoredObject(key, hashlib.md5(body, usedforsecurity=False).hexdigest(), len(body), self._written[key])
