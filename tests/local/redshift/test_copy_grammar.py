"""Tests that every word of a COPY is understood or refused by name."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from local.redshift.copy.failure import CopyFailed
from local.redshift.copy.grammar import (
    DEFAULT_ROLE,
    CopyCommand,
    DateFormat,
    Format,
    Location,
    Match,
    Options,
    TimeFormat,
    parse_copy,
)

ARN = "arn:aws:iam::1:role/r"
PLAIN = Options(role_arn=ARN, json=Match.AUTO)


def copy(options: str = "format as json 'auto'") -> str:
    return f"copy t from 's3://lake/key' iam_role '{ARN}' {options}"


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ("json", PLAIN),
        ("format json", PLAIN),
        ("FORMAT AS JSON 'Auto'", PLAIN),
        ("json as 'auto ignorecase'", replace(PLAIN, json=Match.AUTO_IGNORECASE)),
        ("json 's3://b/paths.json'", replace(PLAIN, json=Location("b", "paths.json"))),
        ("json gzip manifest", replace(PLAIN, is_gzip=True, is_manifest=True)),
        ("manifest json 'auto' gzip", replace(PLAIN, is_gzip=True, is_manifest=True)),
        ("json maxerror 7", replace(PLAIN, max_error_count=7)),
        ("json maxerror as 100000", replace(PLAIN, max_error_count=100_000)),
        ("json timeformat 'auto'", replace(PLAIN, time_format=TimeFormat.AUTO)),
        ("json timeformat as 'EpochMillisecs'", replace(PLAIN, time_format=TimeFormat.EPOCH_MILLISECONDS)),
        ("json timeformat 'epochsecs'", replace(PLAIN, time_format=TimeFormat.EPOCH_SECONDS)),
        ("json dateformat 'auto'", replace(PLAIN, date_format=DateFormat.AUTO)),
        ("json compupdate off statupdate off", PLAIN),
        ("json compupdate statupdate true", PLAIN),
        ("json compupdate preset", PLAIN),
        ("json truncatecolumns roundec", replace(PLAIN, truncates_columns=True, rounds_decimals=True)),
        ("json acceptinvchars", replace(PLAIN, invalid_replacement="?")),
        ("json acceptinvchars as '^'", replace(PLAIN, invalid_replacement="^")),
        ("json region 'us-east-1'", replace(PLAIN, region="us-east-1")),
        ("csv", replace(PLAIN, json=None, format=Format.CSV)),
        ("format as parquet", replace(PLAIN, json=None, format=Format.PARQUET, time_format=TimeFormat.AUTO)),
        (
            "format csv quote as '%' delimiter ';' ignoreheader 2 null as 'none' emptyasnull blanksasnull"
            " ignoreblanklines",
            Options(
                role_arn=ARN,
                format=Format.CSV,
                quote="%",
                delimiter=";",
                ignored_header_lines=2,
                null_text="none",
                empty_is_null=True,
                blanks_are_null=True,
                ignores_blank_lines=True,
            ),
        ),
        ("json -- a comment\n /* gzip\n */ ;", PLAIN),
    ],
)
def test_options_are_read_in_any_order_and_case(options: str, expected: Options) -> None:
    assert parse_copy(copy(options)) == CopyCommand(None, "t", None, Location("lake", "key"), expected)


def test_names_are_folded_to_lower_case_even_in_quotes() -> None:
    command = parse_copy(f"""COPY Raw."My Launches" ("Id", Name) FROM 's3://b/a''b' IAM_ROLE '{ARN}' json""")
    assert (command.schema, command.table, command.columns) == ("raw", "my launches", ("id", "name"))
    assert command.source == Location("b", "a'b")


def test_a_name_of_an_option_inside_a_string_is_not_that_option() -> None:
    command = parse_copy(f"copy t from 's3://gzip/json/manifest' json 's3://b/maxerror 7.json' iam_role '{ARN}' gzip")
    assert command.options == replace(PLAIN, json=Location("b", "maxerror 7.json"), is_gzip=True)


def test_the_default_role_may_be_asked_for() -> None:
    assert parse_copy("copy t from 's3://b/k' iam_role default json").options.role_arn == DEFAULT_ROLE


@pytest.mark.parametrize(
    ("statement", "sqlstate", "words"),
    [
        (copy("json gzipped"), "42601", "gzipped"),
        (copy("json foo 'bar'"), "42601", "foo"),
        (copy("json 'auto' 'auto'"), "42601", "'auto'"),
        (copy("json gzip gzip"), "42601", "GZIP is given twice"),
        (copy("json format json"), "42601", "JSON is given twice"),
        (copy("json maxerror '3'"), "22023", "MAXERROR"),
        (copy("json maxerror 100001"), "22023", "MAXERROR"),
        (copy("json maxerror -1"), "22023", "MAXERROR"),
        (copy("json; select 1"), "42601", "select"),
        (copy("json timeformat"), "42601", "TIMEFORMAT takes a string"),
        (copy("json acceptinvchars 'ab'"), "22023", "ACCEPTINVCHARS"),
        (copy("json 'auto"), "42601", "'auto"),
        (copy(r"json 's3://b/a\'b'"), "0A000", "backslash"),
        (copy("format"), "42601", "end of statement"),
        (copy("format as text"), "42601", "text"),
        (copy("json §"), "42601", "§"),
        (copy(""), "0A000", "delimited text"),
        ("copy t from 's3://b/k' json", "42601", "IAM_ROLE"),
        ("copy t from stdin", "42601", "stdin"),
        ("copy t to 's3://b/k'", "42601", "to"),
        ("copy (select 1) from 's3://b/k'", "42601", "("),
        ("copy t () from 's3://b/k'", "42601", ")"),
        ("copy t (a, a) from 's3://b/k'", "42701", "more than once"),
        ("copy d.s.t from 's3://b/k'", "0A000", "another database"),
        ("copy t from 'b/k'", "22023", "S3 URL"),
        ("copy t from 's3://'", "22023", "S3 URL"),
        ("copy t from 'dynamodb://x'", "0A000", "dynamodb"),
        (copy("json 'paths.json'"), "22023", "JSONPaths"),
        (copy("json 'noshred'"), "0A000", "noshred"),
        (copy("json csv"), "42601", "CSV and another format"),
        (copy("format parquet format csv"), "42601", "CSV and another format"),
        (copy("delimiter '|'"), "0A000", "delimited text"),
        (
            copy("json delimiter ';' ignoreheader 1"),
            "0A000",
            "DELIMITER, IGNOREHEADER is not supported with",
        ),
        (copy("parquet gzip"), "0A000", "GZIP is not supported with FORMAT AS PARQUET"),
        (copy("parquet maxerror 3"), "0A000", "MAXERROR is not supported with FORMAT AS PARQUET"),
        (copy("csv delimiter '||'"), "22023", "DELIMITER takes one ASCII character"),
        (copy("csv ignoreheader 'one'"), "22023", "IGNOREHEADER must be a number"),
        (copy("json timeformat 'YYYY-MM-DD'"), "0A000", "YYYY-MM-DD"),
        (copy("json dateformat 'DD.MM.YYYY'"), "0A000", "DD.MM.YYYY"),
    ],
)
def test_what_is_not_understood_is_named(statement: str, sqlstate: str, words: str) -> None:
    with pytest.raises(CopyFailed) as failed:
        parse_copy(statement)
    assert failed.value.problem.sqlstate == sqlstate
    assert words in failed.value.problem.message


@pytest.mark.parametrize(
    "option",
    [
        "bzip2", "zstd", "lzop", "avro", "noload", "trimblanks", "escape", "explicit_ids", "credentials",
        "access_key_id", "encrypted", "ssh", "readratio", "fillrecord", "acceptanydate", "encoding",
    ],
)  # fmt: skip
def test_an_option_of_redshifts_that_is_not_built_is_refused_by_name(option: str) -> None:
    with pytest.raises(CopyFailed, match=f"(?i){option}") as failed:
        parse_copy(copy(f"json {option}"))
    assert failed.value.problem.sqlstate == "0A000"


_WORDS = [
    "copy",
    "t",
    "(",
    ")",
    ",",
    "'",
    '"',
    "from",
    "json",
    "gzip",
    "maxerror",
    "5",
    "'s3://b/k'",
    "iam_role",
    "'r'",
]


@settings(deadline=None)
@given(st.lists(st.sampled_from([*_WORDS, "as", ".", ";", "--"])))
def test_any_heap_of_words_is_a_command_or_an_error(words: list[str]) -> None:
    try:
        command = parse_copy(" ".join(words))
    except CopyFailed:
        return
    assert command.options.role_arn == "r"
    assert command.options.is_gzip == ("gzip" in words)
