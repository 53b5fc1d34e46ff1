"""Owns how the program tells what it saw of data whose contract it drafts. Inferring is loader/infer.py's job."""

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from loader.infer import Inferred
from validation.field_profile import FieldProfile

_MOST_SHOWN = 3  # values of a field
_LONGEST_SHOWN = 24  # characters of one


def print_inferred(console: Console, inferred: Inferred) -> None:
    """The profile as a table, then what a person must know of the draft."""
    table = Table(title=f"{inferred.dataset}: {inferred.profile.record_count} records", title_justify="left")
    for name in ("path", "types", "missing", "null", "different", "what was seen"):
        table.add_column(name, justify="right" if name in {"missing", "null", "different"} else "left")
    for field in inferred.profile.fields:
        if field.path:
            table.add_row(*map(escape, _row(inferred, field)))
    console.print(table)
    for remark in remarks(inferred):
        console.print(f"• {remark}", soft_wrap=True, markup=False)


def remarks(inferred: Inferred) -> list[str]:
    """What a person must know of the draft, besides what it marks TODO."""
    told = [f"key: {inferred.key}"] if inferred.key else []
    told += [f"{path} refers to {to}: needs that contract too" for path, to in inferred.references.items()]
    told += [f"{path or inferred.dataset}: {doubt}" for path, doubt in inferred.doubts.items()]
    told += [f"not a contract yet: {finding}" for finding in inferred.findings]
    told += [f"the draft rejects {count} of these records: {rule_id}" for rule_id, count in inferred.rejected.items()]
    told += [f"not read: {inferred.unread}, and perhaps more"] if inferred.unread else []
    if inferred.profile.cut_at is not None:
        told.append(f"too many different paths: left out from {inferred.profile.cut_at} on by name")
    return told


def _row(inferred: Inferred, field: FieldProfile) -> tuple[str, ...]:
    missing = inferred.profile.missing_count(field.path)
    types = ", ".join(f"{name} {count}" for name, count in field.by_type.items() if name != "null")
    return (field.path, types, _share(missing, missing + field.count), _share(field.null_count, field.count),
            _different(field), "; ".join(_seen(field)))  # fmt: skip


def _share(count: int, of: int) -> str:
    return f"{count} ({100 * count / of:.1f} %)" if count else "0"


def _different(field: FieldProfile) -> str:
    if not field.scalar_count:
        return ""
    return f"{'' if field.distinct.is_exact else '≈ '}{field.distinct.count}"


def _seen(field: FieldProfile) -> list[str]:
    told = [f"{found.least} to {found.greatest}" for found in field.ranges.values()]
    if field.values and not told:
        shown = [f"{_short(value)}: {count}" for value, count in field.values[:_MOST_SHOWN]]
        told.append(", ".join([*shown, "…"] if len(field.values) > _MOST_SHOWN else shown))
    if field.forms:
        told.append(", ".join(f"{form} {count}" for form, count in field.forms.items()))
    if field.utf8_bytes and field.characters:
        width = _span(field.characters)
        same = field.utf8_bytes == field.characters
        told.append(f"{width} characters" if same else f"{width} characters, {_span(field.utf8_bytes)} bytes")
    if field.items:
        told.append(f"{_span(field.items)} items")
    if field.whole_floats:
        told.append(f"{field.whole_floats} written as 5.0")
    return told


def _span(span: tuple[int, int]) -> str:
    return str(span[0]) if span[0] == span[1] else f"{span[0]}–{span[1]}"


def _short(value: object) -> str:
    text = str(value) or '""'
    return text if len(text) <= _LONGEST_SHOWN else f"{text[: _LONGEST_SHOWN - 1]}…"
