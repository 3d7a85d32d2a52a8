"""A wall clock that is set by a day, while calls and pauses are under way."""

import asyncio
import threading
import time
from collections.abc import Iterator
from datetime import datetime, timedelta, tzinfo
from pathlib import Path
from typing import Self

import aiohttp
import pytest

from gateway.config import ApiConfig
from gateway.policy.circuit import FAILURES
from tests.support.echo_upstream import Answer, EchoUpstream
from tests.support.gateway_process import wait_until
from tests.support.serving import Served, serving, write_spec

PATHS = {"/a": {"get": {"operationId": "getA", "responses": {}}}}
PATIENCE_SECONDS = 30
DAYS = pytest.mark.parametrize(
    "days", [pytest.param(1, id="a day later"), pytest.param(-1, id="a day earlier")]
)


class WallClock:
    """What `time.time` and `datetime.now` say, beside the real time by `days`."""

    def __init__(self) -> None:
        self.days = 0
        self._real = time.time
        self.asked = 0

    def __call__(self) -> float:
        self.asked += 1
        return self._real() + self.days * 86_400


@pytest.fixture
def wall(monkeypatch: pytest.MonkeyPatch) -> WallClock:
    clock, real = WallClock(), datetime

    class Shifted(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> Self:
            clock.asked += 1
            moment = real.now(tz) + timedelta(days=clock.days)
            return cls.fromtimestamp(moment.timestamp(), tz)

    monkeypatch.setattr(time, "time", clock)
    monkeypatch.setattr(time, "time_ns", lambda: int(clock() * 1e9))
    for room in ("storing", "parts"):
        monkeypatch.setattr(f"gateway.wiring.{room}.datetime", Shifted)
    return clock


@pytest.fixture
def upstream() -> Iterator[EchoUpstream]:
    with EchoUpstream() as upstream:
        yield upstream


def api(directory: Path, upstream: EchoUpstream, name: str, *, patience: float = 30) -> ApiConfig:
    spec = write_spec(directory, PATHS, name=name)
    return ApiConfig(name=name, spec=spec, base_url=upstream.url, timeout_seconds=patience)


async def ask(served: Served, name: str) -> tuple[int, str | None]:
    """Status, and the code of a problem; in a context, so that the call is recorded."""
    named = {"OCP-Context-ID": "ocp-00000000000000aa"}
    url = f"{served.url}/apis/{name}/a"
    async with aiohttp.request("GET", url, headers=named) as answer:
        told = await answer.json()
        return answer.status, told.get("code")


@DAYS
async def test_r35_a_call_under_way_has_the_time_that_it_had(
    days: int, wall: WallClock, upstream: EchoUpstream, tmp_path: Path
) -> None:
    go_on = threading.Event()
    with EchoUpstream() as slow:
        slow.answer = Answer(hold=go_on)
        waits, hangs = api(tmp_path, slow, "waits"), api(tmp_path, slow, "hangs", patience=0.5)
        async with (
            serving(waits, hangs, api(tmp_path, upstream, "quick")) as served,
            asyncio.timeout(PATIENCE_SECONDS),
            asyncio.TaskGroup() as callers,
        ):
            waiting, hanging = (callers.create_task(ask(served, n)) for n in ("waits", "hangs"))
            await asyncio.to_thread(wait_until, lambda: len(slow.seen) == 2, "both calls")
            wall.days = days
            assert await ask(served, "quick") == (200, None)
            assert await hanging == (504, "upstream_timeout")
            assert not waiting.done()
            go_on.set()
            assert await waiting == (200, None)
    assert wall.asked


@DAYS
async def test_r35_the_pause_of_a_circuit_is_as_long_as_it_was(
    days: int, wall: WallClock, upstream: EchoUpstream, tmp_path: Path
) -> None:
    upstream.go_down()
    async with (
        serving(api(tmp_path, upstream, "shop")) as served,
        asyncio.timeout(PATIENCE_SECONDS),
    ):
        for _ in range(FAILURES):
            assert await ask(served, "shop") == (502, "upstream_unreachable")
        wall.days = days
        assert await ask(served, "shop") == (503, "upstream_circuit_open")
        upstream.come_back()
        while (await ask(served, "shop"))[0] != 200:
            pass
