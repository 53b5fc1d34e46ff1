"""Owns the proxy before the warehouse: it ends TLS, sees each statement and its answer, and stops at both.

It speaks with the server's own certificate, so that clients verify it as they would the server. What happens at a point
is the watch's to say (points.py).
"""

import asyncio
import contextlib
import socket
import ssl
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from local.redshift import messages
from local.redshift.stream import ConnectionLost, MessageStream
from local.redshift.tls import Certificates
from tests.crash.points import Answer, Place, Watch, When, label_of

_RESET = struct.pack("ii", 1, 0)  # SO_LINGER: closing sends RST
_CHANGES_NOTHING = ("begin", "begin transaction", "rollback")
_SSL_REQUEST = struct.pack("!ii", 8, messages.SSL_REQUEST)


@dataclass
class Turn:
    """What a client sends before it waits for the server to be ready, and which statement that runs, if one."""

    raw: bytes = b""
    statement: str | None = None
    is_last: bool = False


@dataclass
class _Statements:
    """The statements of a client: those it has prepared by name, and the last one it ran."""

    prepared: dict[str, str] = field(default_factory=dict)
    last: str = ""
    are_simple: bool = False  # not prepared: of all clients, only the load gate's driver asks so

    def read(self, raw: bytes) -> str | None:
        """The statement that a message runs."""
        kind, body = raw[:1], raw[5:]
        if kind == b"P":
            name, sql, _ = messages.read_parse(body)
            self.prepared[name] = sql
        elif kind == b"B":
            _, start = messages.read_text(body)
            return self.prepared.get(messages.read_text(body, start)[0])
        elif kind == b"Q":
            self.are_simple = True
            return messages.read_text(body)[0]
        return None

    def label(self, statement: str) -> str | None:
        """What a statement is known by; a commit by what it makes last. None for what changes nothing by itself."""
        said = label_of(statement)
        if said.lower() in _CHANGES_NOTHING:
            return None
        if self.are_simple:  # the load gate puts its checks together in another order each time
            return said.partition(" ")[0].lower()
        label = f"commit of {self.last}" if said.lower() == "commit" else said
        self.last = said
        return label


class WarehouseProxy:
    """Listens on a port of its own and passes everything on to the server's."""

    def __init__(self, server_port: int, certificates: Certificates, watch: Watch) -> None:
        self.port = 0
        self._server_port = server_port
        self._as_server = certificates.context()
        self._as_client = ssl.create_default_context(cafile=str(certificates.authority))
        self._watch = watch

    @contextmanager
    def running(self) -> Iterator[None]:
        """Serve, in a thread, until the end of the block."""
        loop = asyncio.new_event_loop()
        server = loop.run_until_complete(asyncio.start_server(self._serve, "127.0.0.1", 0))
        self.port = server.sockets[0].getsockname()[1]
        thread = threading.Thread(target=loop.run_forever, name="warehouse proxy", daemon=True)
        thread.start()
        try:
            yield
        finally:
            asyncio.run_coroutine_threadsafe(_end(server), loop).result(timeout=30)
            loop.call_soon_threadsafe(loop.stop)
            thread.join()
            loop.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        client = MessageStream(reader)
        upstream: asyncio.StreamWriter | None = None
        try:
            opening = await self._opening(client, writer)
            if opening[4:8] == struct.pack("!i", messages.CANCEL_REQUEST):
                _, upstream = await asyncio.open_connection("127.0.0.1", self._server_port)
                upstream.write(opening)
                return
            server, upstream = await self._connected()
            upstream.write(opening)
            await _log_in(client, writer, server, upstream)
            await _Conversation(self._watch, client, writer, server, upstream).run()
        except (ConnectionLost, ConnectionError, ssl.SSLError, OSError):
            _reset(writer)
        except asyncio.CancelledError:  # the proxy ends; asyncio's streams complain of a task that ends so
            pass
        finally:
            for each in (writer, upstream):
                if each is not None:
                    each.close()

    async def _opening(self, client: MessageStream, writer: asyncio.StreamWriter) -> bytes:
        """The client's first message inside TLS, or its wish to cancel."""
        while True:
            length = await client.exactly(4)
            body = await client.exactly(int.from_bytes(length, "big") - 4)
            code = int.from_bytes(body[:4], "big")
            if code == messages.SSL_REQUEST:
                writer.write(b"S")
                await writer.start_tls(self._as_server)
            elif code == messages.GSS_REQUEST:
                writer.write(b"N")
            else:
                return length + body

    async def _connected(self) -> tuple[MessageStream, asyncio.StreamWriter]:
        reader, writer = await asyncio.open_connection("127.0.0.1", self._server_port)
        stream = MessageStream(reader)
        writer.write(_SSL_REQUEST)
        if await stream.exactly(1) != b"S":
            raise ConnectionLost("the server takes no TLS")
        await writer.start_tls(self._as_client, server_hostname="localhost")
        return stream, writer


