"""Owns what a dotted name means: which part is a table, which a column, and where navigation into SUPER begins.

Resolving needs no catalog: a name's first part is a table of the FROM clause, or it is a column.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from sqlglot import exp

from local.redshift.sql.functions import call
from local.redshift.sql.refusal import not_supported

# PostgreSQL's: no column of Redshift's is one, and none may be called so ("oid" is the catalog's).
SYSTEM_COLUMNS = {"ctid", "xmin", "xmax", "cmin", "cmax", "tableoid", "oid"}


@dataclass(frozen=True, slots=True)
class Source:
    """One item of a FROM clause. `columns` is None where only the database knows them."""

    name: str
    qualified: tuple[str, ...]  # the table's name as written, when it has no alias: (table), (schema, table), ...
    columns: tuple[str, ...] | None
    is_unnested: bool = False


@dataclass(slots=True)
class Scope:
    """The sources a SELECT can name, and those around it."""

    outer: Scope | None = None
    sources: list[Source] = field(default_factory=list)
    is_correlated: bool = False  # names a table of a query around it

    def find(self, name: str) -> Source | None:
        """Return the nearest source of this name."""
        found = next((source for source in self.sources if source.name == name), None)
        return found or (self.outer.find(name) if self.outer else None)

    def correlate(self, source: Source) -> None:
        """Note which queries a name reaches out of. Redshift lets it out of one."""
        if any(known is source for known in self.sources) or self.outer is None:
            return
        self.is_correlated = True
        if not any(known is source for known in self.outer.sources):
            raise not_supported(f'a correlation to "{source.name}" that skips the query between')

    def find_qualified(self, parts: tuple[str, ...]) -> Source | None:
        """Return the nearest table that was written with exactly this qualified name and no alias."""
        found = next((source for source in self.sources if source.qualified[-len(parts) :] == parts), None)
        return found or (self.outer.find_qualified(parts) if self.outer else None)

    def unnested_with(self, column: str) -> Source | None:
        """Return the nearest unnested array that has this name for its elements or their index."""
        found = next((s for s in self.sources if s.is_unnested and column in (s.columns or ())), None)
        return found or (self.outer.unnested_with(column) if self.outer else None)

    def surely_lacks(self, column: str) -> bool:
        """Whether no source has this column, for all we know: False where only the database can tell."""
        known = all(source.columns is not None and column not in source.columns for source in self.sources)
        return known and (self.outer is None or self.outer.surely_lacks(column))

    def surely_has(self, column: str) -> bool:
        """Whether some source is known to have this column."""
        return any(column in (source.columns or ()) for source in self.sources)


@dataclass(frozen=True, slots=True)
class Path:
    """A dotted and bracketed name, or such steps after any other expression."""

    base: exp.Expr | None
    names: tuple[str, ...]
    steps: tuple[str | int, ...]

    @property
    def label(self) -> str | None:
        """What Redshift calls a column that is this expression."""
        keys = [step for step in (*self.names, *self.steps) if isinstance(step, str)]
        return keys[-1] if keys else None


def path_of(node: exp.Expr) -> Path | None:
    """Take a name apart. None for anything that is neither a name nor a step into one."""
    steps: list[str | int] = []
    while isinstance(node, (exp.Dot, exp.Bracket)):
        if isinstance(node, exp.Bracket):
            steps.append(_index(node))
        elif isinstance(node.expression, exp.Identifier):
            steps.append(node.expression.name)
        else:
            return None
        node = node.this
    steps.reverse()
    if isinstance(node, (exp.Column, exp.Table)) and not isinstance(node.this, exp.Star):
        inside = node.this
        # sqlglot keeps the fourth and later parts of a table's name in a chain of its own.
        names = [part.name for part in inside.flatten()] if isinstance(inside, exp.Dot) else [inside.name]
        qualifiers = [node.args[part].name for part in ("catalog", "db", "table") if node.args.get(part)]
        return Path(None, (*qualifiers, *names), tuple(steps))
    return Path(node, (), tuple(steps)) if steps else None


def resolve(path: Path, scope: Scope) -> exp.Expr:
    """Return the column a path names, wrapped in the navigation its remaining steps ask for."""
    if path.base is not None:
        return _navigate(path.base, path.steps)
    names = path.names
    first = scope.find(names[0])
    if first and len(names) > 1:
        scope.correlate(first)
    if len(names) == 1:
        return _navigate(_bare_column(names[0], first, scope), path.steps)
    if first and first.is_unnested:
        return _navigate(_column(first.name, first.name), (*names[1:], *path.steps))
    if first:
        return _navigate(_column(names[1], first.name), (*names[2:], *path.steps))
    for length in range(len(names) - 1, 1, -1):
        if source := scope.find_qualified(names[:length]):
            scope.correlate(source)
            return _navigate(_column(names[length], source.name), (*names[length + 1 :], *path.steps))
    return _navigate(_bare_column(names[0], None, scope), (*names[1:], *path.steps))


def _bare_column(name: str, table: Source | None, scope: Scope) -> exp.Column:
    if unnested := scope.unnested_with(name):
        return _column(name, unnested.name)
    if table is None or name in (table.columns or ()):
        return _column(name, None)
    # PostgreSQL would read a table's name as its whole row where there is no such column; Redshift knows no rows.
    if len(scope.sources) > 1:
        raise not_supported(f'the name "{name}", which is a table\'s, for a column', hint="Qualify the column.")
    return _column(name, table.name)


def _column(name: str, table: str | None) -> exp.Column:
    if name in SYSTEM_COLUMNS and name != "oid":
        raise not_supported(f'the system column "{name}"')
    return exp.column(name, table=table)


def _navigate(value: exp.Expr, steps: tuple[str | int, ...]) -> exp.Expr:
    for step in steps:
        target = exp.Literal.number(step) if isinstance(step, int) else exp.Literal.string(step)
        value = call("redshift.navigate", value, target)
    return value


def is_navigation(node: exp.Expr) -> bool:
    """Whether a rewritten expression is surely a SUPER value."""
    while isinstance(node, exp.Paren):
        node = node.this
    return isinstance(node, exp.Anonymous) and node.name == "redshift.navigate"


def _index(node: exp.Bracket) -> int:
    index = node.expressions[0] if len(node.expressions) == 1 else None
    if not isinstance(index, exp.Literal) or index.is_string or not index.name.isdigit():
        raise not_supported("an array index that is not a whole number")
    return int(index.name)
