"""What the door uses of aiohttp beyond its public names; here it breaks first when that changes."""

import asyncio
import inspect

import pytest
from aiohttp import EMPTY_PAYLOAD, StreamReader, web
from aiohttp.base_protocol import BaseProtocol
from aiohttp.http import HttpRequestParser
from aiohttp.http_parser import HttpRequestParserC, HttpRequestParserPy
from aiohttp.web_protocol import RequestHandler
from aiohttp.web_server import Server

from gateway.server.door import MAX_PIPELINED, Door

PARSERS = [HttpRequestParserC, HttpRequestParserPy]


def methods_of(kind: type) -> set[str]:
    return {name for name, _ in inspect.getmembers(kind, callable) if not name.startswith("__")}


async def test_a_connection_asks_its_parser_for_no_more_than_a_door_has() -> None:
    asked = {"feed_data", "feed_eof", "message_consumed", "pause_reading", "set_upgraded"}
    assert asked <= methods_of(Door)
    assert asked <= methods_of(HttpRequestParserPy)
    source = inspect.getsource(RequestHandler) + inspect.getsource(BaseProtocol)
    used = {word.split("(")[0] for word in source.split("_parser.")[1:]}
    assert {name for name in used if name in methods_of(HttpRequestParserPy)} <= asked


async def test_the_private_names_mean_what_they_did() -> None:
    server = Server(lambda _: None)  # type: ignore[arg-type, return-value]
    handler = RequestHandler(server, loop=asyncio.get_running_loop())
    assert type(handler._parser) is HttpRequestParser
    assert not handler._messages
    assert handler._max_msg_queue_size > MAX_PIPELINED
    assert handler._msg_queue_resume_size < handler._max_msg_queue_size
    assert {"connection_made", "connection_lost", "__call__"} <= set(dir(server))
    assert "_make_server" in vars(web.AppRunner)


@pytest.mark.parametrize(
    "name", ["finish_response", "handle_error", "data_received", "pause_reading", "resume_reading"]
)
def test_what_a_connection_overrides_is_there(name: str) -> None:
    assert callable(getattr(RequestHandler, name))


@pytest.mark.parametrize("parser", PARSERS, ids=["c", "python"])
async def test_a_parser_gives_one_message_for_one_head(parser: type[HttpRequestParser]) -> None:
    protocol = BaseProtocol(asyncio.get_running_loop())
    made = parser(protocol, asyncio.get_running_loop(), 65_536, auto_decompress=False)
    for _ in range(3):
        messages, upgraded, rest = made.feed_data(b"GET /a HTTP/1.1\r\nHost: a\r\n\r\n")
        assert [(message.path, payload) for message, payload in messages] == [("/a", EMPTY_PAYLOAD)]
        assert not upgraded
        assert rest == b""
    messages, _, _ = made.feed_data(b"POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\n")
    ((_, payload),) = messages
    assert isinstance(payload, StreamReader)
    assert payload is not EMPTY_PAYLOAD
    payload.feed_data(b"abc")
    payload.feed_eof()
    assert await payload.read() == b"abc"
