"""Secrets that a test hides in what it sends, and the places where they must not come up again."""

import base64
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

MARK = "PLANTED."
_PLANTED = re.compile(re.escape(MARK) + r"[a-z0-9-]+\.")
# Base64 of the mark at each of the three places that it can have in a group of three bytes, without
# the characters that depend on what stands around it.
_SHIFTED = tuple(
    base64.b64encode(bytes(shift) + MARK.encode())[start:-4].decode()
    for shift, start in ((0, 0), (1, 2), (2, 3))
)


def plant(name: str) -> str:
    """A secret that says where it was hidden. No OCP id, no header-valid context id, no name."""
    return f"{MARK}{name}."


def planted_in(*texts: str | bytes) -> set[str]:
    """The names of all secrets in these texts; `base64` for one in that coding."""
    found: set[str] = set()
    for text in texts:
        plain = text.decode("latin-1") if isinstance(text, bytes) else text
        found |= {name.removeprefix(MARK)[:-1] for name in _PLANTED.findall(plain)}
        if any(shifted in plain for shifted in _SHIFTED):
            found.add("base64")
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """One answer of the gateway, whole, and the secrets of the request that it answers."""

    what: str
    own: frozenset[str]
    text: str


@dataclass(slots=True, kw_only=True)
class Evidence:
    """All that a run has left behind, by where."""

    said: list[Said] = field(default_factory=list)
    overview: dict[str, str] = field(default_factory=dict)
    """What the gateway says of itself, to anybody."""
    log: str = ""
    stored: Mapping[str, bytes] = field(default_factory=dict)
    """Every file or key of the store, by name."""
    sessions: list[str] = field(default_factory=list)
    """Each OCP header that an API has got, decoded."""
    sent: list[str] = field(default_factory=list)
    """Each request that an API has got, without those headers."""


def leaks(texts: Iterable[str | bytes], allowed: Iterable[str] = ()) -> list[str]:
    return sorted(planted_in(*texts) - set(allowed))
