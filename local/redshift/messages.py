"""Owns the bytes of the wire protocol (version 3.0): building and taking apart messages. Pure.

Moving them is the streams' job (stream.py), deciding what they mean the session's (session.py).
"""

import struct
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

PROTOCOL_3 = 196608
SSL_REQUEST = 80877103
GSS_REQUEST = 80877104
CANCEL_REQUEST = 80877102

SUPER_OID = 4000
JSONB_OID = 3802
# What Redshift calls a type, to what PostgreSQL calls it. Both interval kinds are one type in PostgreSQL; SUPER is a
# type that sql/ makes under its own number.
_TO_POSTGRES = {1188: 1186, 1190: 1186}
_TO_REDSHIFT = {JSONB_OID: SUPER_OID}

_INT16 = struct.Struct("!h")
_INT32 = struct.Struct("!i")
_UINT32 = struct.Struct("!I")
_FIELD = struct.Struct("!ihIhih")  # of RowDescription, after the name

SYNC = b"S\x00\x00\x00\x04"
FLUSH = b"H\x00\x00\x00\x04"
COPY_DONE = b"c\x00\x00\x00\x04"


@dataclass(frozen=True, slots=True)
class Problem:
    """What an ErrorResponse or NoticeResponse says."""

    sqlstate: str
    message: str
    detail: str | None = None
    hint: str | None = None
    severity: str = "ERROR"

    def encode(self) -> bytes:
        """The message as the server sends it."""
        texts = [("S", self.severity), ("C", self.sqlstate), ("M", self.message)]
        texts += [(code, text) for code, text in (("D", self.detail), ("H", self.hint)) if text]
        body = b"".join(code.encode() + text.replace("\0", "").encode() + b"\0" for code, text in texts)
        is_error = self.severity in ("ERROR", "FATAL", "PANIC")
        return message(b"E" if is_error else b"N", body + b"\0")


def message(kind: bytes, body: bytes = b"") -> bytes:
    """A message with its type byte and length."""
    return kind + _INT32.pack(len(body) + 4) + body


def startup(parameters: Mapping[str, str]) -> bytes:
    """A client's first message."""
    body = _INT32.pack(PROTOCOL_3) + b"".join(text(part) for pair in parameters.items() for part in pair) + b"\0"
    return _INT32.pack(len(body) + 4) + body


def cancel_request(key: bytes) -> bytes:
    """The message that cancels what the connection with this BackendKeyData is doing."""
    body = _INT32.pack(CANCEL_REQUEST) + key
    return _INT32.pack(len(body) + 4) + body


def text(value: str) -> bytes:
    """A string as the protocol writes it."""
    return value.encode() + b"\0"


def parameter_status(name: str, value: str) -> bytes:
    """Tell the client the value of a setting."""
    return message(b"S", text(name) + text(value))


def command_complete(tag: str) -> bytes:
    """Tell the client that a statement is done."""
    return message(b"C", text(tag))


def ready(status: bytes) -> bytes:
    """Tell the client that the next statement may come."""
    return message(b"Z", status)


def negotiate_protocol(unknown: Sequence[str]) -> bytes:
    """Tell the client that it is 3.0 we speak, and which extensions of it we do not know."""
    return message(b"v", _INT32.pack(0) + _INT32.pack(len(unknown)) + b"".join(map(text, unknown)))


def query(sql: str) -> bytes:
    """A simple query."""
    return message(b"Q", text(sql))


def parse(name: str, sql: str, types: Sequence[int] = ()) -> bytes:
    """Prepare a statement."""
    return message(b"P", text(name) + text(sql) + _oids(types))


def bind(portal: str, statement: str, values: Sequence[str | None] = ()) -> bytes:
    """Bind a prepared statement to values given as text; results come as text."""
    body = [text(portal), text(statement), b"\0\0", _INT16.pack(len(values))]
    for value in values:
        encoded = None if value is None else value.encode()
        body.append(_INT32.pack(-1) if encoded is None else _INT32.pack(len(encoded)) + encoded)
    return message(b"B", b"".join(body) + b"\0\0")


def execute(portal: str) -> bytes:
    """Run a portal to its end."""
    return message(b"E", text(portal) + _INT32.pack(0))


