"""Owns lateral column aliases: an alias of the select list used further on in the same SELECT.

A column of the tables wins over an alias of its name. Where only the database knows the tables' columns, the alias is
taken, and a guard makes PostgreSQL say "ambiguous" should a table have such a column after all.
"""

from sqlglot import exp

from local.redshift.sql.scopes import Scope

_CLAUSES = ("where", "having", "qualify")


def expand_lateral_aliases(node: exp.Select, scope: Scope) -> None:
    """Replace the names of aliases by what they stand for, in place, before names are resolved."""
    aliases: dict[str, exp.Expr] = {}
    columns: set[str] = set()  # names that can only be columns: they stand where no alias of that name was known yet
    guarded: set[str] = set()
    for item in node.expressions:
        _expand(item, aliases, scope, guarded)
        columns |= {column.name for column in _bare_columns(item)}
        if isinstance(item, exp.Alias) and item.alias not in columns and not scope.surely_has(item.alias):
            aliases.setdefault(item.alias, item.this)
    for clause in _CLAUSES:
        if node.args.get(clause):
            _expand(node.args[clause], aliases, scope, guarded)
    for name in sorted(guarded):
        _guard(node, name, scope)


def _bare_columns(node: exp.Expr) -> list[exp.Column]:
    return [
        column for column in node.find_all(exp.Column) if not column.table and not isinstance(column.this, exp.Star)
    ]


def _expand(node: exp.Expr, aliases: dict[str, exp.Expr], scope: Scope, guarded: set[str]) -> None:
    for column in _bare_columns(node) if aliases else ():
        if column.name in aliases and scope.unnested_with(column.name) is None:
            if not scope.surely_lacks(column.name):
                guarded.add(column.name)
            column.replace(exp.Paren(this=aliases[column.name].copy()))


def _guard(node: exp.Select, name: str, scope: Scope) -> None:
    """Add a condition that is true, and that PostgreSQL cannot read when a table has a column of this name."""
    items: list[exp.Expr] = [_derived(exp.Select(expressions=[exp.Alias(this=exp.Null(), alias=_name(name))]), "alias")]
    for number, source in enumerate(scope.sources):
        if not source.is_unnested:
            row = exp.Select(expressions=[exp.Column(this=exp.Star(), table=_name(source.name))])
            items.append(_derived(row, f"source_{number}"))
    guard = exp.Select(
        expressions=[exp.Paren(this=exp.Is(this=exp.Column(this=_name(name)), expression=exp.Null()))],
        from_=exp.From(this=items[0]),
        joins=[exp.Join(this=item) for item in items[1:]],
    )
    condition: exp.Expr = exp.Subquery(this=guard)
    where = node.args.get("where")
    if where:
        condition = exp.And(this=exp.Paren(this=where.this), expression=condition)
    node.set("where", exp.Where(this=condition))


def _name(name: str) -> exp.Identifier:
    return exp.to_identifier(name, quoted=True)


def _derived(query: exp.Select, alias: str) -> exp.Subquery:
    return exp.Subquery(this=query, alias=exp.TableAlias(this=_name(alias)))
