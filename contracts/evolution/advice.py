"""Owns what people must do about a change, in a sentence per side."""

from contracts.evolution.changes import Change, Effect

_FALLBACK = {
    "loosened": "expect values that were refused before: look at casts, filters and case lists",
    "removed": "stop using it before this version is released",
    "renamed": "use the new name; until then both cannot be read by one query",
    "narrowed": "the column is built anew: drop views over it first, and cast to the new type",
    "lowered": "values may now be shown to everybody: whoever they are about must agree first",
    "changed": "read the new definition, and change what relies on the old one",
}
_SPECIAL = {
    ("property", "removed"): "stop reading it before this version is released",
    ("deprecation", "announced"): "move to what replaces it before a later version removes it",
    ("contract", "removed"): "stop reading the dataset: its table is served no longer",
    ("dataset", "renamed"): "read the table under its new name",
    ("type", "changed"): "cast and unnest anew: values are of another type",
    ("type", "loosened"): "expect fractions where there were whole numbers",
    ("required", "loosened"): "expect nulls: look at joins, counts and not-null tests",
    ("unique", "loosened"): "expect several rows per value: look at joins",
    ("enum", "loosened"): "handle the new values: look at case lists and accepted_values tests",
    ("primary-key", "changed"): "join and de-duplicate by the new key",
    ("unit", "changed"): "convert: the same name now counts something else",
    ("unit", "removed"): "ask the owner what the number counts",
    ("sla", "loosened"): "expect later data: look at freshness checks and schedules",
    ("reject-limit", "loosened"): "expect more rows to be missing from a published batch",
    ("drift", "loosened"): "expect records with fields that the contract does not know",
    ("reference", "loosened"): "expect ids that lead nowhere: look at inner joins",
    ("role", "removed"): "ask the owner for another role: this one opens nothing any more",
    ("server", "changed"): "connect to the new place",
    ("status", "changed"): "find another source",
    ("pattern", "changed"): "check the text that you take apart against the new pattern",
    ("grain", "changed"): "look at every count and join: a row is something else now",
}
_UNANNOUNCED = {
    "property": "set `deprecated: true` on it and release that first; remove it a release later",
    "contract": "set `status: deprecated` and release that first; remove the file a release later",
}


def advice(change: Change) -> str:
    """What is to be done about a change; empty for one that breaks nobody and announces nothing."""
    words = []
    if change.is_unannounced:
        words.append(f"owner: {_UNANNOUNCED[change.topic]}")
    if change.concerns_readers:
        told = _SPECIAL.get((change.topic, change.verb)) or _FALLBACK.get(change.verb, _FALLBACK["changed"])
        words.append(f"consumers: {told}")
    elif change.producer is Effect.BREAKING:
        words.append("owner: see what it refuses of the landed records first (spacex-elt contracts shadow)")
    return "; ".join(words)
