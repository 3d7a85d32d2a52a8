"""The program as the container image runs it: another user, nothing to write to, no shell."""

import re
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import aiohttp
import pytest

from tests.support.container import CONFIG, STATE, USER, container_command, why_not
from tests.support.dialogues import TRACKER
from tests.support.echo_upstream import EchoUpstream
from tests.support.gateway_process import PATIENCE_SECONDS, wait_until

GATEWAY = """
server: {{host: 127.0.0.1, port: 0, drain_seconds: 1}}
apis:
  - {{name: tracker, spec: tracker.yaml, base_url: "{url}", max_response_bytes: 16}}
"""


class Container:
    """`ocp-gateway serve` in a container of our own; `log` is what it wrote."""

    def __init__(self, directory: Path) -> None:
        self._log = directory / "container.log"
        words = container_command(directory, "serve", str(CONFIG / "gateway.yaml"))
        with self._log.open("wb") as log:
            self.process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stderr=log)

    @property
    def log(self) -> str:
        return self._log.read_text()

    @property
    def url(self) -> str:
        """Where it listens; waits until it does."""

        def announced() -> bool:
            assert self.process.poll() is None, self.log
            return "listening on http" in self.log

        wait_until(announced, "the gateway to listen")
        return self.log.partition("listening on ")[2].split()[0]

    def kernel_says(self, name: str) -> list[str]:
        return (Path("/proc") / str(self.process.pid) / name).read_text().splitlines()


@pytest.fixture
def container(echo: EchoUpstream, tmp_path: Path) -> Iterator[Container | None]:
    """None, said on stdout, where this machine permits no container of our own."""
    if (reason := why_not()) is not None:
        print(f"NOT RUN as in the image: {reason}")  # noqa: T201 - who runs it should know
        yield None
        return
    config = tmp_path / "config"
    config.mkdir()
    (config / "gateway.yaml").write_text(GATEWAY.format(url=echo.url))
    (config / "tracker.yaml").write_text(TRACKER.description.read_text())
    started = Container(tmp_path)
    try:
        yield started
    finally:
        started.process.kill()
        started.process.wait(PATIENCE_SECONDS)


def rights(container: Container) -> dict[str, list[str]]:
    fields = (line.partition(":") for line in container.kernel_says("status"))
    return {name: value.split() for name, _, value in fields}


def writable_places(container: Container) -> set[str]:
    """Where the kernel lets the process write, devices and processes apart."""
    mounts = (line.split()[4:6] for line in container.kernel_says("mountinfo"))
    writable = {place for place, options in mounts if "rw" in options.split(",")}
    return {place for place in writable if not place.startswith(("/dev", "/proc"))}


async def test_s98_it_serves_as_user_65532_without_a_shell_on_a_read_only_file_system(
    container: Container | None, http: aiohttp.ClientSession, tmp_path: Path
) -> None:
    if container is None:
        return
    arguments = {"project": "gate", "title": "It is broken"}
    url = f"{container.url}/tools/issuesCreate"
    async with http.post(url, json=arguments) as answer:
        called = await answer.json()
    async with http.get(f"{container.url}/readyz") as answer:
        ready = await answer.json()
    async with http.get(f"{container.url}/results/{called['rest']['handle']}") as answer:
        kept = await answer.text()

    assert (called["isError"], called["recorded"], ready) == (False, True, {"status": "ok"})
    assert "POST /projects/gate/issues" in kept
    held = rights(container)
    assert held["Uid"] == [str(USER)] * 4
    assert {int(held[f"Cap{kind}"][0], 16) for kind in ("Prm", "Eff", "Inh", "Amb")} == {0}
    assert held["NoNewPrivs"] == ["1"]
    assert writable_places(container) == {"/tmp", str(STATE)}  # noqa: S108 - the container's own
    root = Path("/proc") / str(container.process.pid) / "root"
    assert not [root / place for place in ("bin/sh", "usr/bin/sh") if (root / place).exists()]

    container.process.send_signal(signal.SIGTERM)
    assert container.process.wait(PATIENCE_SECONDS) == 0
    assert not re.search(r" (warning|error|critical) |Traceback", container.log), container.log
    files = {str(path.relative_to(tmp_path / "state")) for path in (tmp_path / "state").rglob("*")}
    assert ".ocp-gateway/contexts.db" in files
    assert any(name.endswith(".description") for name in files), files
