"""One description where it is kept, with its overlays and the documents it refers to."""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urljoin, urlsplit

from gateway.errors import DescriptionError
from gateway.messages import Headers
from gateway.sources.loading import is_url
from gateway.sources.part_readers import FileParts, UrlParts
from gateway.sources.parts import ReadParts, collect_parts, may_have_parts
from gateway.sources.text import READ_ATTEMPTS, Text
from gateway.sources.texts import Opened, Place, Snapshot, Texts, make_document, open_root
from gateway.sources.watching import Identity, changed_ns, identify_now

# A file that changes twice within its file system's smallest unit of time looks as if it had
# changed once. 2 s is the longest such unit in use (FAT).
UNRESTED_NS = 2_000_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What a source looked like when it gave the texts of `digest`, to see if it still does.

    `conditions` are those of the description and of each overlay. `files` is empty where looking at
    files is not enough; `are_one` is that of the texts.
    """

    digest: str
    are_one: bool
    conditions: tuple[Headers, ...]
    files: Mapping[str, Identity] = field(default_factory=dict)


class Source:
    """A path or an http(s) URL, and what has to be remembered to ask for news only."""

    def __init__(
        self,
        location: str,
        *,
        headers: Callable[[], Headers] = tuple,
        overlays: Sequence[str] = (),
    ) -> None:
        """`headers` are made for each request to the description's origin, and sent nowhere else.

        They may raise ConfigError. `overlays` are paths or URLs.
        """
        self.place = place_of(location)
        self._headers = headers
        self._root = Text(location, headers=headers)
        self._overlays = [Text(overlay) for overlay in overlays]
        # What is not sent again when it is unchanged.
        self._overlay_texts = [b""] * len(self._overlays)
        # The texts read last, where they are more than one.
        self._last: Texts | None = None
        # The digest of a text that is known to refer to no other.
        self._alone = ""
        self._parts_seen: Mapping[Path, Identity] = {}
        self._read_at = 0

    @property
    def files(self) -> tuple[Path, ...]:
        """The files that were read, or that were missed; those of a URL are not among them."""
        found = [text.path for text in (self._root, *self._overlays) if text.path]
        if self._root.path and self._last:
            reader = FileParts(self._root.path)
            found.extend(reader.paths((*self._last.parts, *self._last.refused)))
        return tuple(found)

    @property
    def is_watchable(self) -> bool:
        """Whether all of it is in files."""
        return all(text.path for text in (self._root, *self._overlays))

    def seen(self, snapshot: Snapshot) -> Seen:
        """What the source looked like when `snapshot` was read, which was the last one."""
        texts = (self._root, *self._overlays)
        found = [(text.path, text.identity) for text in texts if text.path and text.identity]
        files = {str(path): seen for path, seen in (*found, *self._parts_seen.items())}
        latest = self._read_at - UNRESTED_NS
        at_rest = all(changed_ns(identity) < latest for identity in files.values())
        return Seen(
            digest=snapshot.digest,
            are_one=snapshot.texts.are_one,
            conditions=tuple(text.conditions for text in texts),
            files=files if at_rest and self.is_watchable else {},
        )

    def resume(self, seen: Seen, texts: Texts | None) -> None:
        """Go on as if `seen` had just been read.

        `texts` are those of its digest; they may be missing where they are one.
        """
        for text, conditions in zip((self._root, *self._overlays), seen.conditions, strict=True):
            text.conditions = conditions
        if seen.are_one:
            self._alone = seen.digest
        elif texts is not None:
            self._last = texts
            self._overlay_texts = list(texts.overlays)

    def forget(self) -> None:
        """Have everything sent anew, whatever was read last."""
        for text in (self._root, *self._overlays):
            text.forget()

    async def is_as(self, seen: Seen) -> bool:
        """Whether all of it is in files that are still those that were `seen`: a look at each."""
        return bool(seen.files) and await asyncio.to_thread(_are_there, seen.files)

    async def read(self) -> Snapshot | None:
        """Everything as it is now; None when a server says that it is what was read last.

        Raises DescriptionError, which holds no secret and does not name the location.
        """
        self._read_at = time.time_ns()
        data = await self._root.read()
        try:
            overlays = await self._read_overlays()
            if data is None:
                if self._last is None:
                    return None
                data = self._last.root
            snapshot = await self._read_whole(data, overlays)
        except DescriptionError:
            # Sent, but not taken: it must not be taken for known.
            self._root.forget()
            raise
        alone = snapshot.texts.are_one
        self._last, self._alone = (None, snapshot.digest) if alone else (snapshot.texts, "")
        return snapshot

    async def _read_overlays(self) -> tuple[bytes, ...]:
        for number, overlay in enumerate(self._overlays):
            try:
                data = await overlay.read()
            except DescriptionError as error:
                raise DescriptionError(f"overlay {number + 1}: {error}") from error
            if data is not None:
                self._overlay_texts[number] = data
        return tuple(self._overlay_texts)

    async def _read_whole(self, data: bytes, overlays: tuple[bytes, ...]) -> Snapshot:
        self._parts_seen = {}
        if any(may_have_parts(text) for text in (data, *overlays)):
            return await self._read_parts(data, overlays)
        snapshot = Snapshot(texts=Texts(root=data, overlays=overlays), place=self.place)
        return await asyncio.to_thread(_digested, snapshot)

    async def _read_parts(self, data: bytes, overlays: tuple[bytes, ...]) -> Snapshot:
        for _ in range(READ_ATTEMPTS):
            reader = self._reader()
            snapshot = await asyncio.to_thread(self._collect, data, overlays, reader)
            if not isinstance(reader, FileParts):
                return snapshot
            if await asyncio.to_thread(reader.are_as_read):
                self._parts_seen = reader.seen
                return snapshot
        raise DescriptionError("is being written")

    def _reader(self) -> FileParts | UrlParts:
        if self._root.path is not None:
            return FileParts(self._root.path)
        return UrlParts(self.place.home, self._headers, asyncio.get_running_loop())

    def _collect(self, data: bytes, overlays: tuple[bytes, ...], read: ReadParts) -> Snapshot:
        if not overlays:
            alone = _digested(Snapshot(texts=Texts(root=data), place=self.place))
            if alone.digest == self._alone:
                return alone
        last = self._last
        if last and last.root == data and last.overlays == overlays and _are_same(last, read):
            return _digested(Snapshot(texts=last, place=self.place))
        root, overlaid = open_root(data, overlays)
        parts = collect_parts(root, read, self.place)
        document = make_document(root, parts.found, parts.refused, self.place)
        missed = {path: why for path, why in parts.refused.items() if path not in parts.texts}
        texts = Texts(root=data, overlays=overlays, parts=parts.texts, refused=missed)
        opened = Opened(document=document, overlaid=overlaid)
        return _digested(Snapshot(texts=texts, place=self.place, opened=opened))


def place_of(location: str) -> Place:
    """How a description's references see where it is."""
    if not is_url(location):
        return Place(name=Path(location).name)
    try:
        bare = urlsplit(location)._replace(query="", fragment="").geturl()
        home = urljoin(bare, ".")
    except ValueError:  # nothing will be read there
        return Place()
    return Place(name=bare.removeprefix(home), home=home)


def _are_same(last: Texts, read: ReadParts) -> bool:
    """Whether the same documents give the same texts, so that no others can be referred to."""
    paths = [*last.parts, *last.refused]
    before = [*last.parts.values(), *last.refused.values()]
    now = [data if isinstance(data, bytes) else str(data) for data in read(paths)]
    return now == before


def _are_there(files: Mapping[str, Identity]) -> bool:
    return all(identify_now(Path(path)) == seen for path, seen in files.items())


def _digested(snapshot: Snapshot) -> Snapshot:
    """Made here, in a thread: hashing 13 MB takes its time."""
    _ = snapshot.digest
    return snapshot
