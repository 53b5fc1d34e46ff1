"""One suite for the object store port, run against every adapter; then what only S3 can do wrong."""

import gzip
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import boto3
import pytest
from botocore.config import Config

from contracts.errors import PipelineError, ServiceUnavailable, UsageError
from loader.s3 import S3Store
from loader.store import ObjectChanged, ObjectExists, ObjectMissing, ObjectStore
from local.stack import StackState
from tests.loader.memory_store import MemoryStore

JSON = "application/json"
NOBODY = "http://127.0.0.1:1"


@pytest.fixture(params=["memory", pytest.param("s3", marks=pytest.mark.stack)])
def store(request: pytest.FixtureRequest) -> Iterator[ObjectStore]:
    """Each adapter in turn."""
    if request.param == "memory":
        yield MemoryStore()
        return
    request.getfixturevalue("on_stack")
    with closing(S3Store(request.getfixturevalue("on_stack").env["SPACEX_ELT_LAKE_BUCKET"])) as opened:
        yield opened


@pytest.fixture
def prefix(store: ObjectStore) -> Iterator[str]:
    """A place of the test's own, empty again afterwards."""
    mine = f"store-test/{uuid4().hex}/"
    yield mine
    for stored in list(store.list(mine)):
        store.delete(stored.key)


def test_what_was_put_is_got_and_listed_as_put_said(store: ObjectStore, prefix: str) -> None:
    stored = store.put(f"{prefix}a.json", b'{"a": 1}', JSON)

    assert (stored.key, stored.size_bytes) == (f"{prefix}a.json", 8)
    assert store.get(stored.key) == b'{"a": 1}'
    assert list(store.list(prefix)) == [stored]


def test_of_two_who_write_a_new_key_the_first_one_wins(store: ObjectStore, prefix: str) -> None:
    stored = store.put_new(f"{prefix}1.json", b"first", JSON)
    with pytest.raises(ObjectExists, match=r"1\.json"):
        store.put_new(f"{prefix}1.json", b"second", JSON)
    assert store.get(stored.key) == b"first"
    assert list(store.list(prefix)) == [stored]


def test_a_list_says_when_an_object_was_written_last(store: ObjectStore, prefix: str) -> None:
    for body in (b"one", b"two"):
        store.put(f"{prefix}a", body, JSON)
        store.put(f"{prefix}b", body, JSON)
        first, second = [stored.written_at for stored in store.list(prefix)]
        assert first is not None and second is not None
        assert first.utcoffset() == second.utcoffset() == timedelta(0)
        assert abs(second - first) < timedelta(minutes=1)  # the store's clock, not the epoch


def test_a_list_is_in_key_order_whatever_the_order_of_writing(store: ObjectStore, prefix: str) -> None:
    # No file beside a folder of its name: the local S3 lists folder by folder, so `a/1` comes before `a.json` there.
    names = ["b", "a/2", "a/10", "Z", "ä", "a/1/deep"]
    for name in names:
        store.put(prefix + name, b"x", JSON)

    assert [stored.key for stored in store.list(prefix)] == sorted(prefix + name for name in names)


def test_a_list_holds_what_begins_with_the_prefix_and_nothing_else(store: ObjectStore, prefix: str) -> None:
    for name in ("launches/1", "launches_v5/1", "launch"):
        store.put(prefix + name, b"x", JSON)

    assert [stored.key for stored in store.list(f"{prefix}launches/")] == [f"{prefix}launches/1"]
    assert len(list(store.list(f"{prefix}launches"))) == 2
    assert list(store.list(f"{prefix}nothing")) == []


def test_putting_again_puts_in_place_of_the_first(store: ObjectStore, prefix: str) -> None:
    first = store.put(f"{prefix}a", b"one", JSON)
    second = store.put(f"{prefix}a", b"two!", JSON)

    assert store.get(f"{prefix}a") == b"two!"
    assert list(store.list(prefix)) == [second]
    assert first.etag != second.etag


def test_the_same_bytes_have_the_same_etag(store: ObjectStore, prefix: str) -> None:
    assert store.put(f"{prefix}a", b"same", JSON).etag == store.put(f"{prefix}b", b"same", JSON).etag


