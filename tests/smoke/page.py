"""Writes the lists of docs/redshift-stand-in.md from the stand-in's own allow-lists: `python -m tests.smoke.page`.

The words around the lists are written by hand. A test fails when a list on the page is not what the code allows.
"""

import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from local.redshift.copy import grammar
from local.redshift.sql import catalog, ddl, session, types
from local.redshift.sql.functions import RULES, Role, Runs
from local.redshift.sql.translate import _QUERIES
from tests.smoke import statements
from tests.smoke.statements import PAGES, Question

PAGE = Path(__file__).resolve().parents[2] / "docs" / "redshift-stand-in.md"
_LIST = re.compile(r"(<!-- list: ([a-z ]+) -->\n).*?(<!-- end -->)", re.DOTALL)


def with_lists(page: str) -> str:
    """The page with each of its lists as the code has it now."""
    return _LIST.sub(lambda found: f"{found[1]}{_LISTS[found[2]]()}\n{found[3]}", page)


def _names(names: object) -> str:
    assert isinstance(names, (list, set, tuple, dict, frozenset))
    return ", ".join(f"`{name}`" for name in sorted(names))


def _statements() -> str:
    words = {*ddl.GRAMMARS, *session.GRAMMARS, *_QUERIES, "copy", "explain"} - {"(", "analyse"}
    return _names({word.upper() for word in words})


def _types() -> str:
    return _names({*types._SIMPLE, *types._VARCHAR, *types._CHAR, *types._DECIMAL, *types._VARBYTE})


def _functions() -> str:
    kinds: tuple[tuple[str, Callable[[str], bool]], ...] = (
        ("with the leader node alone, never with user tables", lambda name: RULES[name].runs is Runs.LEADER),
        ("aggregates", lambda name: RULES[name].role is Role.AGGREGATE),
        ("window functions", lambda name: RULES[name].role in (Role.RANKING, Role.FRAMED)),
        ("of one row", lambda name: True),
    )
    left, lines = set(RULES), []
    for title, belongs in kinds:
        found = {name for name in left if belongs(name)}
        left -= found
        lines.append(f"- {title}: {_names(found)}")
    return "\n".join(reversed(lines))


def _relations() -> str:
    return _names({f"{schema}.{name}" for schema, name in catalog.relations()} | catalog._COPY_RELATIONS)


def _parameters() -> str:
    return f"- with an effect: {_names(session._PASSED_ON)}\n- taken, without one: {_names(session._WITHOUT_EFFECT)}"


def _copy_options() -> str:
    return f"- understood: {_names(list(grammar._OPTIONS))}\n- refused: {_names(grammar._UNSUPPORTED)}"


def _refused() -> str:
    counts = Counter(one.page for one in statements.refused())
    about = {one.page: one.about for one in reversed(statements.refused())}
    rows = [
        f"| {count} | [{page.removesuffix('.html')}]({PAGES}{page}) | {about[page]} |" for page, count in counts.items()
    ]
    head = f"{counts.total()} statements, and {len(statements.accepted())} neighbours of theirs that are accepted:"
    return "\n".join([head, "", "| | page | the first reason |", "|---|---|---|", *rows])


def _differences() -> str:
    rows = [
        f"| `{_inline(one.sql)}` | {_rows(one.rows)} | {_here(one)} | {_link(one.page)} |"
        for one in statements.questions()
        if one.here is not None
    ]
    head = f"Of {len(statements.questions())} questions, {len(rows)} are answered otherwise here:"
    return "\n".join([head, "", "| question | Redshift, as documented | here | page |", "|---|---|---|---|", *rows])


def _link(page: str) -> str:
    return f"[{page.removesuffix('.html')}]({PAGES}{page})"


def _here(question: Question) -> str:
    assert question.here is not None
    return f"refused ({question.here})" if isinstance(question.here, str) else _rows(question.here)


def _rows(rows: tuple[tuple[str | None, ...], ...]) -> str:
    return (
        "; ".join(", ".join("null" if value is None else _inline(value) for value in row) for row in rows) or "no row"
    )


def _inline(text: str) -> str:
    return text.replace("|", "\\|")


_LISTS: dict[str, Callable[[], str]] = {
    "statements": _statements,
    "types": _types,
    "functions": _functions,
    "relations": _relations,
    "parameters": _parameters,
    "copy options": _copy_options,
    "refused": _refused,
    "differences": _differences,
}


if __name__ == "__main__":
    PAGE.write_text(with_lists(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
