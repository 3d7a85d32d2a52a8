"""A real nginx on loopback: the one on PATH, else Debian's, unpacked into `.nginx/`.

`python -m tests.support.nginx` (`make interop` does it) gets the latter, without being root.
"""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.support.redis_server import free_port

CACHE = Path(__file__).parents[2] / ".nginx"
# What nginx is linked with and a small system may lack.
PACKAGES = ("nginx", "libpcre2-8-0", "libssl3", "libcrypt1", "zlib1g")
READY_SECONDS = 10.0


def nginx_executable() -> str | None:
    """The nginx on PATH, else the unpacked one, else None."""
    carried = CACHE / "usr" / "sbin" / "nginx"
    return shutil.which("nginx") or (str(carried) if carried.exists() else None)


def unpack_nginx() -> None:
    """Get nginx out of Debian's archive, unless there is one. Raises CalledProcessError."""
    if nginx_executable() is not None:
        return
    with tempfile.TemporaryDirectory() as folder:
        # The package manager gives up its rights first, and has to write here all the same.
        Path(folder).chmod(0o777)
        subprocess.run(["apt-get", "download", "--quiet", *PACKAGES], cwd=folder, check=True)
        fresh = Path(folder) / "root"
        for package in Path(folder).glob("*.deb"):
            subprocess.run(["dpkg", "-x", str(package), str(fresh)], check=True)
        shutil.copytree(fresh, CACHE, symlinks=True, dirs_exist_ok=True)


def _environment() -> Mapping[str, str]:
    libraries = [str(folder) for folder in (CACHE / "usr" / "lib").glob("*-linux-gnu")]
    return {**os.environ, "LD_LIBRARY_PATH": ":".join(libraries)}  # noqa: TID251 - a child's


_FRAME = """
daemon off; master_process off; worker_processes 1; pid {directory}/nginx.pid;
error_log {directory}/error.log {level};
events {{ worker_connections 8192; }}
http {{
  access_log off;
  client_body_temp_path {directory}/body; proxy_temp_path {directory}/proxy;
  fastcgi_temp_path {directory}/fastcgi; uwsgi_temp_path {directory}/uwsgi;
  scgi_temp_path {directory}/scgi;
  {http}
}}
"""


class NginxServer:
    """`with NginxServer(directory, http) as nginx:` runs until the end of the block.

    `http` is what stands inside `http { ... }`; in it, `@LISTEN@` becomes the address of `url`.
    """

    def __init__(self, directory: Path, http: str, *, level: str = "warn") -> None:
        self.port = free_port()
        self._directory = directory
        self._http = http
        self._level = level
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def log(self) -> str:
        file = self._directory / "error.log"
        return file.read_text(errors="replace") if file.exists() else ""

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        executable = nginx_executable()
        assert executable is not None, "no nginx: python -m tests.support.nginx"
        self._directory.mkdir(parents=True, exist_ok=True)
        words = ["-p", str(self._directory), "-e", "error.log", "-c", str(self._configuration())]
        with (self._directory / "nginx.out").open("ab") as out:
            self._process = subprocess.Popen(
                [executable, *words],
                env=_environment(),
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
            )
        self._await_ready()

    def _configuration(self) -> Path:
        file = self._directory / "nginx.conf"
        http = self._http.replace("@LISTEN@", f"127.0.0.1:{self.port}")
        file.write_text(_FRAME.format(directory=self._directory, level=self._level, http=http))
        return file

    def _await_ready(self) -> None:
        assert self._process is not None
        deadline = time.monotonic() + READY_SECONDS
        while time.monotonic() < deadline and self._process.poll() is None:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
            except OSError:
                time.sleep(0.01)
            else:
                return
        self.stop()
        said = (self._directory / "nginx.out").read_text(errors="replace")
        raise RuntimeError(f"nginx did not come up:\n{said}{self.log}")

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(timeout=READY_SECONDS)
            self._process = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()


if __name__ == "__main__":
    unpack_nginx()
    sys.stdout.write(f"{nginx_executable()}\n")
