"""Overhears what an aiohttp client of a test says to `/mcp`, `/sse` and `/messages`."""

import json
import re
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Protocol

import aiohttp
from aiohttp.streams import StreamReader
from yarl import URL

from tests.support.mcp_judge import judge_body, messages_in, read_line
from tests.support.mcp_shapes import MODERN
from tests.support.mcp_transcript import (
    Transcript,
    agreed_in,
    decoded,
    judge_post,
    note,
    opens,
    remember,
    revision_over_http,
)

Headers = Mapping[str, list[str]]
Send = Callable[..., Awaitable[aiohttp.ClientResponse]]

_ENDPOINT = re.compile(r"/mcp(/[a-z0-9-]+)?")
_CONNECTION = re.compile(r"/sse(/[a-z0-9-]+)?")
_JSON, _EVENTS = "application/json", "text/event-stream"


class _Ear(Protocol):
    """Hears a body chunk by chunk."""

    def feed(self, chunk: bytes) -> None: ...


_ears: dict[int, tuple[StreamReader, _Ear]] = {}
"""By the identity of the stream, which is kept so that nobody else can have it."""
_connections: dict[str, Transcript] = {}
"""By the session of HTTP+SSE."""


def forget() -> None:
    """What was overheard is over."""
    _ears.clear()
    _connections.clear()


def judge_raw(request: bytes, status: int, headers: Headers, body: bytes) -> None:
    """An exchange of bytes on a socket: the request as sent, the parts of its answer."""
    head, _, said = request.partition(b"\r\n\r\n")
    line, *fields = head.decode("latin-1").split("\r\n")
    method, path, *_ = f"{line}  ".split(" ")
    pairs = (field.partition(":")[::2] for field in fields)
    sent = by_name((name, value.strip()) for name, value in pairs)
    if method != "POST" or not _ENDPOINT.fullmatch(path) or "transfer-encoding" in sent:
        return
    if "content-length" in headers and headers.get("content-type") == [_JSON]:
        judge_post(sent, decoded(said), status, body, headers.get("mcp-session-id", [None])[0])


class _Exchange:
    """The answer to one request of a client's, as it comes in."""

    def __init__(self, said: object, response: aiohttp.ClientResponse) -> None:
        self._said = said
        self._headers = by_name(response.request_info.headers.items())
        self._response = response
        self._body = b""
        self._begun = self._answered = False

    def feed(self, chunk: bytes) -> None:
        self._body += chunk
        if self._response.content_type == _EVENTS:
            whole, separator, self._body = self._body.rpartition(b"\n\n")
            if separator:
                note(lambda: self._judge_events(whole), self._said, whole)
        elif len(self._body) == self._response.content_length:
            session = self._response.headers.get("Mcp-Session-Id")
            status = self._response.status
            judge_post(self._headers, self._said, status, self._body, session)

    def _judge_events(self, events: bytes) -> None:
        revision = revision_over_http(self._headers)
        numbered = self._response.method == "GET"
        for message in messages_in(events.decode(), numbered=numbered):
            if revision != MODERN and opens(self._said):
                revision = agreed_in(message)
                remember(self._response.headers.get("Mcp-Session-Id"), revision)
            judge_body(message, revision=revision, asked=self._said or [])
            self._judge_place(message)

    def _judge_place(self, message: bytes) -> None:
        """What comes first on a stream, and what last."""
        assert not self._answered, "a message after the answer"
        value = read_line(message)
        assert isinstance(value, dict)
        method = self._said.get("method") if isinstance(self._said, dict) else None
        self._answered = not isinstance(self._said, list) and "method" not in value
        if method == "subscriptions/listen" and not self._begun and "error" not in value:
            assert value["method"] == "notifications/subscriptions/acknowledged"
        self._begun = True


class _Connection:
    """The stream of 2024-11-05, on which everything is answered that is posted elsewhere."""

    def __init__(self) -> None:
        self._rest = b""
        self._transcript: Transcript | None = None

    def feed(self, chunk: bytes) -> None:
        *blocks, self._rest = (self._rest + chunk).split(b"\n\n")
        for block in blocks:
            if self._transcript is None and block.startswith(b"event: endpoint\n"):
                place = block.decode().partition("data: ")[2]
                self._transcript = _connections.setdefault(_session_of(URL(place)), Transcript())
            else:
                self._hear(block)

    def _hear(self, block: bytes) -> None:
        for message in messages_in(block.decode()):
            assert self._transcript is not None, "a message before the endpoint"
            self._transcript.hear(message + b"\n")


def _session_of(url: URL) -> str:
    return url.query.get("session_id", "")


class _WatchedStream(StreamReader):
    """A body that somebody reads along. (No `__dict__`: streams in use become this.)"""

    __slots__ = ()

    def _read_nowait_chunk(self, n: int) -> bytes:
        data = super()._read_nowait_chunk(n)
        kept = _ears.get(id(self))
        if kept is not None:
            _, ear = kept
            note(lambda: ear.feed(data), None, data)
        return data


def watched(send: Send) -> Send:
    """`ClientSession._request`, overheard."""

    async def request(
        session: aiohttp.ClientSession, method: str, url: str | URL, **options: object
    ) -> aiohttp.ClientResponse:
        place, said = URL(url), _said(options)
        if method == "POST" and place.path == "/messages" and isinstance(said, bytes):
            spoken = _connections.get(_session_of(place))
            if spoken is not None:
                spoken.say(said.replace(b"\n", b" ") + b"\n")
        response = await send(session, method, url, **options)
        ear: _Ear | None = None
        if _ENDPOINT.fullmatch(place.path) and response.content_type in (_JSON, _EVENTS):
            ear = _Exchange(decoded(said), response) if said is not None else None
        elif _CONNECTION.fullmatch(place.path) and response.content_type == _EVENTS:
            ear = _Connection()
        if ear is not None and type(response.content) is StreamReader:
            response.content.__class__ = _WatchedStream
            _ears[id(response.content)] = (response.content, ear)
        return response

    return request


def _said(options: Mapping[str, object]) -> bytes | None:
    """The body of a request; None for one that drips from somewhere."""
    data = options.get("data")
    if data is None:
        return json.dumps(options["json"]).encode() if options.get("json") is not None else b""
    return data.encode() if isinstance(data, str) else data if isinstance(data, bytes) else None


def by_name(pairs: Iterable[tuple[str, str]]) -> Headers:
    found: dict[str, list[str]] = {}
    for name, value in pairs:
        found.setdefault(name.lower(), []).append(value)
    return found
