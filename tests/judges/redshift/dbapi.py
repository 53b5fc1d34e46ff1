"""Has redshift_connector judged by DB-API 2.0's own compliance suite while it talks to the stand-in. Run by pytest.

redshift_connector's integration tests hold the same suite, but come with none of its packages.
"""

# mypy: ignore-errors
# Runs where none of our own environment is installed.

import os

import dbapi20
import redshift_connector


class TestCompliance(dbapi20.DatabaseAPI20Test):
    """What each driver has to say for itself."""

    driver = redshift_connector
    connect_kw_args = {  # noqa: RUF012
        "host": os.environ["REDSHIFT_TEST_HOST"],
        "port": int(os.environ["REDSHIFT_TEST_PORT"]),
        "database": os.environ["REDSHIFT_TEST_DBNAME"],
        "user": os.environ["REDSHIFT_TEST_USER"],
        "password": os.environ["REDSHIFT_TEST_PASS"],
    }
