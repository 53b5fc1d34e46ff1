from contracts.model import DriftPolicy, LogicalType, Property, RuleKind, Severity
from contracts.rules import Limits, Note, of_property, rule_id


def _property(logical_type: LogicalType, physical_type: str | None = None, *, required: bool = False) -> Property:
    return Property("x", "x", logical_type, physical_type, required, False, "public", "An x.", None, None)


def _rules(prop: Property, limits: Limits | None = None, drift: DriftPolicy = DriftPolicy.WARN) -> dict[str, object]:
    return {rule.rule_id: rule.argument for rule in of_property(prop, limits or Limits(), drift)}


def test_a_rule_is_named_for_its_path_and_kind() -> None:
    assert rule_id("cores[].core", RuleKind.REQUIRED) == "cores-core-required"
    assert rule_id("payloads[]", RuleKind.TYPE) == "payloads-item-type"
    assert rule_id("payloads", RuleKind.TYPE) == "payloads-type"
    assert rule_id("links.patch.small", RuleKind.PATTERN) == "links-patch-small-pattern"
    assert rule_id("", RuleKind.UNKNOWN_FIELD) == "unknown-field"


def test_an_integer_column_implies_its_range() -> None:
    assert _rules(_property(LogicalType.INTEGER, "SMALLINT")) == {
        "x-type": LogicalType.INTEGER,
        "x-minimum": -32768,
        "x-maximum": 32767,
    }


def test_a_tighter_bound_replaces_the_implied_one() -> None:
    rules = _rules(_property(LogicalType.INTEGER, "INTEGER"), Limits(minimum=0, maximum=2**40))
    assert rules["x-minimum"] == 0
    assert rules["x-maximum"] == 2**31 - 1


def test_a_text_column_implies_its_width_in_bytes() -> None:
    assert _rules(_property(LogicalType.STRING, "VARCHAR(10)"))["x-max-bytes"] == 10


def test_a_width_that_another_rule_keeps_already_is_no_rule_of_its_own() -> None:
    column = _property(LogicalType.STRING, "VARCHAR(4)")
    assert "x-max-bytes" not in _rules(column, Limits(pattern="^[a-z]{4}$"))
    assert "x-max-bytes" not in _rules(column, Limits(allowed=("ab", "abcd")))
    assert "x-max-bytes" not in _rules(column, Limits(max_length=1))


def test_a_rule_that_only_warns_does_not_keep_the_width() -> None:
    notes = {RuleKind.PATTERN: Note(Severity.WARNING)}
    rules = _rules(_property(LogicalType.STRING, "VARCHAR(4)"), Limits(pattern="^[a-z]{4}$", notes=notes))
    assert rules["x-max-bytes"] == 4


def test_a_wider_pattern_does_not_keep_the_width() -> None:
    assert "x-max-bytes" in _rules(_property(LogicalType.STRING, "VARCHAR(4)"), Limits(pattern="^[a-z]{1,5}$"))
    assert "x-max-bytes" in _rules(_property(LogicalType.STRING, "VARCHAR(4)"), Limits(pattern="^[a-z]+$"))
    assert "x-max-bytes" in _rules(_property(LogicalType.STRING, "VARCHAR(4)"), Limits(pattern="^[äö]{4}$"))


def test_timestamps_and_days_have_a_type_and_a_format() -> None:
    assert list(_rules(_property(LogicalType.TIMESTAMP, "TIMESTAMPTZ"))) == ["x-type", "x-format"]
    assert list(_rules(_property(LogicalType.DATE, "DATE"))) == ["x-type", "x-format"]


def test_a_required_property_has_that_rule_first() -> None:
    assert list(_rules(_property(LogicalType.BOOLEAN, "BOOLEAN", required=True))) == ["x-required", "x-type"]


def test_the_drift_policy_decides_what_an_unknown_field_does() -> None:
    record = _property(LogicalType.OBJECT, "SUPER")
    severities = {}
    for policy in DriftPolicy:
        rules = [rule for rule in of_property(record, Limits(), policy) if rule.kind is RuleKind.UNKNOWN_FIELD]
        severities[policy] = [rule.severity for rule in rules]
    assert severities == {
        DriftPolicy.ALLOW: [],
        DriftPolicy.WARN: [Severity.WARNING],
        DriftPolicy.QUARANTINE: [Severity.ERROR],
        DriftPolicy.NO_GO: [Severity.ERROR],
    }


def test_a_note_sets_the_severity_and_gives_the_reason() -> None:
    limits = Limits(minimum=0, notes={RuleKind.MINIMUM: Note(Severity.WARNING, "It cannot be less than nothing.")})
    rules = {rule.kind: rule for rule in of_property(_property(LogicalType.NUMBER), limits, DriftPolicy.WARN)}
    assert rules[RuleKind.MINIMUM].severity is Severity.WARNING
    assert rules[RuleKind.MINIMUM].description == "x is at least 0. It cannot be less than nothing."
    assert rules[RuleKind.TYPE].severity is Severity.ERROR
