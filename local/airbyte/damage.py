"""Owns damage done to landed objects on request: what a broken writer or disk would leave. Off unless configured."""

import gzip
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from local.spacex_api.rates import FaultSpec, dice, pick
from local.spacex_api.source import FAULTS

LINE_FAULTS = ("truncated-line", "bad-utf8")
OBJECT_FAULTS = ("truncated-gzip",)
DAMAGE_FAULTS = (*LINE_FAULTS, *OBJECT_FAULTS)


def check_damage(specs: Sequence[str]) -> tuple[FaultSpec, ...]:
    """The specs, typed. Raises FaultRefused when one is not damage this writer knows to do."""
    return tuple(FaultSpec.parse(text, known=DAMAGE_FAULTS) for text in specs)


def split_faults(wanted: Sequence[str]) -> tuple[list[str], list[str]]:
    """What the API stand-in is asked for, and what this server is. Raises FaultRefused, naming every fault there is."""
    specs = {text: FaultSpec.parse(text, known=(*FAULTS, *DAMAGE_FAULTS)) for text in wanted}
    damage = [text for text in wanted if specs[text].name in DAMAGE_FAULTS]
    return [text for text in wanted if text not in damage], damage


@dataclass(slots=True)
class LandingDamage:
    """Does the configured damage and records it. The same data loses the same lines in every sync."""

    specs: Sequence[FaultSpec]
    dataset: str
    seed: int = 42
    record: list[dict[str, Any]] = field(default_factory=list)

    def lines_of(self, key: str, lines: list[bytes]) -> list[bytes]:
        """Cuts or spoils some lines. Line numbers in the record count from 1."""
        lines = list(lines)
        taken: set[int] = set()
        for spec in self._ours(LINE_FAULTS):
            free = [index for index in range(len(lines)) if index not in taken]
            thrown = dice(f"{self.seed}:{self.dataset}:{_part_of(key)}:{spec.name}")
            for index in pick(thrown, free, spec.rate, total=len(lines)):
                taken.add(index)
                lines[index] = _truncated(lines[index]) if spec.name == "truncated-line" else _bad_utf8(lines[index])
                self.record.append({"fault": spec.name, "dataset": self.dataset, "key": key, "line": index + 1})
        return lines

    def body_of(self, key: str, body: bytes) -> bytes:
        """Cuts the compressed object off in its last quarter."""
        for spec in self._ours(OBJECT_FAULTS):
            if spec.rate > 0:
                self.record.append({"fault": spec.name, "dataset": self.dataset, "key": key, "line": None})
                return body[: max(len(gzip.compress(b"")), len(body) * 3 // 4)]
        return body

    def _ours(self, names: Sequence[str]) -> list[FaultSpec]:
        return [spec for spec in self.specs if spec.name in names and spec.dataset == self.dataset]


def _part_of(key: str) -> str:
    return key.rsplit("_", 1)[-1]


def _truncated(line: bytes) -> bytes:
    """The line's first two thirds, up to a whole character: JSON that never ends."""
    return line[: len(line) * 2 // 3].decode("utf-8", "ignore").encode()


def _bad_utf8(line: bytes) -> bytes:
    """The line with a byte that UTF-8 cannot hold, inside its record."""
    middle = line.index(b'"_airbyte_data"') + len(b'"_airbyte_data":{"')
    return line[:middle] + b"\xff\xfe" + line[middle:]
