"""Work in several processes: the same results, errors as they are, and nothing left running."""

import io
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import BinaryIO

import psutil
import pytest

from contracts.errors import ServiceUnavailable
from loader import workers
from loader.batch import Batch, LandedObject, Shard
from loader.gate import gate_in_processes
from loader.reduce import reduce_batch
from loader.store import ObjectChanged
from tests.loader.folder_store import FolderStore
from tests.loader.landing import EPOCH_MS, compressed
from tests.validation.hand_made import contract, good, line

CONTRACT = contract()


def doubling() -> Callable[[int], int]:
    return partial(int.__mul__, 2)


def failing(bad: int) -> Callable[[int], int]:
    def work(number: int) -> int:
        if number == bad:
            raise ServiceUnavailable(f"{number} went away")
        return number

    return work


def dying() -> Callable[[int], int]:
    def work(number: int) -> int:
        os.kill(os.getpid(), signal.SIGKILL)
        return number

    return work


def hanging(folder: Path) -> Callable[[int], int]:
    """Says that it is at work, and then hangs."""

    def work(number: int) -> int:
        (folder / str(os.getpid())).touch()
        signal.pause()
        return number

    return work


@pytest.mark.parametrize("process_count", [0, 1, 2])
def test_results_come_in_the_order_of_the_items(process_count: int) -> None:
    assert workers.each(doubling, range(7), process_count) == [0, 2, 4, 6, 8, 10, 12]


def test_an_error_of_the_work_is_raised_as_it_is() -> None:
    with pytest.raises(ServiceUnavailable, match="3 went away"):
        workers.each(partial(failing, 3), range(7), 2)


def test_a_worker_that_is_killed_is_service_trouble() -> None:
    with pytest.raises(ServiceUnavailable, match="a worker process ended"):
        workers.each(dying, range(3), 2)


START = """
import sys
from functools import partial
from pathlib import Path
from loader import workers
from tests.loader.test_workers import hanging

if __name__ == "__main__":
    workers.each(partial(hanging, Path(sys.argv[1])), range(2), 2)
"""


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_workers_end_with_the_process_that_started_them(how: signal.Signals, tmp_path: Path) -> None:
    script, folder = tmp_path / "start.py", tmp_path / "at-work"
    folder.mkdir()
    script.write_text(START)
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    started = subprocess.Popen([sys.executable, script, folder], env=environment, stderr=subprocess.DEVNULL)
    try:
        while len(list(folder.iterdir())) < 2:
            assert started.poll() is None
        at_work = [psutil.Process(int(path.name)) for path in folder.iterdir()]
        started.send_signal(how)
        assert started.wait(60) != 0
        gone, _ = psutil.wait_procs(at_work, timeout=60)
    finally:
        started.kill()

    assert len(gone) == 2


def landed(store: FolderStore) -> tuple[Batch, Shard]:
    objects = []
    for number in range(4):
        records = [good(id=f"{key:04x}", seats=9 if key % 7 == 0 else 1) for key in range(number * 8, number * 8 + 12)]
        lines = [line(record).rstrip() for record in records] + [b"{", line(records[1]).rstrip()]
        key = f"landing/crafts/2026_03_21_{EPOCH_MS}_{number}.jsonl.gz"
        stored = store.put(key, compressed(lines), "application/gzip")
        objects.append(LandedObject(key, stored.etag, stored.size_bytes, len(lines), None))
    batch = Batch("crafts", "b" * 16, "1.0.0", tuple(objects), 56)
    return batch, Shard("crafts-0", "crafts", batch.batch_id, batch.objects)


def test_several_processes_judge_and_write_what_one_does(tmp_path: Path) -> None:
    outcomes = []
    for process_count in (1, 2):
        store = FolderStore(tmp_path / str(process_count))
        batch, shard = landed(store)
        output = gate_in_processes(store, CONTRACT, batch, shard, process_count)
        reduced = reduce_batch(store, CONTRACT, batch, [output])
        outcomes.append((output, reduced, {stored.key: store.get(stored.key) for stored in store.list("")}))

    assert outcomes[0] == outcomes[1]
    assert outcomes[0][0].result.rejected_count > 0
    assert outcomes[0][1][0].result.duplicate_count > outcomes[0][0].result.duplicate_count > 0


class BreakingBody(io.BytesIO):
    """A connection that breaks after its first bytes."""

    def read(self, size: int | None = -1, /) -> bytes:
        if self.tell():
            raise ServiceUnavailable("the connection broke")
        return super().read(10)


class BreakingStore(FolderStore):
    """Gives every object up to a point."""

    def open(self, key: str, etag: str | None = None) -> BinaryIO:
        return BreakingBody(super().open(key, etag).read())


@pytest.mark.parametrize("process_count", [1, 2])
def test_a_connection_that_breaks_is_no_damage_and_nothing_is_written(tmp_path: Path, process_count: int) -> None:
    store = BreakingStore(tmp_path)
    batch, shard = landed(store)

    with pytest.raises(ServiceUnavailable, match="the connection broke"):
        gate_in_processes(store, CONTRACT, batch, shard, process_count)

    assert {stored.key for stored in store.list("")} == {each.key for each in batch.objects}


def test_an_object_written_over_is_told_by_a_worker_too(tmp_path: Path) -> None:
    store = FolderStore(tmp_path)
    batch, shard = landed(store)
    store.put(batch.objects[2].key, b"something else", "application/gzip")

    with pytest.raises(ObjectChanged, match=batch.objects[2].key):
        gate_in_processes(store, CONTRACT, batch, shard, 2)
