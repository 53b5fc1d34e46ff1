"""What fuzzing found worth keeping still holds."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fuzz.targets import TARGETS

CORPUS = Path(__file__).parent / "corpus"


def kept() -> Iterator[tuple[str, Path]]:
    for target in TARGETS:
        for path in sorted((CORPUS / target).iterdir()):
            yield target, path


def test_there_is_a_corpus_for_each_target() -> None:
    assert {target for target, _ in kept()} == set(TARGETS)


@pytest.mark.parametrize(
    ("target", "path"), list(kept()), ids=lambda value: value if isinstance(value, str) else value.name
)
def test_a_kept_input_is_survived(target: str, path: Path) -> None:
    TARGETS[target](path.read_bytes())
