"""R-13: more callers than there are file descriptors."""

import contextlib
import resource
from pathlib import Path

import pytest

from tests.e2e.conftest import tracker_arguments
from tests.support import gateway_process
from tests.support.echo_upstream import EchoUpstream
from tests.support.gateway_process import GatewayProcess, wait_until
from tests.support.raw_client import Ended, RawConnection

FEW = 256
HEALTH = b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
PROXIED = b"GET /apis/tracker/projects/gate/issues HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"


def open_many(stack: contextlib.ExitStack, url: str) -> list[RawConnection]:
    return [stack.enter_context(RawConnection(url)) for _ in range(FEW + 50)]


def outcome(raw: RawConnection) -> int:
    """The status of an answer; 0 where the connection was cut."""
    try:
        raw.send(HEALTH)
        return raw.answer().status
    except (Ended, ConnectionError):
        return 0


def answers(gateway: GatewayProcess, request: bytes) -> bool:
    try:
        with RawConnection(gateway.url) as raw:
            raw.send(request)
            return raw.answer().status == 200
    except (Ended, ConnectionError):
        return False


def test_r13_callers_above_the_bound_are_told_so_and_it_recovers(
    echo: EchoUpstream, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    limited = tmp_path / "limited"
    limited.write_text(f'#!/bin/sh\nulimit -n {FEW}\nexec {gateway_process.COMMAND} "$@"\n')
    limited.chmod(0o700)
    monkeypatch.setattr(gateway_process, "COMMAND", limited)
    with GatewayProcess(*tracker_arguments(echo), directory=tmp_path) as gateway:
        with contextlib.ExitStack() as stack:
            callers = open_many(stack, gateway.url)
            statuses = [outcome(raw) for raw in callers]
            assert statuses[: FEW // 2] == [200] * (FEW // 2)
            assert set(statuses[FEW // 2 :]) == {503, 0}
            # Descriptors were left for what those who are in ask for.
            callers[0].send(PROXIED)
            assert callers[0].answer().status == 200
        wait_until(lambda: answers(gateway, PROXIED), "the gateway to recover")
        assert "Traceback" not in gateway.log


def test_r13_a_process_without_a_descriptor_left_recovers(
    echo: EchoUpstream, tmp_path: Path
) -> None:
    """The bound was right when it started; then somebody took the descriptors away."""
    with GatewayProcess(*tracker_arguments(echo), directory=tmp_path) as gateway:
        resource.prlimit(gateway.process.pid, resource.RLIMIT_NOFILE, (64, 64))
        with contextlib.ExitStack() as stack:
            open_many(stack, gateway.url)
        wait_until(lambda: answers(gateway, PROXIED), "the gateway to recover")
