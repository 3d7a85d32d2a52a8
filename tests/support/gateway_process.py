"""The real command line, as a process of its own."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.support.planting import planted_in

COMMAND = Path(sys.executable).parent / "ocp-gateway"
PATIENCE_SECONDS = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """A command that ran to its end."""

    code: int
    stdout: str
    stderr: str


def run_command(*arguments: str, directory: Path, stdin: str = "") -> Finished:
    """Run `ocp-gateway` with `arguments` in `directory` until it ends."""
    done = subprocess.run(
        [str(COMMAND), *arguments],
        cwd=directory,
        input=stdin,
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )
    return Finished(code=done.returncode, stdout=done.stdout, stderr=done.stderr)


def child_environment() -> dict[str, str]:
    """What an MCP client's child needs beside its defaults, so that coverage follows it."""
    environment = os.environ  # noqa: TID251 - the tests' own environment, not the product's
    return {name: value for name, value in environment.items() if name.startswith("COVERAGE_")}


def wait_until(condition: Callable[[], bool], what: str) -> None:
    """Poll until `condition` holds; fail, naming `what`, when it does not in good time."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"gave up waiting for {what}")
        time.sleep(0.01)


class GatewayProcess:
    """`with GatewayProcess("--spec", ..., directory=tmp_path) as gateway:` serves on a free port.

    The process is killed if the test did not stop it. `log` is everything it wrote to stderr. A
    secret that the test has planted (`tests.support.planting`) must not be there in the end, nor
    in the database.
    """

    def __init__(self, *arguments: str, directory: Path) -> None:
        self.arguments = arguments
        self.directory = directory
        self.command: tuple[str, ...] = (str(COMMAND),)
        self.url = ""
        self._log = directory / "gateway.log"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def log(self) -> str:
        return self._log.read_text() if self._log.exists() else ""

    @property
    def process(self) -> subprocess.Popen[bytes]:
        assert self._process is not None
        return self._process

    def start(self) -> None:
        earlier = len(self.log)
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [*self.command, "serve", "--port", "0", *self.arguments],
                cwd=self.directory,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=log,
            )
        wait_until(lambda: self._announced(earlier), "the gateway to listen")

    def _announced(self, earlier: int) -> bool:
        log = self.log[earlier:]
        for line in log.splitlines(keepends=True):
            _, announced, url = line.partition("listening on ")
            if announced and url.endswith("\n"):
                self.url = url.split()[0].rstrip("/")
                return True
        if self.process.poll() is not None:
            raise AssertionError(f"the gateway ended with {self.process.returncode}:\n{log}")
        return False

    def kill(self) -> None:
        """`kill -9`: no chance to flush, close or say goodbye."""
        self.process.kill()
        self.process.wait(PATIENCE_SECONDS)

    def restart(self) -> None:
        self.kill()
        self.start()

    def stop(self, number: signal.Signals = signal.SIGINT) -> int:
        """Ask it to end, as at a terminal where nobody waits for load balancers; its exit code."""
        self.process.send_signal(number)
        return self.process.wait(PATIENCE_SECONDS)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self.process.poll() is None:
            try:
                self.stop()
            except subprocess.TimeoutExpired:
                self.kill()
                raise
        if kind is None:
            found = {path.name: planted_in(path.read_bytes()) for path in self._left_behind()}
            assert not any(found.values()), found

    def _left_behind(self) -> Iterator[Path]:
        yield self._log
        yield from self.directory.rglob("contexts.db*")
