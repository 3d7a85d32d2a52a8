"""Replicas behind nginx, restarted one after the other under load: nobody notices.

R-32, F9. nginx keeps connections to the replicas and tries the next one when it cannot connect, as
its defaults have it (`proxy_next_upstream error timeout`, never twice for what is not idempotent).
It has no other health checks, and would leave a replica out for ten seconds after each refusal.
"""

import asyncio
import signal
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from tests.support.nginx import NginxServer
from tests.torture import asks
from tests.torture.crowd import Crowd
from tests.torture.lines import Line, Refused
from tests.torture.stand import Stand, open_stand, run_command

REPLICAS = 3
CALLERS = 24
RATE = 300.0
DRAIN_SECONDS = 5.0
_HTTP = """
  upstream gateways {{ {servers} keepalive 32; }}
  server {{
    listen @LISTEN@;
    location / {{
      proxy_pass http://gateways;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header Host 127.0.0.1;
    }}
  }}
"""


@dataclass(slots=True)
class Roll:
    crowd: Crowd
    rounds: int
    restarts: list[float] = field(default_factory=list)
    other_faults: list[str] = field(default_factory=list)

    @property
    def faults(self) -> list[str]:
        return [*self.crowd.faults, *self.other_faults]

    def __str__(self) -> str:
        return "\n".join(
            (
                (
                    f"{len(self.restarts)} restarts of {REPLICAS} replicas, "
                    f"{max(self.restarts, default=0):.1f} s at most to the exit"
                ),
                *self.crowd.lines(),
                *self.other_faults,
            )
        )


async def run(rounds: int, directory: Path, random: Random) -> Roll:
    """Each round restarts every replica, with another generation of the description."""
    async with AsyncExitStack() as stack:
        stands = [
            await stack.enter_async_context(_replica(directory / f"gateway{number}"))
            for number in range(REPLICAS)
        ]
        places = " ".join(f"server {stand.gateway.url[7:]} max_fails=0;" for stand in stands)
        nginx = NginxServer(directory / "nginx", _HTTP.format(servers=places))
        stack.enter_context(nginx)
        lists = asks.Lists()
        mix = [
            asks.proxied, asks.proxied, asks.proxied_slow, asks.proxied_large, asks.uploaded,
            asks.called, asks.called_by_mcp, lists.listed, lists.listed_by_mcp,
        ]  # fmt: skip
        crowd = Crowd(lambda: nginx.url, mix, random)
        roll = Roll(crowd, rounds)
        async with crowd.at_work(CALLERS, rate=RATE):
            for generation in range(1, rounds + 1):
                for stand in stands:
                    await crowd.progress(50)
                    await _restart(stand, roll, generation)
            await crowd.progress(50)
        roll.other_faults += (
            f"sent twice: {tag}" for stand in stands for tag in stand.api.tally.twice
        )
    roll.other_faults += _complaints(nginx.log)
    return roll


@asynccontextmanager
async def _replica(directory: Path) -> AsyncIterator[Stand]:
    configuration = f"server: {{drain_seconds: {DRAIN_SECONDS}}}\n"
    async with open_stand(directory, configuration=configuration) as stand:
        yield stand


async def _restart(stand: Stand, roll: Roll, generation: int) -> None:
    started = time.monotonic()
    stand.gateway.process.send_signal(signal.SIGTERM)
    code = await asyncio.to_thread(stand.gateway.process.wait, 60)
    roll.restarts.append(time.monotonic() - started)
    if code != 0:
        roll.other_faults.append(f"exit code {code}: {stand.gateway.log[-500:]}")
    asks.write_description(stand.description, generation)
    await stand.start_again()
    await _await_ready(stand.gateway.url)


async def _await_ready(url: str) -> None:
    async with asyncio.timeout(30):
        while True:
            try:
                line = await Line.open(url)
                if (await line.ask(asks.request_bytes("GET", "/readyz"))).status == 200:
                    return
            except Refused:
                pass
            await asyncio.sleep(0.02)


def _complaints(log: str) -> list[str]:
    """What nginx says of connections that were cut; one refused is as it should be."""
    lines = [line for line in log.splitlines() if "upstream" in line]
    return [line for line in lines if "Connection refused" not in line][:5]


if __name__ == "__main__":
    run_command(run, __doc__, size=10, what="rounds, each of which restarts every replica")
