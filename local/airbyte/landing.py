"""Writes records to S3 as Airbyte's destination does: names, envelope, parts. Reading the source is sync.py's job."""

import gzip
import io
import json
import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

import orjson

PART_BYTES = 200 << 20  # Airbyte's target for one file, compressed


class Bucket(Protocol):
    """Where parts go."""

    def put(self, key: str, body: bytes, metadata: Mapping[str, str]) -> None:
        """Writes one object, whole or not at all."""
        ...


class Damage(Protocol):
    """What happens to lines and objects between the writer and the bucket. Nothing, unless a test asks for it."""

    def lines_of(self, key: str, lines: list[bytes]) -> list[bytes]:
        """The lines as they will lie in the object, each without its newline."""
        ...

    def body_of(self, key: str, body: bytes) -> bytes:
        """The compressed object as it will lie in the bucket."""
        ...


@dataclass(frozen=True, slots=True)
class Destination:
    """The settings of an S3 destination that decide where objects lie and how big they grow."""

    bucket_path: str
    path_format: str
    part_bytes: int = PART_BYTES

    def prefix(self, stream: str, at: datetime) -> str:
        """The key up to the part number. `at` is the time of the sync, UTC."""
        values = {
            "NAMESPACE": "",
            "STREAM_NAME": stream,
            "YEAR": f"{at:%Y}",
            "MONTH": f"{at:%m}",
            "DAY": f"{at:%d}",
            "EPOCH": str(int(at.timestamp() * 1000)),
        }
        path = re.sub(r"\$\{(\w+)\}", lambda match: values[match[1]], self.path_format)
        return re.sub(r"/+", "/", f"{self.bucket_path}/{path}").lstrip("/")


@dataclass(frozen=True, slots=True)
class Generation:
    """One sync, as its envelopes and objects name it."""

    sync_id: int
    generation_id: int
    written_at: datetime


@dataclass(slots=True)
class StreamCounts:
    """What one stream has brought. Committed records lie in the bucket."""

    records_emitted: int = 0
    bytes_emitted: int = 0
    records_committed: int = 0
    bytes_committed: int = 0


def envelope(data: Mapping[str, Any], emitted_at_ms: int, generation: Generation) -> bytes:
    """One line of landing (version 2, numbers as numbers), without its newline."""
    line = {
        "_airbyte_raw_id": str(uuid.uuid4()),
        "_airbyte_extracted_at": emitted_at_ms,
        "_airbyte_generation_id": generation.generation_id,
        "_airbyte_meta": {"changes": [], "sync_id": generation.sync_id},
        "_airbyte_data": data,
    }
    return to_json(line)


def to_json(value: Any) -> bytes:
    """Compact JSON, non-ASCII characters as they are."""
    try:
        return orjson.dumps(value)
    except TypeError:
        # orjson refuses integers beyond 64 bits and lone surrogates; the source may have sent either.
        return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")


class _Part:
    """One object in the making."""

    def __init__(self) -> None:
        self.line_count = 0
        self.line_bytes = 0
        self._raw = io.BytesIO()
        self._gzip = gzip.GzipFile(fileobj=self._raw, mode="wb", compresslevel=6, mtime=0)

    @property
    def size_bytes(self) -> int:
        """Compressed, without what the compressor still holds back."""
        return self._raw.tell()

    def add(self, line: bytes) -> None:
        self._gzip.write(line + b"\n")
        self.line_count += 1
        self.line_bytes += len(line)

    def close(self) -> bytes:
        self._gzip.close()
        return self._raw.getvalue()


@dataclass(slots=True)
class StreamWriter:
    """Fills the parts of one stream. A part that is full is written at once; `finish` writes the rest."""

    stream: str
    destination: Destination
    generation: Generation
    bucket: Bucket
    damage: Damage | None = None
    counts: StreamCounts = field(default_factory=StreamCounts)
    _part: _Part = field(default_factory=_Part)
    _part_number: int = 0

    def write(self, data: Mapping[str, Any], emitted_at_ms: int) -> None:
        """Takes one record. Its line is in the bucket when its part is full, or after `finish`."""
        line = envelope(data, emitted_at_ms, self.generation)
        self._part.add(line)
        self.counts.records_emitted += 1
        self.counts.bytes_emitted += len(line)
        if self._part.size_bytes >= self.destination.part_bytes:
            self._upload()

    def finish(self) -> None:
        """Writes what is left. A stream without records leaves no object."""
        if self._part.line_count:
            self._upload()

    def _upload(self) -> None:
        part, self._part = self._part, _Part()
        key = f"{self.destination.prefix(self.stream, self.generation.written_at)}{self._part_number}.jsonl.gz"
        body = damaged(key, part.close(), self.damage) if self.damage else part.close()
        self.bucket.put(key, body, {"ab-generation-id": str(self.generation.generation_id)})
        self._part_number += 1
        self.counts.records_committed += part.line_count
        self.counts.bytes_committed += part.line_bytes


def damaged(key: str, body: bytes, damage: Damage) -> bytes:
    """The object after damage: first its lines, then the compressed whole."""
    lines = damage.lines_of(key, gzip.decompress(body).split(b"\n")[:-1])
    return damage.body_of(key, gzip.compress(b"".join(line + b"\n" for line in lines), mtime=0))


@dataclass(frozen=True, slots=True)
class S3Bucket:
    """A bucket behind an S3 endpoint. Endpoint and credentials come from the client."""

    client: Any
    name: str

    def put(self, key: str, body: bytes, metadata: Mapping[str, str]) -> None:
        """Writes one object, whole or not at all."""
        self.client.put_object(Bucket=self.name, Key=key, Body=body, Metadata=dict(metadata))
