"""What is kept of a good description: found whole and ours, or not at all."""

import os
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.openapi import Document, Finding, Severity
from gateway.openapi.findings import Code
from gateway.sources import Opened, Prepared, PreparedFile, Seen
from gateway.sources.texts import Place

LOCATION = "https://specs.example/a.json?token=hunter2"
PLACE = Place(name="a.json", home="https://specs.example/")
FOUND = Finding(pointer="/x", severity=Severity.WARNING, code=Code.OVERLAY_NO_MATCH, message="no")
SEEN = Seen(
    digest="0" * 64,
    are_one=False,
    conditions=((("If-None-Match", '"a\u00e4"'),), ()),
    files={"/d/a.json": (1, 2, 3, 4, 2**63), "/d/gone": ()},
)
PREPARED = Prepared(
    seen=SEEN,
    opened=Opened(
        document=Document(
            {"openapi": "3.1.0", "paths": {"/x": {"get": {}}}},
            parts={"b/\u00e4.yaml": {"x": [1]}, "c": "text"},
            refused={"../d": "leads out"},
            name=PLACE.name,
            home=PLACE.home,
        ),
        overlaid=((FOUND,), ()),
    ),
    summary={"tools": {"getX": "1"}},
)


def made(directory: Path, *names: str, program: str = "1") -> PreparedFile:
    return PreparedFile(directory, names=names or (LOCATION,), place=PLACE, program=program)


def shown(prepared: Prepared | None) -> object:
    """All of it, as values that can be compared."""
    if prepared is None:
        return None
    document = prepared.opened.document
    values = document.root, document.parts, document.refused
    at = document.lookup("https://specs.example/c", "").value, document.lookup("c", "").value
    return prepared.seen, prepared.summary, prepared.opened.overlaid, values, at


def only_file(directory: Path) -> Path:
    (file,) = directory.iterdir()
    return file


def test_what_is_kept_is_found_again(tmp_path: Path) -> None:
    directory = tmp_path / "deep" / "cache"
    assert made(directory).find() is None
    for prepared in (PREPARED, replace(PREPARED, summary={})):
        made(directory).keep(prepared)
        assert shown(made(directory).find()) == shown(prepared)
    assert len(list(directory.iterdir())) == 1


def test_another_look_changes_nothing_else(tmp_path: Path) -> None:
    made(tmp_path).keep(PREPARED)
    seen = replace(SEEN, conditions=((), ()), files={})
    made(tmp_path).see(seen)
    assert shown(made(tmp_path).find()) == shown(replace(PREPARED, seen=seen))


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(lambda d: made(d, program="2"), id="another program"),
        pytest.param(lambda d: made(d, "other", LOCATION), id="another API"),
        pytest.param(lambda d: made(d, LOCATION, "overlay"), id="another overlay"),
    ],
)
def test_what_another_one_kept_does_not_count(tmp_path: Path, other: object) -> None:
    assert callable(other)
    made(tmp_path).keep(PREPARED)
    assert other(tmp_path).find() is None


@given(data=st.data())
@settings(max_examples=150)
def test_one_that_is_damaged_is_none(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    directory = tmp_path_factory.mktemp("cache")
    made(directory).keep(PREPARED)
    file = only_file(directory)
    whole = file.read_bytes()
    at = data.draw(st.integers(0, len(whole) - 1))
    flipped = bytes([whole[at] ^ 1 << data.draw(st.integers(0, 7))])
    for damaged in (whole[:at], whole[:at] + flipped + whole[at + 1 :], whole + b"x"):
        file.write_bytes(damaged)
        assert made(directory).find() is None
        with pytest.raises(ValueError, match="as it was written"):
            made(directory).see(SEEN)
        assert file.read_bytes() == damaged


def test_only_the_owner_can_look(tmp_path: Path) -> None:
    directory = tmp_path / "cache"
    before = os.umask(0)
    try:
        made(directory).keep(PREPARED)
    finally:
        os.umask(before)
    file = only_file(directory)
    assert (directory.stat().st_mode & 0o777, file.stat().st_mode & 0o777) == (0o700, 0o600)
    assert "hunter2" not in file.name
    assert b"hunter2" not in file.read_bytes()


def test_a_directory_that_others_may_write_is_not_used(tmp_path: Path) -> None:
    made(tmp_path).keep(PREPARED)
    tmp_path.chmod(0o777)
    assert made(tmp_path).find() is None
    with pytest.raises(PermissionError):
        made(tmp_path).keep(PREPARED)


def test_what_cannot_be_written_leaves_what_was_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made(tmp_path).keep(PREPARED)
    with pytest.raises(ValueError, match="no JSON value"):
        made(tmp_path).keep(replace(PREPARED, summary={"\ud800": 1}))

    def full(self: Path, target: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(OSError, match="No space"):
        made(tmp_path).keep(replace(PREPARED, summary={}))
    monkeypatch.undo()
    assert shown(made(tmp_path).find()) == shown(PREPARED)
    assert len(list(tmp_path.iterdir())) == 1
