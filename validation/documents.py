"""Owns what the gates are given, as documents to read: the judge's schema and the load gate's suite.

Running them is validation/judge.py's and validation/load_gate.py's job.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

from contracts.derive.expectations import ExpectationKind, expectations
from contracts.model import Contract
from validation.judge import Judge
from validation.load_gate import quiet
from validation.suite import to_great_expectations

if TYPE_CHECKING:
    import pandera.polars as pa

STAGED_COUNT: Final = "staged_count"  # the parameter that stands for the number of rows, known when the gate runs


def pandera_document(contract: Contract) -> str:
    """The judge's pandera schemas, one a frame, in words: columns with their types, checks with their rules."""
    words = {rule.rule_id: rule.description for rule in contract.rules}
    blocks = [
        "\n".join([_title(contract, path), *_schema_lines(schema, words)])
        for path, schema in sorted(Judge(contract).schemas.items())
    ]
    return "\n\n".join(blocks) + "\n"


def _title(contract: Contract, path: str) -> str:
    return f"# {contract.dataset}: one row per {f'item of {path[:-2]}' if path else 'record'}"


def _schema_lines(schema: "pa.DataFrameSchema", words: dict[str, str]) -> Iterator[str]:
    for name, column in schema.columns.items():
        yield f"{name or ':value'}  {column.dtype}"
        yield from (f"    {check.name}: {words[str(check.name)]}" for check in column.checks)
    yield from (f"    {check.name}: {words[str(check.name)]}" for check in schema.checks)


def suite_document(contract: Contract) -> dict[str, Any]:
    """The load gate's suite as Great Expectations writes it; the number of rows is the parameter STAGED_COUNT."""
    with quiet():
        import great_expectations as gx

        suite = gx.ExpectationSuite(
            name=contract.dataset, expectations=[to_great_expectations(one, 0) for one in expectations(contract)]
        )
        document: dict[str, Any] = suite.to_json_dict()
    counts = {one.rule_id for one in expectations(contract) if one.kind is ExpectationKind.ROW_COUNT}
    for entry in document["expectations"]:
        if entry["meta"]["rule_id"] in counts:
            entry["kwargs"]["value"] = {"$PARAMETER": STAGED_COUNT}
    return document
