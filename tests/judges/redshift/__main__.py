"""Runs all of dbt-redshift's functional tests against the stand-in: make judges-redshift. Paths narrow it down.

Ends with 0 when everything came out as expected.yaml says. `--record FOLDER` keeps what the tests said.
"""

import argparse
import sys
import tempfile
from collections import Counter
from pathlib import Path

from tests.judges.redshift.cluster import serving
from tests.judges.redshift.dbt_suite import run
from tests.judges.redshift.outcomes import read_expected, surprises


def main() -> int:
    """Run, tell, and say whether anything was a surprise."""
    parser = argparse.ArgumentParser(prog="python -m tests.judges.redshift", description=__doc__)
    parser.add_argument("paths", nargs="*", help="below tests/functional, such as adapter/test_basic.py")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, serving(Path(folder)) as cluster:
        found = run(arguments.paths, cluster.env, Path(folder))
    modules = {name.rpartition("::")[0].rpartition(".")[0] for name in found}
    expected = {
        name: reason for name, reason in read_expected().items()
        if not arguments.paths or name.rpartition("::")[0].rpartition(".")[0] in modules
    }  # fmt: skip
    told = surprises(expected, found)
    for name, words in told.items():
        print(f"{name}: {words}\n")  # noqa: T201
    kinds = Counter(reason.kind.value if reason else "pass" for reason in expected.values())
    counts = ", ".join(f"{count} {kind}" for kind, count in sorted(kinds.items()))
    print(f"{len(found)} tests ran; expected: {counts}; {len(told)} came out otherwise")  # noqa: T201
    return 1 if told else 0


if __name__ == "__main__":
    sys.exit(main())
