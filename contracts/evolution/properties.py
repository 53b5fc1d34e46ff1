"""Owns finding what changed between two lists of properties, at any depth. The dataset itself is dataset.py's job."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from contracts.evolution import entries, lattice, rules
from contracts.evolution.changes import Change, Direction, Effect, both, from_to, moved, shown
from contracts.evolution.entries import Values
from contracts.evolution.limits import compare_limits, severity
from contracts.model import DriftPolicy, Severity

_COMPARED = [
    "name",
    "logicalType",
    "physicalType",
    "required",
    "unique",
    "primaryKey",
    "primaryKeyPosition",
    "classification",
    "deprecated",
    "enum",
    "logicalTypeOptions",
    "relationships",
    "quality",
    "customProperties",
    "properties",
    "items",
]
_CUSTOM = ("unit", "rules", "driftPolicy")
_SENSITIVITY = ("public", "internal", "restricted")


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What holds where a property stands: each version's policy for unknown fields, and an older deprecation above."""

    old_drift: DriftPolicy
    new_drift: DriftPolicy
    is_deprecated: bool

    def inside(self, old: Values, new: Values) -> "Surroundings":
        """What holds inside an object."""
        return Surroundings(
            entries.drift_policies(old).get("unknownFields", self.old_drift),
            entries.drift_policies(new).get("unknownFields", self.new_drift),
            self.is_deprecated or bool(old.get("deprecated")),
        )


def compare_properties(
    old: Sequence[Values], new: Sequence[Values], parent: str, around: Surroundings
) -> Iterator[Change]:
    """What changed between two lists of properties.

    Two entries are one property when they share the standard's stable `id`, or else their name.
    """
    partners = _partners(old, new)
    kept = {id(partner) for partner in partners.values()}
    for item in old:
        path = _path(parent, item)
        if item["name"] not in partners:
            yield _removed(item, path, around)
            continue
        partner = partners[item["name"]]
        if partner["name"] != item["name"]:
            what = f"now called {partner['name']} (the same id, {item['id']})"
            yield both("property", "renamed", path, Effect.BREAKING, what, _column(path))
        yield from compare_property(item, partner, _path(parent, partner), around)
    for item in new:
        if id(item) not in kept:
            yield _added(item, _path(parent, item))
    yield from _order(old, new, partners, parent)


def _partners(old: Sequence[Values], new: Sequence[Values]) -> dict[str, Values]:
    """For each older property that is still there, by its name, the newer one. Ids go before names."""
    by_id = {item["id"]: item for item in new if "id" in item}
    by_name = {item["name"]: item for item in new}
    older_ids = {item["id"] for item in old if "id" in item}
    found = {item["name"]: by_id[item["id"]] for item in old if item.get("id") in by_id}
    for item in old:
        partner = by_name.get(item["name"])
        if item["name"] in found or partner is None or partner.get("id") in older_ids:
            continue
        if "id" not in item or "id" not in partner:  # with two ids that differ, it is another property of that name
            found[item["name"]] = partner
    return found


def _path(parent: str, item: Values) -> str:
    return f"{parent}.{item['name']}" if parent else str(item["name"])


def _column(path: str) -> str:
    return path.partition(".")[0].partition("[")[0]


def _removed(item: Values, path: str, around: Surroundings) -> Change:
    """Who still sends the field meets the policy for fields that the contract does not know."""
    is_announced = around.is_deprecated or bool(item.get("deprecated"))
    refuses = entries.drift_limit(around.new_drift).refuses is not None
    return Change(
        "property",
        "removed",
        path,
        Effect.BREAKING,
        Effect.BREAKING if refuses else Effect.ADDITIVE,
        "removed, as announced by its deprecation" if is_announced else "removed without having been deprecated",
        _column(path),
        is_unannounced=not is_announced,
    )


def _added(item: Values, path: str) -> Change:
    required = bool(item.get("required")) and severity(item, "required") is Severity.ERROR
    what = f"new, {'required' if required else 'optional'}: {item.get('logicalType', 'any type')}"
    producer = Effect.BREAKING if required else Effect.ADDITIVE
    return Change("property", "added", path, Effect.ADDITIVE, producer, what, _column(path))


def _order(
    old: Sequence[Values], new: Sequence[Values], partners: Mapping[str, Values], parent: str
) -> Iterator[Change]:
    """Where properties stand is the order of columns; the pipeline names them, so nothing hangs on it."""
    before = [id(partners[item["name"]]) for item in old if item["name"] in partners]
    kept = set(before)
    if before != [id(item) for item in new if id(item) in kept]:
        yield both("order", "changed", parent, Effect.PATCH, "the properties stand in another order")


