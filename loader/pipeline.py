"""Owns the ports a step works with, in one value. Choosing adapters is the wiring's job (spacex_elt/wiring.py)."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from contracts.errors import UsageError
from contracts.model import Contract
from loader.airbyte import SyncServer
from loader.run_folder import RunFolder
from loader.store import ObjectStore
from loader.warehouse import Session, WarehouseAddress, connect
from observability.alerts import Alerts
from observability.telemetry import SPANS_FILE, Telemetry


@dataclass(frozen=True)
class Pipeline:
    """Everything a step needs from outside. Tests build one from fakes and stand-ins."""

    environment: str
    contracts: Mapping[str, Contract]
    lake: ObjectStore
    docs: ObjectStore
    docs_url: str
    sync_server: SyncServer
    warehouse_address: Callable[
        [], WarehouseAddress
    ]  # asked late, as not every step needs it, and often: a login may end
    copy_role_arn: str
    alerts: Alerts
    telemetry: Telemetry
    telemetry_dir: Path  # where this process writes its spans and metrics
    dbt_project_dir: Path
    work_dir: Path
    now: Callable[[], datetime]

    def run_folder(self, run_id: str) -> RunFolder:
        """Where a run keeps its documents."""
        return RunFolder(self.lake, run_id)

    def own_spans(self) -> list[bytes]:
        """The spans that this process has written so far."""
        path = self.telemetry_dir / SPANS_FILE
        return path.read_bytes().splitlines() if path.exists() else []

    def warehouse(self) -> AbstractContextManager[Session]:
        """A session on the warehouse."""
        return connect(self.warehouse_address(), self.warehouse_address)

    def contract(self, dataset: str) -> Contract:
        """The contract of a dataset. Raises UsageError naming those there are."""
        if dataset not in self.contracts:
            raise UsageError(f"there is no dataset {dataset}. Expected one of: {', '.join(sorted(self.contracts))}.")
        return self.contracts[dataset]
