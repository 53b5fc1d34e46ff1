"""Starts the Redshift stand-in: `python -m local.redshift --port 5439 …`. Restarting it is the supervisor's job.

S3 is found through the variables that AWS' own SDK reads (AWS_ENDPOINT_URL_S3, AWS_REGION, AWS_ACCESS_KEY_ID, …).
"""

import argparse
import asyncio
import gc
import json
import logging
import os
import signal
import sys
import time
from pathlib import Path

from local.redshift.backend import PostgresAddress, PostgresSaid, Unreachable
from local.redshift.copy.rules import CopyRules
from local.redshift.copy.s3 import s3_store
from local.redshift.server import Server
from local.redshift.sql import translate
from local.redshift.startup import Door
from local.redshift.tls import ensure_certificates

_PATIENCE_S = 30


def main() -> int:
    """Serve until SIGTERM or SIGINT; 1 when PostgreSQL does not come up."""
    arguments = _arguments()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    gc.set_threshold(50_000)  # a COPY's parsed lines hold no cycles: looking for some takes a third of its time
    sys.setswitchinterval(0.0005)  # a COPY computes in a thread; other clients' messages should not wait for it
    try:
        asyncio.run(_serve(arguments))
    except (Unreachable, PostgresSaid) as exc:
        logging.getLogger(__name__).error("the Redshift stand-in cannot start: %s", exc)
        return 1
    return 0


async def _serve(arguments: argparse.Namespace) -> None:
    passwords = json.loads(Path(arguments.credentials).read_text(encoding="utf-8"))
    signing_key = Path(arguments.signing_key).read_bytes() if arguments.signing_key else None
    certificates = ensure_certificates(Path(arguments.tls))
    server = Server(
        postgres=PostgresAddress(arguments.postgres_socket, arguments.postgres_superuser),
        door=Door(certificates.context(), passwords, signing_key),
        translate=translate,
        store=s3_store(),
        copy_rules=CopyRules(tuple(arguments.role_arn), os.environ.get("AWS_REGION")),
    )
    await _install(server, arguments.database)
    listener = await server.listen(arguments.host, arguments.port)
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    address = listener.sockets[0].getsockname()
    logging.getLogger(__name__).info("listening on %s:%s", address[0], address[1])
    await stop.wait()
    listener.close()
    await server.close()


async def _install(server: Server, database: str) -> None:
    deadline = time.monotonic() + _PATIENCE_S
    while True:
        try:
            return await server.install(database)
        except Unreachable:
            if time.monotonic() > deadline:
                raise
            await asyncio.sleep(0.2)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m local.redshift", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True, help="0 picks a free port; the log says which")
    parser.add_argument("--postgres-socket", required=True, help="the socket itself, …/.s.PGSQL.5432")
    parser.add_argument("--postgres-superuser", default="postgres")
    parser.add_argument("--database", required=True, help="where COPY keeps its records; must exist")
    parser.add_argument(
        "--credentials", required=True, help='JSON file {"user": "password"}, readable by its owner only'
    )
    parser.add_argument(
        "--signing-key", help="file: what temporary passwords are signed with; none is taken without it"
    )
    parser.add_argument("--tls", required=True, help="directory of the certificates; made there when missing")
    parser.add_argument("--role-arn", action="append", default=[], help="a role COPY may name; may be repeated")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
