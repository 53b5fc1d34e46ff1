"""Owns the list of the stack's parts: how each is prepared, started, found ready and stopped.

Keeping them running is the supervisor's job (local/supervisor.py).
"""

import functools
import json
import os
import signal
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from local import aws, ports, postgres, postgres_home, provision, seaweedfs
from local.files import write_private
from local.settings import SEAWEEDFS_PORTS, StackSettings
from local.stack_env import COPY_ROLE, LAKE_BUCKET, REGION, WAREHOUSE_DATABASE, WAREHOUSE_USER, aws_env, ca_path

_ROOT = Path(__file__).resolve().parent.parent  # where `python -m local.…` finds us
TASK_DEFINITION = _ROOT / "terraform" / "task_definition.json.tftpl"


def _nothing() -> None:
    pass


@dataclass(frozen=True, slots=True)
class Launch:
    """What to start: a command, where, as whom, with which variables beyond the supervisor's own."""

    command: tuple[str, ...]
    directory: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    account: postgres_home.Account | None = None


@dataclass(frozen=True, slots=True)
class Part:
    """One program of the stack."""

    name: str
    prepare: Callable[[], Launch]  # before each start
    is_ready: Callable[[], bool]
    ports: Mapping[str, int]
    needs: tuple[str, ...] = ()  # parts that must have been ready once before this one starts
    clear: Callable[[], None] = _nothing  # before each start and at the end: removes what a killed one left
    once_ready: Callable[[], None] = _nothing  # after each start, before it counts as running
    stop_signal: int = signal.SIGTERM
    patience_s: float = 5  # from the signal until it is killed


def parts(settings: StackSettings, state_dir: Path) -> tuple[Part, ...]:
    """Return the stack's parts, none before one that it needs."""
    makers = (_seaweedfs, _postgres, _aws, _airbyte, _redshift)
    return tuple(make(settings, state_dir) for make in makers)


def postgres_directory(state_dir: Path) -> Path:
    """Where PostgreSQL's files start from; as root most of them lie elsewhere."""
    return state_dir / "postgres"


def _seaweedfs(settings: StackSettings, state_dir: Path) -> Part:
    def prepare() -> Launch:
        seaweedfs.prepare(settings, state_dir)
        return Launch(seaweedfs.command(settings, state_dir), state_dir, seaweedfs.environment(settings))

    return Part(
        name="seaweedfs",
        prepare=prepare,
        is_ready=lambda: seaweedfs.is_ready(settings),
        clear=lambda: seaweedfs.clear_left_behind(settings),
        ports=_named(settings, *SEAWEEDFS_PORTS),
        patience_s=5,  # it mostly takes 2 s, sometimes 30; what it holds survives being killed
    )


def _postgres(settings: StackSettings, state_dir: Path) -> Part:
    @functools.cache
    def home() -> postgres_home.PostgresHome:
        return postgres_home.prepare(postgres_directory(state_dir))

    return Part(
        name="postgres",
        prepare=lambda: Launch(home().command, home().data, account=home().account),
        is_ready=lambda: postgres.is_ready(home()),
        clear=lambda: postgres_home.forget_dead_server(postgres_directory(state_dir)),
        once_ready=lambda: provision.provision(home(), settings.warehouse_password),
        ports={},
        stop_signal=signal.SIGINT,
    )


def _aws(settings: StackSettings, state_dir: Path) -> Part:
    binaries = Path(sys.executable).parent
    pipeline = aws.Pipeline(
        template=TASK_DEFINITION,
        entry_point=(str(binaries / "spacex-elt"),),
        # Only what the task definition sets counts, not the env file that the command line would find by itself.
        environment={"PATH": f"{binaries}:/usr/local/bin:/usr/bin:/bin", "SPACEX_ELT_ENV_FILE": os.devnull},
    )

    def prepare() -> Launch:
        aws.prepare(settings, state_dir, pipeline)
        return Launch(aws.command(settings, state_dir), _ROOT)

    return Part(
        name="aws",
        prepare=prepare,
        is_ready=lambda: ports.answers(settings.ports["aws"]),
        ports=_named(settings, "aws"),
        patience_s=6,  # it ends its tasks
    )


def _airbyte(settings: StackSettings, state_dir: Path) -> Part:
    def prepare() -> Launch:
        credentials = state_dir / "airbyte-credentials.json"
        write_private(credentials, json.dumps({settings.airbyte_client_id: settings.airbyte_client_secret}))
        command = (
            sys.executable, "-m", "local.airbyte",
            "--port", str(settings.ports["airbyte"]), "--state", str(state_dir / "airbyte"),
            "--credentials", str(credentials), "--bucket", LAKE_BUCKET, "--region", REGION,
            "--manifest", str(_ROOT / "extraction" / "spacex_api.yaml"),
        )  # fmt: skip
        return Launch(command, _ROOT, aws_env(settings, state_dir))

    return Part(
        name="airbyte",
        prepare=prepare,
        is_ready=lambda: ports.answers(settings.ports["airbyte"]),
        ports=_named(settings, "airbyte"),
    )


def _redshift(settings: StackSettings, state_dir: Path) -> Part:
    def prepare() -> Launch:
        home = postgres_home.prepare(postgres_directory(state_dir))
        credentials = state_dir / "redshift-credentials.json"
        write_private(credentials, json.dumps({WAREHOUSE_USER: settings.warehouse_password}))
        signing_key = state_dir / "redshift-signing-key"
        write_private(signing_key, settings.warehouse_signing_key)
        command = (
            sys.executable, "-m", "local.redshift",
            "--port", str(settings.ports["redshift"]), "--database", WAREHOUSE_DATABASE,
            "--postgres-socket", str(home.socket_path), "--postgres-superuser", postgres_home.SUPERUSER,
            "--credentials", str(credentials), "--signing-key", str(signing_key),
            "--tls", str(ca_path(state_dir).parent), "--role-arn", COPY_ROLE,
        )  # fmt: skip
        return Launch(command, _ROOT, aws_env(settings, state_dir))

    return Part(
        name="redshift",
        prepare=prepare,
        is_ready=lambda: provision.warehouse_answers(settings, ca_path(state_dir)),
        ports=_named(settings, "redshift"),
        needs=("postgres",),
    )


def _named(settings: StackSettings, *names: str) -> dict[str, int]:
    return {name: settings.ports[name] for name in names}
