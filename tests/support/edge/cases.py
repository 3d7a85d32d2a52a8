"""Calls of the edge cases as values: what is called, and what must be on the wire."""

from collections.abc import Mapping
from dataclasses import dataclass

from tests.support.echo_upstream import Answer

Json = Mapping[str, object]
Headers = tuple[tuple[str, str], ...]

FORM = "application/x-www-form-urlencoded"
# Made of what is sent, so every request has its own: the one thing that is put in its place.
BOUNDARY = "BOUNDARY"


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A call and its request, below the base path `/v1`.

    `headers` are those that come of the arguments, the answers and the body, but Content-Length,
    which is always that of `body`.
    """

    name: str
    api: str
    tool: str
    arguments: Json
    line: str
    headers: Headers = ()
    body: bytes | None = None
    accept: str = "*/*"


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """A call that is refused before anything is sent; `pointers` say where its faults are."""

    name: str
    api: str
    tool: str
    arguments: Json
    status: int = 422
    pointers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What the API answers to the tool `getAnswer`, and what comes of it."""

    name: str
    answer: Answer
    content: Json
    structured: object = None
    is_error: bool = False


def all_path_styles(value: object) -> dict[str, object]:
    return dict.fromkeys(("simple", "simpleX", "label", "labelX", "matrix", "matrixX"), value)


def posted(media_type: str) -> Headers:
    return (("Content-Type", media_type),)


def parts(*made: bytes) -> bytes:
    """A multipart body (RFC 7578 section 4)."""
    return b"".join(b"--BOUNDARY\r\n" + part + b"\r\n" for part in made) + b"--BOUNDARY--\r\n"


MULTIPART = posted(f"multipart/form-data; boundary={BOUNDARY}")
JSON = posted("application/json")
