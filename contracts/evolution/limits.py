"""Owns comparing what a property demands of its values: limits, references, and how bad a breach is."""

from collections.abc import Callable, Iterator
from typing import Any

from contracts.evolution import entries, lattice
from contracts.evolution.changes import Change, from_to, moved, shown
from contracts.evolution.entries import Values
from contracts.evolution.lattice import Compare, Limit
from contracts.model import Severity

#: Limits among `logicalTypeOptions`: what their changes and rules are called, and how they are ordered.
_OPTIONS: dict[str, tuple[str, Compare]] = {
    "pattern": ("pattern", lattice.compare_patterns),
    "minimum": ("minimum", lattice.more_is_tighter),
    "maximum": ("maximum", lattice.less_is_tighter),
    "exclusiveMinimum": ("exclusive-minimum", lattice.more_is_tighter),
    "exclusiveMaximum": ("exclusive-maximum", lattice.less_is_tighter),
    "minLength": ("min-length", lattice.more_is_tighter),
    "maxLength": ("max-length", lattice.less_is_tighter),
    "minItems": ("min-items", lattice.more_is_tighter),
    "maxItems": ("max-items", lattice.less_is_tighter),
}


def compare_limits(old: Values, new: Values, path: str, column: str) -> Iterator[Change]:
    """What moved of everything that refuses values."""
    named: set[str] = set()
    for topic, read, compare in _READERS:
        named.add(topic)
        before, after = read(old), read(new)
        limits = Limit(before, severity(old, topic)), Limit(after, severity(new, topic))
        direction = lattice.compare_limits(*limits, compare)
        yield from moved(topic, path, direction, _told(topic, *limits), column)
    yield from _other_options(old, new, path, column)
    for kind in sorted((entries.notes(old).keys() | entries.notes(new).keys()) - named):
        severities = severity(old, kind), severity(new, kind)
        direction = lattice.compare_limits(Limit(kind, severities[0]), Limit(kind, severities[1]), lattice.undecided)
        what = f"rule {kind}: {from_to(*severities)}"
        yield from moved("severity", f"{path}.{kind}", direction, what, column)


def _told(topic: str, before: Limit, after: Limit) -> str:
    if topic == "enum" and before.value and after.value:
        gained = [value for value in after.value if value not in before.value]
        lost = [value for value in before.value if value not in after.value]
        words = [f"{verb} {shown(values)}" for verb, values in (("gained", gained), ("lost", lost)) if values]
        what = ", ".join(words)
    elif topic in ("required", "unique"):
        what = from_to(*("yes" if limit.value else "no" for limit in (before, after)))
    else:
        what = from_to(before.value, after.value)
    if topic == "pattern" and None not in (before.refuses, after.refuses):
        what += "; which of the two accepts more cannot be decided"
    if before.value is None or after.value is None:
        there = after if before.value is None else before
        what += "" if there.severity is Severity.ERROR else f" (severity {there.severity})"
    elif before.severity != after.severity:
        what += f" (severity {before.severity} → {after.severity})"
    return what


def _other_options(old: Values, new: Values, path: str, column: str) -> Iterator[Change]:
    before, after = (item.get("logicalTypeOptions") or {} for item in (old, new))
    for name in sorted((before.keys() | after.keys()) - _OPTIONS.keys()):
        direction = lattice.compare_limits(Limit(before.get(name)), Limit(after.get(name)), lattice.undecided)
        what = from_to(before.get(name), after.get(name))
        yield from moved("option", f"{path}.{name}", direction, what, column)


def severity(item: Values, kind: str) -> Severity:
    """How bad a breach of a property's rule is."""
    return entries.severity_of(entries.notes(item).get(kind, {}))


def _option(name: str) -> Callable[[Values], Any]:
    return lambda item: (item.get("logicalTypeOptions") or {}).get(name)


def _flag(name: str) -> Callable[[Values], Any]:
    return lambda item: bool(item.get(name)) or None


def _allowed(item: Values) -> Any:
    return tuple(entry["value"] for entry in item.get("enum") or []) or None


def _references(item: Values) -> Any:
    return sorted(str(entry.get("to")) for entry in item.get("relationships") or []) or None


_READERS: tuple[tuple[str, Callable[[Values], Any], Compare], ...] = (
    ("required", _flag("required"), lattice.undecided),
    ("unique", _flag("unique"), lattice.undecided),
    ("enum", _allowed, lattice.compare_sets),
    ("reference", _references, lattice.undecided),
    *((topic, _option(name), compare) for name, (topic, compare) in _OPTIONS.items()),
)
