"""A small contract with every kind of rule, made by hand, and lines in Airbyte's envelope."""

import json
from collections.abc import Collection
from typing import Any

from contracts.model import (
    Contract,
    DriftPolicy,
    LogicalType,
    Property,
    RejectLimit,
    Rule,
    RuleKind,
    Scope,
    Severity,
)
from validation.raw_gate import RawGate
from validation.results import ObjectCounts, Rejection, ShardResult

T = LogicalType


def prop(path: str, logical_type: LogicalType, *children: Property, classification: str = "public") -> Property:
    return Property(
        name=path.rsplit(".", maxsplit=1)[-1],
        path=path,
        logical_type=logical_type,
        physical_type="super" if "." not in path else None,
        required=path == "id",
        primary_key=path == "id",
        classification=classification,
        description="",
        unit=None,
        example=None,
        children=children,
    )


def rule(path: str, kind: RuleKind, argument: Any = None, severity: Severity = Severity.ERROR) -> Rule:
    dashed = path.replace("[].", "-").replace("[]", "-items").replace(".", "-") or "record"
    scope = Scope.SET if kind in {RuleKind.UNIQUE, RuleKind.ROW_COUNT} else Scope.ROW
    return Rule(f"{dashed}-{kind}", path, kind, argument, scope, severity, "validity", "")


PROPERTIES = (
    prop("id", T.STRING),
    prop("name", T.STRING, classification="restricted"),
    prop("seats", T.INTEGER),
    prop("mass_kg", T.NUMBER),
    prop("flown_at", T.TIMESTAMP),
    prop("built_date", T.DATE),
    prop("active", T.BOOLEAN),
    prop("status", T.STRING),
    prop(
        "links",
        T.OBJECT,
        prop("links.wiki", T.STRING),
        prop("links.photo", T.OBJECT, prop("links.photo.url", T.STRING)),
    ),
    prop("crew", T.ARRAY, prop("crew[]", T.STRING)),
    prop(
        "cores",
        T.ARRAY,
        prop(
            "cores[]",
            T.OBJECT,
            prop("cores[].core", T.STRING),
            prop("cores[].flight", T.INTEGER),
            prop("cores[].landings", T.ARRAY, prop("cores[].landings[]", T.NUMBER)),
        ),
    ),
)


def _types(properties: tuple[Property, ...]) -> list[Rule]:
    return [
        found
        for one in properties
        for found in (rule(one.path, RuleKind.TYPE, one.logical_type), *_types(one.children))
    ]


RULES = (
    *_types(PROPERTIES),
    rule("id", RuleKind.REQUIRED),
    rule("id", RuleKind.PATTERN, "^[0-9a-f]{4}$"),
    rule("id", RuleKind.UNIQUE),
    rule("name", RuleKind.MAX_BYTES, 12),
    rule("name", RuleKind.MIN_LENGTH, 2),
    rule("name", RuleKind.MAX_LENGTH, 10),
    rule("seats", RuleKind.MINIMUM, 0),
    rule("seats", RuleKind.MAXIMUM, 7),
    rule("mass_kg", RuleKind.MINIMUM, 0, Severity.WARNING),
    rule("flown_at", RuleKind.FORMAT, T.TIMESTAMP),
    rule("built_date", RuleKind.FORMAT, T.DATE),
    rule("status", RuleKind.ENUM, ("active", "retired")),
    rule("links.wiki", RuleKind.REQUIRED),
    rule("crew", RuleKind.MIN_ITEMS, 1),
    rule("crew", RuleKind.MAX_ITEMS, 3),
    rule("crew[]", RuleKind.PATTERN, "[A-Z][a-z]+"),
    rule("cores[].core", RuleKind.REQUIRED),
    rule("cores[].flight", RuleKind.MINIMUM, 1),
    rule("", RuleKind.UNKNOWN_FIELD, DriftPolicy.QUARANTINE),
    rule("links.photo", RuleKind.UNKNOWN_FIELD, DriftPolicy.WARN),
    rule("cores[]", RuleKind.UNKNOWN_FIELD, DriftPolicy.QUARANTINE),
    rule("", RuleKind.ROW_COUNT, 1),
)


def contract(*rules: Rule, limit: RejectLimit | None = None, properties: tuple[Property, ...] = PROPERTIES) -> Contract:
    """A contract for crafts. Without rules, one with a rule of every kind."""
    return Contract(
        dataset="crafts",
        version="1.0.0",
        content_hash="0" * 64,
        description="",
        purpose="",
        owner="",
        support_url="",
        latency_h=None,
        properties=properties,
        rules=rules or RULES,
        reject_limit=limit or RejectLimit(0.5, 1, "a test"),
        file_name="crafts.odcs.yaml",
    )


def good(**changes: Any) -> dict[str, Any]:
    """A record that breaks no rule, with some fields changed."""
    record = {
        "id": "0a1b",
        "name": "Dragon",
        "seats": 4,
        "mass_kg": 9525.5,
        "flown_at": "2020-05-30T19:22:00.000Z",
        "built_date": "2020-02-29",
        "active": True,
        "status": "active",
        "links": {"wiki": "https://example.org", "photo": {"url": "https://example.org/1"}},
        "crew": ["Bob", "Doug"],
        "cores": [{"core": "B1058", "flight": 1, "landings": [1, 2.5]}],
    }
    return {**record, **changes}


ENVELOPE = {
    "_airbyte_raw_id": "26d73cde-7eb1-4e1e-b7db-a4c03b4cf206",
    "_airbyte_extracted_at": 1622135805000,
    "_airbyte_generation_id": 11,
    "_airbyte_meta": {"changes": [], "sync_id": 10111},
}


def line(record: Any, **envelope: Any) -> bytes:
    """A record as Airbyte lands it."""
    return json.dumps({**ENVELOPE, "_airbyte_data": record, **envelope}, ensure_ascii=False).encode() + b"\n"


class ListSink:
    """A GateSink that keeps what it is given, in order."""

    def __init__(self) -> None:
        self.accepted: list[tuple[str, bytes]] = []
        self.left_out: list[tuple[str, int, frozenset[int]]] = []
        self.rejections: list[Rejection] = []
        self.finished: list[ObjectCounts] = []

    def accept(self, object_key: str, line: bytes) -> None:
        self.accepted.append((object_key, line))

    def leave_out(self, object_key: str, line_count: int, left_out: Collection[int]) -> None:
        self.left_out.append((object_key, line_count, frozenset(left_out)))

    def reject(self, rejection: Rejection) -> None:
        self.rejections.append(rejection)

    def finish_object(self, counts: ObjectCounts) -> None:
        self.finished.append(counts)


def check(of: Contract, *lines: bytes) -> tuple[ShardResult, ListSink]:
    """What the gate says of one object of these lines."""
    sink = ListSink()
    without_ends = [one.removesuffix(b"\n") for one in lines]
    return RawGate(of).check_shard("batch", "0", [("landing/a", without_ends)], sink), sink
