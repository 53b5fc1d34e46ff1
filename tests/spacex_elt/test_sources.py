"""What `--source` means, without Airbyte: which API is served, and what is refused."""

import json
from pathlib import Path
from typing import Any

import pytest
import requests

from contracts.errors import UsageError
from spacex_elt.sources import LIVE_URL, SourceRequest, open_source

KNOWN = ("launches", "rockets", "cores")


def asked(source: str, *faults: str, datasets: tuple[str, ...] = (), launches: int = 10) -> SourceRequest:
    return SourceRequest(source, launches, 42, faults, datasets)


def recorded(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / f"{name}.json").write_text(json.dumps([{"id": f"of {name}"}]))
    return folder


def served(url: str, collection: str) -> Any:
    return requests.get(f"{url}/{collection}", timeout=10).json()


def test_a_sample_is_served_while_it_is_open_and_says_what_it_is() -> None:
    with open_source(asked("sample"), KNOWN) as source:
        assert len(served(source.base_url, "launches")) == 10
        assert (source.words, source.datasets) == ("sample (seed 42, 10 launches)", KNOWN)
        url = source.base_url
    with pytest.raises(requests.ConnectionError):
        served(url, "launches")


def test_a_sample_with_faults_says_so_and_parts_them_by_who_does_them() -> None:
    faults = ("launches/wrong-type:50%", "truncated-line:1%")
    with open_source(asked("sample", *faults), KNOWN) as source:
        assert source.words.endswith("faults: launches/wrong-type:50% truncated-line:1%)")
        assert [fault.split(":")[0] for fault in source.landing_faults] == ["truncated-line"]


@pytest.mark.parametrize("fault", ["gremlins:1%", "wrong-type:lots", "moons/wrong-type:1%", "wrong-type:200%"])
def test_a_fault_that_cannot_be_is_refused(fault: str) -> None:
    with pytest.raises(UsageError), open_source(asked("sample", fault), KNOWN):
        pass


@pytest.mark.parametrize("source", ["live", "a folder"])
def test_real_data_is_not_damaged(source: str, tmp_path: Path) -> None:
    where = "live" if source == "live" else str(recorded(tmp_path, "launches"))
    with pytest.raises(UsageError, match="works on --source sample only"), open_source(asked(where, "x:1%"), KNOWN):
        pass


def test_the_live_api_is_the_real_one_and_is_not_called_here() -> None:
    with open_source(asked("live", datasets=("cores",)), KNOWN) as source:
        assert (source.base_url, source.datasets) == (LIVE_URL, ("cores",))
        assert "live" in source.words


def test_a_folder_is_served_as_it_was_recorded_with_the_datasets_it_has(tmp_path: Path) -> None:
    with open_source(asked(str(recorded(tmp_path, "launches", "cores", "moons"))), KNOWN) as source:
        assert source.datasets == ("launches", "cores")
        assert source.words == f"folder {tmp_path.name}"
        assert served(source.base_url, "cores") == [{"id": "of cores"}]


def test_a_dataset_that_was_asked_for_and_is_not_in_the_folder_is_named(tmp_path: Path) -> None:
    request = asked(str(recorded(tmp_path, "launches")), datasets=("launches", "cores"))
    with pytest.raises(UsageError, match=r"has no cores\.json"), open_source(request, KNOWN):
        pass


def test_a_folder_without_any_answer_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"launches\.json"), open_source(asked(str(tmp_path)), KNOWN):
        pass


@pytest.mark.parametrize("source", ["/no/such/folder", "smaple", "", __file__])
def test_what_is_no_source_is_told_with_those_there_are(source: str) -> None:
    with pytest.raises(UsageError, match="Expected sample, live, or a folder"), open_source(asked(source), KNOWN):
        pass


def test_an_unknown_dataset_is_told_with_those_there_are() -> None:
    request = asked("sample", datasets=("moons", "cores"))
    told = r"no dataset moons\. Expected one or more of: launches, rockets, cores"
    with pytest.raises(UsageError, match=told), open_source(request, KNOWN):
        pass


def test_a_request_can_be_typed_again_as_options() -> None:
    asked = SourceRequest("my folder", 40, 42, ("wrong-type:1%",), ("cores",))
    assert asked.as_options() == "--source 'my folder' --launches 40 --fault wrong-type:1% --dataset cores"
    assert SourceRequest().as_options() == ""
