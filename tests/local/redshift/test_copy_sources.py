"""Tests JSONPaths, manifests, gzip and the cutting into lines, without a network."""

import gzip
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field

import boto3
import pytest
from botocore.config import Config
from hypothesis import given, settings
from hypothesis import strategies as st

from local.redshift.copy.failure import CopyFailed
from local.redshift.copy.grammar import CopyCommand, Location, parse_copy
from local.redshift.copy.jsonpaths import NotAnObject, Step, compile_path, parse_path, read_jsonpaths
from local.redshift.copy.lines import LONGEST_LINE, gunzip, split_lines
from local.redshift.copy.s3 import S3Store
from local.redshift.copy.source import Entry, objects_to_load, read_manifest
from local.redshift.copy.store import ObjectMissing, SourceObject, StoreFailed

HERE = Location("lake", "file")


@pytest.mark.parametrize(
    ("path", "steps"),
    [
        ("$.a", ("a",)),
        ("$['a']", ("a",)),
        ("$[\"a b\"]['c']", ("a b", "c")),
        ("$.a.b[0].c", ("a", "b", 0, "c")),
        ("$[2]", (2,)),
        ("$['_airbyte_data']['flight_number']", ("_airbyte_data", "flight_number")),
    ],
)
def test_both_notations_of_a_path_are_read(path: str, steps: tuple[Step, ...]) -> None:
    assert parse_path(path, HERE) == steps


@pytest.mark.parametrize(
    "path", ["", "a", "$", "$.", "$a", "$..a", "$.*", "$.a[*]", "$.a[-1]", "$['a'", "$.a b", "$[?(@.x)]"]
)
def test_a_path_redshift_does_not_know_is_named(path: str) -> None:
    with pytest.raises(CopyFailed) as failed:
        parse_path(path, HERE)
    assert failed.value.problem.message == f"Invalid JSONPath format: {path}"


@pytest.mark.parametrize("content", [b"", b"{}", b"[]", b'{"jsonpaths": "$.a"}', b'{"jsonpaths": [1]}'])
def test_a_file_that_holds_no_jsonpaths_is_refused(content: bytes) -> None:
    with pytest.raises(CopyFailed, match="JSONPaths file"):
        read_jsonpaths(content, HERE)


@pytest.mark.parametrize(
    ("steps", "value", "found"),
    [
        (("a",), {"a": 1}, 1),
        (("a",), {}, None),
        (("a", "b"), {"a": {"b": 2}}, 2),
        (("a", "b"), {"a": None}, None),
        (("a", "b"), {}, None),
        (("a", "b", 1), {"a": {"b": [5, 6]}}, 6),
        (("a", "b", 2), {"a": {"b": [5, 6]}}, None),
        ((0,), ["x"], "x"),
    ],
)
def test_what_is_missing_on_a_path_is_null(steps: tuple[Step, ...], value: object, found: object) -> None:
    assert compile_path(steps)(value) == found


@pytest.mark.parametrize(
    ("steps", "value"),
    [(("a",), [1]), (("a", "b"), {"a": "text"}), (("a", 0), {"a": {}}), (("a", "b", "c"), {"a": {"b": 3}})],
)
def test_a_member_of_what_has_none_is_an_error(steps: tuple[Step, ...], value: object) -> None:
    with pytest.raises(NotAnObject):
        compile_path(steps)(value)


def test_a_manifest_lists_objects_that_are_optional_unless_it_says_otherwise() -> None:
    content = (
        b'{"entries": [{"url": "s3://b/1"}, {"url": "s3://b/2", "mandatory": true, "meta": {"content_length": 5}}]}'
    )
    assert read_manifest(content, HERE) == [
        Entry(Location("b", "1"), is_mandatory=False, content_length=None),
        Entry(Location("b", "2"), is_mandatory=True, content_length=5),
    ]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b"{}",
        b'{"entries": [{}]}',
        b'{"entries": ["s3://b/1"]}',
        b'{"entries": [{"url": "s3://b/1", "mandatory": "yes"}]}',
        b'{"entries": [{"url": "s3://b/1", "meta": 5}]}',
        b'{"entries": [{"url": "s3://b/1", "meta": {"content_length": "5"}}]}',
        b'{"entries": [{"url": "s3://b/"}]}',
        b'{"entries": [{"url": "http://b/1"}]}',
    ],
)
def test_a_manifest_that_is_none_is_refused(content: bytes) -> None:
    with pytest.raises(CopyFailed, match="manifest"):
        read_manifest(content, HERE)


def pieces(content: bytes, size: int) -> list[bytes]:
    return [content[start : start + size] for start in range(0, len(content), size)]


