"""Owns the load gate: a staged table against its contract, by Great Expectations over redshift+psycopg2.

What is expected follows from the contract (contracts/derive/expectations.py); its words are validation/suite.py's job.
"""

import logging
import ssl
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final, Protocol

from contracts.derive.expectations import Expectation, ExpectationKind, expectations
from contracts.errors import ServiceUnavailable
from contracts.model import Contract
from validation.results import CheckResult, LoadGateResult, Verdict
from validation.suite import Told, check_of, rule_id_of, to_great_expectations
from validation.wording import batch_name, counted

if TYPE_CHECKING:
    from great_expectations.datasource.fluent.sql_datasource import SQLDatasource

STAGING_SCHEMA: Final = "staging_spacex"


class WarehouseLogin(Protocol):
    """Where the warehouse is and who we are there."""

    @property
    def host(self) -> str: ...  # noqa: D102 the names say it
    @property
    def port(self) -> int: ...  # noqa: D102
    @property
    def database(self) -> str: ...  # noqa: D102
    @property
    def user(self) -> str: ...  # noqa: D102
    @property
    def password(self) -> str: ...  # noqa: D102


def warm_up() -> None:
    """Imports Great Expectations, which takes seconds. Needed by nobody: the gate does it when it must."""
    with quiet():
        import great_expectations  # noqa: F401
        import sqlalchemy_redshift  # type: ignore[import-untyped] # noqa: F401


@contextmanager
def quiet() -> Iterator[None]:
    """Great Expectations imports deprecated modules and calls its own table schemas deprecated, to name no other."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        yield


def check_staging(
    login: WarehouseLogin, contract: Contract, batch_id: str, table: str, staged_count: int
) -> LoadGateResult:
    """Judges the staging table of a batch, named without its schema, that should hold `staged_count` rows.

    Writes nothing, neither to the warehouse nor to disk. Raises ServiceUnavailable when the warehouse does not
    answer or an expectation could not be computed: that says nothing about the data.
    """
    warm_up()
    with _explained(f"{STAGING_SCHEMA}.{table} on {login.host}:{login.port}"):
        results = run_suite(_redshift(login), table, expectations(contract), staged_count)
    checks = tuple(check_of(contract, told) for told in results)
    return LoadGateResult(
        dataset=contract.dataset,
        batch_id=batch_id,
        staged_count=next(told.row_count for told in results if told.row_count is not None),
        checks=checks,
        verdict=verdict(checks),
        reason=f"{batch_name(contract.dataset, batch_id)}: {_why(checks, staged_count)}",
    )


def verdict(checks: Sequence[CheckResult]) -> Verdict:
    """Go, unless a check holds the batch: rows are no longer split here."""
    return Verdict.NO_GO if any(check.holds_the_batch for check in checks) else Verdict.GO


def run_suite(datasource: "SQLDatasource", table: str, suite: Sequence[Expectation], staged_count: int) -> list[Told]:
    """What Great Expectations says of each expectation: those about the table first, and only those when its columns
    are not the contract's. Raises its errors as they come.
    """
    import great_expectations as gx

    wanted = gx.ExpectationSuite(name=table, expectations=[to_great_expectations(one, staged_count) for one in suite])
    with quiet():
        asset = datasource.add_table_asset("staged", table_name=table, schema_name=STAGING_SCHEMA)
        batch = asset.add_batch_definition_whole_table("whole").get_batch()
        outcome = batch.validate(wanted, result_format="SUMMARY")
    by_rule = {rule_id_of(result): result for result in outcome.results}
    about_table = [Told.read(one, by_rule[one.rule_id], staged_count) for one in suite if one.column is None]
    if not all(told.passed for told in about_table if told.expectation.kind is ExpectationKind.COLUMNS):
        return about_table  # what was said of columns that are not the contract's means nothing
    return about_table + [Told.read(one, by_rule[one.rule_id], staged_count) for one in suite if one.column]


def _redshift(login: WarehouseLogin) -> "SQLDatasource":
    from sqlalchemy import URL

    url = URL.create(
        "redshift+psycopg2", login.user, login.password, login.host, login.port, login.database
    ).render_as_string(hide_password=False)
    # The dialect trusts only the certificates it brings along. Trust what the process trusts, as its other clients do.
    trusted = ssl.get_default_verify_paths().cafile
    connect_args = {"sslrootcert": trusted} if trusted else {}
    made: SQLDatasource = context().data_sources.add_redshift(
        "warehouse", connection_string=url, kwargs={"connect_args": connect_args}
    )
    return made


def context() -> Any:
    """A fresh Great Expectations that keeps nothing on disk and draws no progress bars."""
    import great_expectations as gx
    from great_expectations.data_context.types.base import (
        DataContextConfig,
        InMemoryStoreBackendDefaults,
        ProgressBarsConfig,
    )

    logging.getLogger("great_expectations").setLevel(logging.ERROR)
    config = DataContextConfig(
        store_backend_defaults=InMemoryStoreBackendDefaults(init_temp_docs_sites=False),
        progress_bars=ProgressBarsConfig(globally=False),
        analytics_enabled=False,
    )
    return gx.get_context(mode="ephemeral", project_config=config)


@contextmanager
def _explained(where: str) -> Iterator[None]:
    """Says of foreign errors what they mean: the check did not take place."""
    from great_expectations.datasource.fluent.interfaces import TestConnectionError
    from great_expectations.exceptions.exceptions import GreatExpectationsError
    from sqlalchemy.exc import SQLAlchemyError

    try:
        yield
    except (GreatExpectationsError, TestConnectionError, SQLAlchemyError) as exc:
        raise ServiceUnavailable(
            f"load gate of {where}: the staged rows could not be checked, so nothing is known of them. Expected a "
            f"warehouse that answers; nothing was published. Run the step again. ({_first_line(exc)})"
        ) from exc


def _first_line(exc: Exception) -> str:
    return next(iter(str(exc).strip().splitlines()), type(exc).__name__)


def _why(checks: Sequence[CheckResult], staged_count: int) -> str:
    causes = [
        f"{check.observed}, expected {check.expected} (rule {check.rule_id})"
        for check in checks
        if check.holds_the_batch
    ]
    told = [check.rule_id for check in checks if not check.passed and not check.holds_the_batch]
    warned = f", with warnings by {', '.join(told)}" if told else ""
    return "; ".join(causes) or f"all {counted(staged_count, 'staged row')} as expected{warned}"
