"""The last good copy on disk: whole or not at all, ours alone."""

import os
from pathlib import Path

import pytest

from gateway.sources import LastGood
from gateway.sources.texts import Place, Snapshot, Texts

LOCATION = "https://specs.example/a.json?token=hunter2"
PLACE = Place(name="a.json", home="https://specs.example/")


def taken(root: bytes) -> Snapshot:
    return Snapshot(texts=Texts(root=root), place=PLACE)


ONE, TWO = taken(b"one\n\x00\xff"), taken(b"two")
SPLIT = Snapshot(
    texts=Texts(
        root=b"{}",
        overlays=(b"1", b""),
        parts={"b/\u00e4.yaml": b"x\n", "a": b""},
        refused={"../x": "leads out"},
    ),
    place=PLACE,
)


def made(directory: Path, api: str = "shop", location: str = LOCATION) -> LastGood:
    return LastGood(directory, api=api, location=location, place=PLACE)


def test_what_is_kept_is_found_again(tmp_path: Path) -> None:
    directory = tmp_path / "deep" / "cache"
    assert made(directory).find() is None
    for snapshot in (ONE, TWO, TWO, taken(b""), SPLIT):
        made(directory).keep(snapshot)
        assert made(directory).find() == snapshot
    assert len(list(directory.iterdir())) == 1


def test_each_api_and_location_has_its_own(tmp_path: Path) -> None:
    made(tmp_path).keep(ONE)
    made(tmp_path, api="other").keep(TWO)
    assert made(tmp_path).find() == ONE
    assert made(tmp_path, location="x").find() is None


def test_only_the_owner_can_look(tmp_path: Path) -> None:
    directory = tmp_path / "cache"
    before = os.umask(0)
    try:
        made(directory).keep(ONE)
    finally:
        os.umask(before)
    (file,) = directory.iterdir()
    assert (directory.stat().st_mode & 0o777, file.stat().st_mode & 0o777) == (0o700, 0o600)
    assert b"hunter2" not in file.read_bytes()
    assert "hunter2" not in file.name


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(lambda data: data[:-1], id="cut short"),
        pytest.param(lambda data: data + b"x", id="longer"),
        pytest.param(
            lambda data: data.replace(ONE.digest[:8].encode(), b"00000000"), id="another digest"
        ),
        pytest.param(lambda data: b"\xff" + data[1:], id="no JSON"),
        pytest.param(lambda _: b"", id="empty"),
        pytest.param(lambda _: b"[1]\n", id="no object"),
        pytest.param(lambda _: b"{}\n", id="nothing said"),
        pytest.param(lambda data: data.replace(b'"digest"', b'"other"'), id="no digest"),
        pytest.param(lambda data: data.replace(b'"refused": {}', b'"refused": ["x"]'), id="list"),
        pytest.param(lambda data: data.replace(b'"refused": {}', b'"refused": null'), id="null"),
        pytest.param(lambda _: b"[" * 200_000 + b"\n", id="deep"),
        pytest.param(lambda data: data.replace(b'"parts": {}', b'"parts": 1'), id="no parts"),
    ],
)
def test_a_damaged_copy_is_none_and_is_mended(tmp_path: Path, damage: object) -> None:
    assert callable(damage)
    made(tmp_path).keep(ONE)
    (file,) = tmp_path.iterdir()
    file.write_bytes(damage(file.read_bytes()))
    assert made(tmp_path).find() is None
    made(tmp_path).keep(ONE)
    assert made(tmp_path).find() == ONE


@pytest.mark.parametrize("mode", [0o770, 0o707, 0o777])
def test_a_directory_that_others_may_write_is_not_trusted(tmp_path: Path, mode: int) -> None:
    made(tmp_path).keep(ONE)
    tmp_path.chmod(mode)
    assert made(tmp_path).find() is None
    with pytest.raises(OSError, match="may be written by others"):
        made(tmp_path).keep(TWO)


def test_a_failed_replacement_leaves_the_old_copy_and_no_litter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made(tmp_path).keep(ONE)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(OSError, match="No space left"):
        made(tmp_path).keep(TWO)
    assert made(tmp_path).find() == ONE
    assert len(list(tmp_path.iterdir())) == 1


def test_a_place_that_is_no_directory_is_an_error_and_never_found(tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file")
    with pytest.raises(OSError, match="File exists"):
        made(tmp_path / "cache").keep(ONE)
    assert made(tmp_path / "cache").find() is None
