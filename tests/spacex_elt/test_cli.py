"""The program from outside: what it says where, and how it ends."""

import json
import os
import signal
import socket
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.spacex_elt.program import BARE, PROGRAM, start

#: Everything that the program needs to be told, and nobody there.
NOBODY = {
    "AWS_ACCESS_KEY_ID": "x",
    "AWS_SECRET_ACCESS_KEY": "x",
    "AWS_REGION": "us-east-1",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_MAX_ATTEMPTS": "1",
    "AWS_ENDPOINT_URL": "http://127.0.0.1:1",
    "SPACEX_ELT_ENVIRONMENT": "test",
    "SPACEX_ELT_LAKE_BUCKET": "lake",
    "SPACEX_ELT_DOCS_BUCKET": "docs",
    "SPACEX_ELT_DOCS_URL": "http://127.0.0.1:1/docs",
    "SPACEX_ELT_WAREHOUSE_SECRET_ID": "warehouse",
    "SPACEX_ELT_COPY_ROLE_ARN": "arn:aws:iam::123456789012:role/copy",
    "SPACEX_ELT_ALERT_TOPIC_ARN": "arn:aws:sns:us-east-1:123456789012:alerts",
    "SPACEX_ELT_ALERT_QUEUE_URL": "http://127.0.0.1:1/queue",
    "SPACEX_ELT_AIRBYTE_URL": "http://127.0.0.1:1",
    "SPACEX_ELT_AIRBYTE_CONNECTION_ID": "c",
    "SPACEX_ELT_AIRBYTE_SOURCE_ID": "s",
}
COMMANDS = (
    ("run",),
    ("plan", "--run-id", "r", "--job-id", "1"),
    ("gate", "--run-id", "r", "--shard", "cores-0"),
    ("load", "--run-id", "r", "--dataset", "cores"),
    ("transform", "--run-id", "r"),
    ("publish", "--run-id", "r"),
    ("alerts",),
    ("quarantine", "show", "cores"),
    ("warehouse", "query", "select 1"),
)


@pytest.mark.parametrize("words", COMMANDS, ids=lambda words: words[0])
def test_without_settings_each_command_names_them_and_ends_with_2(words: tuple[str, ...]) -> None:
    done = start(*words)
    assert (done.returncode, done.stdout) == (2, "")
    assert "SPACEX_ELT_LAKE_BUCKET" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("words", COMMANDS, ids=lambda words: words[0])
def test_with_nobody_there_each_command_says_so_and_ends_with_12(words: tuple[str, ...], tmp_path: Path) -> None:
    done = start(*words, env={**NOBODY, "SPACEX_ELT_WORK_DIR": str(tmp_path)})
    assert (done.returncode, done.stdout) == (12, "")
    assert "Traceback" not in done.stderr
    assert list(tmp_path.glob("telemetry/*/*")) == []


@pytest.mark.parametrize("words", [("run", "--launches", "0"), ("gate", "--run-id", "r"), ("fly",), ("run", "--nope")])
def test_words_that_are_no_command_end_with_2(words: tuple[str, ...]) -> None:
    done = start(*words)
    assert (done.returncode, done.stdout) == (2, "")
    assert "Usage" in done.stderr


@pytest.mark.parametrize("run_id", ["", "../other", "a/b", "-x", "x" * 65, "a b", "a\nb", "ä"])
def test_what_is_no_run_id_is_refused_before_anything_is_done(run_id: str, tmp_path: Path) -> None:
    done = start("transform", f"--run-id={run_id}", env={**NOBODY, "SPACEX_ELT_WORK_DIR": str(tmp_path / "work")})
    assert done.returncode == 2
    assert "is no run id" in done.stderr
    assert not (tmp_path / "work").exists()


def test_json_is_one_line_on_stdout_and_nothing_else(tmp_path: Path) -> None:
    done = start("local", "status", "--json", env={"SPACEX_ELT_STATE_DIR": str(tmp_path)})
    assert done.returncode == 0
    assert done.stdout.count("\n") == 1
    assert json.loads(done.stdout)["parts"] == []


@pytest.fixture
def left_pipe() -> Iterator[int]:
    """A pipe whose reader has left."""
    reader, writer = os.pipe()
    os.close(reader)
    yield writer
    os.close(writer)


@pytest.mark.parametrize("words", [("local", "status"), ("local", "status", "--json")], ids=["table", "json"])
def test_a_reader_that_has_left_is_no_failure(words: tuple[str, ...], left_pipe: int, tmp_path: Path) -> None:
    done = start(*words, env={"SPACEX_ELT_STATE_DIR": str(tmp_path)}, stdout=left_pipe)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_failure_stays_one_when_nobody_reads_what_it_is(left_pipe: int) -> None:
    done = start("alerts", stdout=left_pipe, stderr=left_pipe)
    assert done.returncode == 2


def test_a_contract_that_is_right_is_said_so_on_stderr() -> None:
    done = start("contracts", "lint")
    assert (done.returncode, done.stdout) == (0, "")
    assert "14 contracts are right" in done.stderr


@pytest.fixture
def silent_service() -> Iterator[socket.socket]:
    """A service that takes a connection and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(60)
        yield listening


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM], ids=["by its user", "by its scheduler"])
def test_a_program_that_is_stopped_says_how_to_go_on(
    silent_service: socket.socket, tmp_path: Path, how: signal.Signals
) -> None:
    silent = f"http://127.0.0.1:{silent_service.getsockname()[1]}"
    env = {**BARE, **NOBODY, "AWS_ENDPOINT_URL_S3": silent, "SPACEX_ELT_WORK_DIR": str(tmp_path)}
    with subprocess.Popen(
        [PROGRAM, "quarantine", "show", "cores"], env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        timer = threading.Timer(60, process.kill)
        timer.start()
        connection, _ = silent_service.accept()
        with connection:
            process.send_signal(how)
            out, err = process.communicate()
        timer.cancel()
    assert (process.returncode, out) == (130, "")
    assert "stopped" in err
    assert "Traceback" not in err
