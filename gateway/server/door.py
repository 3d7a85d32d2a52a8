"""Where a connection's bytes become requests. aiohttp asks a door for what it asks a parser.

Each head is judged as bytes first and then read by aiohttp's parser, which is handed exactly that
head; what both accept is a request. Bodies are told apart by `gateway.server.framing` alone.
"""

import asyncio
from typing import Final

from aiohttp import EMPTY_PAYLOAD, StreamReader, hdrs
from aiohttp.base_protocol import BaseProtocol
from aiohttp.http import (
    HttpProcessingError,
    HttpRequestParser,
    HttpVersion11,
    RawRequestMessage,
)
from multidict import CIMultiDict, CIMultiDictProxy
from yarl import URL

from gateway.errors import BadRequest, GatewayError, HeadersTooLarge, UriTooLong
from gateway.server.chunks import ChunkReader
from gateway.server.framing import (
    MAX_FIELD_BYTES,
    MAX_HEAD_BYTES,
    MAX_LINE_BESIDES,
    MAX_TARGET,
    read_head,
)

READ_BYTES: Final = 65_536
"""What waits of a body before its sender has to: twice that, and what comes in one read."""
MAX_PIPELINED: Final = 8
"""Requests of one connection that wait for the one before."""

REFUSED: Final = RawRequestMessage(
    method="GET",
    path="/",
    version=HttpVersion11,
    headers=CIMultiDictProxy(CIMultiDict()),
    raw_headers=(),
    should_close=True,
    compression=None,
    upgrade=False,
    chunked=False,
    url=URL("/"),
)
"""Stands for a request that was refused; it is its connection's last."""

Messages = list[tuple[RawRequestMessage, StreamReader]]


