"""One description where it is kept, with its overlays and the documents it refers to."""

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path
from urllib.parse import urljoin, urlsplit

from gateway.errors import DescriptionError
from gateway.messages import Headers
from gateway.sources.loading import is_url
from gateway.sources.part_readers import FileParts, UrlParts
from gateway.sources.parts import ReadParts, collect_parts, may_have_parts
from gateway.sources.text import READ_ATTEMPTS, Text
from gateway.sources.texts import Opened, Place, Snapshot, Texts, make_document, open_root


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

    async def read(self) -> Snapshot | None:
        """Everything as it is now; None when a server says that it is what was read last.

        Raises DescriptionError, which holds no secret and does not name the location.
        """
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
        alone = not snapshot.texts.parts and not overlays
        self._last = None if alone else snapshot.texts
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
        if any(may_have_parts(text) for text in (data, *overlays)):
            return await self._read_parts(data, overlays)
        snapshot = Snapshot(texts=Texts(root=data, overlays=overlays), place=self.place)
        return await asyncio.to_thread(_digested, snapshot)

    async def _read_parts(self, data: bytes, overlays: tuple[bytes, ...]) -> Snapshot:
        for _ in range(READ_ATTEMPTS):
            reader = self._reader()
            snapshot = await asyncio.to_thread(self._collect, data, overlays, reader)
            if not isinstance(reader, FileParts) or await asyncio.to_thread(reader.are_as_read):
                return snapshot
        raise DescriptionError("is being written")

    def _reader(self) -> FileParts | UrlParts:
        if self._root.path is not None:
            return FileParts(self._root.path)
        return UrlParts(self.place.home, self._headers, asyncio.get_running_loop())

    def _collect(self, data: bytes, overlays: tuple[bytes, ...], read: ReadParts) -> Snapshot:
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


def _digested(snapshot: Snapshot) -> Snapshot:
    """Made here, in a thread: hashing 13 MB takes its time."""
    _ = snapshot.digest
    return snapshot
