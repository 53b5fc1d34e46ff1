"""Owns what a COPY statement says: every word is understood or refused by name. Running it is load.py's job.

Grammar: https://docs.aws.amazon.com/redshift/latest/dg/r_COPY.html
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from enum import Enum
from types import MappingProxyType

from local.redshift.copy.failure import CopyFailed, not_supported, syntax_error
from local.redshift.copy.tokens import Kind
from local.redshift.copy.words import Words

_MOST_ERRORS = 100_000


@dataclass(frozen=True, slots=True)
class Location:
    """An object, or the beginning of objects' keys."""

    bucket: str
    key: str

    def __str__(self) -> str:
        return f"s3://{self.bucket}/{self.key}"


class Format(Enum):
    """How rows are written."""

    JSON = "JSON"
    CSV = "CSV"
    PARQUET = "PARQUET"


class Match(Enum):
    """How members of a JSON object find their columns when there are no JSONPaths."""

    AUTO = "auto"
    AUTO_IGNORECASE = "auto ignorecase"


class TimeFormat(Enum):
    """How instants are written."""

    STANDARD = ""
    AUTO = "auto"
    EPOCH_SECONDS = "epochsecs"
    EPOCH_MILLISECONDS = "epochmillisecs"


class DateFormat(Enum):
    """How days are written."""

    STANDARD = ""
    AUTO = "auto"


@dataclass(frozen=True, slots=True)
class Options:
    """What follows the source. The defaults are Redshift's."""

    role_arn: str | None = None  # None until IAM_ROLE is read; DEFAULT_ROLE for `IAM_ROLE default`
    format: Format = Format.JSON
    json: Match | Location | None = None  # with that format
    delimiter: str = ","
    quote: str = '"'
    null_text: str = "\\N"
    empty_is_null: bool = False
    blanks_are_null: bool = False
    ignores_blank_lines: bool = False
    ignored_header_lines: int = 0
    is_gzip: bool = False
    is_manifest: bool = False
    max_error_count: int = 0
    time_format: TimeFormat = TimeFormat.STANDARD
    date_format: DateFormat = DateFormat.STANDARD
    truncates_columns: bool = False
    rounds_decimals: bool = False
    invalid_replacement: str | None = None
    region: str | None = None


@dataclass(frozen=True, slots=True)
class CopyCommand:
    """One COPY statement. Names are in lower case, as Redshift folds them."""

    schema: str | None
    table: str
    columns: tuple[str, ...] | None
    source: Location
    options: Options


DEFAULT_ROLE = "default"

_OTHER_FORMATS = frozenset(("AVRO", "FIXEDWIDTH", "ORC", "RCFILE", "SEQUENCEFILE", "SHAPEFILE"))
_FORMATS = frozenset(("JSON", "CSV", "PARQUET"))
_UNSUPPORTED = _OTHER_FORMATS | {
    "ACCEPTANYDATE", "ACCESS_KEY_ID", "BZIP2", "COMPROWS", "CREDENTIALS",
    "ENCODING", "ENCRYPTED", "ESCAPE", "EXPLICIT_IDS", "FILLRECORD", "IGNOREALLERRORS",
    "JOB", "KMS_KEY_ID", "LZOP", "MASTER_SYMMETRIC_KEY", "NOLOAD", "PARALLEL",
    "READRATIO", "REMOVEQUOTES", "SECRET_ACCESS_KEY", "SESSION_TOKEN", "SIMPLIFY", "SSH", "TOKEN", "TRIMBLANKS",
    "WITH", "ZSTD",
}  # fmt: skip


def parse_copy(statement: str) -> CopyCommand:
    """Read a COPY statement. Raises CopyFailed that names what is wrong or not supported."""
    return _Parser(statement).command()


def parse_location(url: str, what: str) -> Location:
    """Read an S3 URL. `what` says in the error which one it is."""
    scheme, separator, rest = url.partition("://")
    if separator and scheme.lower() in ("dynamodb", "emr", "ssh"):
        raise not_supported(f"loading from {scheme}://")
    bucket, _, key = rest.partition("/")
    if scheme.lower() != "s3" or not separator or not bucket:
        raise CopyFailed("22023", f"The {what} must be an S3 URL like 's3://bucket/key', not '{url}'")
    return Location(bucket, key)


