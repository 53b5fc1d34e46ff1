"""Owns what an UNLOAD statement says: every word is understood or refused by name. Running it is run.py's job.

Grammar: https://docs.aws.amazon.com/redshift/latest/dg/r_UNLOAD.html
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from enum import Enum
from functools import partial
from types import MappingProxyType

from local.redshift.copy import failure
from local.redshift.copy.failure import CopyFailed, syntax_error
from local.redshift.copy.grammar import DEFAULT_ROLE, Location, parse_location
from local.redshift.copy.tokens import Kind
from local.redshift.copy.words import Words

not_supported = partial(failure.not_supported, statement="UNLOAD")


class Format(Enum):
    """How rows are written."""

    CSV = "CSV"
    JSON = "JSON"
    PARQUET = "PARQUET"


@dataclass(frozen=True, slots=True)
class UnloadOptions:
    """What follows the destination. The defaults are Redshift's."""

    role_arn: str | None = None
    format: Format | None = None
    delimiter: str = ","
    null_text: str = ""
    has_header: bool = False
    is_gzip: bool = False
    writes_manifest: bool = False
    is_parallel: bool = True
    overwrites: bool = False
    cleans: bool = False
    region: str | None = None


@dataclass(frozen=True, slots=True)
class UnloadCommand:
    """One UNLOAD statement."""

    query: str
    destination: Location
    options: UnloadOptions


_UNSUPPORTED = frozenset(
    ("ACCESS_KEY_ID", "ADDQUOTES", "BZIP2", "CREDENTIALS", "ENCRYPTED", "ESCAPE", "EXTENSION", "FIXEDWIDTH",
     "KMS_KEY_ID", "MASTER_SYMMETRIC_KEY", "MAXFILESIZE", "PARTITION", "ROWGROUPSIZE", "SECRET_ACCESS_KEY",
     "SESSION_TOKEN", "ZSTD")
)  # fmt: skip

_FIRST_WORD = re.compile(r"(?:\s+|--[^\n]*|/\*.*?\*/)*unload\b", re.DOTALL | re.IGNORECASE)


def is_unload(statement: str) -> bool:
    """Whether it is an UNLOAD rather than a COPY."""
    return _FIRST_WORD.match(statement) is not None


def parse_unload(statement: str) -> UnloadCommand:
    """Read an UNLOAD statement. Raises CopyFailed that names what is wrong or not supported."""
    return _Parser(statement).command()


