"""What is read of the files that a configuration names."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from gateway.config import Overrides, load_config
from gateway.config.files import read_file
from gateway.config.secret import read_secret
from gateway.errors import ConfigError


def test_a_file_is_read_up_to_a_byte_too_many(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"12345")
    assert read_file(file, 5) == b"12345"
    assert read_file(file, 3) == b"1234"


def read_configuration(path: Path) -> None:
    load_config(path, overrides=Overrides(), environ={}, cwd=path.parent)


def read_secret_file(path: Path) -> None:
    read_secret(f"file:{path}", {}).reveal()


@pytest.mark.parametrize("read", [read_configuration, read_secret_file])
@pytest.mark.parametrize(
    ("made", "reason"),
    [(os.mkfifo, "Not a regular file"), (os.mkdir, "Is a directory")],
    ids=["pipe", "directory"],
)
def test_r31_nobody_waits_for_what_is_no_file(
    tmp_path: Path, read: Callable[[Path], None], made: Callable[[Path], None], reason: str
) -> None:
    path = tmp_path / "x"
    made(path)
    with pytest.raises(ConfigError, match=reason):
        read(path)


@pytest.mark.parametrize("read", [read_configuration, read_secret_file])
def test_a_device_is_no_file(read: Callable[[Path], None]) -> None:
    with pytest.raises(ConfigError, match="Not a regular file"):
        read(Path("/dev/null"))
