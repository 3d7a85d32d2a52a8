"""Names as pure functions of the description; the rules stand in docs/names.md.

An operation is named among all those of its API, a tool among all those of a view. No order of
documents, APIs or loading can change a name.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Mapping
from hashlib import sha256
from typing import TypeVar

from gateway.openapi import Signature

K = TypeVar("K", bound=Hashable)

MAX_LENGTH = 64
# Native tools' names; an operation never takes one.
RESERVED = frozenset(
    {"searchTools", "describeTool", "callTool"}
    | {"ocpContextCreate", "ocpContextGet", "ocpContextUpdate"}
)

_BEFORE_UPPER = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_WORD = re.compile(r"[A-Za-z0-9]+")


def camel_case(text: str) -> str:
    """The words of `text` joined in camelCase; empty where it has no ASCII letter or digit."""
    if not text.isascii():
        decomposed = unicodedata.normalize("NFKD", text)
        text = "".join(c for c in decomposed if not unicodedata.combining(c))
    if not text.islower():
        text = _BEFORE_UPPER.sub(" ", text)
    words = _WORD.findall(text)
    return "".join([words[0].lower(), *map(str.capitalize, words[1:])]) if words else ""


def path_name(signature: Signature) -> str:
    """The name that method and path give (rule 2)."""
    return camel_case(f"{signature.method.lower()} {signature.path}")


def operation_name(signature: Signature) -> str:
    """The name of an operation on its own, before clashes and shortening (rules 1 and 2)."""
    name = camel_case(signature.operation_id or "")
    return name if name[:1].isalpha() else path_name(signature)


def operation_names(signatures: Iterable[Signature]) -> dict[tuple[str, str], str]:
    """The name of every operation of one API, by (method, path)."""
    members = {(s.method, s.path): s for s in signatures}
    wanted = {key: operation_name(s) for key, s in members.items()}
    ids = Counter(s.operation_id for s in members.values())
    keepers = {
        key
        for key, s in members.items()
        if s.operation_id == wanted[key] and ids[s.operation_id] == 1
    }
    return _settle(
        wanted, keepers, lambda key: path_name(members[key]), lambda key: f"{key[0]} {key[1]}"
    )


def view_names(
    apis: Mapping[str, Mapping[str, Signature]],
) -> dict[tuple[str, str], str]:
    """The published name of every tool in a view over several APIs, by (API, name in the API).

    `apis` maps each API to its tools' names and signatures (rule 5).
    """
    members = {(api, name): s for api, tools in apis.items() for name, s in tools.items()}
    shared = Counter(name for _, name in members)
    wanted = {
        (api, name): prefixed(api, name) if shared[name] > 1 else name for api, name in members
    }
    exact = [key for key, s in members.items() if s.operation_id == wanted[key]]
    alike = Counter(wanted[key] for key in exact)
    keepers = {key for key in exact if alike[wanted[key]] == 1}
    return _settle(
        wanted,
        keepers,
        lambda key: path_name(members[key]),
        lambda key: f"{members[key].method} {members[key].path}",
        last_resort=lambda key: f"{key[0]} {members[key].method} {members[key].path}",
    )


def prefixed(api: str, name: str) -> str:
    """`github` and `getUser` make `githubGetUser`.

    The name is not split anew: normalised twice, `aBC` would become `aBc`.
    """
    return camel_case(api) + name[:1].upper() + name[1:]


def hashed(name: str, subject: str, *, digits: int = 6) -> str:
    """`name`, cut where needed, and the first hex digits of SHA-256 of `subject`."""
    suffix = sha256(subject.encode(errors="surrogatepass")).hexdigest()[:digits]
    return name[: MAX_LENGTH - digits] + suffix


def shortened(name: str, subject: str) -> str:
    """`name` within MAX_LENGTH characters (rule 4)."""
    return name if len(name) <= MAX_LENGTH else hashed(name, subject)


def _settle(
    wanted: Mapping[K, str],
    keepers: set[K],
    fallback: Callable[[K], str],
    subject: Callable[[K], str],
    last_resort: Callable[[K], str] | None = None,
) -> dict[K, str]:
    """Rules 3 and 4: clashing members move to their fallback, and take a hash if it meets again."""
    keepers = {key for key in keepers if wanted[key] not in RESERVED}
    clashing = _meeting(wanted)
    names = {
        key: fallback(key) if name in clashing and key not in keepers else name
        for key, name in wanted.items()
    }
    meeting = _meeting(names)
    final = {
        key: hashed(name, subject(key))
        if name in meeting and key not in keepers
        else shortened(name, subject(key))
        for key, name in names.items()
    }
    return _tell_apart(final, keepers, last_resort or subject)


def _meeting(names: Mapping[K, str]) -> set[str]:
    counts = Counter(names.values())
    return {name for name, count in counts.items() if count > 1} | (RESERVED & counts.keys())


def _tell_apart(names: dict[K, str], keepers: set[K], subject: Callable[[K], str]) -> dict[K, str]:
    """Lengthen the hash of names that are still alike: two APIs with one path, or 24 bits alike."""
    for digits in (6, 12, 24, 48):
        meeting = _meeting(names)
        if not meeting:
            break
        for key, name in list(names.items()):
            if name in meeting and key not in keepers:
                names[key] = hashed(name[: MAX_LENGTH - digits], subject(key), digits=digits)
    return names
