"""Owns reading one property of a contract, and what lies below it. Which rules follow is contracts/rules.py's job."""

import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from contracts import patterns, physical, rules
from contracts.comparisons import Reference
from contracts.custom import custom_properties
from contracts.document import KeyPath, Problem
from contracts.model import DriftPolicy, LogicalType, Property, Rule, RuleKind, Severity
from contracts.rules import Limits, Note

_COLUMN = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,126}")
_NESTED = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")  # no dots, brackets or dashes: paths and rule ids are made of them
_CLASSIFICATIONS = ("public", "internal", "restricted")

# Which logicalTypeOptions a gate enforces, by type. Any other is refused: a limit that nothing checks is a lie.
_OPTIONS: dict[LogicalType, dict[str, RuleKind]] = {
    LogicalType.STRING: {
        "pattern": RuleKind.PATTERN,
        "minLength": RuleKind.MIN_LENGTH,
        "maxLength": RuleKind.MAX_LENGTH,
    },
    LogicalType.INTEGER: {"minimum": RuleKind.MINIMUM, "maximum": RuleKind.MAXIMUM},
    LogicalType.NUMBER: {"minimum": RuleKind.MINIMUM, "maximum": RuleKind.MAXIMUM},
    LogicalType.ARRAY: {"minItems": RuleKind.MIN_ITEMS, "maxItems": RuleKind.MAX_ITEMS},
}

# Keys of the standard that promise something which no gate looks at.
_UNENFORCED = ("criticalDataElement", "encryptedName", "transformLogic", "semanticType", "map")

_REFERENCE = re.compile(r"([a-z][a-z0-9_]*)\.([a-z][a-z0-9_]*)")

_ENUM_TYPES: dict[LogicalType, type | tuple[type, ...]] = {
    LogicalType.STRING: str,
    LogicalType.INTEGER: int,
    LogicalType.NUMBER: (int, float),
}


