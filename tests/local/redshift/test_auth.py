"""Tests who comes in: TLS that can be verified, a password that is checked, a database that exists."""

import re
import stat
from contextlib import closing
from pathlib import Path

import psycopg2
import pytest

from local.redshift.tls import ensure_certificates
from tests.local.redshift.warehouse import PASSWORD, Warehouse


@pytest.mark.parametrize("mode", ["verify-ca", "verify-full"])
def test_redshift_connector_verifies_the_certificate(warehouse: Warehouse, mode: str) -> None:
    with closing(warehouse.connect(sslmode=mode)) as connection:
        assert connection.cursor().execute("select 1").fetchone() == [1]


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_libpq_verifies_the_certificate(warehouse: Warehouse, host: str) -> None:
    with closing(warehouse.psycopg(host=host, hostaddr="127.0.0.1")) as connection:
        assert connection.info.ssl_in_use


def test_a_client_that_trusts_another_authority_does_not_come_in(warehouse: Warehouse, tmp_path: Path) -> None:
    other = ensure_certificates(tmp_path).authority
    with pytest.raises(psycopg2.OperationalError, match="certificate verify failed"):
        warehouse.psycopg(sslrootcert=str(other))


def test_a_client_without_tls_is_refused(warehouse: Warehouse) -> None:
    with pytest.raises(psycopg2.OperationalError, match=r'(?s)user "loader", database "spacex", SSL off.*TLS'):
        warehouse.psycopg(sslmode="disable")
    assert re.search("InterfaceError.*28000.*SSL off", warehouse.login_error(ssl=False))


@pytest.mark.parametrize("password", ["wrong", PASSWORD + " ", "x" * 5000])
def test_a_wrong_password_is_refused(warehouse: Warehouse, password: str) -> None:
    assert re.search('28P01.*password authentication failed.*"loader"', warehouse.login_error(password=password))
    with pytest.raises(psycopg2.OperationalError, match='password authentication failed for user "loader"'):
        warehouse.psycopg(password=password)


@pytest.mark.parametrize("user", ["nobody", "postgres", ""])
def test_a_user_without_a_password_of_ours_is_refused(warehouse: Warehouse, user: str) -> None:
    assert re.search("28P01|28000", warehouse.login_error(user=user, password=""))


def test_a_user_the_database_does_not_know_is_refused(warehouse: Warehouse) -> None:
    message = warehouse.login_error(user="stranger", password="known to nobody")
    assert re.search('InterfaceError.*28000.*role "stranger" does not exist', message)


def test_a_database_that_does_not_exist_is_named(warehouse: Warehouse) -> None:
    assert re.search('3D000.*database "mars" does not exist', warehouse.login_error(database="mars"))


def test_a_setting_that_redshift_does_not_know_is_refused(warehouse: Warehouse) -> None:
    with pytest.raises(psycopg2.OperationalError, match='unrecognized configuration parameter "options"'):
        warehouse.psycopg(options="-c statement_timeout=1")


def test_certificates_are_private_and_used_again(tmp_path: Path) -> None:
    directory = tmp_path / "tls"
    first = ensure_certificates(directory)
    content = first.authority.read_bytes()
    assert {stat.S_IMODE(path.stat().st_mode) for path in directory.iterdir()} == {0o600}
    assert ensure_certificates(directory).authority.read_bytes() == content


@pytest.mark.parametrize("damage", ["ca.pem", "server.pem", "server.key"])
def test_damaged_certificates_are_made_anew(tmp_path: Path, damage: str) -> None:
    first = ensure_certificates(tmp_path)
    content = first.authority.read_bytes()
    (tmp_path / damage).write_text("no certificate")
    assert ensure_certificates(tmp_path).authority.read_bytes() != content
    assert ensure_certificates(tmp_path).context() is not None
