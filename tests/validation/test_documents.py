"""What the gates are given, as documents to read: nothing is lost on the way."""

import json
from typing import Any

from contracts.derive.expectations import ExpectationKind, expectations
from tests.contracts.every_kind import EVERY_KIND
from validation.documents import STAGED_COUNT, pandera_document, suite_document
from validation.judge import Judge
from validation.load_gate import context, warm_up
from validation.suite import to_great_expectations


def test_great_expectations_reads_the_suite_as_the_one_that_the_gate_runs() -> None:
    warm_up()
    import great_expectations as gx

    document = json.loads(json.dumps(suite_document(EVERY_KIND)))
    context()
    read = gx.ExpectationSuite(**document).expectations
    ran = [to_great_expectations(one, 0) for one in expectations(EVERY_KIND)]

    assert len(read) == len(ran) > 10
    for theirs, ours, one in zip(read, ran, expectations(EVERY_KIND), strict=True):
        expected: Any = ours.configuration.to_json_dict()
        if one.kind is ExpectationKind.ROW_COUNT:
            expected["kwargs"]["value"] = {"$PARAMETER": STAGED_COUNT}
        told: Any = theirs.configuration.to_json_dict()
        assert {key: told[key] for key in ("type", "kwargs", "meta", "severity")} == {
            key: expected[key] for key in ("type", "kwargs", "meta", "severity")
        }


def test_the_judges_document_has_every_check_of_its_schemas() -> None:
    document = pandera_document(EVERY_KIND)

    checks = [
        check.name
        for schema in Judge(EVERY_KIND).schemas.values()
        for column in schema.columns.values()
        for check in column.checks
    ]
    assert len(checks) > 50
    assert [name for name in checks if f"    {name}: " not in document] == []