class PropertyReader:
    """Reads the properties of one contract, gathering their rules in `rules` and what is wrong in `problems`."""

    def __init__(self, drift: DriftPolicy, problems: list[Problem]):
        self.rules: list[Rule] = []
        self.references: list[Rule] = []  # set rules: they come after all row rules
        self.problems = problems
        self._drift = drift

    def top_level(self, items: Sequence[Mapping[str, Any]], at: KeyPath) -> tuple[Property, ...]:
        """The properties that become columns, in the file's order."""
        if not items:
            self._problem(at, "a dataset without properties cannot be gated")
        return self._all(items, at, "")

    def _problem(self, at: KeyPath, message: str) -> None:
        self.problems.append(Problem(at, message))

    def _all(self, items: Sequence[Mapping[str, Any]], at: KeyPath, parent: str) -> tuple[Property, ...]:
        seen: set[str] = set()
        found = []
        for index, item in enumerate(items):
            here, name = (*at, index), str(item["name"])
            if not (_NESTED if parent else _COLUMN).fullmatch(name):
                message = f"{name!r} is no name for a property here; expected letters, digits and _"
                self._problem((*here, "name"), message)
            folded = name if parent else name.lower()
            if folded in seen:
                self._problem((*here, "name"), f"the property {name} is described twice")
            seen.add(folded)
            self._physical_name(item, here, name, is_column=not parent)
            found.append(self._one(item, here, name, f"{parent}.{name}" if parent else name, is_column=not parent))
        return tuple(found)

    def _one(self, item: Mapping[str, Any], at: KeyPath, name: str, path: str, *, is_column: bool) -> Property:
        """Reads a property; its own rules come before its children's."""
        logical_type = self._logical_type(item, at)
        known = {"unit", "rules", "driftPolicy"} if logical_type is LogicalType.OBJECT else {"unit", "rules"}
        custom = custom_properties(item, at, known, self.problems)
        drift = read_drift(custom, {"unknownFields"}, self.problems).get("unknownFields", self._drift)
        position = len(self.rules)
        prop = Property(
            name=name,
            path=path,
            logical_type=logical_type,
            physical_type=self._physical_type(item, at, logical_type, is_column=is_column),
            required=bool(item.get("required", False)),
            primary_key=bool(item.get("primaryKey", False)),
            classification=self._classification(item, at),
            description=self._description(item, at, path),
            unit=str(custom["unit"][1]) if "unit" in custom else None,
            example=next(iter(item.get("examples") or []), None),
            children=self._children_under(drift, item, at, path, logical_type),
            stable_id=item.get("id"),
            is_deprecated=bool(item.get("deprecated", False)),
        )
        if prop.primary_key and not is_column:
            self._problem((*at, "primaryKey"), "only a top-level property can be the primary key")
        for key in _UNENFORCED:
            if key in item:
                self._problem((*at, key), f"no gate enforces {key!r}: leave it out rather than promise it")
        limits = self._limits(item, at, logical_type)
        notes_at, notes = custom.get("rules", (at, {}))
        references = self._references(item, at)
        own = self._rules(prop, limits, drift, references, notes, notes_at)
        self.rules[position:position] = [rule for rule in own if rule.kind is not RuleKind.REFERENCE]
        self.references += [rule for rule in own if rule.kind is RuleKind.REFERENCE]
        return prop

    def _children_under(
        self, drift: DriftPolicy, item: Mapping[str, Any], at: KeyPath, path: str, logical_type: LogicalType
    ) -> tuple[Property, ...]:
        """The children; an object's own drift policy holds for those below it as well."""
        around, self._drift = self._drift, drift
        try:
            return self._children(item, at, path, logical_type)
        finally:
            self._drift = around

    def _references(self, item: Mapping[str, Any], at: KeyPath) -> list[Reference]:
        found: list[Reference] = []
        for index, relationship in enumerate(item.get("relationships") or []):
            here = (*at, "relationships", index)
            match = _REFERENCE.fullmatch(str(relationship.get("to")))
            if match is None or set(relationship) - {"type", "to", "id"}:
                self._problem(here, "a reference names dataset and field, as in rockets.id")
            elif item.get("logicalType") not in {LogicalType.STRING, LogicalType.INTEGER}:
                self._problem(here, "only texts and integers name records of another dataset")
            elif found:
                self._problem(here, "a property names records of one dataset, not of several")
            else:
                found.append(Reference(match[1], match[2]))
        return found

    def _rules(
        self,
        prop: Property,
        limits: Limits,
        drift: DriftPolicy,
        references: Sequence[Reference],
        notes: Any,
        notes_at: KeyPath,
    ) -> list[Rule]:
        try:
            annotated = Limits(
                **{name: getattr(limits, name) for name in Limits.__slots__ if name != "notes"},
                notes=read_notes(notes),
            )
        except ValueError as exc:
            self._problem(notes_at, str(exc))
            return []
        own = list(rules.of_property(prop, annotated, drift))
        note = annotated.notes.get(RuleKind.REFERENCE, Note())
        own += [rules.set_rule(prop.path, RuleKind.REFERENCE, reference, note) for reference in references]
        for kind in set(annotated.notes) - {rule.kind for rule in own}:
            self._problem((*notes_at, str(kind)), f"the property has no rule of the kind {kind} to say this of")
        return own

    def _logical_type(self, item: Mapping[str, Any], at: KeyPath) -> LogicalType:
        given = item.get("logicalType")
        if given in list(LogicalType):
            return LogicalType(given)
        known = ", ".join(LogicalType)
        message = f"no gate knows the logical type {given!r}; known: {known}" if given else f"missing; known: {known}"
        self._problem((*at, "logicalType"), message)
        return LogicalType.STRING

    def _physical_type(
        self, item: Mapping[str, Any], at: KeyPath, logical_type: LogicalType, *, is_column: bool
    ) -> str | None:
        given, here = item.get("physicalType"), (*at, "physicalType")
        if not is_column:
            if given is not None:
                self._problem(here, "only top-level properties become columns; a nested one has no physical type")
            return None
        parsed = physical.parse(str(given)) if given else None
        if given is None:
            self._problem(here, f"missing: a top-level property becomes a column; known types: {physical.KNOWN}")
        elif parsed is None:
            self._problem(here, f"{given!r} is no known column type; known: {physical.KNOWN}")
        elif logical_type not in parsed.fits:
            self._problem(here, f"a column of type {given} cannot hold the logical type {logical_type}")
        return str(given) if parsed else None

    def _physical_name(self, item: Mapping[str, Any], at: KeyPath, name: str, *, is_column: bool) -> None:
        """Redshift folds names, so that a column may be called otherwise than its property: then the file says so."""
        given, here = item.get("physicalName"), (*at, "physicalName")
        if not is_column and given is not None:
            self._problem(here, "only top-level properties become columns; a nested one has no physical name")
        if is_column and (given or name) != name.lower():
            self._problem(here, f"Redshift folds names: the column of {name} is {name.lower()}, say so here")

    def _classification(self, item: Mapping[str, Any], at: KeyPath) -> str:
        given = str(item.get("classification", "public"))
        if given not in _CLASSIFICATIONS:
            expected = ", ".join(_CLASSIFICATIONS)
            self._problem((*at, "classification"), f"unknown classification {given!r}; expected {expected}")
        return given

    def _description(self, item: Mapping[str, Any], at: KeyPath, path: str) -> str:
        text = " ".join(str(item.get("description") or "").split())
        if not text and not path.endswith("[]"):
            self._problem((*at, "description"), "missing: a stranger must understand the property")
        return text

    def _children(
        self, item: Mapping[str, Any], at: KeyPath, path: str, logical_type: LogicalType
    ) -> tuple[Property, ...]:
        if logical_type is LogicalType.OBJECT:
            if not item.get("properties"):
                self._problem((*at, "properties"), "an object must list its properties")
            return self._all(item.get("properties") or [], (*at, "properties"), path)
        if logical_type is LogicalType.ARRAY:
            if not item.get("items"):
                self._problem((*at, "items"), "an array must say what its items are")
                return ()
            return (self._one(item["items"], (*at, "items"), "[]", f"{path}[]", is_column=False),)
        return ()

    def _limits(self, item: Mapping[str, Any], at: KeyPath, logical_type: LogicalType) -> Limits:
        known = _OPTIONS.get(logical_type, {})
        options = item.get("logicalTypeOptions") or {}
        for name in options:
            if name not in known:
                allowed = ", ".join(known) or "none"
                message = f"no gate enforces {name} on the type {logical_type}; enforced: {allowed}"
                self._problem((*at, "logicalTypeOptions", name), message)
        self._check_bounds(options, (*at, "logicalTypeOptions"))
        return Limits(
            pattern=self._pattern(options, (*at, "logicalTypeOptions", "pattern")),
            allowed=self._allowed(item, (*at, "enum"), logical_type),
            minimum=options.get("minimum"),
            maximum=options.get("maximum"),
            min_length=options.get("minLength"),
            max_length=options.get("maxLength"),
            min_items=options.get("minItems"),
            max_items=options.get("maxItems"),
        )

    def _check_bounds(self, options: Mapping[str, Any], at: KeyPath) -> None:
        for low, high in (("minimum", "maximum"), ("minLength", "maxLength"), ("minItems", "maxItems")):
            if low in options and high in options and options[low] > options[high]:
                self._problem((*at, high), f"{high} {options[high]} lies below {low} {options[low]}")

    def _pattern(self, options: Mapping[str, Any], at: KeyPath) -> str | None:
        given = options.get("pattern")
        if given is None:
            return None
        try:
            patterns.parse(given)
            re.compile(given)
        except (patterns.PatternInvalid, re.error) as exc:
            self._problem(at, f"bad regular expression: {exc}")
            return None
        return str(given)

    def _allowed(self, item: Mapping[str, Any], at: KeyPath, logical_type: LogicalType) -> tuple[Any, ...]:
        given = item.get("enum")
        if given is None:
            return ()
        wanted = _ENUM_TYPES.get(logical_type)
        if wanted is None:
            self._problem(at, f"a property of type {logical_type} cannot have an enum")
            return ()
        for index, entry in enumerate(given):
            if isinstance(entry["value"], bool) or not isinstance(entry["value"], wanted):
                self._problem((*at, index, "value"), f"{entry['value']!r} is no {logical_type}")
        return tuple(entry["value"] for entry in given)


