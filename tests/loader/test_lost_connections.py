"""Connections that break, statements that are stopped, transactions that are undone: what is tried again, and how."""

import os
import signal
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import replace
from pathlib import Path

import psycopg2
import pytest

from contracts.errors import ServiceUnavailable
from contracts.model import Contract
from loader import warehouse
from loader.batch import Batch
from loader.load import load_batch
from loader.warehouse import Session, StatementRefused, Unsettled, WarehouseAddress, connect
from local import postgres_home
from local.parts import postgres_directory
from local.stack import StackState
from local.stack_env import WAREHOUSE_DATABASE
from tests.loader.rig import Rig, fates, go, thing
from validation.results import LoadGateResult

pytestmark = pytest.mark.stack

A, B = (thing(name, text="first") for name in "ab")


class Wire:
    """A way to the warehouse that can be cut: before the next question gets there, or before its answer gets back."""

    def __init__(self, address: WarehouseAddress) -> None:
        self._there = (address.host, address.port)
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.address = replace(address, port=self._listening.getsockname()[1])
        self.cut_before = ""  # "question" or "answer"; the next connection is whole again
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._listening.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                ours, _ = self._listening.accept()
                theirs = socket.create_connection(self._there)
                for name, source, target in (("question", ours, theirs), ("answer", theirs, ours)):
                    threading.Thread(target=self._carry, args=(name, source, target), daemon=True).start()

    def _carry(self, name: str, source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(1 << 16):
                if self.cut_before == name:
                    self.cut_before = ""
                    break
                target.sendall(data)
        for end in (source, target):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()


@pytest.fixture
def wire(rig: Rig) -> Iterator[Wire]:
    with closing(Wire(rig.address)) as made:
        yield made


@pytest.mark.filterwarnings("ignore:Exception ignored in. <ssl.SSLSocket")
@pytest.mark.parametrize("lost", ["question", "answer"])
def test_a_commit_whose_connection_broke_is_asked_for_and_told_as_what_it_was(rig: Rig, wire: Wire, lost: str) -> None:
    rig.publish(A)
    snapshot = rig.land(B)
    cuts: list[str] = []

    class Cut(Session):
        def commit(self) -> None:
            wire.cut_before = cuts.pop() if cuts else ""
            super().commit()

    def arm(contract: Contract, batch: Batch, staged_count: int) -> LoadGateResult:
        cuts.append(lost)  # the next commit is the publication's
        return go(contract, batch, staged_count)

    with connect(wire.address) as session:
        session.__class__ = Cut
        output = load_batch(rig.store, session, rig.loading(snapshot, "run-2", arm))

    assert cuts == []
    assert wire.cut_before == "", "nothing was cut"
    assert fates(output) == (1, 0, 0, 1, 0, 1)
    assert not output.was_already_published
    assert [run_id for _, run_id in rig.ledger()].count("run-2") == 1
    assert rig.live() == [("b", "first")]
    assert rig.staging_tables() == []


def test_a_session_that_connects_again_is_set_up_again_with_a_login_of_now(rig: Rig, wire: Wire) -> None:
    stale = replace(wire.address, password="it was good for an hour")
    with connect(wire.address) as session:
        session._address, session._find_address = stale, lambda: wire.address
        session.work_as("load")
        wire.cut_before = "answer"
        found = session.transaction(lambda: session.rows("show timezone") + session.rows("show statement_timeout"))
    assert found == [("UTC",), ("25min",)]


def test_a_transaction_undone_for_anothers_sake_is_done_anew_as_a_whole(rig: Rig) -> None:
    rig.publish(A)
    table = f"raw_spacex.{rig.contract.dataset}"
    tries: list[int] = []

    with rig.session() as ours, rig.session() as theirs:

        def work() -> None:
            tries.append(1)
            ours.rows(f"select big from {table}")
            if len(tries) == 1:
                theirs.run(f"update {table} set big = 5")
                theirs.commit()
            ours.run(f"update {table} set big = coalesce(big, 0) + 1")

        ours.transaction(work)

    assert len(tries) == 2
    assert rig.rows("select big from {raw}") == [(6,)]


def test_what_breaks_each_time_is_the_schedulers_to_try_again(
    rig: Rig, wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(warehouse, "_WAITS_S", (0.0, 0.0))
    tries: list[int] = []

    def work() -> None:
        tries.append(1)
        raise Unsettled("undone again")

    with rig.session() as session:
        with pytest.raises(Unsettled):
            session.transaction(work)
        assert len(tries) == 3


def test_a_refusal_is_not_tried_again_and_leaves_the_session_usable(rig: Rig) -> None:
    tries: list[int] = []

    with rig.session() as session:

        def work() -> None:
            tries.append(1)
            session.run("select nothing from nowhere")

        with pytest.raises(StatementRefused):
            session.transaction(work)
        assert session.rows("select 1") == [(1,)]
    assert len(tries) == 1


def test_a_statement_that_takes_too_long_is_ended_by_the_warehouse_and_not_tried_again_at_once(rig: Rig) -> None:
    tries: list[int] = []
    table = f"raw_spacex.{rig.contract.dataset}"

    with rig.session() as holding, rig.session() as session:
        holding.run(f"lock table {table}")
        session.run("set statement_timeout to 50")
        session.commit()

        def work() -> None:
            tries.append(1)
            session.run(f"lock table {table}")

        with pytest.raises(ServiceUnavailable, match="ended a statement of ours"):
            session.transaction(work)
    assert len(tries) == 1


def stop_us_when_somebody_waits(state_dir: Path) -> None:
    """Sends us SIGTERM as soon as a statement waits for a lock: one still on its way cannot be cancelled."""
    home = postgres_home.prepare(postgres_directory(state_dir))
    waiting = "select count(*) from pg_stat_activity where datname = %s and wait_event_type = 'Lock'"
    with closing(psycopg2.connect(home.dsn())) as connection, connection.cursor() as cursor:
        connection.autocommit = True
        for _ in range(600):
            cursor.execute(waiting, (WAREHOUSE_DATABASE,))
            if cursor.fetchone() != (0,):
                break
            time.sleep(0.05)
    os.kill(os.getpid(), signal.SIGTERM)


def test_a_statement_that_is_stopped_holds_nothing_in_the_warehouse(rig: Rig, stack: StackState) -> None:
    table = f"raw_spacex.{rig.contract.dataset}"
    handler = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with rig.session() as holding, rig.session() as stopped, rig.session() as after:
            holding.run(f"lock table {table}")
            threading.Thread(target=stop_us_when_somebody_waits, args=(stack.state_dir,), daemon=True).start()
            with pytest.raises(KeyboardInterrupt):
                stopped.run(f"lock table {table}")
            holding.rollback()
            # The stopped session's connection is still open: its statement would take the lock now, and keep it.
            after.run("set statement_timeout to 5000")
            after.commit()
            after.run(f"lock table {table}")
            after.rollback()
    finally:
        signal.signal(signal.SIGTERM, handler)
