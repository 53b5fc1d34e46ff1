"""Owns telling what a contract cannot mean: rules that never fire, examples that break rules, promises half made.

Such a contract can be read, and gates run by it, but whoever wrote it meant something else. Refusing what cannot be
read is contracts/read.py's job.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from contracts import physical
from contracts.comparisons import Agrees, AtMost, Shrinkage, Together
from contracts.document import KeyPath, Problem
from contracts.model import Contract, Rule, RuleKind, Severity
from contracts.plain_judge import breaks

_OPTION_OF = {
    RuleKind.PATTERN: "pattern",
    RuleKind.MINIMUM: "minimum",
    RuleKind.MAXIMUM: "maximum",
    RuleKind.MIN_LENGTH: "minLength",
    RuleKind.MAX_LENGTH: "maxLength",
}
_OF_VALUES = frozenset({*_OPTION_OF, RuleKind.TYPE, RuleKind.FORMAT, RuleKind.ENUM, RuleKind.MAX_BYTES})


def doubts(values: Mapping[str, Any], contract: Contract) -> list[Problem]:
    """Everything that a contract which can be read cannot mean, each at its key."""
    table_at: KeyPath = ("schema", 0)
    table = values["schema"][0]
    by_path: dict[str, list[Rule]] = {}
    for rule in contract.rules:
        by_path.setdefault(rule.path, []).append(rule)
    found = [
        problem
        for at, path, item in _walk(table, table_at, "")
        for problem in _about_property(item, at, by_path.get(path, []))
    ]
    return [*found, *_about_checks(table, table_at, contract), *_about_promises(values)]


def _walk(item: Mapping[str, Any], at: KeyPath, path: str) -> Iterator[tuple[KeyPath, str, Mapping[str, Any]]]:
    """Every property, with where it lies and its path."""
    for index, child in enumerate(item.get("properties") or []):
        below = f"{path}.{child['name']}" if path else str(child["name"])
        yield (*at, "properties", index), below, child
        yield from _walk(child, (*at, "properties", index), below)
    if "items" in item:
        yield (*at, "items"), f"{path}[]", item["items"]
        yield from _walk(item["items"], (*at, "items"), f"{path}[]")


def _about_property(item: Mapping[str, Any], at: KeyPath, rules: list[Rule]) -> Iterator[Problem]:
    yield from _idle_limits(item, (*at, "logicalTypeOptions"))
    yield from _open_limits(item, (*at, "logicalTypeOptions"), rules)
    yield from _unfit_enum(item, (*at, "enum"), rules)
    yield from _unfit_examples(item, at, rules)


def _idle_limits(item: Mapping[str, Any], at: KeyPath) -> Iterator[Problem]:
    """Limits that no value can exceed, and limits that leave nothing."""
    options = item.get("logicalTypeOptions") or {}
    column = physical.parse(str(item.get("physicalType", "")))
    for name in ("minLength", "minItems"):
        if options.get(name) == 0:
            yield Problem((*at, name), f"{name} 0 can never fire: leave it out")
    for name, what in (("maxLength", "texts"), ("maxItems", "arrays")):
        if options.get(name) == 0:
            yield Problem((*at, name), f"{name} 0 leaves nothing but empty {what}: is the property of any use?")
    if column is None:
        return
    held = f"a column of type {item['physicalType']} holds"
    if column.minimum is not None and options.get("minimum", column.minimum + 1) <= column.minimum:
        yield Problem((*at, "minimum"), f"can never fire: {held} nothing below {column.minimum} anyway")
    if column.maximum is not None and options.get("maximum", column.maximum - 1) >= column.maximum:
        yield Problem((*at, "maximum"), f"can never fire: {held} nothing above {column.maximum} anyway")
    if column.max_bytes is not None and options.get("maxLength", 0) > column.max_bytes:
        yield Problem((*at, "maxLength"), f"can never fire alone: {held} no more than {column.max_bytes} bytes anyway")


def _open_limits(item: Mapping[str, Any], at: KeyPath, rules: list[Rule]) -> Iterator[Problem]:
    """A bound that only warns lets through what lies beyond the column's own, and COPY would refuse the whole batch."""
    column = physical.parse(str(item.get("physicalType", "")))
    if column is None or column.minimum is None or column.minimum <= -(2**63):  # 64 bits are held on reading
        return
    for rule in rules:
        if rule.kind in {RuleKind.MINIMUM, RuleKind.MAXIMUM} and rule.severity is not Severity.ERROR:
            yield Problem(
                (*at, _OPTION_OF[rule.kind]),
                f"only warns of what a column of type {item['physicalType']} cannot hold: make the column BIGINT or "
                "DOUBLE PRECISION, or the rule an error",
            )


def _unfit_enum(item: Mapping[str, Any], at: KeyPath, rules: list[Rule]) -> Iterator[Problem]:
    for index, entry in enumerate(item.get("enum") or []):
        for rule in _broken(rules, entry["value"]):
            yield Problem((*at, index, "value"), f"{entry['value']!r} breaks {rule.rule_id}: no record can have it")


def _unfit_examples(item: Mapping[str, Any], at: KeyPath, rules: list[Rule]) -> Iterator[Problem]:
    examples = item.get("examples") or []
    broken = [{rule.kind: rule for rule in _broken(rules, example)} for example in examples]
    if examples and all(RuleKind.PATTERN in kinds for kinds in broken):
        key = (*at, "logicalTypeOptions", "pattern")
        yield Problem(key, "no example matches the pattern: which of the two is wrong?")
        return
    for index, kinds in enumerate(broken):
        for rule in kinds.values():
            yield Problem((*at, "examples", index), f"the example {examples[index]!r} breaks {rule.rule_id}")


def _broken(rules: list[Rule], value: Any) -> list[Rule]:
    return [rule for rule in rules if rule.kind in _OF_VALUES and breaks(rule, value)]


def _about_checks(table: Mapping[str, Any], at: KeyPath, contract: Contract) -> Iterator[Problem]:
    rules = {rule.rule_id: rule for rule in contract.rules}
    required = {rule.path for rule in contract.rules if rule.kind is RuleKind.REQUIRED and rule.rejects}
    kinds = {rule.kind for rule in contract.rules}
    if not kinds & {RuleKind.ROW_COUNT, RuleKind.SHRINKAGE}:
        yield Problem((*at, "quality"), "nothing notices when rows go missing: add a rowCount or a shrinkage check")
    for index, check in enumerate(table.get("quality") or []):
        rule = rules.get(str(check.get("id")))
        why = _why_idle(rule, required) if rule is not None else None
        if why is not None:
            yield Problem((*at, "quality", index), f"can never fire: {why}")


def _why_idle(rule: Rule, required: set[str]) -> str | None:
    if rule.kind is RuleKind.ROW_COUNT and rule.argument <= 0:
        return "no dataset has fewer than 0 records"
    match rule.argument:
        case Shrinkage(max_ratio) if max_ratio >= 1:
            return "no batch loses more than all its rows"
        case Together(fields) if required.issuperset(fields):
            return "all its fields are required"
        case AtMost(field, of) if field == of:
            return "it compares a field with itself"
        case Agrees(field, (term,)) if term.field == field and term.times == 1:
            return "it compares a field with itself"
    return None


def _about_promises(values: Mapping[str, Any]) -> Iterator[Problem]:
    given = {item["property"] for item in values.get("slaProperties") or []}
    for name, other in (("latency", "the standard's word"), ("freshness", "what tools look for")):
        if name not in given:
            yield Problem(("slaProperties",), f"no {name} is promised; write both: {name} is {other}")
