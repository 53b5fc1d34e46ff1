"""Owns bringing the warehouse in line with the contracts: planning against the catalog, and running the plan's steps.

What the steps are is migration.py's job.
"""

from collections.abc import Callable, Iterable, Mapping
from functools import partial

from contracts.derive.redshift import raw_table
from contracts.errors import ContractInvalid, UsageError
from contracts.model import Contract
from loader.catalog import read_access, read_tables
from loader.migration import TABLE_SCHEMAS, MigrationPlan, Step, plan_migration, plan_table
from loader.publication import LEDGER_TABLE
from loader.warehouse import Session, StatementRefused


def look(session: Session, contracts: Mapping[str, Contract]) -> MigrationPlan:
    """What would be changed now. Changes nothing."""

    def plan() -> MigrationPlan:
        tables, access = read_tables(session, TABLE_SCHEMAS), read_access(session)
        return plan_migration(contracts, tables, access, partial(_count_nulls, session))

    return session.transaction(plan)


def migrate(
    session: Session, contracts: Mapping[str, Contract], on_step: Callable[[Step], None] = lambda step: None
) -> MigrationPlan:
    """Does what `look` would show, step by step, and returns that. Killed anywhere, the next call does the rest."""
    plan = look(session, contracts)
    for step in plan.steps:
        _run(session, step)
        on_step(step)
    return plan


def refuse_refused(plan: MigrationPlan) -> None:
    """Raises ContractInvalid when contracts ask for what cannot be done to their tables."""
    if plan.refusals:
        told = " ".join(f"{refusal.what}. {refusal.way_out}" for refusal in plan.refusals)
        raise ContractInvalid(f"{told} Nothing of this was changed.")


def refuse_behind(session: Session, contract: Contract) -> None:
    """Raises UsageError when the dataset's table, or the ledger, is not yet what a load of this contract needs."""
    wanted = {contract.dataset: raw_table(contract), "ledger": LEDGER_TABLE}

    def plans() -> list[MigrationPlan]:
        tables = read_tables(session, TABLE_SCHEMAS)
        return [
            plan_table(about, table, tables.get(table.name), frozenset(), partial(_count_nulls, session))
            for about, table in wanted.items()
        ]

    reasons = [reason for plan in session.transaction(plans) for reason in plan.reasons_to_hold]
    if reasons:
        raise UsageError(
            f"the warehouse is behind contract version {contract.version} of {contract.dataset}: {'; '.join(reasons)}. "
            "Nothing was loaded. See `spacex-elt warehouse plan`, do it with `spacex-elt warehouse apply`, then run "
            "the step again."
        )


def _count_nulls(session: Session, table: str, column: str | None) -> int:
    where = "" if column is None else f' where "{column}" is null'
    return int(session.rows(f"select count(*) from {table}{where}")[0][0])


def _run(session: Session, step: Step) -> None:
    try:
        if step.is_alone:
            for statement in step.statements:
                session.run_outside(statement)
            return
        session.transaction(partial(run_all, session, step.statements))
    except StatementRefused as exc:
        raise UsageError(
            f"the warehouse refused a step of the plan ({step.about}: {step.why}): {exc} ({exc.sqlstate}). What came "
            "before it is done, and nothing of it. Check that our user owns what it changes and may create roles and "
            "schemas; then apply again."
        ) from exc


def run_all(session: Session, statements: Iterable[str]) -> None:
    """Runs statements in the transaction that is open, as they are written."""
    for statement in statements:
        session.run(statement)
