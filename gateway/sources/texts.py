"""Everything that one description is made of, at one moment."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import sha256

from gateway.errors import DescriptionError
from gateway.openapi import Document, Finding, apply_overlay
from gateway.sources.loading import parse

Json = Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a description is, as its references see it: its own file name, and its directory's URL.

    `home` ends with `/`; it is empty for a file.
    """

    name: str = ""
    home: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Texts:
    """The bytes as they came: the description, its overlays in order, other documents by path.

    `refused` are the documents that it refers to and that were not read, and why not.
    """

    root: bytes = field(repr=False)
    overlays: tuple[bytes, ...] = field(default=(), repr=False)
    parts: Mapping[str, bytes] = field(default_factory=dict, repr=False)
    refused: Mapping[str, str] = field(default_factory=dict)

    @property
    def are_one(self) -> bool:
        """Whether there is nothing beside the description."""
        return not (self.overlays or self.parts or self.refused)

    def digest(self) -> str:
        """SHA-256 in 64 hex digits: of the description alone where there is nothing else."""
        if self.are_one:
            return sha256(self.root).hexdigest()
        whole = sha256()
        for piece in self._pieces():
            whole.update(b"%d " % len(piece))
            whole.update(piece)
        return whole.hexdigest()

    def _pieces(self) -> Iterable[bytes]:
        yield self.root
        yield b"%d overlays" % len(self.overlays)
        yield from self.overlays
        yield b"%d parts" % len(self.parts)
        for path in sorted(self.parts):
            yield from (path.encode(errors="surrogatepass"), self.parts[path])
        for path in sorted(self.refused):
            # Other words for the same refusal are news, too: they are shown.
            yield path.encode(errors="surrogatepass")
            yield self.refused[path].encode(errors="surrogatepass")


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """A description parsed, its overlays applied. `overlaid` is what was found, by overlay."""

    document: Document
    overlaid: tuple[tuple[Finding, ...], ...] = ()


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """A description's texts at one moment, and how to make a document of them."""

    texts: Texts
    place: Place = Place()
    opened: Opened | None = field(default=None, repr=False, compare=False)

    @cached_property
    def digest(self) -> str:
        """That of the texts."""
        return self.texts.digest()

    def open(self) -> Opened:
        """The document, parsed anew where reading did not have to. Raises DescriptionError."""
        if self.opened is not None:
            return self.opened
        root, findings = open_root(self.texts.root, self.texts.overlays)
        parts: dict[str, object] = {}
        refused = dict(self.texts.refused)
        for path, data in self.texts.parts.items():
            parse_part(path, data, parts, refused)
        return Opened(document=make_document(root, parts, refused, self.place), overlaid=findings)


def open_root(
    data: bytes, overlays: Sequence[bytes]
) -> tuple[Json, tuple[tuple[Finding, ...], ...]]:
    """The description's value with its overlays applied in order. Raises DescriptionError."""
    root = parse(data)
    if not isinstance(root, dict):
        raise DescriptionError("the description is not an object")
    found: list[tuple[Finding, ...]] = []
    changed: Json = root
    for number, overlay in enumerate(overlays, 1):
        try:
            changed, findings = apply_overlay(changed, parse(overlay))
        except DescriptionError as error:
            raise DescriptionError(f"overlay {number}: {error}") from error
        found.append(findings)
    return changed, tuple(found)


def parse_part(
    path: str, data: bytes, parts: dict[str, object], refused: dict[str, str]
) -> object | None:
    """The value of another document, noted in `parts`, or in `refused` when it has none."""
    try:
        parts[path] = parse(data)
    except DescriptionError as error:
        refused[path] = f"leads to a document that is broken: {error}"
        return None
    return parts[path]


def make_document(
    root: Json, parts: Mapping[str, object], refused: Mapping[str, str], place: Place
) -> Document:
    return Document(root, parts=parts, refused=refused, name=place.name, home=place.home)
