"""Lists on disk: whole and ours or not at all, and never many."""

import os
from pathlib import Path

import pytest

from gateway.sources import ListFiles, list_files


def test_a_list_is_found_under_its_name(tmp_path: Path) -> None:
    lists = ListFiles(tmp_path / "cache")
    assert lists.find("a") is None
    lists.keep("a", b"one")
    lists.keep("b", b"")
    assert [ListFiles(tmp_path / "cache").find(name) for name in "abc"] == [b"one", b"", None]
    assert {path.stat().st_mode & 0o777 for path in (tmp_path / "cache").iterdir()} == {0o600}


@pytest.mark.parametrize("change", [b"", b"x", b"one!", b"onx"])
def test_a_damaged_list_is_none(tmp_path: Path, change: bytes) -> None:
    lists = ListFiles(tmp_path)
    lists.keep("a", b"one")
    (file,) = tmp_path.iterdir()
    file.write_bytes(file.read_bytes().removesuffix(b"one") + change if change else b"")
    assert lists.find("a") is None


def test_a_directory_that_others_may_write_is_not_trusted(tmp_path: Path) -> None:
    lists = ListFiles(tmp_path)
    lists.keep("a", b"one")
    tmp_path.chmod(0o777)
    assert lists.find("a") is None
    with pytest.raises(PermissionError):
        lists.keep("a", b"two")


def test_the_list_that_nobody_asked_for_the_longest_goes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(list_files, "MAX_FILES", 3)
    lists = ListFiles(tmp_path)
    for second, name in enumerate("abc"):
        lists.keep(name, name.encode())
        (file,) = (f for f in tmp_path.iterdir() if f.read_bytes().endswith(f"\n{name}".encode()))
        os.utime(file, (second, second))
    assert lists.find("a") == b"a"
    lists.keep("d", b"d")
    assert [lists.find(name) for name in "abcd"] == [b"a", None, b"c", b"d"]


def test_a_large_list_is_not_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(list_files, "MAX_BYTES", 3)
    ListFiles(tmp_path).keep("a", b"1234")
    assert list(tmp_path.iterdir()) == []
    ListFiles(tmp_path).keep("a", b"123")
    assert ListFiles(tmp_path).find("a") == b"123"
