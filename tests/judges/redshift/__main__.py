"""Has the Redshift stand-in judged by outsiders: make judges-redshift. Paths narrow dbt-redshift's tests down.

Ends with 0 when everything came out as expected.yaml says.
"""

import argparse
import sys
import tempfile
from collections import Counter
from pathlib import Path

from tests.judges.redshift.cluster import serving
from tests.judges.redshift.outcomes import module_of, read_expected, surprises
from tests.judges.redshift.suites import run_dbapi_tests, run_dbt_tests


def main() -> int:
    """Run, tell, and say whether anything was a surprise."""
    parser = argparse.ArgumentParser(prog="python -m tests.judges.redshift", description=__doc__)
    parser.add_argument("paths", nargs="*", help="below tests/functional, such as adapter/test_basic.py")
    paths = parser.parse_args().paths
    with tempfile.TemporaryDirectory() as name, serving(folder := Path(name)) as cluster:
        found = run_dbt_tests(paths, cluster.env, folder)
        found |= {} if paths else run_dbapi_tests(cluster.env, folder)
    modules = {module_of(name) for name in found}
    expected = {name: reason for name, reason in read_expected().items() if not paths or module_of(name) in modules}
    told = surprises(expected, found)
    for name, words in told.items():
        print(f"{name}: {words}\n")  # noqa: T201
    kinds = Counter(reason.kind.value if reason else "passing" for reason in expected.values())
    counts = ", ".join(f"{count} {kind}" for kind, count in sorted(kinds.items()))
    print(f"{len(found)} tests ran. Expected are {counts}; {len(told)} came out otherwise.")  # noqa: T201
    return 1 if told else 0


if __name__ == "__main__":
    sys.exit(main())
