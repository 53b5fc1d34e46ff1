"""Owns JSONPaths as COPY understands them: `$['a']['b'][0]` and `$.a.b[0]`, nothing else.

https://docs.aws.amazon.com/redshift/latest/dg/copy-usage_notes-copy-from-json.html
"""

import re
from collections.abc import Callable

import orjson

from local.redshift.copy.failure import CopyFailed, load_error
from local.redshift.copy.grammar import Location

Step = str | int
Extract = Callable[[object], object]

_STEP = re.compile(
    r"\.(?P<dotted>[A-Za-z_][\w-]*)|\[\s*(?:'(?P<single>[^']+)'|\"(?P<double>[^\"]+)\"|(?P<index>\d+))\s*\]"
)


class NotAnObject(Exception):
    """A path asks a text or number for a member. A missing member or a null on the way is no error."""


def read_jsonpaths(content: bytes, where: Location) -> list[tuple[Step, ...]]:
    """The paths of a JSONPaths file, in the order of the columns. Raises CopyFailed that names a wrong one."""
    try:
        document = orjson.loads(content)
    except orjson.JSONDecodeError as exc:
        raise _bad_file(where, f"it is not JSON: {exc}") from exc
    paths = document.get("jsonpaths") if isinstance(document, dict) else None
    if not isinstance(paths, list) or not all(isinstance(path, str) for path in paths):
        raise _bad_file(where, 'it has no list "jsonpaths" of strings')
    return [parse_path(path, where) for path in paths]


def parse_path(path: str, where: Location) -> tuple[Step, ...]:
    """The steps of one path."""
    steps: list[Step] = []
    position = 1
    while path.startswith("$") and position < len(path):
        match = _STEP.match(path, position)
        if match is None:
            break
        index = match["index"]
        steps.append(int(index) if index is not None else match["dotted"] or match["single"] or match["double"])
        position = match.end()
    if not steps or position < len(path):
        raise load_error(f"Invalid JSONPath format: {path}", f"JSONPaths file: {where}")
    return tuple(steps)


def compile_path(steps: tuple[Step, ...]) -> Extract:
    """A function from a parsed line to what lies at the path; None when it is missing."""
    if len(steps) == 1 and isinstance(steps[0], str):
        return _one_member(steps[0])
    if len(steps) == 2 and isinstance(steps[0], str) and isinstance(steps[1], str):
        return _two_members(steps[0], steps[1])
    return _any_path(steps)


def _one_member(name: str) -> Extract:
    def extract(value: object) -> object:
        return value.get(name) if type(value) is dict else _step(value, name)

    return extract


def _two_members(outer: str, name: str) -> Extract:
    def extract(value: object) -> object:
        inner = value.get(outer) if type(value) is dict else _step(value, outer)
        return inner.get(name) if type(inner) is dict else _step(inner, name)

    return extract


def _any_path(steps: tuple[Step, ...]) -> Extract:
    def extract(value: object) -> object:
        for step in steps:
            value = _step(value, step)
        return value

    return extract


def _step(value: object, step: Step) -> object:
    if value is None:
        return None
    if isinstance(step, str) and isinstance(value, dict):
        return value.get(step)
    if isinstance(step, int) and isinstance(value, list):
        return value[step] if step < len(value) else None
    raise NotAnObject


def _bad_file(where: Location, problem: str) -> CopyFailed:
    return load_error(f"Problem reading JSONPaths file - {problem}", f"JSONPaths file: {where}")
