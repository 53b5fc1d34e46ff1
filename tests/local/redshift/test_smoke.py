"""The stand-in says to the statements of the smoke run what AWS's documentation says that Redshift does."""

from collections.abc import Iterator
from contextlib import closing
from typing import TYPE_CHECKING

import pytest
from redshift_connector.core import Connection

from local.postgres import RunningPostgres
from tests.local.redshift.real_server import real_server
from tests.local.redshift.warehouse import ROLE, Warehouse
from tests.smoke import page, statements
from tests.smoke import redshift as smoke
from tests.smoke.statements import Question, Statement

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

REFUSED = statements.refused()
ACCEPTED = statements.accepted()
QUESTIONS = statements.questions()


@pytest.fixture(scope="module")
def served(
    running_postgres: RunningPostgres, s3: "S3Client", tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Warehouse]:
    environment = {
        "AWS_ENDPOINT_URL_S3": s3.meta.endpoint_url,
        "AWS_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
    }
    folder = tmp_path_factory.mktemp("served")
    serving = real_server(running_postgres, folder, "asked", environment)
    with serving as warehouse, pytest.MonkeyPatch.context() as patch:
        patch.setenv("SSL_CERT_FILE", str(warehouse.certificates.authority))
        yield warehouse


@pytest.fixture(scope="module")
def asked(served: Warehouse) -> Iterator[Connection]:
    with closing(served.connect(database="asked")) as connection:
        connection.autocommit = True
        for sql in statements.tables():
            connection.cursor().execute(sql)
        yield connection


@pytest.mark.parametrize("statement", REFUSED, ids=[one.sql for one in REFUSED])
def test_what_redshift_refuses_is_refused(asked: Connection, statement: Statement) -> None:
    outcome = statements.run(asked, statement.script, is_outside=statement.is_outside)
    assert outcome.sqlstate in statement.sqlstates, f"{outcome} ({statement.page})"


@pytest.mark.parametrize("statement", ACCEPTED, ids=[one.sql for one in ACCEPTED])
def test_what_stands_beside_it_is_accepted(asked: Connection, statement: Statement) -> None:
    outcome = statements.run(asked, statement.script, is_outside=statement.is_outside)
    assert not outcome.sqlstate, f"{outcome} ({statement.page})"


def test_the_smoke_run_finds_no_difference_here(
    served: Warehouse, s3: "S3Client", capsys: pytest.CaptureFixture[str]
) -> None:
    lake = smoke.Lake("lake", ROLE, lambda key, body: s3.put_object(Bucket="lake", Key=key, Body=body))
    with closing(served.connect(database="asked")) as connection:
        connection.autocommit = True
        assert smoke.report(connection, "the stand-in", lake) == 0
    said = capsys.readouterr().out
    assert "not AWS" in said
    assert said.endswith("1 load made: 0 differences\n")


def test_the_smoke_run_names_what_differs(asked: Connection) -> None:
    said = [str(difference) for difference in smoke.answered(asked, is_stand_in=False)]
    differing = [one.sql for one in QUESTIONS if one.here is not None]
    assert len(said) == len(differing) > 5
    assert all(any(text.startswith(sql) for text in said) for sql in differing)
    assert all(statements.PAGES in text for text in said)


def test_there_are_enough_of_them_and_none_twice() -> None:
    assert len({one.sql for one in REFUSED}) == len(REFUSED) >= 150
    assert len({one.sql for one in ACCEPTED}) == len(ACCEPTED)
    assert not {one.sql for one in REFUSED} & {one.sql for one in ACCEPTED}


@pytest.mark.parametrize("question", QUESTIONS, ids=[one.sql for one in QUESTIONS])
def test_what_redshift_answers_is_answered_or_the_difference_is_written_down(
    asked: Connection, question: Question
) -> None:
    outcome = statements.run(asked, question.script, is_outside=question.is_outside)
    assert statements.expected_here(question) == (outcome.sqlstate or outcome.rows), f"{outcome} ({question.page})"


def test_the_page_lists_what_the_code_allows() -> None:
    written = page.PAGE.read_text(encoding="utf-8")
    assert written.count("<!-- list: ") == len(page._LISTS)
    assert page.with_lists(written) == written, "run: python -m tests.smoke.page"
