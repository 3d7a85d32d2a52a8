"""Questions of an API to whoever calls it: checked, and reduced to what MCP has."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import urlsplit

from gateway.calls.client_uris import is_for_clients
from gateway.calls.envelope_shapes import misfit
from gateway.calls.question_shapes import FORM, SAMPLING, URL
from gateway.errors import InputRequest
from gateway.openapi import clean_text

Json = Mapping[str, object]

ELICIT, SAMPLE, ROOTS = "elicitation/create", "sampling/createMessage", "roots/list"
_TOOL_CONTENT = frozenset({"tool_use", "tool_result"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """A question, what its caller must be able to do (`Call.abilities`), and whether it may go."""

    request: InputRequest
    needs: frozenset[str]
    optional: bool = False


class BadRequestLine(Exception):
    """What is wrong with a question; begins with its place in the line."""


def read_asks(requests: Json) -> Mapping[str, Ask]:
    """The questions of an `input_required` line that has its shape. Raises BadRequestLine."""
    return {key: _ask(value, f"/requests/{key}") for key, value in _members(requests)}


def _members(requests: Json) -> Iterator[tuple[str, Json]]:
    for key, value in requests.items():
        if isinstance(value, Mapping):
            yield key, value


def _ask(asked: Json, at: str) -> Ask:
    given = asked.get("params")
    params: Json = given if isinstance(given, Mapping) else {}
    method = str(asked.get("method"))
    shape = _shape(method, params, at)
    if reason := misfit(shape, params, f"{at}/params"):
        raise BadRequestLine(reason)
    if shape == "url" and (reason := url_fault(str(params["url"]))):
        raise BadRequestLine(f"{at}/params/url: {reason}")
    return Ask(
        request=InputRequest(method=method, params=_known(shape, params)),
        needs=_needs(shape, params),
        optional=asked.get("optional") is True,
    )


def _shape(method: str, params: Json, at: str) -> str:
    if method == ELICIT:
        mode = params.get("mode", "form")
        if mode not in ("form", "url"):
            raise BadRequestLine(f"{at}/params/mode: is neither form nor url")
        return str(mode)
    shape = {SAMPLE: "sampling", ROOTS: "roots"}.get(method)
    if shape is None:
        raise BadRequestLine(f"{at}/method: is none of {ELICIT}, {SAMPLE}, {ROOTS}")
    return shape


def _needs(shape: str, params: Json) -> frozenset[str]:
    """`params` have their shape."""
    if shape in ("form", "url"):
        return frozenset({f"elicitation.{shape}"})
    with_tools = "tools" in params or "toolChoice" in params or _speaks_of_tools(params)
    return frozenset({shape, "sampling.tools"} if with_tools else {shape})


def _speaks_of_tools(params: Json) -> bool:
    messages = params.get("messages")
    for message in messages if isinstance(messages, list) else ():
        content = message.get("content") if isinstance(message, dict) else None
        blocks = content if isinstance(content, list) else [content]
        if any(isinstance(b, dict) and b.get("type") in _TOOL_CONTENT for b in blocks):
            return True
    return False


def _properties(schema: Json) -> frozenset[str]:
    properties = schema["properties"]
    return frozenset(properties) if isinstance(properties, dict) else frozenset()


# What a client would act upon without its user's knowledge stays out: tasks, progress tokens, the
# contexts of other servers (`includeContext`).
_KNOWN: Mapping[str, frozenset[str]] = {
    "form": _properties(FORM) | {"mode"},
    "url": _properties(URL) | {"mode"},
    "sampling": _properties(SAMPLING),
    "roots": frozenset(),
}


def _known(shape: str, params: Json) -> Json:
    known = {name: value for name, value in params.items() if name in _KNOWN[shape]}
    message = known.get("message")
    if isinstance(message, str):
        # Or what people read would not be what is written.
        known["message"] = clean_text(message)
    return known


def url_fault(url: str) -> str | None:
    """Why no user is sent to `url`; None where it is https, or loopback."""
    if not url.isascii() or not url.isprintable() or " " in url or "\\" in url:
        return "is no URL"
    try:
        parts = urlsplit(url)
        host = parts.hostname
    except ValueError:
        return "is no URL"
    if not is_for_clients(url):
        return "has no host that clients can read"
    if not host or "@" in parts.netloc:
        # What stands before the @ is what people read.
        return "has no host, or a user name"
    if parts.scheme == "https" or (parts.scheme == "http" and _is_loopback(host)):
        return None
    return "is neither https nor at a loopback address"


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False
