"""The last good copy of a description, kept on disk for a start without its source."""

import json
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import TypedDict

from gateway.sources.loading import MAX_BYTES
from gateway.sources.private_files import check_private, file_key, make_private, replace_file
from gateway.sources.texts import Place, Snapshot, Texts

# A description, its overlays and its parts have this bound each.
_MOST = 3 * MAX_BYTES
_MAX_HEAD = 4 * 1024 * 1024


class _Head(TypedDict):
    """Sizes in bytes, in the order in which the texts follow; `refused` has reasons."""

    digest: str
    root: int
    overlays: list[int]
    parts: dict[str, int]
    refused: dict[str, str]


class LastGood:
    """One description's copy: a line of JSON that says what is in it, then the texts as they came.

    What was sent to fetch them is not in it. The file is readable by its owner only.
    """

    def __init__(self, directory: Path, *, api: str, location: str, place: Place) -> None:
        """`api` tells apart two APIs that fetch one location with credentials of their own."""
        self._directory = directory
        self._place = place
        self._path = directory / f"{file_key(api, location)}.description"

    def find(self) -> Snapshot | None:
        """The copy; None where there is none that can be trusted to be whole and ours."""
        try:
            check_private(self._directory)
            with self._path.open("rb") as file:
                head: _Head = json.loads(file.readline(_MAX_HEAD))
                body = file.read(_MOST + 1)
            found = Snapshot(texts=_texts(head, body), place=self._place)
            return found if found.digest == head["digest"] else None
        except (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError):
            return None

    def keep(self, snapshot: Snapshot) -> None:
        """Replaces the copy, whole or not at all. Raises OSError."""
        make_private(self._directory)
        kept = self.find()
        if kept is None or kept.digest != snapshot.digest:
            replace_file(self._path, _written(snapshot))


def _written(snapshot: Snapshot) -> Iterator[bytes]:
    texts = snapshot.texts
    head = _Head(
        digest=snapshot.digest,
        root=len(texts.root),
        overlays=[len(overlay) for overlay in texts.overlays],
        parts={path: len(part) for path, part in texts.parts.items()},
        refused=dict(texts.refused),
    )
    yield json.dumps(head).encode() + b"\n"
    yield texts.root
    yield from texts.overlays
    yield from texts.parts.values()


def _texts(head: _Head, body: bytes) -> Texts:
    """Raises ValueError, KeyError, TypeError or AttributeError for what is not from `_written`."""
    rest = BytesIO(body)
    texts = Texts(
        root=rest.read(head["root"]),
        overlays=tuple(rest.read(size) for size in head["overlays"]),
        parts={path: rest.read(size) for path, size in head["parts"].items()},
        refused={path: str(reason) for path, reason in head["refused"].items()},
    )
    if rest.read(1):
        raise ValueError("longer than it says")
    return texts
