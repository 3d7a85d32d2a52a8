"""What only a process of its own shows: pipes, signals, search paths."""

import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from gateway import __version__
from tests.cli.conftest import DEMO
from tests.support.gateway_process import (
    COMMAND,
    PATIENCE_SECONDS,
    GatewayProcess,
    run_command,
)
from tests.support.plain_http import send_raw

READYZ = b"GET /readyz HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"
SPEC = ("--spec", f"library={DEMO}")


def test_serve_says_where_it_listens_and_ends_with_0_when_asked(tmp_path: Path) -> None:
    with GatewayProcess(*SPEC, "--store", "memory://", directory=tmp_path) as gateway:
        assert gateway.url.startswith("http://127.0.0.1:")
        assert gateway.stop() == 0
        assert "Traceback" not in gateway.log


def test_an_address_of_another_machine_is_one_line(tmp_path: Path) -> None:
    # RFC 5737: 203.0.113.0/24 belongs to nobody, so not to this machine either.
    address = ("--host", "203.0.113.1", "--port", "0", "--insecure-open")
    done = run_command("serve", *SPEC, "--store", "memory://", *address, directory=tmp_path)
    assert (done.code, done.stdout) == (1, "")
    assert done.stderr.startswith("ocp-gateway: cannot listen on 203.0.113.1:0: ")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("host", ["a" * 70, "a..b"], ids=["long-label", "empty-label"])
def test_a_host_that_can_be_no_name_is_one_line(tmp_path: Path, host: str) -> None:
    address = ("--host", host, "--port", "0", "--insecure-open")
    done = run_command("serve", *SPEC, "--store", "memory://", *address, directory=tmp_path)
    assert (done.code, done.stdout) == (1, "")
    assert done.stderr == f"ocp-gateway: cannot listen on {host}:0: not a host name\n"


@pytest.mark.parametrize(
    ("address", "reason"),
    [("127.0.0.1:{taken}", "Address already in use"), ("a..b:1", "not a host name")],
    ids=["taken", "no-name"],
)
def test_a_door_for_probes_that_cannot_be_had_is_named(
    tmp_path: Path, address: str, reason: str
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        address = address.format(taken=other.getsockname()[1])
        config = tmp_path / "gateway.yaml"
        config.write_text(f"server: {{port: 0, probe_listen: '{address}'}}\n")
        done = run_command("serve", str(config), *SPEC, directory=tmp_path)
    assert (done.code, done.stdout) == (1, "")
    assert done.stderr == f"ocp-gateway: cannot listen on {address}: {reason}\n"


def test_a_store_that_is_down_is_told_once(tmp_path: Path) -> None:
    (tmp_path / "notes.yaml").write_text("a: 1\n")
    store = ("--store", "sqlite:///notes.yaml")
    with GatewayProcess(*SPEC, *store, directory=tmp_path) as gateway:
        for _ in range(3):
            answer = send_raw(gateway.url, READYZ)
            assert (answer.status, json.loads(answer.body)["status"]) == (200, "degraded")
    assert gateway.log.count("the context store failed: ") == 1
    assert "notes.yaml" not in gateway.log
    assert (tmp_path / "notes.yaml").read_text() == "a: 1\n"


def test_a_reader_that_goes_away_is_no_fault(tmp_path: Path) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(
        [COMMAND, "tools", *SPEC],
        cwd=tmp_path,
        stdout=writer,
        stderr=subprocess.PIPE,
        timeout=PATIENCE_SECONDS,
        check=False,
    )
    os.close(writer)
    assert (done.returncode, done.stderr) == (141, b"")


def test_ctrl_c_ends_a_waiting_call_without_a_traceback(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        process = subprocess.Popen(
            [COMMAND, "call", "x", "--gateway", url],
            cwd=tmp_path,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        silent.settimeout(PATIENCE_SECONDS)
        connection, _ = silent.accept()
        with connection:
            connection.settimeout(PATIENCE_SECONDS)
            assert connection.recv(1) == b"P"
            process.send_signal(signal.SIGINT)
            printed = process.communicate(timeout=PATIENCE_SECONDS)
    assert (process.returncode, printed) == (130, (b"", b""))


def test_a_module_in_the_working_directory_is_not_imported(tmp_path: Path) -> None:
    for name in ("yaml", "click", "aiohttp"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('planted')\n")
    done = subprocess.run(
        [sys.executable, "-m", "gateway", "--version"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"ocp-gateway {__version__}\n"


@pytest.mark.parametrize("command", ["tools", "check"])
def test_a_pipe_sees_no_progress(tmp_path: Path, command: str) -> None:
    assert run_command(command, *SPEC, directory=tmp_path).stderr == ""