class Door:
    """The requests of one connection, for its `protocol`.

    `refusal`: why the last one was refused. `broken`: the body that will never be whole.
    """

    def __init__(
        self, protocol: BaseProtocol, *, loop: asyncio.AbstractEventLoop, max_body: int
    ) -> None:
        self._protocol = protocol
        self._loop = loop
        self._max_body = max_body
        self._parser = self._new_parser()
        self._head = bytearray()
        self._body: _Body | None = None
        self._held = b""  # behind the last request that may wait
        self._waiting = 0
        self._is_last = False
        self._is_shut = False
        self._has_refused = False
        self.refusal: GatewayError | None = None
        self.broken: StreamReader | None = None
        self.uninvited: StreamReader | None = None
        """The body that is sent only when it has been asked for."""

    def _new_parser(self) -> HttpRequestParser:
        # Its own limits are never reached: the head has been judged before.
        return HttpRequestParser(
            self._protocol,
            self._loop,
            READ_BYTES,
            max_line_size=2 * MAX_TARGET,
            max_field_size=MAX_FIELD_BYTES + 1,
            max_headers=1_000,
            auto_decompress=False,
        )

    @property
    def has_part_of_head(self) -> bool:
        return bool(self._head)

    @property
    def reads_body(self) -> bool:
        """Whether the rest of a body is still to come."""
        return self._body is not None

    @property
    def is_shut(self) -> bool:
        """Whether whatever comes now is dropped."""
        return self._is_shut

    @property
    def is_at_rest(self) -> bool:
        """Whether a connection that ended now would lose nothing that is on its way."""
        return not (self._body or self._head or self._held or self._is_shut)

    def shut(self) -> None:
        """Let whatever comes from now on fall to the ground."""
        self._is_shut = True
        self._held = b""
        self._head.clear()

    def refuse(self, error: GatewayError) -> None:
        """Let the next message be the last, and this its answer."""
        self.shut()
        self.refusal = error

    def break_off(self, error: GatewayError) -> None:
        """Let whoever reads the body that is under way get `error`."""
        if self._body is not None:
            self.broken = self._body.payload
            self.broken.set_exception(error)
            self._body = None
        self.shut()

    # The rest is what aiohttp's RequestHandler asks of its parser.

    def feed_data(self, data: bytes) -> tuple[Messages, bool, bytes]:
        """The requests that begin in `data`; whether all after them is another protocol's."""
        messages: Messages = []
        upgraded = False
        if self._held:
            data, self._held = self._held + data, b""
        try:
            while data and not upgraded and not self._is_shut:
                if self._body is not None:
                    data = self._feed_body(self._body, data)
                elif self._is_last:
                    self.shut()  # RFC 9112 section 9.6: nothing is read behind a last request
                elif self._waiting >= MAX_PIPELINED:
                    self._held, data = data, b""
                else:
                    data, upgraded = self._read_head(data, messages)
        except GatewayError as error:
            self._fail(error)
        if self.refusal is not None and not self._has_refused:
            self._has_refused = True
            messages.append((REFUSED, EMPTY_PAYLOAD))
        return messages, upgraded, data if upgraded else b""

    def _fail(self, error: GatewayError) -> None:
        if self._body is not None:
            self.break_off(error)
        else:
            self.refuse(error)

    def _feed_body(self, body: "_Body", data: bytes) -> bytes:
        self.uninvited = None
        rest = body.feed(data)
        if body.is_done:
            self._body = None
        return rest

    def _read_head(self, data: bytes, messages: Messages) -> tuple[bytes, bool]:
        """What of `data` is behind the head, if that ends in it, and whether it upgrades."""
        head, rest = self._take_head(data)
        # RFC 9112 section 2.2: some clients send an empty line too many after a body.
        while head.startswith(b"\r\n"):
            head = head[2:]
        return rest, bool(head) and self._admit(head, messages)

    def _take_head(self, data: bytes) -> tuple[bytes, bytes]:
        """A whole head, empty if it has not ended, and what of `data` is behind it."""
        if not self._head and (end := data.find(b"\r\n\r\n") + 4) >= 4:
            return data[:end], data[end:]
        earlier = len(self._head)
        self._head += data
        end = self._head.find(b"\r\n\r\n", max(0, earlier - 3)) + 4
        if end < 4:
            self._check_unended()
            return b"", b""
        head = bytes(self._head[:end])
        self._head.clear()
        return head, data[end - earlier :]

    def _check_unended(self) -> None:
        if len(self._head) > MAX_HEAD_BYTES:
            raise HeadersTooLarge(f"a head has at most {MAX_HEAD_BYTES} bytes")
        longest = MAX_TARGET + MAX_LINE_BESIDES
        if len(self._head) > longest and self._head.find(b"\n", 2, longest) < 0:
            raise UriTooLong(f"a URL has at most {MAX_TARGET} characters")

    def _admit(self, head: bytes, messages: Messages) -> bool:
        framing = read_head(head, max_body=self._max_body)
        try:
            parsed, upgraded, _ = self._parser.feed_data(head)
        except HttpProcessingError as error:
            raise BadRequest("the request's headers are not as HTTP has them") from error
        message, payload = parsed[0]
        if (framing.length == 0) != (payload is EMPTY_PAYLOAD):
            raise BadRequest("the request's body is not framed as HTTP/1.1 has it")
        if framing.length != 0:
            self._body = _Body(payload, framing.length)
            # It waits for a body that we read ourselves.
            self._parser = self._new_parser()
            upgraded = False
        if hdrs.EXPECT in message.headers:
            message = _without_expect(message)
            self.uninvited = payload if framing.invites else None
        self._is_last = message.should_close
        messages.append((message, payload))
        self._waiting += 1
        return upgraded

    def message_consumed(self) -> None:
        """One of the messages is being handled now."""
        if self._waiting > 0:
            self._waiting -= 1

    def set_upgraded(self, _: bool) -> None:  # noqa: FBT001 - aiohttp's signature
        """Nothing came of another protocol: go on with requests."""
        self._parser = self._new_parser()

    def pause_reading(self) -> None:
        """The connection is read no further: then nothing comes here either."""

    def feed_eof(self) -> None:
        """The peer has nothing more to say."""


class _Body:
    """One request's body on its way into `payload`; of `length` bytes, or None: in chunks."""

    def __init__(self, payload: StreamReader, length: int | None) -> None:
        self.payload = payload
        self.is_done = False
        self._left = length
        self._chunks = ChunkReader()

    def feed(self, data: bytes) -> bytes:
        """What of `data` comes after the body. Raises BadRequest."""
        if self._left is None:
            content, rest = b"".join(self._chunks.feed(data)), self._chunks.rest
            self.is_done = self._chunks.is_done
        else:
            content, rest = data[: self._left], data[self._left :]
            self._left -= len(content)
            self.is_done = self._left == 0
        if content:
            self.payload.feed_data(content)
        if self.is_done:
            self.payload.feed_eof()
            return rest
        return b""


def _without_expect(message: RawRequestMessage) -> RawRequestMessage:
    """Else aiohttp answers it before anybody has decided whether the body is wanted."""
    headers = CIMultiDict(message.headers)
    headers.popall(hdrs.EXPECT)
    return message._replace(headers=CIMultiDictProxy(headers))
