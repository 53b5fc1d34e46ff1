"""Owns how a client gets in: TLS, start-up message, password. The conversation that follows is session.py's."""

import asyncio
import hmac
import math
import ssl
from collections.abc import Mapping
from dataclasses import dataclass

from local.redshift import messages, temporary
from local.redshift.messages import Problem
from local.redshift.stream import ConnectionLost, MessageStream
from local.redshift.temporary import Pass

SERVER_VERSION = "8.0.2"  # what Redshift says of itself; drivers choose their behaviour by it
_LONGEST_STARTUP = 10_000
_CLEARTEXT = b"\x00\x00\x00\x03"
_OK = b"\x00\x00\x00\x00"
# What drivers tell Redshift about themselves; PostgreSQL knows none of it.
_ABOUT_THE_DRIVER = frozenset(("client_protocol_version", "driver_version", "os_version", "driver_discovery_version"))
_SETTINGS = {name.lower(): name for name in ("application_name", "client_encoding", "DateStyle", "TimeZone")}
_SHOWN = (
    "application_name",
    "client_encoding",
    "DateStyle",
    "integer_datetimes",
    "is_superuser",
    "server_encoding",
    "session_authorization",
    "TimeZone",
)


class Refusal(Exception):
    """The client may not come in; `problem` is what it is told."""

    def __init__(self, sqlstate: str, message: str, hint: str | None = None) -> None:
        self.problem = Problem(sqlstate, message, hint=hint, severity="FATAL")
        super().__init__(message)


@dataclass(frozen=True, slots=True)
class Guest:
    """A client that may come in."""

    user: str
    database: str
    settings: Mapping[str, str]
    creates_user: bool = False  # when the database has none of that name


@dataclass(frozen=True, slots=True)
class CancelRequest:
    """Not a client but its wish to have a statement of another connection stopped."""

    key: bytes


class Door:
    """Lets clients in that speak TLS and know a password."""

    def __init__(self, tls: ssl.SSLContext, passwords: Mapping[str, str], signing_key: bytes | None = None) -> None:
        self._tls = tls
        self._passwords = passwords
        self._signing_key = signing_key  # of temporary passwords; None: none is taken

    async def admit(self, stream: MessageStream, writer: asyncio.StreamWriter) -> Guest | CancelRequest:
        """Whoever is at the door. Raises Refusal, or ConnectionLost when it leaves."""
        is_secure = False
        while True:
            length = int.from_bytes(await stream.exactly(4), "big")
            if not 8 <= length <= _LONGEST_STARTUP:
                raise ConnectionLost("the first message is no start-up message")
            body = await stream.exactly(length - 4)
            code = int.from_bytes(body[:4], "big")
            if code == messages.SSL_REQUEST and not is_secure:
                await self._secure(stream, writer)
                is_secure = True
            elif code in (messages.SSL_REQUEST, messages.GSS_REQUEST):
                writer.write(b"N")
            elif code == messages.CANCEL_REQUEST:
                return CancelRequest(body[4:])
            else:
                return await self._guest(body, stream, writer, is_secure=is_secure)

    async def _secure(self, stream: MessageStream, writer: asyncio.StreamWriter) -> None:
        if not stream.is_empty:
            raise ConnectionLost("the client sent more in the clear than its wish for TLS")
        writer.write(b"S")
        try:
            await writer.start_tls(self._tls, ssl_handshake_timeout=20)
        except (ssl.SSLError, ConnectionError, OSError) as exc:
            raise ConnectionLost(f"TLS was not agreed on: {exc}") from exc

    async def _guest(
        self, body: bytes, stream: MessageStream, writer: asyncio.StreamWriter, *, is_secure: bool
    ) -> Guest:
        try:
            version, parameters = messages.read_startup(body)
        except UnicodeDecodeError as exc:
            raise Refusal("08P01", "the start-up message is not UTF-8") from exc
        if version >> 16 != 3:
            raise Refusal(
                "08P01", f"unsupported frontend protocol {version >> 16}.{version & 0xFFFF}: server supports 3.0"
            )
        user = parameters.pop("user", "")
        database = parameters.pop("database", "") or user
        if not is_secure:
            where = f'user "{user}", database "{database}", SSL off'
            raise Refusal("28000", f"no pg_hba.conf entry for {where}", "This server takes TLS connections only.")
        if not user:
            raise Refusal("28000", "no user name is given in the start-up message")
        extensions = [name for name in parameters if name.startswith("_pq_.")]
        if version & 0xFFFF or extensions:
            writer.write(messages.negotiate_protocol(extensions))
        settings = _settings({name: value for name, value in parameters.items() if name not in extensions})
        writer.write(messages.message(b"R", _CLEARTEXT))  # inside TLS: nobody else can read it
        answer = await stream.next()
        given = answer[5:].rstrip(b"\0") if answer[:1] == b"p" else b""
        allowed = self._allowed(user, database, given)
        if allowed is None:
            raise Refusal("28P01", f'password authentication failed for user "{user}"')
        return Guest(allowed.user, database, settings, allowed.creates_user)

    def _allowed(self, user: str, database: str, password: bytes) -> Pass | None:
        """Whom the password lets in; None if nobody."""
        if user.startswith(temporary.PREFIXES):
            known = temporary.read(self._signing_key, password.decode(errors="replace")) if self._signing_key else None
            is_right = known is not None and known.login == user and known.database in (None, database)
            return known if is_right else None
        expected = self._passwords.get(user, "").encode()
        is_right = hmac.compare_digest(password, expected) and bool(expected)
        return Pass(user, user, None, creates_user=False, expires_at=math.inf) if is_right else None


def greeting(settings: Mapping[str, str], key: bytes) -> bytes:
    """What a client is told once it is in."""
    shown = {name: settings[name] for name in _SHOWN if name in settings}
    # Redshift reads a backslash in a string as an escape, and so does the translation: libpq must double it.
    shown["standard_conforming_strings"] = "off"
    statuses = [messages.parameter_status(*pair) for pair in [("server_version", SERVER_VERSION), *shown.items()]]
    return messages.message(b"R", _OK) + b"".join(statuses) + messages.message(b"K", key) + messages.ready(b"I")


def _settings(parameters: Mapping[str, str]) -> dict[str, str]:
    settings = {}
    for name, value in parameters.items():
        if name in _ABOUT_THE_DRIVER:
            continue
        if name.lower() not in _SETTINGS:
            raise Refusal("42704", f'unrecognized configuration parameter "{name}"')
        if name == "client_encoding" and value.upper().replace("-", "") not in ("UTF8", "UNICODE"):
            raise Refusal("22023", f'client_encoding "{value}" is not supported by the Redshift stand-in: use UTF8')
        settings[_SETTINGS[name.lower()]] = value
    return settings
