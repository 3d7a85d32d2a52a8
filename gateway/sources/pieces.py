"""A parsed description in pieces, each parsed again when somebody looks at it.

A gateway that starts again soon needs a few operations of its description, and most of them never.
"""

import time
import zlib
from collections.abc import ItemsView, Iterator, Mapping, ValuesView
from io import BytesIO

import orjson

Layout = int | dict[str, "Layout"]
"""How many bytes a piece has; or the same for each member of an object that has been cut."""

# Path items and components are pieces of their own: those are what references lead to.
_LEVELS = 1
_LEVELS_OF = {"components": 2}
# What YAML's aliases unfold to is larger than what anybody wrote.
MAX_TEXT = 96 * 1024 * 1024


class Pieces(dict[str, object]):
    """An object whose members are parsed when they are asked for, each once.

    A dict like any other for code that uses its methods. What reads a dict's entries past them, as
    `orjson.dumps` does, finds bytes where nobody has looked yet, and fails.
    """

    def __getitem__(self, key: str) -> object:
        value = super().__getitem__(key)
        if isinstance(value, bytes):  # which no JSON value is
            value = self[key] = orjson.loads(zlib.decompress(value))
        return value

    def get(self, key: str, default: object = None, /) -> object:
        return self[key] if key in self else default  # noqa: SIM401 - that would be this method

    def items(self) -> ItemsView[str, object]:  # type: ignore[override]
        return ItemsView(self)

    def values(self) -> ValuesView[object]:  # type: ignore[override]
        return ValuesView(self)

    def __iter__(self) -> Iterator[str]:
        # The same as before; but because of it `dict(self)` and `{**self}` ask for each member.
        return super().__iter__()

    def __eq__(self, other: object) -> bool:
        return dict(self) == other

    __hash__ = None


class Cutter:
    """Cuts values into `pieces`, which `assemble` makes equal values of.

    Everything raises ValueError for what JSON cannot hold. Between two pieces other threads get
    their turn.
    """

    def __init__(self) -> None:
        self.pieces: list[bytes] = []
        self._room = MAX_TEXT

    def cut_document(self, root: Mapping[str, object]) -> Layout:
        return {key: self._cut(part, _LEVELS_OF.get(key, _LEVELS)) for key, part in root.items()}

    def cut_members(self, members: Mapping[str, object]) -> Layout:
        return {key: self._cut(member, 0) for key, member in members.items()}

    def _cut(self, value: object, levels: int) -> Layout:
        if levels and isinstance(value, dict):
            return {key: self._cut(member, levels - 1) for key, member in value.items()}
        text = self._written(value)
        self._room -= len(text)
        if self._room < 0:
            raise ValueError("too large")
        self.pieces.append(zlib.compress(text, 1))
        time.sleep(0)
        return len(self.pieces[-1])

    def _written(self, value: object) -> bytes:
        try:
            text = orjson.dumps(value)
        except TypeError as error:
            raise ValueError("no JSON value") from error
        # orjson writes null for numbers that JSON does not have.
        if orjson.loads(text) != value:
            raise ValueError("another value in JSON")
        return text


def assemble(layout: Layout, rest: BytesIO) -> Pieces:
    """The object of this layout, its pieces being next in `rest`. Raises ValueError."""
    if not isinstance(layout, dict):
        raise ValueError("no layout of an object")  # noqa: TRY004 - it was written by us
    return Pieces(
        (key, rest.read(part) if isinstance(part, int) else assemble(part, rest))
        for key, part in layout.items()
    )
