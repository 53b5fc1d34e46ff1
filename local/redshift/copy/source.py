"""Owns which objects a COPY loads: by manifest or by key prefix. Reading them is lines.py's."""

from dataclasses import dataclass

import orjson

from local.redshift.copy.failure import CopyFailed, load_error
from local.redshift.copy.grammar import CopyCommand, Format, Location, parse_location
from local.redshift.copy.store import ObjectMissing, ObjectStore, SourceObject, StoreFailed


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry of a manifest."""

    location: Location
    is_mandatory: bool
    content_length: int | None


def objects_to_load(store: ObjectStore, command: CopyCommand) -> list[SourceObject]:
    """The objects, all there when this was called. Raises CopyFailed: nothing to load, or something mandatory gone."""
    source = command.source
    try:
        if not command.options.is_manifest:
            found = store.find(source)
        elif not source.key or source.key.endswith("/"):
            raise load_error("COPY with MANIFEST parameter requires full path of an S3 object.", f"source: {source}")
        else:
            entries = read_manifest(store.read(source), source)
            if command.options.format is Format.PARQUET and any(one.content_length is None for one in entries):
                raise _bad_manifest(source, "each entry needs meta.content_length when the format is PARQUET")
            found = [listed for entry in entries if (listed := _listed(store, entry)) is not None]
    except ObjectMissing as exc:
        kind = "Problem reading manifest file - " if command.options.is_manifest else ""
        raise load_error(f"{kind}{exc}", f"source: {source}") from exc
    except StoreFailed as exc:
        raise load_error(str(exc), f"source: {source}") from exc
    if not found:
        what = "manifest" if command.options.is_manifest else "S3 prefix"
        raise load_error(f"The specified {what} '{source.key}' does not exist or names no object", f"source: {source}")
    return found


def read_manifest(content: bytes, where: Location) -> list[Entry]:
    """The entries of a manifest. Raises CopyFailed that says what is wrong with which one."""
    try:
        document = orjson.loads(content)
    except orjson.JSONDecodeError as exc:
        raise _bad_manifest(where, f"it is not JSON: {exc}") from exc
    entries = document.get("entries") if isinstance(document, dict) else None
    if not isinstance(entries, list):
        raise _bad_manifest(where, 'it has no list "entries"')
    return [_entry(entry, f"entry {number}", where) for number, entry in enumerate(entries, start=1)]


def _entry(entry: object, name: str, where: Location) -> Entry:
    if not isinstance(entry, dict) or not isinstance(entry.get("url"), str):
        raise _bad_manifest(where, f'{name} has no "url"')
    location = parse_location(entry["url"], f"url of {name} of the manifest")
    mandatory = entry.get("mandatory", False)
    meta = entry.get("meta", {})
    if not isinstance(mandatory, bool):
        raise _bad_manifest(where, f'"mandatory" of {name} is not true or false')
    if not isinstance(meta, dict):
        raise _bad_manifest(where, f'"meta" of {name} is not an object')
    length = meta.get("content_length")
    if length is not None and (not isinstance(length, int) or isinstance(length, bool)):
        raise _bad_manifest(where, f'"content_length" of {name} is not a number of bytes')
    if not location.key or location.key.endswith("/"):
        raise _bad_manifest(where, f"url of {name} names no object: {location}")
    return Entry(location, mandatory, length)


def _listed(store: ObjectStore, entry: Entry) -> SourceObject | None:
    try:
        found = store.describe(entry.location)
    except ObjectMissing as exc:
        if entry.is_mandatory:
            raise load_error(
                f"Mandatory url is not present in manifest's bucket: {entry.location}", f"{exc}. Nothing was loaded."
            ) from exc
        return None
    if entry.content_length is not None and entry.content_length != found.size:
        raise load_error(
            f"The manifest says {entry.location} has {entry.content_length} bytes, it has {found.size}",
            "meta.content_length does not match. Nothing was loaded.",
        )
    return found


def _bad_manifest(where: Location, problem: str) -> CopyFailed:
    return load_error(f"Problem reading manifest file - {problem}", f"manifest: {where}")
