"""What `make dist` builds."""

import hashlib
import os
import shutil
import tarfile
from pathlib import Path

import pytest

from release import dist
from release.startup import DeploymentRefused

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "release" / "example.env"


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy of what is deployed, with what tools leave behind and other times."""
    root = tmp_path / "target" / "checkout"
    for name in ("Dockerfile", ".dockerignore", *dist.copied_sources((ROOT / "Dockerfile").read_text()), "dags"):
        source, target = ROOT / name, root / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copytree(source, target) if source.is_dir() else shutil.copyfile(source, target)
    for name in ("dags/__pycache__/a.pyc", "loader/__pycache__/a.pyc", "dbt/target/manifest.json", "dbt/logs/dbt.log"):
        (root / name).parent.mkdir(exist_ok=True)
        (root / name).write_text("left behind")
    for path in root.rglob("*"):
        os.utime(path, (1, 1))
    return root


def test_two_builds_from_two_checkouts_give_the_same_bytes(checkout: Path, tmp_path: Path) -> None:
    dist.build(ROOT, EXAMPLE, tmp_path / "first")
    dist.build(checkout, EXAMPLE, tmp_path / "second")
    first, second = ((tmp_path / name / "SHA256SUMS").read_text() for name in ("first", "second"))
    assert first == second


def test_it_holds_mwaas_files_and_the_images_context(tmp_path: Path) -> None:
    dist.build(ROOT, EXAMPLE, tmp_path / "dist")
    names = {
        path.relative_to(tmp_path / "dist").as_posix() for path in (tmp_path / "dist").rglob("*") if path.is_file()
    }
    beside = {"requirements.txt", "startup.sh", "image.tar", "SHA256SUMS"}
    dags = {f"dags/{path.relative_to(ROOT / 'dags').as_posix()}" for path in (ROOT / "dags").rglob("*.py")}
    assert names == beside | dags | {"dags/constraints.txt", "dags/.airflowignore"}
    assert "export SPACEX_ELT_LOADER_TASK=spacex-elt-prod-loader:42\n" in (tmp_path / "dist" / "startup.sh").read_text()


def test_the_checksums_are_those_of_every_file(tmp_path: Path) -> None:
    dist.build(ROOT, EXAMPLE, tmp_path)
    lines = [line.split("  ") for line in (tmp_path / "SHA256SUMS").read_text().splitlines()]
    said = {name: digest for digest, name in lines}
    files = [path for path in tmp_path.rglob("*") if path.is_file() and path.name != "SHA256SUMS"]
    assert said == {
        path.relative_to(tmp_path).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files
    }


def test_the_context_holds_what_the_image_is_built_from_and_no_more(tmp_path: Path) -> None:
    dist.build(ROOT, EXAMPLE, tmp_path)
    with tarfile.open(tmp_path / "image.tar") as tar:
        names = tar.getnames()
    tops = {name.partition("/")[0] for name in names}
    assert {"Dockerfile", ".dockerignore", "requirements", "contracts", "spacex_elt", "dbt"} <= tops
    assert tops.isdisjoint({"local", "tests", "docs", "dags", "release", ".venv"})
    assert "contracts/launches.odcs.yaml" in names
    assert [name for name in names if "__pycache__" in name] == []


def test_a_build_makes_the_folder_anew(tmp_path: Path) -> None:
    (tmp_path / "dist").mkdir()
    (tmp_path / "dist" / "old.py").write_text("")
    dist.build(ROOT, EXAMPLE, tmp_path / "dist")
    assert not (tmp_path / "dist" / "old.py").exists()


def test_a_deployment_that_is_not_there_leaves_what_was_built(tmp_path: Path) -> None:
    dist.build(ROOT, EXAMPLE, tmp_path / "dist")
    with pytest.raises(DeploymentRefused, match="no deployment file"):
        dist.build(ROOT, tmp_path / "none.env", tmp_path / "dist")
    assert (tmp_path / "dist" / "SHA256SUMS").is_file()
