"""redshift_connector's questions about the catalog are answered as on Redshift, or refused by name."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from redshift_connector.core import Connection
from redshift_connector.error import ProgrammingError

from local.postgres import RunningPostgres
from tests.local.redshift.real_server import real_server

_NO_S3 = {
    "AWS_ENDPOINT_URL_S3": "http://127.0.0.1:1",
    "AWS_REGION": "us-east-1",
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
}


@pytest.fixture(scope="module")
def connection(running_postgres: RunningPostgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Connection]:
    serving = real_server(running_postgres, tmp_path_factory.mktemp("described"), "described", _NO_S3)
    with serving as warehouse, pytest.MonkeyPatch.context() as patch:
        patch.setenv("SSL_CERT_FILE", str(warehouse.certificates.authority))
        with closing(warehouse.connect(database="described")) as opened:
            opened.autocommit = True
            cursor = opened.cursor()
            cursor.execute("create schema lake")
            cursor.execute("""create table lake.launches (
                id varchar(24) not null primary key, flight integer default 1, cost decimal(12, 3), links super,
                code char(3), label text, picture varbyte
            )""")
            cursor.execute("create view lake.seen as select id from lake.launches")
            cursor.execute("comment on column lake.launches.flight is 'its number'")
            yield opened


@pytest.fixture
def cursor(connection: Connection) -> Any:  # the driver says that its rows are tuples; they are lists
    return connection.cursor()


def test_catalogs_and_schemas_are_listed(cursor: Any) -> None:
    assert cursor.get_catalogs() == (["described"],)
    assert cursor.get_schemas() == tuple(
        [name, "described"] for name in ("information_schema", "lake", "pg_catalog", "public")
    )
    assert cursor.get_schemas(schema_pattern="la%") == (["lake", "described"],)


def test_tables_are_listed_by_kind(cursor: Any) -> None:
    listed = cursor.get_tables(schema_pattern="lake", types=["TABLE", "VIEW"])
    assert [row[:4] for row in listed] == [
        ["described", "lake", "launches", "TABLE"],
        ["described", "lake", "seen", "VIEW"],
    ]


@pytest.mark.parametrize("schema", ["lake", None])
def test_columns_are_described(cursor: Any, schema: str | None) -> None:
    listed = cursor.get_columns(schema_pattern=schema, tablename_pattern="launches")
    name, kind, size, digits, remarks, default, is_nullable = 3, 5, 6, 8, 11, 12, 17
    told = [[row[at] for at in (name, kind, size, digits, remarks, default, is_nullable)] for row in listed]
    assert [row for row in told if row[0] not in ("code", "picture")] == [
        ["id", "varchar", 24, 0, None, None, "NO"],
        ["flight", "int4", 10, 0, "its number", "1", "YES"],
        ["cost", "numeric", 12, 3, None, None, "YES"],
        ["links", "super", None, None, None, None, "YES"],
        ["label", "varchar", 256, 0, None, None, "YES"],
    ]
    # The driver asks two catalogs, which spell these two types each in its own way.
    assert [row[1] for row in told if row[0] in ("code", "picture")] == (
        ["bpchar", "varbyte"] if schema else ["character", "binary varying"]
    )


def test_a_file_is_inserted_into_the_columns_it_names(cursor: Any, tmp_path: Path) -> None:
    file = tmp_path / "launches.csv"
    file.write_text("id,label\na,FalconSat\nb,DemoSat\n")
    cursor.insert_data_bulk(str(file), "lake.launches", [0, 1], ["id", "label"], ",", batch_size=2)
    assert cursor.execute("select id, label from lake.launches order by id").fetchall() == (
        ["a", "FalconSat"],
        ["b", "DemoSat"],
    )


def test_keys_and_procedures_are_refused_not_answered_with_none(cursor: Any) -> None:
    with pytest.raises(ProgrammingError, match="pg_index"):
        cursor.get_primary_keys(schema="lake", table="launches")
    with pytest.raises(ProgrammingError, match="pg_proc_info"):
        cursor.get_procedures()
