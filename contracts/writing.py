"""Owns writing a contract's values as text, laid out as the contracts here are. Reading is contracts/document.py's."""

from collections.abc import Mapping
from typing import Any

import yaml

_IN_ONE_LINE = ("tags", "logicalTypeOptions", "examples")
_ENTRIES_IN_ONE_LINE = ("enum", "relationships")


class _Flow(dict):  # type: ignore[type-arg]
    """A mapping written in one line."""


class _FlowList(list):  # type: ignore[type-arg]
    """A list written in one line."""


class _Dumper(yaml.SafeDumper):
    """Indents lists below their key, as people do."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, False)


_Dumper.add_representer(_Flow, lambda dumper, value: dumper.represent_mapping("tag:yaml.org,2002:map", value, True))
_Dumper.add_representer(
    _FlowList, lambda dumper, value: dumper.represent_sequence("tag:yaml.org,2002:seq", value, True)
)


def to_yaml(values: Mapping[str, Any]) -> str:
    """The text of a contract file, without its first comment. Equal values give equal text."""
    return yaml.dump(_laid_out(values), Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=112)


def _laid_out(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _at_key(key, inner) for key, inner in value.items()}
    return [_laid_out(inner) for inner in value] if isinstance(value, list) else value


def _at_key(key: str, value: Any) -> Any:
    if key in _IN_ONE_LINE:
        return _FlowList(value) if isinstance(value, list) else _Flow(value)
    if key in _ENTRIES_IN_ONE_LINE and isinstance(value, list):
        return [_Flow(entry) for entry in value]
    return _laid_out(value)
