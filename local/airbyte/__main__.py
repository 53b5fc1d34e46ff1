"""Starts the Airbyte stand-in: `python -m local.airbyte`. Prints one JSON line once it listens."""

import argparse
import json
import signal
import sys
import threading
import time
from pathlib import Path

from local.airbyte import CONNECTION_ID, DESTINATION_ID, SOURCE_ID
from local.airbyte.door import Door, read_secrets
from local.airbyte.jobs import JobBook
from local.airbyte.landing import PART_BYTES
from local.airbyte.server import serve
from local.airbyte.setup import read_setup
from local.problem import StackProblem


def main(arguments: list[str] | None = None) -> int:
    """Serves until it is told to stop (SIGTERM, SIGINT)."""
    asked = _parser().parse_args(arguments)
    try:
        setup = read_setup(
            asked.manifest,
            asked.connection,
            state=asked.state,
            bucket=asked.bucket,
            region=asked.region,
            is_empty=asked.empty,
            part_bytes=asked.part_bytes,
        )
        door = Door(read_secrets(asked.credentials), time.time)
        book = JobBook(setup)
        server = serve(book, door, asked.port)
    except (StackProblem, OSError) as exc:
        print(f"the Airbyte stand-in could not start: {exc}", file=sys.stderr)  # noqa: T201
        return 1
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: threading.Thread(target=server.shutdown).start())
    port = server.server_address[1]
    told = {
        "url": f"http://127.0.0.1:{port}",
        "port": port,
        "source_id": SOURCE_ID,
        "destination_id": DESTINATION_ID,
        "connection_id": CONNECTION_ID,
    }
    print(json.dumps(told), flush=True)  # noqa: T201
    server.serve_forever(poll_interval=0.1)
    book.close()
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m local.airbyte",
        description="Stands in for an Airbyte server on 127.0.0.1. The S3 endpoint and credentials come from the "
        "environment (AWS_ENDPOINT_URL_S3, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_DEFAULT_REGION).",
    )
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--state", type=Path, required=True, help="folder for jobs and settings")
    parser.add_argument("--credentials", type=Path, help='private JSON file {"client id": "secret"}; none: no tokens')
    parser.add_argument("--bucket", required=True, help="the lake's bucket, of the destination that is there")
    parser.add_argument("--region", default="us-east-1", help="the bucket's region")
    parser.add_argument("--empty", action="store_true", help="start with a workspace that holds nothing")
    parser.add_argument("--manifest", type=Path, default=Path("extraction/spacex_api.yaml"))
    parser.add_argument("--connection", type=Path, help="default: connection.yaml beside the manifest")
    parser.add_argument("--part-bytes", type=int, default=PART_BYTES, help="compressed size at which a part is full")
    return parser


if __name__ == "__main__":
    sys.exit(main())