def compare_property(old: Values, new: Values, path: str, around: Surroundings) -> Iterator[Change]:
    """What changed of one property and below it. Of one with another type, only that: all else went with it."""
    column = _column(path)
    types = _types(old, new)
    yield from moved("type", path, types, from_to(old.get("logicalType"), new.get("logicalType")), column)
    yield from _column_type(old, new, path)
    yield from _meaning(old, new, path)
    yield from entries.words_changed(old, new, path)
    yield from entries.unknown_keys(old, new, path, _COMPARED, column)
    yield from entries.unknown_custom(old, new, path, _CUSTOM, column)
    if types is Direction.CHANGED:
        return
    yield from compare_limits(old, new, path, column)
    yield from rules.compare_checks(old.get("quality"), new.get("quality"), path, column)
    inside = around.inside(old, new)
    yield from _drift(old, new, path, inside)
    yield from compare_properties(old.get("properties") or [], new.get("properties") or [], path, inside)
    if "items" in old and "items" in new:
        yield from compare_property(old["items"], new["items"], f"{path}[]", inside)
    elif "items" in old or "items" in new:
        yield both(
            "key", "changed", f"{path}.items", Effect.BREAKING, "items are described in one version only", column
        )


def _types(old: Values, new: Values) -> Direction:
    return lattice.compare_logical_types(str(old.get("logicalType")), str(new.get("logicalType")))


def _column_type(old: Values, new: Values, path: str) -> Iterator[Change]:
    before, after = old.get("physicalType"), new.get("physicalType")
    what = from_to(before, after)
    if before == after:
        return
    if lattice.is_same_column(before, after):
        yield both("column-type", "changed", path, Effect.PATCH, f"{what}: the same type, spelled otherwise")
    elif lattice.is_lossless(before, after):
        yield both(
            "column-type", "widened", path, Effect.ADDITIVE, f"{what}: holds every value as before", _column(path)
        )
    elif lattice.is_lossless(after, before):
        yield both("column-type", "narrowed", path, Effect.BREAKING, what, _column(path))
    else:
        yield both("column-type", "changed", path, Effect.BREAKING, what, _column(path))


def _meaning(old: Values, new: Values, path: str) -> Iterator[Change]:
    """What the property is for its readers, beyond which values it takes."""
    column = _column(path)
    keys = [(bool(item.get("primaryKey")), item.get("primaryKeyPosition")) for item in (old, new)]
    if keys[0] != keys[1]:
        what = "rows are matched and joined by another key"
        yield both("primary-key", "changed", path, Effect.BREAKING, what, column)
    yield from _classification(old, new, path)
    yield from deprecation(old, new, path, column)
    before, after = entries.custom(old).get("unit"), entries.custom(new).get("unit")
    if before is None and after is not None:
        yield both("unit", "added", path, Effect.ADDITIVE, f"now said to be in {shown(after)}", column)
    elif before is not None and after is None:
        yield from _dropped_unit(before, path)
    elif before != after:
        what = f"{from_to(before, after)}: the same name with another meaning"
        yield both("unit", "changed", path, Effect.BREAKING, what, column)


def _dropped_unit(before: Any, path: str) -> Iterator[Change]:
    what = f"no longer said to be in {shown(before)}"
    yield Change("unit", "removed", path, Effect.BREAKING, Effect.ADDITIVE, what, _column(path))


def _classification(old: Values, new: Values, path: str) -> Iterator[Change]:
    """Lowering one breaks a promise to whom the values are about; raising one only hides samples."""
    before, after = (str(item.get("classification", "public")) for item in (old, new))
    if before == after:
        return
    known = before in _SENSITIVITY and after in _SENSITIVITY
    if known and _SENSITIVITY.index(after) > _SENSITIVITY.index(before):
        yield both("classification", "raised", path, Effect.ADDITIVE, from_to(before, after), _column(path))
    else:
        verb = "lowered" if known else "changed"
        yield both("classification", verb, path, Effect.BREAKING, from_to(before, after), _column(path))


def deprecation(old: Values, new: Values, where: str, column: str | None) -> Iterator[Change]:
    """A deprecation that came or went."""
    before, after = bool(old.get("deprecated")), bool(new.get("deprecated"))
    if after and not before:
        yield both("deprecation", "announced", where, Effect.ADDITIVE, "deprecated: a later version removes it", column)
    elif before and not after:
        yield both("deprecation", "withdrawn", where, Effect.ADDITIVE, "no longer deprecated", column)


def _drift(old: Values, new: Values, path: str, inside: Surroundings) -> Iterator[Change]:
    """An object's own policy. One that only inherits is told of where it inherits from."""
    if entries.drift_policies(old) or entries.drift_policies(new):
        yield from drift_moved(inside.old_drift, inside.new_drift, f"{path}.unknownFields", _column(path))


def drift_moved(old: DriftPolicy, new: DriftPolicy, where: str, column: str | None) -> Iterable[Change]:
    """The change of a drift policy."""
    limits = entries.drift_limit(old), entries.drift_limit(new)
    return moved("drift", where, lattice.compare_limits(*limits, lattice.more_is_tighter), from_to(old, new), column)
