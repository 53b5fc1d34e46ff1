"""Owns how we log in to the warehouse: with what a secret holds, or with credentials for an hour of our own role.

The driver could ask for such credentials itself, but dbt and Great Expectations need the same ones.
"""

from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from functools import cache, partial
from typing import TypeVar

import boto3
from botocore.config import Config

from contracts.errors import ServiceUnavailable
from loader.warehouse import WarehouseAddress
from observability.aws_errors import translated
from spacex_elt.secrets import read_warehouse_address
from spacex_elt.settings import Settings

Endpoint = TypeVar("Endpoint")
FindAddress = Callable[[], WarehouseAddress]

_HOUR_S = 3600
#: What begins with a login must not outlast it: a build of the marts may take half an hour.
_LEAST_LEFT = timedelta(minutes=35)
_RETRIES = Config(retries={"mode": "standard", "max_attempts": 4})


def _utc_now() -> datetime:
    return datetime.now(UTC)


def warehouse_login(settings: Settings, now: Callable[[], datetime] = _utc_now) -> FindAddress:
    """Finds the warehouse's address and our login each time it is called, asking AWS only when it must.

    What it returns raises UsageError when the setting or our role is wrong, ServiceUnavailable when AWS is away.
    """
    database = settings.warehouse_database
    if settings.warehouse_cluster:
        return _Temporary(partial(_of_cluster, settings.warehouse_cluster, database), now)
    if settings.warehouse_workgroup:
        return _Temporary(partial(_of_workgroup, settings.warehouse_workgroup, database), now)
    return cache(partial(read_warehouse_address, settings.warehouse_secret_id))


class _Temporary:
    """A login that ends, and is asked for anew in good time."""

    def __init__(self, ask: Callable[[], tuple[WarehouseAddress, datetime]], now: Callable[[], datetime]) -> None:
        self._ask = ask
        self._now = now
        self._held: tuple[WarehouseAddress, datetime] | None = None

    def __call__(self) -> WarehouseAddress:
        if self._held is None or self._held[1] - self._now() < _LEAST_LEFT:
            self._held = self._ask()
        return self._held[0]


def _of_cluster(cluster: str, database: str) -> tuple[WarehouseAddress, datetime]:
    what = f"the Redshift cluster {cluster}"
    with (
        translated(what, "SPACEX_ELT_WAREHOUSE_CLUSTER"),
        closing(boto3.client("redshift", config=_RETRIES)) as client,
    ):
        (described,) = client.describe_clusters(ClusterIdentifier=cluster)["Clusters"]
        endpoint = _endpoint(what, described.get("Endpoint"), described.get("ClusterStatus"))
        told = client.get_cluster_credentials_with_iam(
            ClusterIdentifier=cluster, DbName=database, DurationSeconds=_HOUR_S
        )
    address = WarehouseAddress(endpoint["Address"], endpoint["Port"], database, told["DbUser"], told["DbPassword"])
    return address, told["Expiration"]


def _of_workgroup(workgroup: str, database: str) -> tuple[WarehouseAddress, datetime]:
    what = f"the Redshift workgroup {workgroup}"
    with (
        translated(what, "SPACEX_ELT_WAREHOUSE_WORKGROUP"),
        closing(boto3.client("redshift-serverless", config=_RETRIES)) as client,
    ):
        described = client.get_workgroup(workgroupName=workgroup)["workgroup"]
        endpoint = _endpoint(what, described.get("endpoint"), described.get("status"))
        told = client.get_credentials(workgroupName=workgroup, dbName=database, durationSeconds=_HOUR_S)
    address = WarehouseAddress(endpoint["address"], endpoint["port"], database, told["dbUser"], told["dbPassword"])
    return address, told["expiration"]


def _endpoint(what: str, endpoint: Endpoint | None, status: str | None) -> Endpoint:
    if not endpoint:  # while it is made, and while it is paused
        raise ServiceUnavailable(
            f"{what} has no endpoint: it is {status or 'of no status'}. Expected an available one: try again."
        )
    return endpoint
