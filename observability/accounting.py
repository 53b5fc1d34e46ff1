"""Owns the row-conservation equations of one dataset in one run. Counting is the loader's job (loader/publish.py)."""

from dataclasses import dataclass

from observability.run_record import Balance


@dataclass(frozen=True, slots=True)
class GateCounts:
    """Lines by their fate at the raw gate, and the recount that none of those counters took part in."""

    extracted: int
    accepted: int
    quarantined: int  # unparseable lines included
    duplicate: int
    landed: int | None  # lines in landing, recounted from the objects themselves; None when that failed


@dataclass(frozen=True, slots=True)
class LoadCounts:
    """Rows at each stage from the manifest to the published table. None where a count could not be taken."""

    manifest: int | None  # lines the manifest's objects hold
    copied: int | None  # what the warehouse says COPY loaded
    staged: int | None  # select count(*) from the staging table
    inserted: int | None
    restored: int | None
    updated: int | None
    unchanged: int | None
    kept: int | None  # live rows whose new version was rejected: their last good version stays
    live: int | None  # select count(*) from the published table where _deleted_at is null


def balances(gate: GateCounts, load: LoadCounts | None) -> tuple[Balance, ...]:
    """The equations of one dataset, in the order in which rows travel.

    - `extracted = lines in landing`: the gate read every line that Airbyte wrote, and none twice. The right side is
      recounted from the objects, so two of our own counters cannot agree on the same mistake.
    - `extracted = accepted + quarantined + duplicate`: each line met exactly one fate.
    - `accepted = manifest`: what may go on is what COPY is told to load.
    - `manifest = copied`: COPY loaded all of it.
    - `copied = staged`: what COPY says it loaded lies in the staging table.
    - `staged = inserted + restored + updated + unchanged`: each staged row reached the published table or equals its
      row there.
    - `staged + kept = live rows`: the published table holds this batch, the rows it keeps because their new version was
      rejected, and nothing else. Recounted from the table.

    `load` is None for a batch that was held: it moved no further, so only the gate's equations apply. A count that
    could not be taken (None) fails its equations: what cannot be verified does not hold.
    """
    equations = [
        Balance("extracted = lines in landing", gate.extracted, gate.landed),
        Balance(
            "extracted = accepted + quarantined + duplicate",
            gate.extracted,
            gate.accepted + gate.quarantined + gate.duplicate,
        ),
    ]
    if load is not None:
        published = _sum(load.inserted, load.restored, load.updated, load.unchanged)
        equations += [
            Balance("accepted = manifest", gate.accepted, load.manifest),
            Balance("manifest = copied", load.manifest, load.copied),
            Balance("copied = staged", load.copied, load.staged),
            Balance("staged = inserted + restored + updated + unchanged", load.staged, published),
            Balance("staged + kept = live rows", _sum(load.staged, load.kept), load.live),
        ]
    return tuple(equations)


def _sum(*counts: int | None) -> int | None:
    """The sum, or None when any part of it was not counted."""
    known = [count for count in counts if count is not None]
    return sum(known) if len(known) == len(counts) else None
