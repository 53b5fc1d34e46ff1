"""What must hold of the repository as a whole."""

import re
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
OURS = ("contracts", "validation", "observability", "loader", "extraction", "spacex_elt", "local")
PRODUCT = ("contracts", "validation", "observability", "loader", "dags")
FOLDERS = ("dags", "contracts", "validation", "loader", "dbt", "observability", "terraform", "tests")


def test_the_mandated_top_level_is_there() -> None:
    assert [name for name in FOLDERS if not (ROOT / name).is_dir()] == []
    assert (ROOT / "pyproject.toml").is_file()


def test_no_python_lies_under_dbt_where_it_would_shadow_the_dbt_package() -> None:
    assert (ROOT / "dbt" / "dbt_project.yml").exists()
    assert sorted((ROOT / "dbt").rglob("*.py")) == []


@pytest.mark.parametrize("name", OURS)
def test_our_import_names_are_owned_by_us_alone(name: str) -> None:
    assert (ROOT / name / "__init__.py").exists()
    assert set(packages_distributions().get(name, ["spacex-elt"])) == {"spacex-elt"}


@pytest.mark.parametrize("folder", PRODUCT)
def test_the_product_never_asks_whether_it_is_local(folder: str) -> None:
    asks = re.compile(r"\bif\b[^\n]*\b(is_local|local|laptop|moto|seaweed|stand_in)\b", re.IGNORECASE)
    files = sorted((ROOT / folder).rglob("*.py"))
    assert files
    assert [f"{path}: {line}" for path in files for line in path.read_text().splitlines() if asks.search(line)] == []


def test_the_environment_is_read_in_one_module() -> None:
    reads = re.compile(r"\bos\.(environ|getenv)\b")
    files = [path for name in (*PRODUCT, "spacex_elt") for path in (ROOT / name).rglob("*.py")]
    found = {str(path.relative_to(ROOT)) for path in files if reads.search(path.read_text())}
    # transform.py only for the child it starts; names.py in Airflow's world, which has no settings of ours
    assert found == {"loader/transform.py", "spacex_elt/settings.py", "dags/spacex_airflow/names.py"}


def test_the_locks_name_versions_and_hashes_and_no_address() -> None:
    for lock in ("pipeline", "dev", "image", "judges", "airflow", "airflow-3.2.1"):
        text = (ROOT / "requirements" / f"{lock}.txt").read_text()
        assert "--hash=sha256:" in text
        assert "://" not in text
    for pins in ("dags/constraints.txt", "requirements/mwaa-3.2.1.txt", "dags/requirements.txt"):
        assert "://" not in (ROOT / pins).read_text()


def test_what_is_shipped_is_what_is_tested() -> None:
    pins = {lock: _pins(ROOT / "requirements" / f"{lock}.txt") for lock in ("pipeline", "dev")}
    assert pins["pipeline"]
    assert pins["pipeline"] <= pins["dev"]


def _pins(path: Path) -> set[str]:
    lines = path.read_text().splitlines()
    return {line.removesuffix("\\").strip() for line in lines if re.match(r"[a-z0-9].*==", line)}
