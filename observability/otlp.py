"""Owns sending a run's spans to an OpenTelemetry collector, as they were written (OTLP JSON over HTTP)."""

import logging
from pathlib import Path

import requests

_PATIENCE_S = 5
_log = logging.getLogger(__name__)


def send_spans(endpoint: str, spans: Path) -> None:
    """Posts each line of a spans file to `<endpoint>/v1/traces`.

    Trouble with the collector is logged once and hides nothing: the spans are kept with the run all the same.
    """
    if not spans.exists():
        return
    address = f"{endpoint.rstrip('/')}/v1/traces"
    headers = {"Content-Type": "application/json"}
    with requests.Session() as session:
        for line in spans.read_bytes().splitlines():
            try:
                session.post(address, data=line, headers=headers, timeout=_PATIENCE_S).raise_for_status()
            except requests.RequestException as exc:
                _log.warning("spans were not sent to %s (%s); they are kept with the run", address, exc)
                return