@pytest.mark.parametrize("body", [b"", b"short", bytes(range(256)) * 4096], ids=["empty", "short", "1 MB"])
def test_a_stream_gives_the_bytes_and_then_nothing(store: ObjectStore, prefix: str, body: bytes) -> None:
    stored = store.put(f"{prefix}a", body, JSON)
    with closing(store.open(stored.key, stored.etag)) as stream:
        assert b"".join(iter(lambda: stream.read(100_000), b"")) == body
        assert stream.read() == b""


def test_a_gzip_reader_can_read_a_stream(store: ObjectStore, prefix: str) -> None:
    store.put(f"{prefix}a", gzip.compress(b"lines\n" * 1000), "application/gzip")
    with closing(store.open(f"{prefix}a")) as stream, gzip.GzipFile(fileobj=stream) as plain:
        assert plain.read() == b"lines\n" * 1000


def test_an_object_that_was_written_over_is_not_opened_as_the_one_asked_for(store: ObjectStore, prefix: str) -> None:
    first = store.put(f"{prefix}a", b"one", JSON)
    store.put(f"{prefix}a", b"two", JSON)

    with pytest.raises(ObjectChanged, match=f"{prefix}a"):
        store.open(first.key, first.etag)
    with closing(store.open(first.key)) as stream:
        assert stream.read() == b"two"


@pytest.mark.parametrize("read", ["get", "open", "open a version", "metadata"])
def test_what_is_not_there_is_missing(store: ObjectStore, prefix: str, read: str) -> None:
    reads: dict[str, Callable[[str], object]] = {
        "get": store.get,
        "open": store.open,
        "open a version": lambda key: store.open(key, "0" * 32),
        "metadata": store.metadata,
    }
    with pytest.raises(ObjectMissing, match=f"{prefix}nothing"):
        reads[read](f"{prefix}nothing")


