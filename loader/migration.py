"""Owns the plan that brings the warehouse in line with the contracts: what to run, why, and what cannot be.

Pure: what is to be and what is go in, steps come out. Reading the catalog is catalog.py's job, running migrate.py's.
What each kind of change becomes, and why: docs/adr/0011-tables-follow-the-contracts-by-a-plan.md.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from contracts.derive.redshift import RAW_SCHEMA, Column, Table
from contracts.derive.redshift import raw_table as wanted_raw_table
from contracts.evolution import lattice
from contracts.model import Contract, Role
from loader.catalog import Access, FoundColumn, FoundTable, Grant
from loader.publication import LEDGER_TABLE, STAGING_SCHEMA, TRANSFORM_LOCK_TABLE

PIPELINE_SCHEMA = "pipeline"
#: dbt's own (dbt/dbt_project.yml). Each of its builds makes their views anew, so that a plan may drop them.
MARTS_SCHEMA, DBT_STAGING_SCHEMA = "analytics", "analytics_staging"
OWN_SCHEMAS = (RAW_SCHEMA, STAGING_SCHEMA, PIPELINE_SCHEMA, MARTS_SCHEMA, DBT_STAGING_SCHEMA)
TABLE_SCHEMAS = (RAW_SCHEMA, PIPELINE_SCHEMA)  # where tables are ours to change

#: A role's name in the warehouse is one for the whole cluster: `reader` of a contract is `spacex_reader` there.
ROLE_PREFIX = "spacex_"
_PRIVILEGES = {"read": ("select",), "write": ("select", "insert", "update", "delete")}
_SCHEMAS_OF_ROLE: Mapping[str, tuple[tuple[str, tuple[str, ...]], ...]] = {
    "loader": ((STAGING_SCHEMA, ("usage", "create")), (PIPELINE_SCHEMA, ("usage",))),
    "transformer": ((MARTS_SCHEMA, ("usage", "create")), (DBT_STAGING_SCHEMA, ("usage", "create"))),
    "reader": ((MARTS_SCHEMA, ("usage",)),),
}
_LEDGER_PRIVILEGES = {"loader": ("select", "insert"), "transformer": ("select",)}  # dbt's freshness asks the ledger
_WIDENED_IN_PLACE = re.compile(r"VARCHAR\(\d+\)")
#: What Redshift cannot widen in place (ALTER TABLE, "ALTER COLUMN ... TYPE").
_FIXED_ENCODINGS = {"bytedict", "runlength", "text255", "text32k"}

#: The rows of a table, or of those the ones that are null in a column.
CountNulls = Callable[[str, str | None], int]


@dataclass(frozen=True, slots=True)
class Step:
    """One change, whole or not at all: its statements are one transaction, or one statement that stands in none."""

    about: str  # a dataset, or what else it is
    statements: tuple[str, ...]
    why: str
    notice: str = ""  # what somebody may notice; nothing for a safe step
    is_alone: bool = False  # Redshift runs it outside a transaction only
    holds_load: bool = False  # without it, the next load cannot be right

    @property
    def is_safe(self) -> bool:
        """Whether nobody who reads or loads notices anything."""
        return not self.notice


@dataclass(frozen=True, slots=True)
class Refusal:
    """What a contract asks for and no plan may do, with the way out."""

    about: str
    what: str
    way_out: str
    holds_load: bool = False


@dataclass(frozen=True, slots=True)
class MigrationPlan:
    """What is to be done, in order; what will not be; what differs and stays."""

    steps: tuple[Step, ...] = ()
    refusals: tuple[Refusal, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def reasons_to_hold(self) -> tuple[str, ...]:
        """Why a load would not be right now."""
        found = [step.why for step in self.steps if step.holds_load]
        return (*found, *(f"{refusal.what}. {refusal.way_out}" for refusal in self.refusals if refusal.holds_load))


def plan_migration(
    contracts: Mapping[str, Contract], tables: Mapping[str, FoundTable], access: Access, count_nulls: CountNulls
) -> MigrationPlan:
    """The whole plan. Carried out, the next one has no steps."""
    roles = {role.name: role for contract in contracts.values() for role in contract.roles}
    parts = [MigrationPlan(steps=tuple(_access_steps(roles.values(), access)))]
    for contract in contracts.values():
        table = wanted_raw_table(contract)
        grants = raw_grants(contract)
        parts.append(plan_table(contract.dataset, table, tables.get(table.name), grants, count_nulls))
    for about, table, privileges in (
        ("ledger", LEDGER_TABLE, _LEDGER_PRIVILEGES),
        ("transform lock", TRANSFORM_LOCK_TABLE, {}),
    ):
        grants = _table_grants(table.name, {name: what for name, what in privileges.items() if name in roles})
        parts.append(plan_table(about, table, tables.get(table.name), grants, count_nulls))
    return MigrationPlan(
        tuple(step for part in parts for step in part.steps),
        tuple(refusal for part in parts for refusal in part.refusals),
        tuple(note for part in parts for note in part.notes),
    )


def plan_table(
    about: str, wanted: Table, found: FoundTable | None, grants: frozenset[Grant], count_nulls: CountNulls
) -> MigrationPlan:
    """The plan of one table: all that differs, or nothing when something of it is refused."""
    if found is None:
        made = Step(about, (wanted.create(if_missing=False),), f"{wanted.name} is not there")
        return MigrationPlan(steps=(made, *_words_and_access(about, wanted, None, grants)))
    change = _Change(about, wanted, found, grants, count_nulls)
    if refusals := tuple(change.refusals()):
        return MigrationPlan(refusals=refusals, notes=tuple(change.notes()))
    if change.must_copy():
        return MigrationPlan((change.copy(),), notes=tuple(change.notes_on_columns()))  # the rest is part of copying
    steps = (*change.steps(), *_words_and_access(about, change.whole, found, grants))
    return MigrationPlan(steps, notes=tuple(change.notes()))


@dataclass(frozen=True, slots=True)
class _Change:
    """What differs in one table."""

    about: str
    wanted: Table
    found: FoundTable
    grants: frozenset[Grant]
    count_nulls: CountNulls
    before: Mapping[str, FoundColumn] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "before", {column.name: column for column in self.found.columns})

    @property
    def whole(self) -> Table:
        """The table as it will be: what the contract has, and what it no longer has, which is kept and may be null."""
        known = {column.name for column in self.wanted.columns}
        kept = [Column(column.name, column.type, description=column.description) for column in self.found.columns]
        return replace(
            self.wanted, columns=(*self.wanted.columns, *(column for column in kept if column.name not in known))
        )

    def refusals(self) -> Iterator[Refusal]:
        for column in self.wanted.columns:
            old = self.before.get(column.name)
            name = f'{self.wanted.name}: column "{column.name}"'
            if old is None:
                if column.is_required and (count := self.count_nulls(self.wanted.name, None)):
                    yield Refusal(
                        self.about,
                        f"{name} is not there and must not be null, and the table has {count} rows that would be",
                        "Add the property with `required: false` first, and load; or make the table anew from the "
                        "lake: `spacex-elt warehouse rebuild`.",
                        holds_load=True,
                    )
            elif not lattice.is_lossless(old.type, column.type):
                yield self._other_type(name, old, column)
            elif (
                column.is_required
                and not old.is_required
                and (count := self.count_nulls(self.wanted.name, column.name))
            ):
                yield Refusal(
                    self.about,
                    f"{name} must not be null, and is in {count} rows (deleted ones count)",
                    f"Keep `required: false`; or fill or delete those rows: select * from {self.wanted.name} where "
                    f'"{column.name}" is null.',
                )
        strange = [view for view in self.found.views if not is_dbts(view)]
        if strange and (self.must_copy() or self._widened()):
            yield Refusal(
                self.about,
                f"{self.wanted.name} cannot be changed while views that dbt does not own are bound to it: "
                f"{', '.join(strange)}",
                "Drop them, apply, and make them anew, `with no schema binding` so that it does not happen again.",
                holds_load=bool(self._widened()) or self._holds_load(),
            )

    def _other_type(self, name: str, old: FoundColumn, column: Column) -> Refusal:
        if lattice.is_lossless(column.type, old.type):
            way = f"Keep {old.type} in the contract"
            return Refusal(self.about, f"{name} is {old.type}, and {column.type} would hold less", f"{way}.")
        way = "Put a new property beside the old one (docs/how-to/change-a-contract.md)"
        what = f"{name} is {old.type}, which does not become {column.type} without loss"
        return Refusal(self.about, what, f"{way}; a table without rows may be dropped and is made anew.", True)

    def steps(self) -> Iterator[Step]:
        """What the table as it is can be altered by."""
        widened = self._widened()
        if widened and self.found.views:
            yield Step(
                self.about,
                tuple(f"drop view if exists {view} cascade" for view in self.found.views),
                f"columns of {self.wanted.name} cannot be widened while views are bound to them",
                notice=_VIEWS_NOTICE,
            )
        for column in widened:
            yield Step(
                self.about,
                (f'alter table {self.wanted.name} alter column "{column.name}" type {column.type.lower()}',),
                f'{self.wanted.name}: column "{column.name}" is {self.before[column.name].type}, '
                f"the contract has {column.type}",
                is_alone=True,
                holds_load=True,
            )
        for column in self._added():
            yield Step(
                self.about,
                (f"alter table {self.wanted.name} add column {column.definition()}",),
                f'{self.wanted.name}: column "{column.name}" is not there',
                holds_load=True,
            )

    def notes_on_columns(self) -> Iterator[str]:
        known = {column.name for column in self.wanted.columns}
        for gone in self.found.columns:
            if gone.name not in known:
                yield (
                    f'{self.wanted.name}: column "{gone.name}" is in no contract any more. It is kept with what it '
                    "holds, and null in new rows; drop it by hand when nobody reads it."
                )

    def notes(self) -> Iterator[str]:
        yield from self.notes_on_columns()
        name, key = self.wanted.name, self.wanted.sort_key
        if self.found.diststyle != "auto":
            yield f"{name} is laid out diststyle {self.found.diststyle}, and would be auto if made today."
        if key and self.found.sort_key != (key,):
            yield f'{name} is sorted by {", ".join(self.found.sort_key) or "nothing"}, and would be by "{key}".'
        others = [
            f'"{column.name}" {old.encoding} instead of {encoding}'
            for column in self.wanted.columns
            if (old := self.before.get(column.name)) is not None
            and (encoding := column.encoding(key)) is not None
            and old.encoding != encoding.replace("raw", "none")
        ]
        if others:
            yield f"{name} is encoded otherwise than it would be today: {', '.join(others)}."

    def _added(self) -> list[Column]:
        return [column for column in self.wanted.columns if column.name not in self.before]

    def _changed(self) -> Iterator[tuple[FoundColumn, Column]]:
        for column in self.wanted.columns:
            old = self.before.get(column.name)
            if old is not None and not lattice.is_same_column(old.type, column.type):
                yield old, column

    def _widened(self) -> list[Column]:
        """Those that can grow in place."""
        return [column for old, column in self._changed() if _grows_in_place(old)]

    def must_copy(self) -> bool:
        """Whether something differs that Redshift cannot alter."""
        after = {column.name: column for column in self.whole.columns}
        return (
            any(not _grows_in_place(old) for old, _ in self._changed())
            or any(column.is_required for column in self._added())
            or any(old.is_required != after[old.name].is_required for old in self.found.columns)
        )

    def _holds_load(self) -> bool:
        """Whether a load would fail on the table as it is."""
        after = {column.name: column for column in self.whole.columns}
        looser = any(old.is_required and not after[old.name].is_required for old in self.found.columns)
        return looser or bool(self._added()) or any(True for _ in self._changed())

    def copy(self) -> Step:
        """All rows into a new table, which takes the old one's place: one transaction, in which readers wait."""
        table = self.wanted.name
        new = f"{table}__new"
        names = ", ".join(f'"{column.name}"' for column in self.found.columns)
        return Step(
            self.about,
            (
                f"lock table {table}",
                self.whole.create(name=new, if_missing=False),
                f"insert into {new} ({names}) select {names} from {table}",
                *replacement(self.whole, new, self.found, self.grants),
            ),
            f"made anew: {self.wanted.name}: {'; '.join(self._told())}",
            notice="its readers wait while its rows are copied" + (f"; {_VIEWS_NOTICE}" if self.found.views else ""),
            holds_load=self._holds_load(),
        )

    def _told(self) -> Iterator[str]:
        after = {column.name: column for column in self.whole.columns}
        for column in self._added():
            yield f'column "{column.name}" is not there'
        for old, column in self._changed():
            yield f'column "{column.name}" is {old.type}, the contract has {column.type}'
        for old in self.found.columns:
            if old.is_required != after[old.name].is_required:
                words = "may be null and must not be" if not old.is_required else "must not be null and may be"
                yield f'column "{old.name}" {words}'


