"""What is installed is what was locked, and what is built is what is in the tree."""

import fnmatch
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from zipfile import ZipFile

import pytest

from tests.support.pages import ROOT

REQUIREMENTS = ROOT / "requirements"
LOCKS = sorted(REQUIREMENTS.glob("*.lock"))
# The first versions without a known hole that concerns a gateway: CVE-2026-54278 and -54279 of
# aiohttp, CVE-2023-28859 of redis (an answer that reaches another caller).
FLOORS = {"aiohttp": (3, 14, 1), "redis": (4, 5, 5)}
PINNED = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[^]]*\])?==([^\s;]+)")


def entries(lock: Path) -> list[str]:
    """One for each distribution: its line and the indented ones that belong to it."""
    joined = lock.read_text().replace("\\\n", " ")
    return [line for line in joined.splitlines() if line[:1].strip() and line[0] != "#"]


def version(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", text)[:3])


@pytest.mark.parametrize("lock", LOCKS, ids=lambda path: path.stem)
def test_s97_every_distribution_is_pinned_and_hashed(lock: Path) -> None:
    loose = [
        entry
        for entry in entries(lock)
        if not PINNED.match(entry) or not re.search(r"--hash=sha256:[0-9a-f]{64}", entry)
    ]

    assert entries(lock)
    assert not loose


@pytest.mark.parametrize("lock", LOCKS, ids=lambda path: path.stem)
@pytest.mark.parametrize("name", sorted(FLOORS))
def test_s97_no_lock_is_below_the_floor(name: str, lock: Path) -> None:
    pins = filter(None, (PINNED.match(entry) for entry in entries(lock)))
    below = [pin[0] for pin in pins if pin[1] == name and version(pin[2]) < FLOORS[name]]

    assert not below


def test_s97_what_runs_is_locked_with_what_is_tested() -> None:
    runtime, dev = (
        {pin[1]: pin[2] for pin in map(PINNED.match, entries(REQUIREMENTS / name)) if pin}
        for name in ("runtime.lock", "dev.lock")
    )

    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    asked = {re.split(r"[^A-Za-z0-9-]", line)[0] for line in project["dependencies"]}
    assert asked <= runtime.keys()
    assert runtime.items() <= dev.items()


def test_s97_the_image_installs_nothing_that_is_not_locked() -> None:
    steps = (ROOT / "Dockerfile").read_text().replace("\\\n", " ")
    installs = re.findall(r"pip (?:install|wheel) [^&\n]*", steps)

    assert len(installs) == 4
    for install in installs:
        assert "--require-hashes" in install or "--no-deps" in install, install


def test_s98_the_image_is_not_root_and_of_a_certain_base() -> None:
    dockerfile = (ROOT / "Dockerfile").read_text()

    assert re.findall(r"^USER (.*)", dockerfile, re.MULTILINE) == ["65532:65532"]
    bases = re.findall(r"^FROM (\S+)", dockerfile, re.MULTILINE)
    assert {base.partition(":")[2].partition("-")[0] for base in bases} == {"3.13"}
    assert "ADD " not in dockerfile
    assert not re.search(r"(?i)password|secret|token", dockerfile)


def test_the_build_sees_what_it_copies_and_no_more() -> None:
    """`.dockerignore` lets in exactly what the Dockerfile names."""
    ignore = (ROOT / ".dockerignore").read_text().splitlines()
    let_in = {line[1:] for line in ignore if line.startswith("!")}
    steps = re.findall(r"^COPY (?!--from)(.*)", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    copied = {name for step in steps for name in step.split()[:-1]}

    assert ignore[1] == "*"
    assert let_in == copied


def test_s101_the_wheel_has_what_the_tree_has(tmp_path: Path) -> None:
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(build, cwd=ROOT, capture_output=True, check=True)
    (wheel,) = tmp_path.iterdir()
    built = {
        name for name in ZipFile(wheel).namelist() if not fnmatch.fnmatch(name, "*.dist-info/*")
    }
    tree = {
        str(path.relative_to(ROOT))
        for path in (ROOT / "gateway").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }

    assert built == tree
