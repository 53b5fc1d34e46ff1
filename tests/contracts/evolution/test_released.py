"""Contracts against what git holds of them: a repository of the test's own."""

import shutil
import subprocess
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml

from contracts.errors import ContractInvalid, UsageError
from contracts.evolution.diff import Report, diff_released
from contracts.read import FOLDER
from tests.contracts.evolution.edits import edited, launches

TODAY = date(2026, 1, 15)
PATTERN = {"set": {"properties/rocket/logicalTypeOptions": {"pattern": "^[0-9a-f]{8,24}$"}}}
EXCEPTION = {
    "dataset": "launches",
    "change": "pattern-changed:rocket",
    "owner": "somebody@example.com",
    "reason": "They were asked.",
    "expires": "2026-01-15",
}


class Repository:
    """A repository with a folder of contracts."""

    def __init__(self, root: Path):
        self.root = root
        self.folder = root / "contracts"
        self.folder.mkdir(parents=True)
        self.git("init", "--quiet", "--initial-branch=main")

    def git(self, *words: str) -> str:
        who = ["-c", "user.name=t", "-c", "user.email=t@example.com", "-c", "commit.gpgsign=false"]
        done = subprocess.run(["git", *who, *words], cwd=self.root, capture_output=True, text=True, check=True)
        return done.stdout

    def write(self, case: dict[str, Any], version: str, name: str = "launches") -> None:
        values = edited(launches(), {**case, "set": {**case.get("set", {}), "/version": version}})
        self.save(f"{name}.odcs.yaml", values)

    def save(self, name: str, values: Any) -> None:
        (self.folder / name).write_text(yaml.safe_dump(values, sort_keys=False), encoding="utf-8")

    def commit(self, tag: str = "") -> None:
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message", "x")
        if tag:
            self.git("tag", tag)

    def report(self, ref: str = "", today: date = TODAY) -> Report:
        return diff_released(self.folder, ref, today)


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return Repository(tmp_path / "repository")


@pytest.fixture
def released(repository: Repository) -> Repository:
    repository.write({}, "1.0.0")
    repository.commit("v0.1.0")
    return repository


def told(report: Report) -> dict[str, list[str]]:
    return {each.dataset: [judged.change.change_id for judged in each.changes] for each in report.evolutions}


def test_without_git_there_is_nothing_to_compare_with(tmp_path: Path) -> None:
    assert diff_released(tmp_path, "", TODAY).against is None


def test_without_a_commit_or_a_release_tag_there_is_nothing_to_compare_with(repository: Repository) -> None:
    repository.write({}, "1.0.0")
    assert repository.report().against is None
    repository.commit("nightly")
    repository.git("tag", "v2")
    report = repository.report()
    assert (report.against, report.is_honoured) == (None, True)


def test_a_bare_history_without_tags_is_no_failure(released: Repository, tmp_path: Path) -> None:
    subprocess.run(
        ["git", "clone", "--quiet", "--no-tags", "--depth", "1", f"file://{released.root}", str(tmp_path / "shallow")],
        check=True,
        capture_output=True,
    )
    assert diff_released(tmp_path / "shallow" / "contracts", "", TODAY).against is None


def test_a_broken_repository_is_told_and_not_passed_over(released: Repository) -> None:
    (released.root / ".git" / "HEAD").unlink()
    with pytest.raises(UsageError, match="git could not read the contracts' history"):
        released.report()


def test_the_work_tree_is_compared_with_the_highest_release_behind_it(released: Repository) -> None:
    released.write(PATTERN, "2.0.0")
    released.commit("v0.10.0")
    released.write({}, "1.0.0")
    released.commit("v0.9.0")
    released.git("checkout", "--quiet", "-b", "aside")
    released.commit("v7.0.0")
    released.git("checkout", "--quiet", "main")
    released.write(PATTERN, "2.0.0")
    assert (released.report().against, told(released.report())) == ("v0.10.0", {"launches": []})
    assert told(released.report("v0.9.0")) == {"launches": ["pattern-changed:rocket"]}
    assert released.report("aside").against == "aside"


def test_a_change_without_its_version_is_refused(released: Repository) -> None:
    released.write(PATTERN, "1.1.0")
    assert not released.report().is_honoured
    released.write(PATTERN, "2.0.0")
    assert released.report().is_honoured


@pytest.mark.parametrize("ref", ["nowhere", "--all", "HEAD:contracts"])
def test_what_git_does_not_know_is_told(released: Repository, ref: str) -> None:
    with pytest.raises(UsageError, match="git knows no commit"):
        released.report(ref)


def test_a_contract_that_came_or_went_is_told(released: Repository) -> None:
    released.save("moons.odcs.yaml", edited(launches(), {"set": {"/id": "moons", "name": "moons"}}))
    (released.folder / "launches.odcs.yaml").unlink()
    report = released.report()
    assert told(report) == {"launches": ["contract-removed"], "moons": ["contract-added"]}
    assert [each.dataset for each in report.evolutions if not each.is_honoured] == ["launches"]


def test_a_dataset_in_another_file_is_known_by_its_contracts_id(released: Repository) -> None:
    (released.folder / "launches.odcs.yaml").unlink()
    released.save("flights.odcs.yaml", edited(launches(), {"set": {"name": "flights", "physicalName": "flights"}}))
    assert told(released.report()) == {"flights": ["dataset-renamed"]}


def test_an_exception_accepts_a_change_until_it_expires(released: Repository) -> None:
    released.write(PATTERN, "1.1.0")
    released.save("exceptions.yaml", [EXCEPTION])
    assert released.report().is_honoured
    late = released.report(today=date(2026, 1, 16))
    assert (late.is_honoured, len(late.expired), len(late.unmatched)) == (False, 1, 0)


def test_an_exception_that_fits_no_change_is_an_error(released: Repository) -> None:
    released.save("exceptions.yaml", [EXCEPTION])
    report = released.report()
    assert (report.is_honoured, [item.change_id for item in report.unmatched]) == (False, ["pattern-changed:rocket"])
    assert released.report("HEAD").is_honoured  # that was not what the exception was made for


def test_an_exception_is_used_up_by_the_release_it_was_made_for(released: Repository) -> None:
    released.write(PATTERN, "1.1.0")
    released.save("exceptions.yaml", [EXCEPTION])
    released.commit("v0.2.0")
    report = released.report()
    assert (report.against, report.is_honoured, len(report.spent)) == ("v0.2.0", True, 1)
    again = {"set": {"properties/rocket/logicalTypeOptions": {"pattern": "^[0-9a-f]{2}$"}}}
    released.write(again, "1.2.0")
    assert not released.report().is_honoured


def test_a_released_file_that_is_no_contract_is_told_with_its_place(released: Repository) -> None:
    released.save("moons.odcs.yaml", {"kind": "DataContract"})
    released.commit("v0.2.0")
    with pytest.raises(ContractInvalid, match=r"v0\.2\.0:moons\.odcs\.yaml"):
        released.report()


def test_the_products_contracts_compare_with_themselves(tmp_path: Path) -> None:
    repository = Repository(tmp_path / "product")
    for path in FOLDER.glob("*.yaml"):
        shutil.copy(path, repository.folder)
    repository.commit("v1.0.0")
    report = repository.report()
    assert report.evolutions
    assert {judged.change.change_id for each in report.evolutions for judged in each.changes} == set()
