"""The URIs of what the gateway itself offers to read."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import unquote

CONTEXT_URI = "gateway://context"
_RESULT = re.compile(r"gateway://results/([0-9a-f]{32})(?:\?(.{0,64}))?", re.ASCII)
_WINDOW = re.compile(r"(start|length)=([0-9]{1,15})", re.ASCII)
_NAMED = re.compile(r"gateway://(?:apis/([^/?#]+)/openapi|tools/([^/?#]+)|contexts/([^/?#]+))")


class OwnKind(StrEnum):
    """The value is the URI template."""

    API = "gateway://apis/{api}/openapi"
    TOOL = "gateway://tools/{name}"
    CONTEXT = "gateway://contexts/{id}"
    RESULT = "gateway://results/{handle}{?start,length}"


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnUri:
    """`name` is that of the API or tool, the context's id or the result's handle.

    An empty one is the context that the request itself names. `start` and `length` are bytes of a
    result, None where the URI does not say.
    """

    kind: OwnKind
    name: str = ""
    start: int | None = None
    length: int | None = None


def api_uri(api: str) -> str:
    return OwnKind.API.value.replace("{api}", api)


def result_uri(handle: str, start: int = 0) -> str:
    """Of what a kept result has from byte `start` on."""
    query = f"?start={start}" if start else ""
    return OwnKind.RESULT.value.replace("{handle}{?start,length}", handle) + query


def read_own_uri(uri: str) -> OwnUri | None:
    """What `uri` names; None for one that can name nothing of ours."""
    if uri == CONTEXT_URI:
        return OwnUri(kind=OwnKind.CONTEXT)
    if match := _NAMED.fullmatch(uri):
        kinds = (OwnKind.API, OwnKind.TOOL, OwnKind.CONTEXT)
        found = zip(kinds, match.groups(), strict=True)
        return next(OwnUri(kind=kind, name=unquote(name)) for kind, name in found if name)
    if (match := _RESULT.fullmatch(uri)) is None:
        return None
    window = _window(match[2])
    if window is None:
        return None
    start, length = window.get("start"), window.get("length")
    return OwnUri(kind=OwnKind.RESULT, name=match[1], start=start, length=length)


def _window(query: str | None) -> Mapping[str, int] | None:
    """The members of `{?start,length}`, each at most once; None for another query."""
    found: dict[str, int] = {}
    for pair in query.split("&") if query else ():
        match = _WINDOW.fullmatch(pair)
        if match is None or match[1] in found:
            return None
        found[match[1]] = int(match[2])
    return found
