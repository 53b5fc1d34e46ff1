"""Names objects in the lake. Reading and writing them is the store's job (loader/store.py)."""

import re
from dataclasses import dataclass
from datetime import datetime

# Airbyte's docs zero-pad month and day, its source does not: accept both, order by epoch, never by key.
_LANDED = re.compile(
    r"^landing/(?P<dataset>[a-z_0-9]+)/(?P<year>\d{4})_(?P<month>\d{1,2})_(?P<day>\d{1,2})"
    r"_(?P<epoch_ms>\d{13})_(?P<part>[0-9a-zA-Z-]+)\.jsonl\.gz$"
)


@dataclass(frozen=True, slots=True)
class LandedName:
    """What the name of an object in landing says."""

    dataset: str
    epoch_ms: int
    part: str


def parse_landed(key: str) -> LandedName | None:
    """The parts of a landing key, or None when Airbyte's S3 destination would not write such a key."""
    match = _LANDED.match(key)
    if match is None:
        return None
    return LandedName(match["dataset"], int(match["epoch_ms"]), match["part"])


def landing_prefix(dataset: str) -> str:
    """Where Airbyte lands a dataset. Ends with a slash, so `launches` never matches `launches_v5`."""
    return f"landing/{dataset}/"


def accepted_prefix(dataset: str, batch_id: str) -> str:
    """Where the raw gate writes the accepted lines of objects that had rejects."""
    return f"accepted/{dataset}/{batch_id}/"


def quarantine_prefix(dataset: str, batch_id: str = "") -> str:
    """Where the raw gate writes rejected records; without a batch, where all of the dataset's lie."""
    return f"quarantine/{dataset}/{batch_id}/" if batch_id else f"quarantine/{dataset}/"


def replay_prefix(dataset: str, selection_id: str) -> str:
    """Where the lines of a replay lie, in objects named as those they landed in."""
    return f"replays/{dataset}/{selection_id}/"


def decisions_prefix(dataset: str) -> str:
    """Where what was decided about a dataset's quarantined records lies."""
    return f"decisions/{dataset}/"


def decision_key(dataset: str, number: int) -> str:
    """One decision, numbered from 1 in the order in which they hold."""
    return f"{decisions_prefix(dataset)}{number:08}.json"


def number_of_decision(key: str) -> int:
    """The number of a decision."""
    return int(file_name(key).removesuffix(".json"))


def manifest_key(dataset: str, batch_id: str) -> str:
    """The COPY manifest of a batch."""
    return f"manifests/{dataset}/{batch_id}.manifest"


def jsonpaths_key(dataset: str, batch_id: str) -> str:
    """The COPY JSONPaths file of a batch."""
    return f"manifests/{dataset}/{batch_id}.jsonpaths"


def run_prefix(run_id: str) -> str:
    """Where a run keeps what its steps said."""
    return f"{RUNS}{run_id}/"


def file_name(key: str) -> str:
    """The last part of a key."""
    return key.rsplit("/", 1)[-1]


#: One folder per run.
RUNS = "runs/"

#: One record per finished run, named to sort by when the run began: run ids are the scheduler's and need not.
RECORDS = "records/"

#: One document per incident, named by its fingerprint.
INCIDENTS = "incidents/"


def record_key(started_at: datetime, run_id: str) -> str:
    """The record of a finished run."""
    return f"{RECORDS}{started_at:%Y%m%dT%H%M%S.%fZ}_{run_id}.json"


def run_of_record(key: str) -> str:
    """The run that a record is of."""
    return file_name(key).removesuffix(".json").partition("_")[2]


def incident_key(fingerprint: str) -> str:
    """The state of an incident."""
    return f"{INCIDENTS}{fingerprint}.json"