@pytest.mark.parametrize("size", [0, 100, 9 << 20], ids=["empty", "small", "in parts"])
def test_a_file_is_stored_whole(store: ObjectStore, prefix: str, size: int, tmp_path: Path) -> None:
    body = b"0123456789abcdef" * (size // 16) + b"x" * (size % 16)
    path = tmp_path / "file"
    path.write_bytes(body)

    stored = store.put_file(f"{prefix}a", path, "application/gzip")

    assert stored.size_bytes == size
    assert list(store.list(prefix)) == [stored]
    assert store.get(stored.key) == body
    store.open(stored.key, stored.etag).close()


def test_deleting_twice_is_once_too_often_and_no_error(store: ObjectStore, prefix: str) -> None:
    store.put(f"{prefix}a", b"x", JSON)
    store.delete(f"{prefix}a")
    store.delete(f"{prefix}a")

    assert list(store.list(prefix)) == []


def test_metadata_is_empty_where_nobody_wrote_any(store: ObjectStore, prefix: str) -> None:
    store.put(f"{prefix}a", b"x", JSON)
    assert store.metadata(f"{prefix}a") == {}


# What only S3 can do wrong.


def s3_client(stack: StackState, **changed: Any) -> Any:
    settings: dict[str, Any] = {
        "endpoint_url": stack.env["AWS_ENDPOINT_URL_S3"],
        "config": Config(retries={"total_max_attempts": 1}, connect_timeout=2, signature_version="s3v4"),
    }
    return boto3.client("s3", **settings | changed)


@pytest.fixture
def broken(request: pytest.FixtureRequest, on_stack: StackState) -> Iterator[S3Store]:
    """A store with one thing wrong with it."""
    bucket, known_key = on_stack.env["SPACEX_ELT_LAKE_BUCKET"], on_stack.env["AWS_ACCESS_KEY_ID"]
    stores = {
        "unreachable": lambda: S3Store(bucket, s3_client(on_stack, endpoint_url=NOBODY)),
        "wrong secret": lambda: S3Store(
            bucket, s3_client(on_stack, aws_access_key_id=known_key, aws_secret_access_key="wrong")
        ),
        "unknown key": lambda: S3Store(
            bucket, s3_client(on_stack, aws_access_key_id="nobody", aws_secret_access_key="x")
        ),
        "no bucket": lambda: S3Store("no-such-bucket", s3_client(on_stack)),
        "no bucket's name": lambda: S3Store("", s3_client(on_stack)),
    }
    with closing(stores[request.param]()) as opened:
        yield opened


@pytest.fixture
def a_file(tmp_path: Path) -> Path:
    path = tmp_path / "file"
    path.write_bytes(b"x")
    return path


def calls(store: ObjectStore, file: Path) -> dict[str, Callable[[], object]]:
    return {
        "list": lambda: list(store.list("store-test/")),
        "get": lambda: store.get("store-test/a"),
        "open": lambda: store.open("store-test/a"),
        "put": lambda: store.put("store-test/a", b"x", JSON),
        "put_file": lambda: store.put_file("store-test/a", file, JSON),
        "delete": lambda: store.delete("store-test/a"),
    }


CALLS = ("list", "get", "open", "put", "put_file", "delete")


def failure_of(call: Callable[[], object]) -> PipelineError:
    with pytest.raises(PipelineError) as told:
        call()
    return told.value


@pytest.mark.stack
@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize("broken", ["unreachable"], indirect=True)
def test_an_endpoint_that_does_not_answer_is_worth_a_retry(broken: S3Store, name: str, a_file: Path) -> None:
    error = failure_of(calls(broken, a_file)[name])
    assert isinstance(error, ServiceUnavailable)
    assert "s3://spacex-lake/store-test/" in str(error)


@pytest.mark.stack
@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize("broken", ["wrong secret", "unknown key"], indirect=True)
def test_refused_credentials_are_for_people_to_correct(broken: S3Store, name: str, a_file: Path) -> None:
    error = failure_of(calls(broken, a_file)[name])
    assert isinstance(error, UsageError)
    assert "refused our credentials" in str(error)


@pytest.mark.stack
@pytest.mark.parametrize("name", [name for name in CALLS if name != "delete"])
@pytest.mark.parametrize("broken", ["no bucket"], indirect=True)
def test_a_bucket_that_is_not_there_is_a_wrong_setting(broken: S3Store, name: str, a_file: Path) -> None:
    error = failure_of(calls(broken, a_file)[name])
    assert isinstance(error, UsageError)
    assert "no-such-bucket" in str(error)


@pytest.mark.stack
@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize("broken", ["no bucket's name"], indirect=True)
def test_a_name_that_no_bucket_can_have_is_a_wrong_setting(broken: S3Store, name: str, a_file: Path) -> None:
    assert isinstance(failure_of(calls(broken, a_file)[name]), UsageError)


@pytest.mark.stack
def test_missing_credentials_are_for_people_to_correct(
    on_stack: StackState, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    with closing(S3Store("spacex-lake", boto3.session.Session().client("s3"))) as store:
        error = failure_of(lambda: store.get("a"))
    assert isinstance(error, UsageError)
    assert "credentials" in str(error)


@pytest.mark.stack
def test_metadata_is_read_with_its_names_in_lower_case(on_stack: StackState) -> None:
    client = s3_client(on_stack)
    with closing(S3Store("spacex-lake", client)) as store:
        key = f"store-test/{uuid4().hex}"
        client.put_object(Bucket="spacex-lake", Key=key, Body=b"", Metadata={"Ab-Generation-Id": "7"})
        assert store.metadata(key) == {"ab-generation-id": "7"}
        store.delete(key)


@pytest.mark.stack
def test_a_list_goes_on_past_the_first_page(on_stack: StackState) -> None:
    client = s3_client(on_stack)
    prefix = f"store-test/{uuid4().hex}/"
    keys = [f"{prefix}{number:04d}" for number in range(5)]
    pages: list[str] = []

    def ask_for_a_small_page(params: dict[str, Any], **_: object) -> dict[str, Any]:
        pages.append(params.get("ContinuationToken", "first"))
        return params | {"MaxKeys": 2}

    client.meta.events.register("provide-client-params.s3.ListObjectsV2", ask_for_a_small_page)
    with closing(S3Store("spacex-lake", client)) as store:
        for key in keys:
            store.put(key, b"x", JSON)
        assert [stored.key for stored in store.list(prefix)] == keys
        assert len(pages) == 3
        for key in keys:
            store.delete(key)