def replacement(wanted: Table, new: str, found: FoundTable, grants: frozenset[Grant]) -> Iterator[str]:
    """Puts the table `new` in the place of the one found, for everybody who may use that one and its contract's roles.

    To run in one transaction with the table locked. Fails, and changes nothing, where a view of others is bound to it.
    """
    table = found.name
    short = table.partition(".")[2]
    yield from (f"drop view if exists {view} cascade" for view in found.views if is_dbts(view))
    yield f"alter table {table} rename to {short}__old"
    yield f"alter table {new} rename to {short}"
    yield f"drop table {table}__old"
    yield from _comments(wanted, None)
    yield from _grants(grants | found.grants)


def is_dbts(view: str) -> bool:
    """Whether dbt makes the view anew with each build."""
    return view.partition(".")[0] in (MARTS_SCHEMA, DBT_STAGING_SCHEMA)


_VIEWS_NOTICE = "dbt's views on it are gone until the next `spacex-elt transform`"


def _grows_in_place(old: FoundColumn) -> bool:
    return bool(_WIDENED_IN_PLACE.fullmatch(old.type)) and old.encoding not in _FIXED_ENCODINGS


def _words_and_access(about: str, wanted: Table, found: FoundTable | None, grants: frozenset[Grant]) -> Iterator[Step]:
    comments = tuple(_comments(wanted, found))
    if comments:
        yield Step(about, comments, f"{wanted.name} is to say what its contract says")
    missing = grants - (found.grants if found is not None else frozenset())
    if missing:
        yield Step(about, tuple(_grants(missing)), f"{wanted.name} is for {_few_roles(missing)}")


