"""One digest for each schema and all that it refers to, in time linear in the description.

Written out with all that it reaches, a schema among recursive ones is nearly all of them: 176 MB
for Stripe's 452 answers. So each schema is read once, and a digest is made of it and of the digests
of what it refers to (a Merkle tree). Schemas that refer to each other in a circle share one digest,
that of the circle.
"""

from collections.abc import Callable, Iterable
from hashlib import sha256

from gateway.openapi.canonical import canonical
from gateway.openapi.cycles import circles

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
                self._search(pointer, read)
            found[pointer] = known[pointer]
        return found

    def _search(self, root: str, read: Read) -> None:
        known = self._known
        texts: dict[str, tuple[str, tuple[str, ...]]] = {}

        def unknown(pointer: str) -> list[str]:
            text, needs = read(pointer)
            texts[pointer] = sha256(text).hexdigest(), tuple(needs)
            return [need for need in texts[pointer][1] if need not in known]

        for circle in circles([root], unknown):
            # Another thread was first, with the whole circle at once; here it may seem less.
            if circle[0] in known:
                continue
            inside = frozenset(circle)
            members = []
            for pointer in sorted(circle):
                text, needs = texts.pop(pointer)
                outside = {known[need] for need in needs if need not in inside}
                members.append([pointer, text, sorted(outside)])
            known.update(dict.fromkeys(circle, sha256(canonical(members)).hexdigest()))