class _Parser(Words):
    def __init__(self, statement: str) -> None:
        super().__init__(statement)
        self._seen: set[str] = set()

    def command(self) -> CopyCommand:
        self.expect_word("COPY")
        schema, table = self._table()
        columns = self._columns()
        self.expect_word("FROM")
        source = parse_location(self.string("FROM"), "source")
        options = Options()
        while not self.at_end():
            options = self._option(options)
        if options.role_arn is None:
            raise syntax_error("COPY needs IAM_ROLE: without it Redshift may not read S3")
        if not _FORMATS & self._seen:
            raise not_supported("loading delimited text", "Say FORMAT AS JSON, CSV or PARQUET.")
        _check_format(options.format, self._seen)
        return CopyCommand(schema, table, columns, source, options)

    def _table(self) -> tuple[str | None, str]:
        names = [self.name()]
        while self.take_sign("."):
            names.append(self.name())
        if len(names) > 2:
            raise not_supported("a table of another database", "Name the table as schema.table.")
        return (names[0] if len(names) == 2 else None), names[-1]

    def _columns(self) -> tuple[str, ...] | None:
        if not self.take_sign("("):
            return None
        names = [self.name()]
        while self.take_sign(","):
            names.append(self.name())
        if not self.take_sign(")"):
            raise self.unexpected()
        if len(set(names)) < len(names):
            raise CopyFailed("42701", "a column is specified more than once in the column list of COPY")
        return tuple(names)

    def _option(self, options: Options) -> Options:
        token = self.take()
        if token.kind is not Kind.WORD:
            raise syntax_error(f'syntax error at or near "{token.text}"')
        if token.value in _UNSUPPORTED:
            raise not_supported(f"option {token.value}")
        name = self._format() if token.value == "FORMAT" else token.value
        read = _OPTIONS.get(name)
        if read is None:
            raise syntax_error(f'syntax error at or near "{token.text}": COPY has no such option')
        if name in self._seen:
            raise syntax_error(f"conflicting or redundant options: {name} is given twice")
        if name in _FORMATS and _FORMATS & self._seen:
            raise syntax_error(f"conflicting or redundant options: {name} and another format")
        self._seen.add(name)
        return read(self, options)

    def _format(self) -> str:
        self.take_word("AS")
        token = self.take()
        if token.kind is Kind.WORD and token.value in _OTHER_FORMATS:
            raise not_supported(f"FORMAT {token.value}")
        if token.kind is not Kind.WORD or token.value not in _FORMATS:
            raise syntax_error(f'syntax error at or near "{token.text}": expected JSON, CSV or PARQUET')
        return token.value

    def json(self, options: Options) -> Options:
        self.take_word("AS")
        if self.peek().kind is not Kind.STRING:
            return replace(options, json=Match.AUTO)
        value = self.take().value
        if value.lower() in (match.value for match in Match):
            return replace(options, json=Match(value.lower()))
        if value.lower() == "noshred":
            raise not_supported("FORMAT JSON 'noshred'")
        return replace(options, json=parse_location(value, "JSONPaths file"))

    def csv(self, options: Options) -> Options:
        return replace(options, format=Format.CSV)

    def parquet(self, options: Options) -> Options:
        return replace(options, format=Format.PARQUET, time_format=TimeFormat.AUTO)  # the file's own

    def delimiter(self, options: Options) -> Options:
        return replace(options, delimiter=self._character("DELIMITER"))

    def quote(self, options: Options) -> Options:
        return replace(options, quote=self._character("QUOTE"))

    def null(self, options: Options) -> Options:
        return replace(options, null_text=self.argument("NULL"))

    def empty_as_null(self, options: Options) -> Options:
        return replace(options, empty_is_null=True)

    def blanks_as_null(self, options: Options) -> Options:
        return replace(options, blanks_are_null=True)

    def ignore_blank_lines(self, options: Options) -> Options:
        return replace(options, ignores_blank_lines=True)

    def ignore_header(self, options: Options) -> Options:
        self.take_word("AS")
        token = self.take()
        if token.kind is not Kind.NUMBER:
            raise CopyFailed("22023", f"IGNOREHEADER must be a number of lines, not {token.text}")
        return replace(options, ignored_header_lines=int(token.value))

    def _character(self, option: str) -> str:
        character = self.argument(option)
        if len(character) != 1 or not character.isascii() or character in "\r\n\0":
            raise CopyFailed("22023", f"{option} takes one ASCII character, not '{character}'")
        return character

    def iam_role(self, options: Options) -> Options:
        if self.take_word("DEFAULT"):
            return replace(options, role_arn=DEFAULT_ROLE)
        return replace(options, role_arn=self.string("IAM_ROLE"))

    def gzip(self, options: Options) -> Options:
        return replace(options, is_gzip=True)

    def manifest(self, options: Options) -> Options:
        return replace(options, is_manifest=True)

    def max_error(self, options: Options) -> Options:
        self.take_word("AS")
        token = self.take()
        if token.kind is not Kind.NUMBER or int(token.value) > _MOST_ERRORS:
            raise CopyFailed("22023", f"MAXERROR must be a number from 0 to {_MOST_ERRORS}, not {token.text}")
        return replace(options, max_error_count=int(token.value))

    def time_format(self, options: Options) -> Options:
        value = self.argument("TIMEFORMAT")
        known = [form.value for form in TimeFormat if form.value]
        if value.lower() not in known:
            raise not_supported(f"TIMEFORMAT '{value}'", f"Known are {', '.join(known)}.")
        return replace(options, time_format=TimeFormat(value.lower()))

    def date_format(self, options: Options) -> Options:
        value = self.argument("DATEFORMAT")
        if value.lower() != DateFormat.AUTO.value:
            raise not_supported(f"DATEFORMAT '{value}'", "Known is auto.")
        return replace(options, date_format=DateFormat.AUTO)

    def no_effect(self, options: Options) -> Options:
        """Compression and statistics say nothing about what is loaded."""
        for word in ("ON", "OFF", "TRUE", "FALSE", "PRESET"):
            if self.take_word(word):
                break
        return options

    def truncate_columns(self, options: Options) -> Options:
        return replace(options, truncates_columns=True)

    def round_decimals(self, options: Options) -> Options:
        return replace(options, rounds_decimals=True)

    def accept_invalid_characters(self, options: Options) -> Options:
        has_as = self.take_word("AS")
        character = self.string("ACCEPTINVCHARS") if has_as or self.peek().kind is Kind.STRING else "?"
        if len(character) != 1 or not character.isascii() or character == "\0":
            raise CopyFailed("22023", f"ACCEPTINVCHARS takes one ASCII character other than NUL, not '{character}'")
        return replace(options, invalid_replacement=character)

    def region(self, options: Options) -> Options:
        return replace(options, region=self.argument("REGION"))


