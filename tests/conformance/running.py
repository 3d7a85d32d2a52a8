"""The stand as a process, for those who look at it from outside."""

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from tests.support.gateway_process import PATIENCE_SECONDS
from tests.support.pages import ROOT

SCRIPT = (str(Path(__file__).with_name("run")),)
MODULE = (sys.executable, "-m", "tests.conformance.stand")


@contextlib.contextmanager
def running_stand(command: Sequence[str], directory: Path, workers: int = 1) -> Iterator[str]:
    """The URL of the endpoint under test, while it is there.

    The gateway's log is `stand.log` in `directory`, where the stand keeps its temporary files, too.
    """
    log = directory / "stand.log"
    with log.open("wb") as stderr:
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=stderr,
            env=_environment(directory, workers),
        )
    with process:
        assert process.stdout is not None
        try:
            line = process.stdout.readline().decode()
            if not line.startswith("listening on "):
                raise RuntimeError(f"nothing listens:\n{log.read_text()}")
            yield line.split()[-1]
        finally:
            process.terminate()
            code = process.wait(PATIENCE_SECONDS)
    if code:
        raise RuntimeError(f"{command[0]} ended with {code}:\n{log.read_text()}")


def _environment(directory: Path, workers: int) -> dict[str, str]:
    inherited = os.environ  # noqa: TID251 - the tests' own environment, not the product's
    return inherited | {"PORT": "0", "WORKERS": str(workers), "TMPDIR": str(directory)}
