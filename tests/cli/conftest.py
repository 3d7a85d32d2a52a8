"""A command run inside the test's process."""

import io
import logging
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import pytest

from gateway.cli.app import run
from tests.support.gateway_process import Finished

DEMO = Path(__file__).parents[2] / "specs" / "demo.yaml"


class Cli(Protocol):
    def __call__(self, *arguments: str, stdin: bytes = b"") -> Finished: ...


@pytest.fixture(autouse=True)
def quiet_root_logger() -> Iterator[None]:
    """Commands set up logging for their process, which here is the tests'."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Cli:
    """Runs `ocp-gateway ...` in an empty directory."""
    monkeypatch.chdir(tmp_path)

    def command(*arguments: str, stdin: bytes = b"") -> Finished:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        code = run(arguments)
        printed = capsys.readouterr()
        return Finished(code=code, stdout=printed.out, stderr=printed.err)

    return command
