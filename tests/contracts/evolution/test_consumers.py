"""Who reads what, by the words of a small dbt project."""

from pathlib import Path

import pytest

from contracts.errors import UsageError
from contracts.evolution.consumers import Consumers, read_consumers

MODELS = {
    "stg_moons": """
        with source as (select * from {{ source('space', 'moons') }}),
        renamed as (select moons.id as moon_id, moons.Radius -- and not the mass
                    from source as moons)
        select * from renamed
    """,
    "all_moons": "with source as (select * from {{ source('space', 'moons') }}) select moons.* from source as moons",
    "bare_moons": 'select * from {{ source("space", "moons") }}',
    "dim_moons": "select moon_id from {{ ref('stg_moons') }}",
    "fct_craters": "select c.id from {{ ref('project', 'dim_moons') }} join {{ source('space', 'craters') }} as c",
    "lonely": "select 1 as radius",
}
EXPOSURES = """
exposures:
  - name: atlas
    type: application
    depends_on: [ref('fct_craters')]
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    models = tmp_path / "models" / "marts"
    models.mkdir(parents=True)
    for name, sql in MODELS.items():
        (models / f"{name}.sql").write_text(sql, encoding="utf-8")
    (models / "exposures.yml").write_text(EXPOSURES, encoding="utf-8")
    return tmp_path


@pytest.fixture
def consumers(project: Path) -> Consumers:
    return read_consumers(project)


BUILT_ON_STG = ("model dim_moons", "model fct_craters", "model stg_moons")


def test_who_names_a_column_reads_it_and_so_does_all_that_is_built_on_him(consumers: Consumers) -> None:
    assert consumers.of("moons", "radius") == ("exposure atlas", "model all_moons", "model bare_moons", *BUILT_ON_STG)


def test_a_comment_is_no_reader_but_a_star_is(consumers: Consumers) -> None:
    assert consumers.of("moons", "mass") == ("model all_moons", "model bare_moons")


def test_the_dataset_itself_is_read_by_all_its_readers(consumers: Consumers) -> None:
    assert consumers.of("craters", None) == ("exposure atlas", "model fct_craters")
    assert consumers.of("moons", None) == ("exposure atlas", "model all_moons", "model bare_moons", *BUILT_ON_STG)


def test_nobody_reads_what_no_model_names(consumers: Consumers) -> None:
    assert consumers.of("rings", None) == ()


def test_without_a_project_there_is_nobody(tmp_path: Path) -> None:
    assert read_consumers(tmp_path / "nowhere").of("moons", None) == ()


def test_yaml_that_is_none_is_told_with_its_file(project: Path) -> None:
    (project / "models" / "broken.yml").write_text("a: [", encoding="utf-8")
    with pytest.raises(UsageError, match=r"broken\.yml: not YAML"):
        read_consumers(project)
