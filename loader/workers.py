"""Owns doing the same work on many things in several processes. What the work is, its caller says.

Processes are started anew and not forked: the libraries that judge have threads of their own. They end when the work
is done, when it fails, and when the process that started them ends in any way.
"""

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import closing
from multiprocessing.connection import Connection
from typing import Any, TypeVar

from contracts.errors import ServiceUnavailable

Item = TypeVar("Item")
Done = TypeVar("Done")

_work: Callable[[Any], Any] | None = None  # of a worker process: what it does


def each(make: Callable[[], Callable[[Item], Done]], items: Sequence[Item], process_count: int) -> list[Done]:
    """What the work comes to for each item, in their order. `make` makes what does it, once in each process.

    The first error that an item meets, in their order, is raised and the rest is given up. With more than one process,
    `make`, items and results have to be picklable. Raises ServiceUnavailable when a process dies.
    """
    if process_count <= 1 or len(items) <= 1:
        work = make()
        return [work(item) for item in items]
    spawn = multiprocessing.get_context("spawn")
    alive, held = spawn.Pipe(duplex=False)
    with closing(alive), closing(held):
        pool = ProcessPoolExecutor(process_count, spawn, _start, (make, alive))
        try:
            with pool:
                futures = [pool.submit(_do, item) for item in items]
                try:
                    return [future.result() for future in futures]
                finally:
                    if not all(future.done() for future in futures):
                        held.close()  # ends the processes at once, where waiting for them could take long
        except BrokenProcessPool as exc:
            raise ServiceUnavailable(
                "a worker process ended before its work was done: the system ended it, most often for want of memory. "
                "Nothing was decided. Run the step again, with more memory if it happens again."
            ) from exc


def _start(make: Callable[[], Callable[[Any], Any]], alive: Connection) -> None:
    global _work  # noqa: PLW0603  what a worker does is made once in its process
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal tells all processes; the one that started us decides
    threading.Thread(target=_end_with, args=(alive,), daemon=True).start()
    _work = make()


def _end_with(alive: Connection) -> None:
    """Ends this process when the other end of the connection is closed, on purpose or by its process's end."""
    alive.poll(None)
    os._exit(1)


def _do(item: Any) -> Any:
    if _work is None:
        raise RuntimeError("a worker was given work before it was started")
    return _work(item)