class _Parser(Words):
    def __init__(self, statement: str) -> None:
        super().__init__(statement)
        self._seen: set[str] = set()

    def command(self) -> UnloadCommand:
        self.expect_word("UNLOAD")
        query = self._query()
        self.expect_word("TO")
        destination = parse_location(self.string("TO"), "destination")
        options = UnloadOptions()
        while not self.at_end():
            options = self._option(options)
        _check(options)
        return UnloadCommand(query, destination, options)

    def _query(self) -> str:
        if not self.take_sign("("):
            raise self.unexpected()
        token = self.take()
        if token.kind not in (Kind.STRING, Kind.DOLLAR_QUOTED):
            raise syntax_error(f'syntax error at or near "{token.text}": UNLOAD takes its query as a string')
        if not self.take_sign(")"):
            raise self.unexpected()
        return token.value

    def _option(self, options: UnloadOptions) -> UnloadOptions:
        token = self.take()
        if token.kind is not Kind.WORD:
            raise syntax_error(f'syntax error at or near "{token.text}"')
        if token.value in _UNSUPPORTED:
            raise not_supported(f"option {token.value}")
        name = "FORMAT" if token.value in ("CSV", "JSON", "PARQUET") else token.value
        read = _OPTIONS.get(name)
        if read is None:
            raise syntax_error(f'syntax error at or near "{token.text}": UNLOAD has no such option')
        if name in self._seen:
            raise syntax_error(f"conflicting or redundant options: {name} is given twice")
        self._seen.add(name)
        if token.value in ("CSV", "JSON", "PARQUET"):
            return replace(options, format=Format(token.value))
        return read(self, options)

    def format(self, options: UnloadOptions) -> UnloadOptions:
        self.take_word("AS")
        token = self.take()
        if token.kind is not Kind.WORD or token.value not in (one.value for one in Format):
            raise syntax_error(f'syntax error at or near "{token.text}": expected CSV, JSON or PARQUET')
        return replace(options, format=Format(token.value))

    def iam_role(self, options: UnloadOptions) -> UnloadOptions:
        if self.take_word("DEFAULT"):
            return replace(options, role_arn=DEFAULT_ROLE)
        return replace(options, role_arn=self.string("IAM_ROLE"))

    def delimiter(self, options: UnloadOptions) -> UnloadOptions:
        character = self.argument("DELIMITER")
        if len(character) != 1 or not character.isascii() or character in '"\r\n\\\0':
            raise CopyFailed("22023", f"DELIMITER takes one ASCII character, not '{character}'")
        return replace(options, delimiter=character)

    def null(self, options: UnloadOptions) -> UnloadOptions:
        return replace(options, null_text=self.argument("NULL"))

    def header(self, options: UnloadOptions) -> UnloadOptions:
        return replace(options, has_header=True)

    def gzip(self, options: UnloadOptions) -> UnloadOptions:
        return replace(options, is_gzip=True)

    def manifest(self, options: UnloadOptions) -> UnloadOptions:
        if self.take_word("VERBOSE"):
            raise not_supported("MANIFEST VERBOSE")
        return replace(options, writes_manifest=True)

    def parallel(self, options: UnloadOptions) -> UnloadOptions:
        is_off = self.take_word("OFF") or self.take_word("FALSE")
        if not is_off:
            self.take_word("ON") or self.take_word("TRUE")
        return replace(options, is_parallel=not is_off)

    def allow_overwrite(self, options: UnloadOptions) -> UnloadOptions:
        return replace(options, overwrites=True)

    def clean_path(self, options: UnloadOptions) -> UnloadOptions:
        return replace(options, cleans=True)

    def region(self, options: UnloadOptions) -> UnloadOptions:
        return replace(options, region=self.argument("REGION"))


def _check(options: UnloadOptions) -> None:
    if options.role_arn is None:
        raise syntax_error("UNLOAD needs IAM_ROLE: without it Redshift may not write to S3")
    if options.format is None:
        raise not_supported("writing delimited text", "Say FORMAT AS CSV, JSON or PARQUET.")
    if options.overwrites and options.cleans:
        raise syntax_error("CLEANPATH and ALLOWOVERWRITE cannot be given together")
    if options.format is not Format.CSV:
        for name, is_given in (
            ("HEADER", options.has_header),
            ("DELIMITER", options.delimiter != ","),
            ("NULL", bool(options.null_text)),
        ):
            if is_given:
                raise CopyFailed("0A000", f"{name} is not supported for UNLOAD to {options.format.value}")
    if options.format is Format.PARQUET and options.is_gzip:
        raise CopyFailed("0A000", "GZIP is not supported for UNLOAD to PARQUET")


_OPTIONS: Mapping[str, Callable[[_Parser, UnloadOptions], UnloadOptions]] = MappingProxyType(
    {
        "ALLOWOVERWRITE": _Parser.allow_overwrite,
        "CLEANPATH": _Parser.clean_path,
        "DELIMITER": _Parser.delimiter,
        "FORMAT": _Parser.format,
        "GZIP": _Parser.gzip,
        "HEADER": _Parser.header,
        "IAM_ROLE": _Parser.iam_role,
        "MANIFEST": _Parser.manifest,
        "NULL": _Parser.null,
        "PARALLEL": _Parser.parallel,
        "REGION": _Parser.region,
    }
)