# https://docs.aws.amazon.com/redshift/latest/dg/copy-usage_notes-copy-from-columnar.html
_WITH_PARQUET = frozenset(("ACCEPTINVCHARS", "COMPUPDATE", "IAM_ROLE", "MANIFEST", "PARQUET", "STATUPDATE"))
_WITH_CSV_ALONE = frozenset(
    ("BLANKSASNULL", "DELIMITER", "EMPTYASNULL", "IGNOREBLANKLINES", "IGNOREHEADER", "NULL", "QUOTE")
)


def _check_format(chosen: Format, seen: set[str]) -> None:
    misplaced = seen - _WITH_PARQUET if chosen is Format.PARQUET else set[str]()
    if chosen is Format.JSON:
        misplaced = seen & _WITH_CSV_ALONE
    if misplaced:
        raise CopyFailed("0A000", f"{', '.join(sorted(misplaced))} is not supported with FORMAT AS {chosen.value}")


_OPTIONS: Mapping[str, Callable[[_Parser, Options], Options]] = MappingProxyType(
    {
        "ACCEPTINVCHARS": _Parser.accept_invalid_characters,
        "COMPUPDATE": _Parser.no_effect,
        "DATEFORMAT": _Parser.date_format,
        "GZIP": _Parser.gzip,
        "IAM_ROLE": _Parser.iam_role,
        "JSON": _Parser.json,
        "MANIFEST": _Parser.manifest,
        "MAXERROR": _Parser.max_error,
        "REGION": _Parser.region,
        "ROUNDEC": _Parser.round_decimals,
        "STATUPDATE": _Parser.no_effect,
        "TIMEFORMAT": _Parser.time_format,
        "BLANKSASNULL": _Parser.blanks_as_null,
        "CSV": _Parser.csv,
        "DELIMITER": _Parser.delimiter,
        "EMPTYASNULL": _Parser.empty_as_null,
        "IGNOREBLANKLINES": _Parser.ignore_blank_lines,
        "IGNOREHEADER": _Parser.ignore_header,
        "NULL": _Parser.null,
        "PARQUET": _Parser.parquet,
        "QUOTE": _Parser.quote,
        "TRUNCATECOLUMNS": _Parser.truncate_columns,
    }
)
