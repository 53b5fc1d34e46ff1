"""Owns INSERT, UPDATE, DELETE and MERGE, and the way from their text to their translation. Queries are queries.py's."""

from sqlglot import exp

from local.redshift.sql import allow, catalog
from local.redshift.sql.decimals import size_of
from local.redshift.sql.dialect import parse, parse_expression, write
from local.redshift.sql.lexing import quote
from local.redshift.sql.queries import QueryTranslator
from local.redshift.sql.refusal import not_supported, syntax_error
from local.redshift.sql.reserved import check_names
from local.redshift.sql.scopes import Scope
from local.redshift.sql.shapes import check_shapes
from local.redshift.sql.tree import grouped

_JSON_STARTS = ("{", "[", '"')


def translate_statement(text: str, *, is_kept: bool = False) -> str:
    """Translate a query, INSERT, UPDATE, DELETE or MERGE in standard form. `is_kept`: it makes a table or view."""
    tree = parse(text)
    _name_target(tree)
    check_names(tree)
    _fold_names(tree)
    in_catalog = _reads_only_catalog(tree)
    allow.check(tree, in_catalog=in_catalog)
    check_shapes(tree)
    translator = QueryTranslator(in_catalog=in_catalog)
    if isinstance(tree, exp.Insert):
        _insert(tree, translator)
    elif isinstance(tree, exp.Update):
        _update(tree, translator)
    elif isinstance(tree, exp.Delete):
        _delete(tree, translator)
    elif isinstance(tree, exp.Merge):
        _merge(tree, translator)
    elif isinstance(tree, exp.Query):
        if is_kept:
            _size_constants(tree)
        translator.query(tree, None, {})
    else:
        raise not_supported(f"the statement {tree.key.upper()}")
    translator.facts.check()
    return write(_quoted(grouped(tree)))


def translate_query(text: str) -> str:
    """Translate the query of a CREATE statement."""
    if not text.lstrip("( \n").lower().startswith(("select", "with")):
        raise syntax_error("a query was expected after AS")
    return translate_statement(text, is_kept=True)


def _size_constants(query: exp.Expr) -> None:
    """Give the constants of a select list the types that Redshift gives the columns made of them.

    In a UNION they keep none of their own: a string there may be a date.
    """
    if isinstance(query, exp.Subquery):
        _size_constants(query.this)
    for item in query.expressions if isinstance(query, exp.Select) else ():
        value = item.this if isinstance(item, exp.Alias) else item
        size = size_of(value)
        if isinstance(value, exp.Literal) and value.is_string:
            kind = f"character varying({max(len(value.name.encode()), 1)})"
        elif size and not size.is_integer and not isinstance(value, exp.Cast):
            kind = size.postgres
        else:
            continue
        value.replace(exp.Cast(this=value.copy(), to=exp.Var(this=kind)))


def translate_late_binding(text: str) -> str:
    """Translate the query of a view WITH NO SCHEMA BINDING, which Redshift wants every relation's schema in."""
    tree = parse(text)
    common = {cte.alias.lower() for cte in tree.find_all(exp.CTE)}
    for table in tree.find_all(exp.Table):
        if isinstance(table.this, exp.Identifier) and not table.db and table.name.lower() not in common:
            what = "All the relation names inside should be qualified when creating VIEW WITH NO SCHEMA BINDING"
            raise syntax_error(f"{what}: {table.name}")
    return translate_query(text)


def translate_default(text: str) -> str:
    """Translate a column's default: an expression that names no column."""
    tree = parse_expression(text)
    if next(tree.find_all(exp.Column, exp.Query), None):
        raise not_supported(f"the default {text}")
    holder = exp.Select(expressions=[exp.Alias(this=tree, alias=exp.to_identifier("default"))])
    allow.check(holder, in_catalog=False)
    translator = QueryTranslator(in_catalog=False)
    translator.query(holder, None, {})
    return write(_quoted(grouped(holder)).expressions[0].this)


def _name_target(tree: exp.Expr) -> None:
    """Take what the parser sets aside: `delete t` is `delete from t`, and MERGE may insert without naming columns."""
    if isinstance(tree, exp.Delete) and not tree.this and len(tree.args.get("tables") or []) == 1:
        tree.set("this", tree.args["tables"][0])
        tree.set("tables", None)
    for then in tree.find_all(exp.Insert) if isinstance(tree, exp.Merge) else ():
        values = then.this.expressions if isinstance(then.this, exp.Tuple) else []
        if not then.expression and len(values) == 1 and isinstance(values[0], exp.Anonymous):
            then.set("this", None)
            then.set("expression", exp.Tuple(expressions=values[0].expressions))


def _fold_names(tree: exp.Expr) -> None:
    for identifier in tree.find_all(exp.Identifier):
        identifier.set("this", identifier.name.lower())


def _quoted(tree: exp.Expr) -> exp.Expr:
    for identifier in tree.find_all(exp.Identifier):
        quote(identifier.name)
        identifier.set("quoted", True)
    return tree


def _reads_only_catalog(tree: exp.Expr) -> bool:
    names = {cte.alias for cte in tree.find_all(exp.CTE)}
    tables = [t for t in tree.find_all(exp.Table) if isinstance(t.this, exp.Identifier) and t.name not in names]
    return isinstance(tree, exp.Query) and bool(tables) and all(catalog.find(t) is not None for t in tables)


