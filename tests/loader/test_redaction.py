"""What may be seen of a quarantined record: public values, and never one that only seems to be."""

from dataclasses import replace
from typing import Any

import pytest

from contracts.model import Contract, LogicalType, Property
from loader.redaction import HIDDEN, is_all_public, redacted, shown_key, shown_violations
from tests.loader.quarantine import set_aside
from tests.loader.rig import things
from validation.results import Violation


def prop(path: str, kind: LogicalType, classification: str = "public", *children: Property) -> Property:
    name = path.rsplit(".", maxsplit=1)[-1]
    return Property(name, path, kind, None, False, False, classification, "", None, None, children)


TEXT, OBJECT, ARRAY = LogicalType.STRING, LogicalType.OBJECT, LogicalType.ARRAY
CREW = prop("crew[]", OBJECT, "public", prop("crew[].name", TEXT, "restricted"), prop("crew[].role", TEXT))
CONTRACT = replace(
    things("things", columns=("id",)),
    properties=(
        *things("things", columns=("id",)).properties,
        prop("text", TEXT),
        prop("secret", TEXT, "restricted"),
        prop("box", OBJECT, "internal", prop("box.text", TEXT)),
        prop("crew", ARRAY, "public", CREW),
        prop("tags", ARRAY, "public", prop("tags[]", TEXT)),
        prop("free", OBJECT),
    ),
)


@pytest.mark.parametrize(
    ("record", "shown"),
    [
        ({"text": "a", "secret": "b"}, {"text": "a", "secret": HIDDEN}),
        ({"secret": None, "text": None}, {"secret": HIDDEN, "text": None}),
        ({"box": {"text": "within"}}, {"box": HIDDEN}),
        (
            {"crew": [{"name": "Ada", "role": "pilot", "age": 3}]},
            {"crew": [{"name": HIDDEN, "role": "pilot", "age": HIDDEN}]},
        ),
        ({"crew": "Ada"}, {"crew": HIDDEN}),
        ({"crew": ["Ada", None]}, {"crew": [HIDDEN, None]}),
        ({"tags": ["a", {"name": "Ada"}]}, {"tags": ["a", HIDDEN]}),
        ({"text": {"name": "Ada"}}, {"text": HIDDEN}),
        ({"free": {"any": 1}}, {"free": {"any": 1}}),
        ({"unknown": "a"}, {"unknown": HIDDEN}),
        ([], HIDDEN),
        ("Ada", HIDDEN),
    ],
)
def test_only_public_values_within_public_ones_are_shown(record: Any, shown: Any) -> None:
    assert redacted(CONTRACT, record) == shown


def test_a_contract_is_all_public_when_every_property_is() -> None:
    assert is_all_public(things())
    assert not is_all_public(CONTRACT)


def with_key(classification: str) -> Contract:
    (key, *others) = CONTRACT.properties
    return replace(CONTRACT, properties=(replace(key, classification=classification), *others))


@pytest.mark.parametrize(("classification", "shown"), [("public", "a"), ("restricted", HIDDEN)])
def test_a_key_is_shown_if_it_is_public(classification: str, shown: str) -> None:
    assert shown_key(with_key(classification), set_aside("a")) == shown
    assert shown_key(with_key(classification), set_aside(None)) is None


@pytest.mark.parametrize(
    ("path", "is_shown"),
    [("text", True), ("", True), ("crew[3].role", True), ("crew[0].name", False), ("crew", False), ("box.text", False)],
)
def test_what_an_older_contract_let_be_shown_is_not_shown_if_todays_does_not(path: str, is_shown: bool) -> None:
    judged = set_aside("a", path=path)
    (told,) = shown_violations(replace(CONTRACT, version="2.0.0"), judged)
    assert (told.message == "is BAD") is is_shown
    assert (told.rule_id, told.path) == ("text-small", path)
    assert "BAD" in told.message or HIDDEN in told.message
    assert shown_violations(CONTRACT, judged) == (Violation("text-small", path, "is BAD"),)