def _comments(wanted: Table, found: FoundTable | None) -> Iterator[str]:
    before = {column.name: column.description for column in found.columns} if found is not None else {}
    if wanted.description and (found is None or found.description != _one_line(wanted.description)):
        yield f"comment on table {wanted.name} is {_literal(wanted.description)}"
    for column in wanted.columns:
        if column.description and before.get(column.name, "") != _one_line(column.description):
            yield f'comment on column {wanted.name}."{column.name}" is {_literal(column.description)}'


def _one_line(text: str) -> str:
    return " ".join(text.replace("\\", "/").split())  # in a literal of Redshift's, a backslash is an escape


def _literal(text: str) -> str:
    return "'" + _one_line(text).replace("'", "''") + "'"


def raw_grants(contract: Contract) -> frozenset[Grant]:
    """What the contract's roles may do with its published table."""
    table = wanted_raw_table(contract).name
    return _table_grants(table, {role.name: _PRIVILEGES[role.access] for role in contract.roles})


def _table_grants(table: str, privileges: Mapping[str, Sequence[str]]) -> frozenset[Grant]:
    return frozenset(Grant(table, what, _role(name)) for name, whats in privileges.items() for what in whats)


def _grants(grants: Iterable[Grant], kind: str = "") -> Iterator[str]:
    by_grantee: dict[tuple[str, str], list[str]] = {}
    for grant in sorted(grants):
        by_grantee.setdefault((grant.on, grant.to), []).append(grant.privilege)
    for (on, to), privileges in by_grantee.items():
        yield f"grant {', '.join(privileges)} on {kind}{on} to {to}"