@settings(deadline=None)
@given(st.lists(st.binary(max_size=300), min_size=1, max_size=4), st.integers(1, 50))
def test_gzip_members_in_any_pieces_give_back_their_content(members: list[bytes], size: int) -> None:
    content = b"".join(map(gzip.compress, members))
    assert b"".join(gunzip(pieces(content, size), "o")) == b"".join(members)


@settings(deadline=None)
@given(st.binary(min_size=1, max_size=300), st.data())
def test_half_a_gzip_file_is_never_taken_for_a_whole_one(content: bytes, data: st.DataObject) -> None:
    whole = gzip.compress(content)
    cut = data.draw(st.integers(0, len(whole) - 1))
    with pytest.raises(CopyFailed, match="inflate"):
        list(gunzip(pieces(whole[:cut], 7), "o"))


@pytest.mark.parametrize("content", [b"", b'{"id": 1}\n', gzip.compress(b"x", mtime=0) + b"rubbish"])
def test_what_is_not_gzip_is_refused(content: bytes) -> None:
    with pytest.raises(CopyFailed, match="inflate"):
        list(gunzip([content], "o"))


def test_a_block_inflated_from_little_stays_small() -> None:
    blocks = list(gunzip([gzip.compress(b"\0" * 20_000_000)], "o"))
    assert max(map(len, blocks)) <= 1 << 20
    assert sum(map(len, blocks)) == 20_000_000


@settings(deadline=None)
@given(st.binary(max_size=200), st.integers(1, 30))
def test_lines_are_the_same_in_any_pieces(content: bytes, size: int) -> None:
    lines = [line for block in split_lines(pieces(content, size)) for line in block]
    assert lines == content.removesuffix(b"\n").split(b"\n") if content else lines == []


def test_a_line_without_end_takes_no_more_memory_than_the_longest() -> None:
    ((line,), (after,)) = split_lines([b"x" * 3_000_000] * 4 + [b"\nafter"])
    assert len(line) == LONGEST_LINE + 1
    assert after == b"after"


@dataclass(slots=True)
class FakeStore:
    """Fake of an object store in memory; one that is `away` fails every call."""

    objects: dict[str, bytes] = field(default_factory=dict)
    is_away: bool = False

    def find(self, prefix: Location) -> list[SourceObject]:
        self._answer()
        keys = sorted(key for key in self.objects if key.startswith(prefix.key))
        return [SourceObject(Location(prefix.bucket, key), len(self.objects[key])) for key in keys]

    def describe(self, location: Location) -> SourceObject:
        return SourceObject(location, len(self.read(location)))

    def read(self, location: Location) -> bytes:
        self._answer()
        if location.key not in self.objects:
            raise ObjectMissing("S3ServiceException:The specified key does not exist.,Status 404,Error NoSuchKey")
        return self.objects[location.key]

    def stream(self, location: Location) -> Iterator[bytes]:
        yield self.read(location)

    def _answer(self) -> None:
        if self.is_away:
            raise StoreFailed("S3CurlException: Connection refused")


def source_of(options: str, key: str = "a") -> CopyCommand:
    return parse_copy(f"copy t from 's3://lake/{key}' iam_role 'r' json {options}")


def test_objects_are_loaded_in_the_order_of_the_manifest() -> None:
    listed = b'{"entries": [{"url": "s3://lake/z"}, {"url": "s3://lake/gone"}, {"url": "s3://lake/b"}]}'
    store = FakeStore({"b": b"1", "m": listed, "z": b"22"})
    found = objects_to_load(store, source_of("manifest", "m"))
    assert found == [SourceObject(Location("lake", "z"), 2), SourceObject(Location("lake", "b"), 1)]


@pytest.mark.parametrize("options", ["", "manifest"])
def test_a_store_that_is_away_is_told_apart_from_an_object_that_is(options: str) -> None:
    with pytest.raises(CopyFailed, match="S3CurlException: Connection refused") as failed:
        objects_to_load(FakeStore(is_away=True), source_of(options))
    assert failed.value.problem.sqlstate == "XX000"


def test_a_manifest_of_nothing_but_missing_objects_is_refused() -> None:
    store = FakeStore({"m": b'{"entries": [{"url": "s3://lake/gone"}]}'})
    with pytest.raises(CopyFailed, match="names no object"):
        objects_to_load(store, source_of("manifest", "m"))


def test_s3_that_refuses_connections_is_a_store_that_failed() -> None:
    client = boto3.client(
        "s3",
        endpoint_url="http://127.0.0.1:1",
        region_name="us-east-1",
        aws_access_key_id="x",
        aws_secret_access_key="x",
        config=Config(retries={"total_max_attempts": 1}),
    )
    with closing(client), pytest.raises(StoreFailed, match=r"S3CurlException.*s3://lake/a"):
        S3Store(client).read(Location("lake", "a"))
