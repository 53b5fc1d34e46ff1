"""Owns `spacex-elt contracts infer`: where records lie is chosen here, what is inferred is loader/infer.py's job."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from spacex_elt.console import print_line, stderr_console

if TYPE_CHECKING:
    from loader.records import Found


def contracts_infer(
    source: Annotated[str, typer.Argument(metavar="FOLDER|FILE|s3://BUCKET/PREFIX", help="Where the records lie.")],
    dataset: Annotated[str, typer.Option(help="Whose draft (default: the only dataset there is).")] = "",
) -> None:
    """Draft a contract from records: JSON as an API answers it, JSON lines, or what Airbyte landed (its newest sync).

    The draft goes to stdout, what was seen of the data to stderr. A person writes what it marks TODO, and reviews the
    rest. Other datasets in the same place tell which fields are their keys.

    Example: spacex-elt contracts infer recordings/ --dataset ships > contracts/ships.odcs.yaml
    """
    from contracts.errors import UsageError
    from loader.infer import infer
    from loader.records import by_dataset
    from spacex_elt.infer_report import print_inferred

    with _found(source) as found:
        datasets = by_dataset(found, dataset)
        if dataset not in datasets and (dataset or len(datasets) != 1):
            raise UsageError(f"{source} holds {', '.join(datasets)}. Expected one of them: --dataset NAME.")
        inferred = infer(datasets, dataset or next(iter(datasets)))
    print_inferred(stderr_console(), inferred)
    print_line(inferred.text.rstrip("\n"))


@contextmanager
def _found(source: str) -> Iterator["list[Found]"]:
    from contracts.errors import UsageError
    from loader.records import in_bucket, in_files
    from spacex_elt.wiring import open_bucket

    if not source.startswith("s3://"):
        if not Path(source).exists():
            raise UsageError(f"there is no {source}. Expected a folder, a file or s3://bucket/prefix.")
        yield in_files(Path(source))
        return
    bucket, _, prefix = source.removeprefix("s3://").partition("/")
    if not bucket:
        raise UsageError(f"{source} names no bucket. Expected s3://bucket/prefix.")
    with open_bucket(bucket) as store:
        yield in_bucket(store, prefix)
