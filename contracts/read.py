"""Owns reading contract files into their typed view, and refusing those that do not say what a contract must say.

The YAML text is contracts/document.py's job, the standard's own demands contracts/odcs_schema.py's, properties
contracts/properties.py's, the rules that follow from them contracts/rules.py's.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from contracts import document, odcs_schema, rules
from contracts.comparisons import Reference
from contracts.custom import custom_properties
from contracts.document import KeyPath, Problem, ProblemsFound
from contracts.errors import ContractInvalid
from contracts.model import Contract, DriftPolicy, Property, RejectLimit, Role, Rule, RuleKind, Scope
from contracts.properties import PropertyReader, read_drift
from contracts.set_rules import read_set_rules

FOLDER = Path(__file__).resolve().parent
SUFFIX = ".odcs.yaml"

_DATASET = re.compile(r"[a-z][a-z0-9_]*")
_ACCESS = ("read", "write")
_HOURS = {"h": 1.0, "hr": 1.0, "hour": 1.0, "hours": 1.0, "d": 24.0, "day": 24.0, "days": 24.0}


def read_contract(path: Path) -> Contract:
    """The contract in a file named `<dataset>.odcs.yaml`.

    Raises ContractInvalid (ProblemsFound, with every finding) when the file is missing or is no valid contract.
    """
    if not path.is_file():
        raise ContractInvalid(_missing(path))
    values = document.load(path)
    problems = odcs_schema.problems(values)
    if not problems:
        contract, problems = _build(values, path.name)
    if problems:
        raise ProblemsFound(document.locate(path, problems))
    return contract


def read_contracts(folder: Path = FOLDER) -> dict[str, Contract]:
    """Every contract of a folder by its dataset, sorted. Raises ContractInvalid, also when there is none."""
    if not folder.is_dir():
        raise ContractInvalid(f"{folder}: no such folder; expected one that holds <dataset>{SUFFIX} files")
    paths = sorted(folder.glob(f"*{SUFFIX}"))
    if not paths:
        raise ContractInvalid(f"{folder}: no contract here; expected files named <dataset>{SUFFIX}")
    contracts = {contract.dataset: contract for contract in map(read_contract, paths)}
    _refuse_dangling(folder, contracts)
    return contracts


def _refuse_dangling(folder: Path, contracts: Mapping[str, Contract]) -> None:
    """Raises ContractInvalid when a contract refers to what no other describes."""
    for contract in contracts.values():
        for rule in contract.rules:
            if isinstance(rule.argument, Reference):
                other = contracts.get(rule.argument.dataset)
                if other is None or rule.argument.field != other.key.path:
                    raise ContractInvalid(
                        f"{folder / contract.file_name}: {rule.path} refers to {rule.argument.dataset}."
                        f"{rule.argument.field}, which is no key of a contract here; known datasets: "
                        f"{', '.join(contracts)}"
                    )


def content_hash(values: Mapping[str, Any]) -> str:
    """Names the content of a contract: comments, white space, quoting and the order of keys do not change it."""
    canonical = json.dumps(values, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()[:32]


def _missing(path: Path) -> str:
    datasets = sorted(file.name.removesuffix(SUFFIX) for file in path.parent.glob(f"*{SUFFIX}"))
    known = ", ".join(datasets) if datasets else "none"
    return f"{path}: no such contract; datasets with a contract in {path.parent}: {known}"


def _build(values: Mapping[str, Any], file_name: str) -> tuple[Contract, list[Problem]]:
    """The typed view and what is wrong with it; the view is only of use when nothing is."""
    problems: list[Problem] = []
    custom = custom_properties(values, (), {"rejectLimit", "driftPolicy"}, problems)
    policies = read_drift(custom, {"unknownFields", "damagedFields"}, problems)
    drift = policies.get("unknownFields", DriftPolicy.WARN)
    damage = policies.get("damagedFields", DriftPolicy.WARN)
    table = _table(values, problems)
    at: KeyPath = ("schema", 0)
    dataset = _dataset(table, file_name, at, problems)
    reader = PropertyReader(drift, problems)
    properties = reader.top_level(table.get("properties") or [], (*at, "properties"))
    key = _primary_key(properties, (*at, "properties"), problems)
    row_rules = [*rules.unknown_field("", drift), *rules.source_damage(damage), *reader.rules]
    checks = read_set_rules(table, properties, at, problems)
    all_rules = tuple(sorted((*row_rules, *checks, *reader.references), key=lambda rule: rule.scope is Scope.SET))
    _refuse_repeated_ids(all_rules, (*at, "properties"), problems)
    _check_hours(values, problems)
    _check_roles(values, problems)
    if key is not None and not any(rule.kind is RuleKind.UNIQUE and rule.path == key.path for rule in all_rules):
        problems.append(Problem((*at, "properties"), f"the primary key {key.name} must be unique: true"))
    contract = _contract(values, table, dataset, properties, all_rules, _reject_limit(custom, problems), file_name)
    _require_words(contract, problems)
    return contract, problems


def _contract(
    values: Mapping[str, Any],
    table: Mapping[str, Any],
    dataset: str,
    properties: tuple[Property, ...],
    all_rules: tuple[Rule, ...],
    reject_limit: RejectLimit,
    file_name: str,
) -> Contract:
    about = values.get("description") or {}
    return Contract(
        dataset=dataset,
        version=str(values["version"]),
        content_hash=content_hash(values),
        description=_text(table.get("description")),
        purpose=_text(about.get("purpose")),
        owner=_text((values.get("team") or {}).get("name")),
        support_url=next((str(item["url"]) for item in values.get("support") or [] if "url" in item), ""),
        latency_h=_hours(values, "latency"),
        properties=properties,
        rules=all_rules,
        reject_limit=reject_limit,
        file_name=file_name,
        title=_text(values.get("name")),
        usage=_text(about.get("usage")),
        limitations=_text(about.get("limitations")),
        grain=_text(table.get("dataGranularityDescription")),
        freshness_h=_hours(values, "freshness"),
        roles=_roles(values),
    )


def _text(value: Any) -> str:
    return " ".join(str(value).split()) if value is not None else ""


def _table(values: Mapping[str, Any], problems: list[Problem]) -> Mapping[str, Any]:
    tables = values.get("schema") or []
    if len(tables) == 1:
        table: Mapping[str, Any] = tables[0]
        return table
    problems.append(Problem(("schema",), f"one contract describes one dataset, this one has {len(tables)} objects"))
    return tables[0] if tables else {}


def _dataset(table: Mapping[str, Any], file_name: str, at: KeyPath, problems: list[Problem]) -> str:
    dataset = str(table.get("name", ""))
    if not _DATASET.fullmatch(dataset):
        problems.append(Problem((*at, "name"), f"{dataset!r} is no dataset name; expected lower case as in `launches`"))
    elif file_name != dataset + SUFFIX:
        problems.append(Problem((*at, "name"), f"the contract of {dataset} lies in {dataset}{SUFFIX}, not {file_name}"))
    if table.get("physicalName", dataset) != dataset:
        problems.append(Problem((*at, "physicalName"), f"the table is named as the dataset: {dataset}"))
    return dataset


def _primary_key(properties: tuple[Property, ...], at: KeyPath, problems: list[Problem]) -> Property | None:
    keys = [prop for prop in properties if prop.primary_key]
    if len(keys) != 1:
        named = ", ".join(prop.name for prop in keys) or "none"
        problems.append(Problem(at, f"exactly one property is the primary key, here: {named}"))
        return None
    if not keys[0].required:
        problems.append(Problem(at, f"the primary key {keys[0].name} must be required: true"))
    return keys[0]


def _refuse_repeated_ids(all_rules: tuple[Rule, ...], at: KeyPath, problems: list[Problem]) -> None:
    first: dict[str, Rule] = {}
    for rule in all_rules:
        other = first.setdefault(rule.rule_id, rule)
        if other is not rule:
            message = f"two rules are called {rule.rule_id} (on `{other.path}` and `{rule.path}`); rename one"
            problems.append(Problem(at, message))


def _roles(values: Mapping[str, Any]) -> tuple[Role, ...]:
    given = values.get("roles") or []
    return tuple(Role(str(role["role"]), str(role.get("access", "")), _text(role.get("description"))) for role in given)


def _check_roles(values: Mapping[str, Any], problems: list[Problem]) -> None:
    seen: set[str] = set()
    for index, role in enumerate(_roles(values)):
        at: KeyPath = ("roles", index)
        if role.access not in _ACCESS:
            problems.append(Problem((*at, "access"), f"unknown access {role.access!r}; expected {', '.join(_ACCESS)}"))
        if role.name in seen:
            problems.append(Problem((*at, "role"), f"the role {role.name} is given twice"))
        seen.add(role.name)


def _check_hours(values: Mapping[str, Any], problems: list[Problem]) -> None:
    for index, item in enumerate(values.get("slaProperties") or []):
        if item["property"] in {"latency", "freshness"} and _hours_of(item) is None:
            problems.append(Problem(("slaProperties", index), "expected a positive value with unit h or d"))


def _hours(values: Mapping[str, Any], name: str) -> float | None:
    for item in values.get("slaProperties") or []:
        if item["property"] == name:
            return _hours_of(item)
    return None


def _hours_of(item: Mapping[str, Any]) -> float | None:
    value, factor = item["value"], _HOURS.get(str(item.get("unit", "")))
    if factor is None or isinstance(value, bool) or not isinstance(value, int | float) or value <= 0:
        return None
    return float(value * factor)


def _reject_limit(custom: Mapping[str, tuple[KeyPath, Any]], problems: list[Problem]) -> RejectLimit:
    at, value = custom.get("rejectLimit", (("customProperties",), None))
    form = "expected rejectLimit: {ratio: 0 to 1, floorCount: whole number, reason: why this much and no more}"
    nothing = RejectLimit(0.0, 0, "")
    if not isinstance(value, dict) or set(value) - {"reason"} != {"ratio", "floorCount"}:
        problems.append(Problem(at, form))
        return nothing
    ratio, floor_count, reason = value["ratio"], value["floorCount"], _text(value.get("reason"))
    if not reason:
        problems.append(Problem(at, "a limit needs a reason: say why this much and no more"))
    is_ratio = isinstance(ratio, int | float) and not isinstance(ratio, bool) and 0 <= ratio <= 1
    is_count = isinstance(floor_count, int) and not isinstance(floor_count, bool) and floor_count >= 0
    if not (is_ratio and is_count):
        problems.append(Problem(at, form))
        return nothing
    return RejectLimit(float(ratio), floor_count, reason)


def _require_words(contract: Contract, problems: list[Problem]) -> None:
    wanted = {
        ("description", "purpose"): contract.purpose,
        ("schema", 0, "description"): contract.description,
        ("team", "name"): contract.owner,
        ("support",): contract.support_url,
    }
    for at, text in wanted.items():
        if not text:
            problems.append(Problem(at, "missing: people must know what this is, whose it is and where to ask"))
