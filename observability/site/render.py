"""Owns the pages of the data docs and how they link. What they say is in states.py and findings.py; storing them is
the loader's job (loader/publish.py).
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from urllib.parse import quote, urlsplit

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from contracts.model import Contract
from observability.incidents import Incident, IncidentState
from observability.run_record import ModelRecord, RunRecord, TransformRecord
from observability.site import drawings, findings, states, words
from observability.site.states import DatasetState

_HERE = Path(__file__).resolve().parent
_LINKABLE = ("http", "https", "mailto")
_STATUS_ORDER = ("error", "fail", "runtime error", "partial success", "warn", "skipped", "success", "pass")


@dataclass(frozen=True, slots=True)
class _Site:
    """Everything a page may speak of."""

    states: Mapping[str, DatasetState]
    runs: Sequence[RunRecord]  # newest first
    incidents: Sequence[Incident]  # newest first
    now: datetime

    @property
    def open_incidents(self) -> list[Incident]:
        """Those whose cause is still there."""
        return [incident for incident in self.incidents if incident.state is IncidentState.OPEN]

    @property
    def resolved_incidents(self) -> list[Incident]:
        """Those whose cause is gone."""
        return [incident for incident in self.incidents if incident.state is IncidentState.RESOLVED]

    @property
    def last_run(self) -> RunRecord | None:
        """The newest run."""
        return self.runs[0] if self.runs else None

    @property
    def transform_run(self) -> RunRecord | None:
        """The newest run that came as far as dbt."""
        return next((run for run in self.runs if run.transform is not None), None)


def render_site(
    contracts: Mapping[str, Contract], runs: Sequence[RunRecord], incidents: Sequence[Incident], now: datetime
) -> Mapping[str, bytes]:
    """Every page by its path: `index.html`, `datasets/<dataset>.html`, `runs/<run_id>.html`, `style.css`, …

    `runs` come newest first. The pages load nothing from elsewhere and run no script. The same input gives the same
    bytes.
    """
    site = _Site(
        states={name: states.dataset_state(contracts[name], runs, now) for name in sorted(contracts)},
        runs=runs,
        incidents=sorted(incidents, key=lambda incident: incident.last_seen_at, reverse=True),
        now=now,
    )
    environment = _environment(site)
    pages = {path: _render(environment, path, template, more) for path, template, more in _pages(site)}
    assets = {name: (_HERE / name).read_bytes() for name in ("style.css", "favicon.svg")}
    return {**pages, **assets}


def _pages(site: _Site) -> Iterator[tuple[str, str, dict[str, object]]]:
    """Each page's path, template, and what it shows beside the site."""
    yield "index.html", "index.html", {"overall": states.overall_sentence(list(site.states.values()), site.runs)}
    yield "reading.html", "reading.html", {}
    yield "runs/index.html", "runs.html", {}
    for name, state in site.states.items():
        yield f"datasets/{name}.html", "dataset.html", {"state": state, "record": state.latest and state.latest.record}
    for run in site.runs:
        yield _run_path(run.run_id), "run.html", {"run": run}


def _render(environment: Environment, path: str, template: str, more: Mapping[str, object]) -> bytes:
    root = "../" * path.count("/")
    page = environment.get_template(template).render(root=root, path=path, **more)
    return page.encode()


def _environment(site: _Site) -> Environment:
    environment = Environment(
        loader=FileSystemLoader(_HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    filters: dict[str, Callable[..., object]] = {
        "ago": partial(_ago, site.now),
        "count": words.count,
        "duration": words.duration,
        "hours": words.hours,
        "instant": words.instant,
        "plural": words.plural,
        "records": words.records,
        "run_link": partial(_run_link, {run.run_id for run in site.runs}),
        "safe_link": _safe_link,
    }
    environment.filters.update(filters)
    environment.globals.update(
        site=site, states=states, findings=findings, drawings=drawings, nodes_by_outcome=nodes_by_outcome
    )
    return environment


def nodes_by_outcome(transform: TransformRecord) -> list[ModelRecord]:
    """dbt's nodes, those that need a look first, models before tests."""

    def order(node: ModelRecord) -> tuple[int, bool, str]:
        known = node.status in _STATUS_ORDER
        return _STATUS_ORDER.index(node.status) if known else -1, node.kind != "model", node.name

    return sorted(transform.nodes, key=order)


def _ago(now: datetime, moment: datetime) -> str:
    return words.ago(moment, now)


def _run_path(run_id: str) -> str:
    return f"runs/{run_id}.html"


def _run_link(known: set[str], run_id: str, root: str) -> str | None:
    """The address of a run's page, or None when the run is too old to have one."""
    return root + quote(_run_path(run_id)) if run_id in known else None


def _safe_link(address: str) -> str | None:
    """The address if a click on it only opens a page or a letter."""
    return address if urlsplit(address).scheme in _LINKABLE else None
