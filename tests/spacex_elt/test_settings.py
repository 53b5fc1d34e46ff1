"""Where the program takes its settings from, and what it says when it has none."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from contracts.errors import UsageError
from spacex_elt.settings import Settings, read_settings, state_dir, traceparent
from tests.e2e.harness import environment

NEEDED = sorted(f"SPACEX_ELT_{name.upper()}" for name, field in Settings.model_fields.items() if field.is_required())
ALL = {name: f"value of {name}" for name in (*NEEDED, "SPACEX_ELT_WAREHOUSE_SECRET_ID")}


@pytest.fixture(autouse=True)
def bare(tmp_path: Path) -> Iterator[Path]:
    """An environment that says nothing, and a state folder without a stack in it."""
    with environment({}):
        for name in [name for name in os.environ if name.startswith(("SPACEX_ELT_", "AWS_"))]:
            del os.environ[name]
        os.environ["SPACEX_ELT_STATE_DIR"] = str(tmp_path)
        yield tmp_path


def env_file(folder: Path, text: str, name: str = "stack.env") -> Path:
    path = folder / name
    path.write_text(text)
    return path


def as_lines(variables: dict[str, str]) -> str:
    return "".join(f"{name}={value}\n" for name, value in variables.items())


def test_settings_come_from_the_environment() -> None:
    os.environ.update(ALL)
    assert read_settings().lake_bucket == "value of SPACEX_ELT_LAKE_BUCKET"


def test_without_settings_all_that_are_missing_are_named_with_the_way_out() -> None:
    with pytest.raises(UsageError) as told:
        read_settings()
    assert len(NEEDED) > 5
    assert [name for name in NEEDED if name not in str(told.value)] == []
    assert "spacex-elt local up" in str(told.value)


@pytest.mark.parametrize("name", NEEDED)
def test_the_one_that_is_missing_is_named_alone(name: str) -> None:
    os.environ.update({other: value for other, value in ALL.items() if other != name})
    with pytest.raises(UsageError, match=rf"missing or wrong: {name} \(field required\)\."):
        read_settings()


def test_a_setting_that_is_there_and_empty_is_missing() -> None:
    os.environ.update(ALL | {"SPACEX_ELT_LAKE_BUCKET": ""})
    with pytest.raises(UsageError, match="SPACEX_ELT_LAKE_BUCKET"):
        read_settings()


def test_a_running_stacks_file_is_read(bare: Path) -> None:
    env_file(bare, as_lines(ALL))
    assert read_settings().docs_bucket == "value of SPACEX_ELT_DOCS_BUCKET"


def test_the_file_wins_over_the_shell_so_that_no_other_account_is_touched(bare: Path) -> None:
    os.environ.update(ALL | {"AWS_ACCESS_KEY_ID": "the shell's", "AWS_PROFILE": "work"})
    env_file(bare, as_lines({**ALL, "SPACEX_ELT_LAKE_BUCKET": "stack", "AWS_ACCESS_KEY_ID": "the stack's"}))

    assert read_settings().lake_bucket == "stack"
    assert os.environ["AWS_ACCESS_KEY_ID"] == "the stack's"
    assert "AWS_PROFILE" not in os.environ


def test_without_a_file_the_shells_profile_stays() -> None:
    os.environ.update(ALL | {"AWS_PROFILE": "work"})
    read_settings()
    assert os.environ["AWS_PROFILE"] == "work"


def test_a_named_file_is_read_instead_of_the_stacks(bare: Path) -> None:
    env_file(bare, as_lines({**ALL, "SPACEX_ELT_LAKE_BUCKET": "stack"}))
    named = env_file(bare, as_lines({**ALL, "SPACEX_ELT_LAKE_BUCKET": "named"}), "other.env")
    os.environ["SPACEX_ELT_ENV_FILE"] = str(named)
    assert read_settings().lake_bucket == "named"


def test_a_named_file_that_is_not_there_is_told_rather_than_passed_over(bare: Path) -> None:
    os.environ.update(ALL | {"SPACEX_ELT_ENV_FILE": str(bare / "gone.env")})
    with pytest.raises(UsageError, match=r"gone\.env, which is not there"):
        read_settings()


def test_comments_blank_lines_and_equals_signs_in_values_are_what_they_seem(bare: Path) -> None:
    value = "http://127.0.0.1:1/q?a=b&c=d"
    env_file(bare, "# a comment\n\n  \n" + as_lines({**ALL, "SPACEX_ELT_ALERT_QUEUE_URL": value}))
    assert read_settings().alert_queue_url == value


def test_the_state_folder_is_the_repositorys_unless_told_otherwise(bare: Path) -> None:
    assert state_dir() == bare
    del os.environ["SPACEX_ELT_STATE_DIR"]
    assert state_dir() == Path(__file__).resolve().parents[2] / ".local"


@pytest.mark.parametrize(("given", "expected"), [(None, None), ("", None), ("00-a-b-01", "00-a-b-01")])
def test_a_trace_that_is_empty_is_none(given: str | None, expected: str | None) -> None:
    os.environ.pop("TRACEPARENT", None)
    if given is not None:
        os.environ["TRACEPARENT"] = given
    assert traceparent() == expected