def describe_portal(portal: str) -> bytes:
    """Ask for the columns of a portal."""
    return message(b"D", b"P" + text(portal))


def describe_statement(name: str) -> bytes:
    """Ask for the columns of a prepared statement."""
    return message(b"D", b"S" + text(name))


def close(what: bytes, name: str) -> bytes:
    """Close a prepared statement (`S`) or portal (`P`). Closing one that is not there is no error."""
    return message(b"C", what + text(name))


def copy_fail(reason: str) -> bytes:
    """Give up a COPY."""
    return message(b"f", text(reason))


def read_text(body: bytes, start: int = 0) -> tuple[str, int]:
    """The string at `start`, and where what follows it begins."""
    end = body.index(0, start)
    return body[start:end].decode(), end + 1


def read_startup(body: bytes) -> tuple[int, dict[str, str]]:
    """Protocol version and parameters of a start-up message (without its length)."""
    parts = body[4:].split(b"\0")
    names = [part.decode() for part in parts]
    return _INT32.unpack_from(body)[0], dict(zip(names[0:-2:2], names[1:-1:2], strict=False))


def read_parse(body: bytes) -> tuple[str, str, list[int]]:
    """Name, SQL and parameter types of a Parse message, its types in PostgreSQL's terms."""
    name, start = read_text(body)
    sql, start = read_text(body, start)
    count = _INT16.unpack_from(body, start)[0]
    types = struct.unpack_from(f"!{count}I", body, start + 2)
    return name, sql, [_TO_POSTGRES.get(oid, oid) for oid in types]


def read_problem(body: bytes) -> dict[str, str]:
    """The fields of an ErrorResponse or NoticeResponse by their one-letter codes."""
    return {part[:1].decode(): part[1:].decode(errors="replace") for part in body.split(b"\0") if part}


def read_row(body: bytes) -> list[str | None]:
    """The values of a DataRow whose columns are text."""
    return list(_values(body))


def read_description(raw: bytes) -> list[tuple[str, int, int]]:
    """Name, type and type's modifier of each column of a whole RowDescription."""
    columns = []
    start = 7
    for _ in range(_INT16.unpack_from(raw, 5)[0]):
        name, start = read_text(raw, start)
        columns.append((name, _UINT32.unpack_from(raw, start + 6)[0], _INT32.unpack_from(raw, start + 12)[0]))
        start += _FIELD.size
    return columns


def describe_as_redshift(raw: bytes) -> bytes:
    """A whole RowDescription with PostgreSQL's types given Redshift's numbers."""
    if b"\x00\x00\x0e\xda" not in raw:  # jsonb's number: nearly no description holds it
        return raw
    changed = bytearray(raw)
    start = 7
    for _ in range(_INT16.unpack_from(raw, 5)[0]):
        start = raw.index(0, start) + 1
        oid = _UINT32.unpack_from(raw, start + 6)[0]
        _UINT32.pack_into(changed, start + 6, _TO_REDSHIFT.get(oid, oid))
        start += _FIELD.size
    return bytes(changed)


def parameters_as_redshift(raw: bytes) -> bytes:
    """A whole ParameterDescription with PostgreSQL's types given Redshift's numbers."""
    types = struct.unpack_from(f"!{_INT16.unpack_from(raw, 5)[0]}I", raw, 7)
    return message(b"t", _oids([_TO_REDSHIFT.get(oid, oid) for oid in types]))


def error_as_redshift(raw: bytes) -> bytes:
    """A whole ErrorResponse, in Redshift's words where it has its own and without the row, which it does not show."""
    if b"\0C23502\0" not in raw:
        return raw
    fields = read_problem(raw[5:])
    column = fields.get("c")
    return Problem("23502", f"Cannot insert a NULL value into column {column}").encode() if column else raw


def _oids(types: Iterable[int]) -> bytes:
    numbers = list(types)
    return struct.pack(f"!h{len(numbers)}I", len(numbers), *numbers)


def _values(body: bytes) -> Iterator[str | None]:
    start = 2
    for _ in range(_INT16.unpack_from(body)[0]):
        length = _INT32.unpack_from(body, start)[0]
        start += 4
        yield None if length < 0 else body[start : start + length].decode()
        start += max(length, 0)