def _target(table: exp.Expr, translator: QueryTranslator, scope: Scope) -> None:
    if not isinstance(table, exp.Table) or not isinstance(table.this, exp.Identifier):
        raise syntax_error("a table was expected")
    if catalog.find(table) is not None or catalog.is_copy_relation(table):
        raise not_supported(f"writing to the catalog relation {table.name}")
    scope.sources.append(translator.table(table))


def _insert(tree: exp.Insert, translator: QueryTranslator) -> None:
    scope = Scope()
    target = tree.this
    if (target.this if isinstance(target, exp.Schema) else target).args.get("alias"):
        raise not_supported("an alias for the target of INSERT")
    _target(target.this if isinstance(target, exp.Schema) else target, translator, scope)
    if isinstance(target, exp.Schema) and not all(isinstance(name, exp.Identifier) for name in target.expressions):
        raise syntax_error("column names were expected after INSERT INTO ... (")
    values = tree.args.get("expression")
    if values is None:
        if not tree.args.get("default"):
            raise syntax_error("INSERT without values")
        return
    ctes = translator.with_clause(tree, None, {})
    if isinstance(values, exp.Values):
        if len(values.expressions) > 1 and next(values.find_all(exp.Query), None):
            raise not_supported("a subquery in an INSERT of several rows")
        for row in values.expressions:
            for value in list(row.expressions):
                if not _is_default(value):
                    _keep_strings(translator.expression(value, Scope(), ctes))
        return
    translator.query(values, None, ctes)
    select = values.unnest() if isinstance(values, exp.Subquery) else values
    for item in select.expressions if isinstance(select, exp.Select) else ():
        _keep_strings(item.this if isinstance(item, exp.Alias) else item)


def _is_default(value: exp.Expr) -> bool:
    is_word = isinstance(value, (exp.Var, exp.Column)) and value.name.lower() == "default"
    if is_word and isinstance(value, exp.Column):
        value.replace(exp.Var(this="DEFAULT"))
    return is_word


def _keep_strings(value: exp.Expr) -> None:
    """A string stays a string in a SUPER column; PostgreSQL would parse it as JSON."""
    if isinstance(value, exp.Literal) and value.is_string and value.name.lstrip().startswith(_JSON_STARTS):
        value.replace(exp.Cast(this=value.copy(), to=exp.Var(this="character varying")))


def _update(tree: exp.Update, translator: QueryTranslator) -> None:
    scope = Scope()
    ctes = translator.with_clause(tree, None, {})
    _target(tree.this, translator, scope)
    if from_ := tree.args.get("from_"):
        translator.from_item(from_.this, scope, ctes)
        _joins(from_.this, translator, scope, ctes)
    for assignment in tree.expressions:
        column = assignment.this
        if not isinstance(assignment, exp.EQ) or not isinstance(column, exp.Column) or column.table:
            raise not_supported(f"the assignment {assignment.sql('redshift')}")
        if not _is_default(assignment.expression):
            _keep_strings(translator.expression(assignment.expression, scope, ctes))
    if where := tree.args.get("where"):
        translator.expression(where, scope, ctes)


def _joins(item: exp.Expr, translator: QueryTranslator, scope: Scope, ctes: dict[str, tuple[str, ...] | None]) -> None:
    if item.args.get("joins"):
        raise not_supported("a join in the FROM clause of UPDATE")


def _delete(tree: exp.Delete, translator: QueryTranslator) -> None:
    scope = Scope()
    ctes = translator.with_clause(tree, None, {})
    _target(tree.this, translator, scope)
    for item in tree.args.get("using") or []:
        translator.from_item(item, scope, ctes)
    if where := tree.args.get("where"):
        translator.expression(where, scope, ctes)


def _merge(tree: exp.Merge, translator: QueryTranslator) -> None:
    scope = Scope()
    if tree.this.alias:
        raise not_supported("an alias for the target of MERGE")
    _target(tree.this, translator, scope)
    source = tree.args["using"]
    if not isinstance(source, exp.Table):
        raise not_supported("a subquery as the source of MERGE", hint="Make a temporary table of it.")
    if (source.db, source.name) == (tree.this.db, tree.this.name):
        raise not_supported("MERGE of a table into itself")
    translator.from_item(source, scope, {})
    translator.expression(tree.args["on"], scope, {})
    whens = tree.args["whens"].expressions
    if [when.args["matched"] for when in whens] != [True, False]:
        raise syntax_error("MERGE needs WHEN MATCHED, then WHEN NOT MATCHED, once each and without conditions")
    for when in whens:
        then = when.args["then"]
        if isinstance(then, exp.Update):
            for assignment in then.expressions:
                if not isinstance(assignment.this, exp.Column) or assignment.this.table:
                    raise not_supported(f"the assignment {assignment.sql('redshift')} in MERGE")
                translator.expression(assignment.expression, scope, {})
        elif isinstance(then, exp.Insert):
            if not isinstance(then.expression, exp.Tuple):
                raise not_supported("this kind of INSERT in MERGE")
            translator.expression(then.expression, scope, {})
        elif not isinstance(then, exp.Var) or then.name.upper() != "DELETE":
            raise not_supported(f"{then.sql('redshift')} in MERGE")
    if any(node.name == "redshift.navigate" for node in tree.find_all(exp.Anonymous)):
        raise not_supported("a part of a SUPER column in MERGE")