def _access_steps(roles: Iterable[Role], access: Access) -> Iterator[Step]:
    names = [role.name for role in roles]
    schemas = [schema for schema in OWN_SCHEMAS if schema not in access.schemas]
    if schemas:
        yield Step("schemas", tuple(f"create schema if not exists {name}" for name in schemas), "they are not there")
    for name in names:
        if f"{ROLE_PREFIX}{name}" not in access.roles:
            yield Step("roles", (f"create role {ROLE_PREFIX}{name}",), f"contracts have a role {name}")
    wanted = {
        Grant(schema, privilege, _role(name))
        for name in names
        for schema, privileges in ((RAW_SCHEMA, ("usage",)), *_SCHEMAS_OF_ROLE.get(name, ()))
        for privilege in privileges
    }
    if missing := wanted - access.grants:
        yield Step("schemas", tuple(_grants(missing, "schema ")), f"they are for {_few_roles(missing)}")
    if "reader" in names and Grant(MARTS_SCHEMA, "select", _role("reader")) not in access.defaults:
        to = _role("reader")
        statements = (
            f"alter default privileges in schema {MARTS_SCHEMA} grant select on tables to {to}",
            f"grant select on all tables in schema {MARTS_SCHEMA} to {to}",
        )
        yield Step("schemas", statements, f"marts, which dbt makes anew each time, are for {to}")


def _role(name: str) -> str:
    return f'role "{ROLE_PREFIX}{name}"'


def _few_roles(grants: Iterable[Grant]) -> str:
    return ", ".join(sorted({grant.to.replace('"', "") for grant in grants}))
