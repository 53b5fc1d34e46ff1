"""What outside judges say of the Redshift stand-in: a part of dbt-redshift's own tests that takes about a minute.

All of them: make judges-redshift.
"""

from collections.abc import Iterator, Mapping

import pytest

from tests.judges.redshift.cluster import Cluster, serving
from tests.judges.redshift.outcomes import module_of, read_expected, surprise
from tests.judges.redshift.suites import Outcome, is_installed, run_dbapi_tests, run_dbt_tests

pytestmark = [
    pytest.mark.skipif(not is_installed(), reason="the judges of Redshift are not installed: make judges-redshift"),
    pytest.mark.timeout(900),  # the first test of each suite waits for the whole of it
]

MODULES = (
    "adapter.incremental.test_delete_insert_merge",
    "adapter.test_basic",
    "adapter.test_late_binding_view",
    "test_autocommit",
)
EXPECTED = read_expected()
CHOSEN = [name for name in EXPECTED if module_of(name) in MODULES]
COMPLIANCE = [name for name in EXPECTED if module_of(name) == "dbapi"]


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with serving(tmp_path_factory.mktemp("cluster")) as served:
        yield served


@pytest.fixture(scope="module")
def of_dbt(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Outcome]:
    return run_dbt_tests(
        [f"{module.replace('.', '/')}.py" for module in MODULES], cluster.env, tmp_path_factory.mktemp("dbt")
    )


@pytest.fixture(scope="module")
def of_dbapi(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Outcome]:
    return run_dbapi_tests(cluster.env, tmp_path_factory.mktemp("dbapi"))


@pytest.mark.parametrize("name", CHOSEN)
def test_dbt_redshifts_own_test_comes_out_as_recorded(name: str, of_dbt: Mapping[str, Outcome]) -> None:
    assert surprise(EXPECTED[name], of_dbt[name]) == ""


def test_no_test_of_dbt_redshift_is_unrecorded(of_dbt: Mapping[str, Outcome]) -> None:
    assert sorted(of_dbt) == sorted(CHOSEN)


@pytest.mark.parametrize("name", COMPLIANCE)
def test_the_compliance_suite_comes_out_as_recorded(name: str, of_dbapi: Mapping[str, Outcome]) -> None:
    assert surprise(EXPECTED[name], of_dbapi[name]) == ""


def test_no_compliance_test_is_unrecorded(of_dbapi: Mapping[str, Outcome]) -> None:
    assert sorted(of_dbapi) == sorted(COMPLIANCE)
