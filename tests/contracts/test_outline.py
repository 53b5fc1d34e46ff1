"""A contract as people read it, and that nothing is shown which is not public."""

from dataclasses import replace

from contracts import outline
from contracts.model import Contract, Scope
from tests.contracts.every_kind import EVERY_KIND


def column(contract: Contract, path: str) -> outline.Column:
    return next(found for found in outline.columns(contract) if found.prop.path == path)


def test_columns_stand_at_their_depth_in_words() -> None:
    assert [
        (found.depth, found.name) for found in outline.columns(EVERY_KIND) if found.prop.path.startswith("legs")
    ] == [
        (0, "legs"),
        (1, "each item"),
        (2, "tried"),
        (2, "landed"),
        (2, "crew"),
        (3, "each item"),
        (2, "place"),
        (3, "latitude"),
        (3, "longitude"),
    ]
    assert (column(EVERY_KIND, "legs").type, column(EVERY_KIND, "legs[].crew").type) == (
        "list of objects",
        "list of strings",
    )
    assert column(EVERY_KIND, "id").presence == "key"
    assert column(EVERY_KIND, "status").presence == "always there"
    assert column(EVERY_KIND, "seats").presence == "may be null"
    assert (column(EVERY_KIND, "is_crewed").example, column(EVERY_KIND, "seats").example) == ("true", "4")


def closed(contract: Contract, path: str) -> Contract:
    """The contract with one top-level property that is not public."""
    return replace(
        contract,
        properties=tuple(
            replace(prop, classification="restricted") if prop.path == path else prop for prop in contract.properties
        ),
    )


def test_an_example_that_is_not_public_is_not_shown() -> None:
    assert column(EVERY_KIND, "note").example == ""
    assert column(EVERY_KIND, "legs[].crew[]").example == "Bob"
    assert column(closed(EVERY_KIND, "legs"), "legs[].crew[]").example == ""


def test_allowed_values_that_are_not_public_are_not_shown() -> None:
    words = {line.rule.rule_id: line.words for line in outline.rule_lines(closed(EVERY_KIND, "status"))}

    assert words["status-enum"] == "status is one of the values that the contract allows (not shown: it is not public)."
    assert not any("planned" in text for text in words.values())


def test_what_the_columns_say_already_is_not_repeated_as_a_rule() -> None:
    told = {line.rule.rule_id for line in outline.telling_rules(EVERY_KIND)}

    assert {"masses-agree", "ship-reference", "seats-maximum", "legs-crew-item-pattern", "row-count"} <= told
    assert told.isdisjoint({"id-type", "id-required", "left_at-format", "note-max-bytes", "left_unix-maximum"})
    scopes = [line.rule.scope for line in outline.telling_rules(EVERY_KIND)]
    assert scopes == sorted(scopes, key=lambda scope: scope is not Scope.SET)


def test_promises_are_told_in_words() -> None:
    assert dict(outline.promises(EVERY_KIND)) == {
        "Latency": "A change of the source is published within 24 hours",
        "Freshness": "The newest load is at most 2 days old",
        "Reject limit": "A batch is held when more than 2 records and more than 10 % are rejected. Flights are few.",
    }
    assert [name for name, _ in outline.promises(replace(EVERY_KIND, latency_h=None, freshness_h=None))] == [
        "Reject limit"
    ]
