"""Fuzzes one target, with coverage as guide: `python -m tests.fuzz line --seconds 200`.

Inputs that reach new code are kept in the target's corpus; one that breaks what must hold ends the run and is written
to the corpus as `broken-…`, where the ordinary tests find it from then on.
"""

import argparse
import sys
from pathlib import Path

import atheris  # type: ignore[import-untyped]

CORPUS = Path(__file__).parent / "corpus"


def main() -> None:
    """Runs until the time is up or something does not hold."""
    with atheris.instrument_imports(include=["contracts", "validation", "loader"]):
        from tests.fuzz.targets import TARGETS
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__.splitlines()[0])
    parser.add_argument("target", choices=list(TARGETS))
    parser.add_argument("--seconds", type=int, default=200)
    options = parser.parse_args()
    folder = CORPUS / options.target
    folder.mkdir(parents=True, exist_ok=True)
    arguments = [f"-max_total_time={options.seconds}", "-max_len=16384", "-timeout=30", "-rss_limit_mb=3000"]
    atheris.Setup([sys.argv[0], *arguments, f"-artifact_prefix={folder}/broken-", str(folder)], TARGETS[options.target])
    atheris.Fuzz()


if __name__ == "__main__":
    main()