@dataclass
class _Conversation:
    """One client that is logged in, and its own connection to the server."""

    watch: Watch
    client: MessageStream
    writer: asyncio.StreamWriter
    server: MessageStream
    upstream: asyncio.StreamWriter
    statements: _Statements = field(default_factory=_Statements)

    async def run(self) -> None:
        """Pass turns and answers on until one side leaves. Raises ConnectionLost when it is the server."""
        turns: asyncio.Queue[Turn] = asyncio.Queue()
        reading = asyncio.create_task(_read_turns(self.client, self.statements, turns))
        try:
            while not (turn := await turns.get()).is_last:
                if not await self._pass_on(turn, reading):
                    return self.upstream.transport.abort()
            self.upstream.write(turn.raw)
            await self.upstream.drain()
        finally:
            reading.cancel()

    async def _pass_on(self, turn: Turn, reading: "asyncio.Task[None]") -> bool:
        """Whether the conversation goes on after this turn."""
        label = self.statements.label(turn.statement) if turn.statement else None
        if label and await self._ends_at("before", label, reading):
            return False
        self.upstream.write(turn.raw)
        answer = asyncio.create_task(_read_answer(self.server))
        await asyncio.wait({answer, reading}, return_when=asyncio.FIRST_COMPLETED)
        if not answer.done():  # the client left while the server was at work: it shall see that
            answer.cancel()
            return False
        raw = answer.result()
        if label and await self._ends_at("after", label, reading):
            return False
        self.writer.write(raw)
        await self.writer.drain()
        return True

    async def _ends_at(self, when: When, label: str, reading: "asyncio.Task[None]") -> bool:
        place: Place = "load gate" if self.statements.are_simple else "warehouse"
        answer = await asyncio.to_thread(self.watch.pass_by, place, when, label)
        if answer is Answer.STALL:
            await asyncio.wait({reading})  # until the client leaves
        elif answer is Answer.RESET:
            _reset(self.writer)
        return answer in (Answer.STALL, Answer.RESET)


async def _log_in(
    client: MessageStream, writer: asyncio.StreamWriter, server: MessageStream, upstream: asyncio.StreamWriter
) -> None:
    while (raw := await server.next())[:1] != b"Z":
        writer.write(raw)
        if raw[:1] == b"R" and raw[5:9] != bytes(4):
            upstream.write(await client.next())
    writer.write(raw)


async def _read_turns(client: MessageStream, statements: _Statements, turns: "asyncio.Queue[Turn]") -> None:
    """Ends when the client says goodbye, or leaves without."""
    turn = Turn()
    try:
        while not turn.is_last:
            raw = await client.next()
            turn.raw += raw
            turn.statement = statements.read(raw) or turn.statement
            turn.is_last = raw[:1] == b"X"
            if raw[:1] in (b"S", b"Q"):
                turns.put_nowait(turn)
                turn = Turn()
    except ConnectionLost:
        turn = Turn(is_last=True)
    turns.put_nowait(turn)


async def _read_answer(server: MessageStream) -> bytes:
    raw = bytearray()
    while (message := await server.next())[:1] != b"Z":
        raw += message
    return bytes(raw + message)


def _reset(writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError, AttributeError):
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
    writer.transport.abort()


async def _end(server: asyncio.Server) -> None:
    server.close()
    left = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
    for task in left:
        task.cancel()
    await asyncio.gather(*left, return_exceptions=True)