def read_drift(
    custom: Mapping[str, tuple[KeyPath, Any]], words: Collection[str], problems: list[Problem]
) -> dict[str, DriftPolicy]:
    """The custom property `driftPolicy`: a policy for each word that it gives one. Empty when it is not there."""
    at, value = custom.get("driftPolicy", ((), {}))
    allowed = [str(policy) for policy in DriftPolicy]
    is_right = isinstance(value, dict) and set(value) <= set(words) and all(one in allowed for one in value.values())
    if not is_right or (at and not value):
        form = ", ".join(f"{word}: {' | '.join(allowed)}" for word in sorted(words))
        problems.append(Problem(at, f"expected {{{form}}}"))
        return {}
    return {word: DriftPolicy(policy) for word, policy in value.items()}


def read_notes(value: Any) -> dict[RuleKind, Note]:
    """The custom property `rules`: by kind of rule, its severity and reason. Raises ValueError."""
    if not isinstance(value, dict):
        raise ValueError("expected {<kind>: {severity: …, reason: …}}")
    return {_kind(kind): read_note(note) for kind, note in value.items()}


def _kind(name: Any) -> RuleKind:
    if name not in list(RuleKind):
        raise ValueError(f"no kind of rule is called {name!r}; known: {', '.join(RuleKind)}")
    return RuleKind(name)


def read_note(value: Any) -> Note:
    """A severity with the reason for the rule. Raises ValueError."""
    if not isinstance(value, dict) or not value or set(value) - {"severity", "reason"}:
        raise ValueError("expected {severity: …, reason: …}")
    severity = value.get("severity", "error")
    if severity not in list(Severity):
        raise ValueError(f"unknown severity {severity!r}; known: {', '.join(Severity)}")
    return Note(Severity(severity), " ".join(str(value.get("reason", "")).split()))
