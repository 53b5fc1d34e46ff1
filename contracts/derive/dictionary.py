"""Owns the data dictionary that follows from contracts, as Markdown and as one page of HTML. For whoever reads tables.

What is said of a contract is in contracts/outline.py.
"""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from contracts import outline
from contracts.classification import PUBLIC
from contracts.derive.redshift import RAW_SCHEMA
from contracts.model import Contract

MARKDOWN_FILE = Path("docs/data-dictionary.md")  # from the repository's root

_HERE = Path(__file__).resolve().parent
_HEADER = "<!-- Derived from contracts/*.odcs.yaml: change those, then run `python -m contracts.derive`. -->\n\n"
_MORE = (
    "Rules that only follow from a column's type, presence or width are not repeated here: "
    "`spacex-elt contracts show <dataset>` lists all, with the gates that enforce them."
)
_INTRODUCTION = (
    "What each published table means, column by column, and what must hold for its rows. No row that breaks a rule of "
    "severity error is published."
)


def markdown(contracts: Iterable[Contract]) -> str:
    """The dictionary as Markdown, ending in a line end. Equal contracts give equal bytes."""
    chosen = list(contracts)
    contents = "\n".join(
        f"- [{_cell(contract.title or contract.dataset)}](#{contract.dataset}): {_cell(contract.description)}"
        for contract in chosen
    )
    sections = "\n".join(_section(contract) for contract in chosen)
    return f"{_HEADER}# Data dictionary\n\n{_INTRODUCTION}\n{_MORE}\n\n{contents}\n\n{sections}"


def html(contracts: Iterable[Contract]) -> str:
    """The dictionary as one page, which loads nothing from elsewhere and runs no script."""
    environment = Environment(
        loader=FileSystemLoader(_HERE), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    chosen = list(contracts)
    return environment.get_template("dictionary.html").render(
        contracts=chosen,
        introduction=_INTRODUCTION,
        style=(_HERE / "dictionary.css").read_text(encoding="utf-8"),
        outline=outline,
        schema=RAW_SCHEMA,
        column_count=sum(1 for contract in chosen for _ in contract.walk()),
        rule_count=sum(len(contract.rules) for contract in chosen),
    )


def _section(contract: Contract) -> str:
    facts = [
        ("Table", f"`{RAW_SCHEMA}.{contract.dataset}`"),
        ("Grain", _cell(contract.grain)),
        ("How to use it", _cell(contract.usage)),
        ("What to know", _cell(contract.limitations)),
        ("Owner", _cell(contract.owner)),
        ("Support", _cell(contract.support_url.removeprefix("mailto:"))),
        *((name, _cell(words)) for name, words in outline.promises(contract)),
        ("Contract", f"`contracts/{contract.file_name}`, version {contract.version}"),
    ]
    parts = [
        f"## {contract.dataset}\n",
        f"{contract.purpose or contract.description}\n",
        _table(("", ""), ((name, words) for name, words in facts if words)),
        _table(("Column", "Type", "Null", "Unit", "Meaning", "Example"), _column_rows(contract)),
        _table(("Rule", "What must hold, and why", "Severity"), _rule_rows(contract)),
    ]
    return "\n".join(parts)


def _column_rows(contract: Contract) -> Iterator[Sequence[str]]:
    for column in outline.columns(contract):
        prop = column.prop
        kind = f"{column.type}, `{prop.physical_type.lower()}`" if prop.physical_type else column.type
        name = f"`{prop.path}`" if prop.classification == PUBLIC else f"`{prop.path}` ({prop.classification})"
        example = _code(column.example) if column.example else ""
        yield name, kind, column.presence, prop.unit or "", _cell(prop.description), example


def _rule_rows(contract: Contract) -> Iterator[Sequence[str]]:
    for line in outline.telling_rules(contract):
        yield f"`{line.rule.rule_id}`", _cell(line.words), str(line.rule.severity)


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [_row(head), _row(["---"] * len(head)), *(_row(row) for row in rows)]
    return "\n".join(lines) + "\n"


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _cell(text: str) -> str:
    """Text that Markdown shows as it is, within a table."""
    return "".join(f"\\{char}" if char in "\\|*_<>[]`" else char for char in " ".join(text.split()))


def _code(text: str) -> str:
    """A value as code, within a table: the only character that cannot stay as it is there is the bar."""
    fence = "``" if "`" in text else "`"
    return f"{fence}{' '.join(text.split())}{fence}".replace("|", "\\|")
