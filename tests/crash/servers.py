"""Owns the servers that a load talks to, each of which may be killed: the local stack's own, behind two proxies.

They are started, and started again, by the stack's own keeper (local/keeper.py).
"""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

from local import ports, postgres_home, settings, stack_env
from local.keeper import Keeper
from local.parts import Part, parts, postgres_directory
from local.processes import ProcessName
from local.redshift.tls import ensure_certificates
from local.settings import StackSettings
from local.supervisor import log_path
from tests.crash.points import Watch
from tests.crash.s3_proxy import S3Proxy
from tests.crash.warehouse_proxy import WarehouseProxy

REPOSITORY = Path(__file__).resolve().parents[2]
_READY_WITHIN_S = 60


class Servers:
    """Running servers by name: seaweedfs, postgres, redshift, aws."""

    def __init__(self, state_dir: Path, chosen: StackSettings, seen: StackSettings) -> None:
        self.state_dir = state_dir
        self.settings = chosen  # as the servers listen; `seen` leads through the proxies
        self.seen = seen
        behind_s3 = replace(chosen, ports={**chosen.ports, "s3": seen.ports["s3"]})
        self._parts = {
            **_named(chosen, state_dir, "seaweedfs", "postgres"),
            **_named(behind_s3, state_dir, "redshift"),
            **_named(seen, state_dir, "aws"),
        }
        self._keepers: dict[str, Keeper] = {}
        self._guard = subprocess.Popen(
            (sys.executable, "-m", "local.guard"), cwd=REPOSITORY, stdin=subprocess.PIPE, text=True
        )

    def start(self) -> None:
        for name in self._parts:
            self._start(name)
            self.wait_until_ready()

    def kill(self, name: str) -> None:
        """Kill a server without a word, and have it started again. Does not wait for that."""
        keeper = self._keepers[name]
        assert keeper.record.process is not None
        os.kill(keeper.record.process.pid, signal.SIGKILL)
        keeper.ask_to_stop()  # a keeper gives up on a server that ends often: each start has one of its own
        keeper.finish()
        self._start(name)

    def wait_until_ready(self) -> None:
        for name, keeper in self._keepers.items():
            assert keeper.was_ready.wait(_READY_WITHIN_S), f"{name} does not come up: {keeper.record.problem}"

    def end(self) -> None:
        for name in reversed(list(self._keepers)):
            self._keepers[name].ask_to_stop()
        for keeper in self._keepers.values():
            keeper.finish()
        postgres_home.discard(postgres_directory(self.state_dir))
        assert self._guard.stdin is not None
        self._guard.stdin.close()
        self._guard.wait()

    def _start(self, name: str) -> None:
        keeper = self._keepers[name] = Keeper(
            self._parts[name],
            mark=f"{self.settings.identity}/{name}",
            environment={key: os.environ[key] for key in ("PATH", "HOME", "TMPDIR") if key in os.environ},
            log_path=log_path(self.state_dir, name),
            changed=self._changed,
        )
        keeper.start(())

    def _changed(self, keeper: Keeper) -> None:
        """Tells the guard, which ends the servers when this process is killed."""
        process = keeper.record.process
        if process and self._guard.stdin and not self._guard.stdin.closed:
            told = {"part": keeper.part.name, "pid": process.pid, "started_at": process.started_at}
            self._guard.stdin.write(json.dumps(told) + "\n")
            self._guard.stdin.flush()

    @property
    def environment(self) -> Mapping[str, str]:
        """What leads the product to the servers, through the proxies."""
        return stack_env.stack_env(self.seen, self.state_dir)

    def process(self, name: str) -> ProcessName:
        """The process that runs a server now."""
        process = self._keepers[name].record.process
        assert process is not None
        return process


@contextmanager
def running_servers(state_dir: Path, watch: Watch) -> Iterator[Servers]:
    """Fresh servers with nothing in them, until the end of the block."""
    state_dir.mkdir(parents=True, exist_ok=True)
    log_path(state_dir, "any").parent.mkdir(exist_ok=True)
    with ExitStack() as stack:
        with ports.alone():
            chosen = settings.make(state_dir)
            s3 = S3Proxy(chosen.ports["s3"], watch)
            certificates = ensure_certificates(stack_env.ca_path(state_dir).parent)
            warehouse = WarehouseProxy(chosen.ports["redshift"], certificates, watch)
            stack.enter_context(s3.running())
            stack.enter_context(warehouse.running())
            seen = replace(chosen, ports={**chosen.ports, "s3": s3.port, "redshift": warehouse.port})
            stack_env.write(seen, state_dir)
            servers = Servers(state_dir, chosen, seen)
            stack.callback(servers.end)
            servers.start()
        yield servers


def _named(chosen: StackSettings, state_dir: Path, *names: str) -> dict[str, Part]:
    return {part.name: part for part in parts(chosen, state_dir) if part.name in names}
