"""One digest for each schema and all that it refers to, in time linear in the description.

Written out with all that it reaches, a schema among recursive ones is nearly all of them: 176 MB
for Stripe's 452 answers. So each schema is read once, and a digest is made of it and of the digests
of what it refers to (a Merkle tree). Schemas that refer to each other in a circle share one digest,
that of the circle (strongly connected components, after Tarjan, 1972).
"""

from collections.abc import Callable, Iterable, Iterator
from hashlib import sha256
from typing import NamedTuple

from gateway.openapi.canonical import canonical

Read = Callable[[str], tuple[bytes, Iterable[str]]]
"""From a pointer to the text of what stands there and the pointers that it refers to."""


class Fingerprints:
    """SHA-256 by pointer, 64 hex digits; made at first use, then kept."""

    def __init__(self) -> None:
        self._known: dict[str, str] = {}

    def of(self, pointers: Iterable[str], read: Read) -> dict[str, str]:
        """The digest of each pointer, by pointer; `read` is the same one in every call."""
        known = self._known
        found: dict[str, str] = {}
        for pointer in pointers:
            if pointer not in known:
                _Search(read, known).start(pointer)
            found[pointer] = known[pointer]
        return found


class _Search:
    """One search, depth first. `low` of a visit is the oldest one that its circle reaches."""

    def __init__(self, read: Read, known: dict[str, str]) -> None:
        self._read = read
        self._known = known
        self._low: dict[str, int] = {}
        self._texts: dict[str, tuple[str, tuple[str, ...]]] = {}
        # Visited, and not yet known to be in a circle that is complete.
        self._open: list[str] = []

    def start(self, root: str) -> None:
        low = self._low
        todo = [self._visit(root)]
        while todo:
            visit = todo[-1]
            inner = self._next(visit)
            if inner is not None:
                todo.append(self._visit(inner))
                continue
            todo.pop()
            if todo:
                outer = todo[-1].pointer
                low[outer] = min(low[outer], low[visit.pointer])
            if low[visit.pointer] == visit.number:
                self._close(visit)

    def _next(self, visit: "_Visit") -> str | None:
        """What `visit` refers to and nobody has seen."""
        low = self._low
        for need in visit.needs:
            if need in self._known:
                continue
            if need not in low:
                return need
            low[visit.pointer] = min(low[visit.pointer], low[need])
        return None

    def _visit(self, pointer: str) -> "_Visit":
        text, found = self._read(pointer)
        needs = tuple(found)
        self._texts[pointer] = sha256(text).hexdigest(), needs
        number = self._low[pointer] = len(self._low)
        self._open.append(pointer)
        return _Visit(pointer, number, len(self._open) - 1, iter(needs))

    def _close(self, oldest: "_Visit") -> None:
        """The circle of `oldest` is complete: it is all that was opened since."""
        circle = sorted(self._open[oldest.place :])
        del self._open[oldest.place :]
        members = []
        for pointer in circle:
            text, needs = self._texts.pop(pointer)
            outside = {self._known[need] for need in needs if need in self._known}
            members.append([pointer, text, sorted(outside)])
        digest = sha256(canonical(members)).hexdigest()
        self._known.update(dict.fromkeys(circle, digest))


class _Visit(NamedTuple):
    pointer: str
    number: int
    place: int  # among the open ones
    needs: Iterator[str]
