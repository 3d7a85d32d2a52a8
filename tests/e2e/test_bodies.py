"""Forms, files, texts and bytes, through the real process to what came over the wire."""

from collections.abc import Iterator
from email import message_from_bytes
from email.policy import HTTP
from pathlib import Path
from urllib.parse import parse_qsl

import aiohttp
import pytest

from tests.support.echo_upstream import EchoUpstream
from tests.support.gateway_process import GatewayProcess
from tests.support.plain_http import call_tool, problem_of
from tests.support.serving import write_spec


def posting(operation_id: str, media_type: str, schema: object) -> dict[str, object]:
    content = {media_type: {"schema": schema}}
    body = {"required": True, "content": content}
    done = {"200": {"description": "Done"}}
    return {"post": {"operationId": operation_id, "requestBody": body, "responses": done}}


TEXT = {"type": "string"}
FILE = {"type": "string", "format": "binary"}
PATHS = {
    "/messages": posting(
        "sendMessage",
        "application/x-www-form-urlencoded",
        {"type": "object", "properties": {"To": TEXT, "Media": {"type": "array", "items": TEXT}}},
    ),
    "/files": posting(
        "addFile",
        "multipart/form-data",
        {"type": "object", "properties": {"file": FILE, "note": TEXT}, "required": ["file"]},
    ),
    "/picture": posting("setPicture", "image/png", FILE),
    "/order": posting("placeOrder", "application/xml", {"type": "object"}),
}


@pytest.fixture
def forms(echo: EchoUpstream, tmp_path: Path) -> Iterator[GatewayProcess]:
    spec = write_spec(tmp_path, PATHS, name="forms")
    arguments = ("--spec", f"forms={spec}", "--base-url", f"forms={echo.url}")
    with GatewayProcess(*arguments, directory=tmp_path) as process:
        yield process


async def test_a_form(
    forms: GatewayProcess, echo: EchoUpstream, http: aiohttp.ClientSession
) -> None:
    await call_tool(http, forms.url, "sendMessage", {"To": "+1 5", "Media": ["a&b", "c"]})

    assert echo.last.value("Content-Type") == "application/x-www-form-urlencoded"
    pairs = [("Media", "a&b"), ("Media", "c"), ("To", "+1 5")]
    assert parse_qsl(echo.last.body.decode()) == pairs


async def test_files_arrive_as_bytes(
    forms: GatewayProcess, echo: EchoUpstream, http: aiohttp.ClientSession
) -> None:
    for file in ("aGVsbG8=", {"text": "hello"}, {"data": "aGVsbG8="}):
        await call_tool(http, forms.url, "addFile", {"file": file, "note": "n"})

        head = f"Content-Type: {echo.last.value('Content-Type')}\r\n\r\n".encode()
        message = message_from_bytes(head + echo.last.body, policy=HTTP)
        found = [(p.get_filename(), p.get_payload(decode=True)) for p in message.walk()][1:]
        assert found == [(None, b"n"), ("file", b"hello")]


async def test_bytes_and_texts_are_sent_as_they_are(
    forms: GatewayProcess, echo: EchoUpstream, http: aiohttp.ClientSession
) -> None:
    await call_tool(http, forms.url, "setPicture", {"body": "iVBORw=="})
    assert (echo.last.value("Content-Type"), echo.last.body) == ("image/png", b"\x89PNG")

    await call_tool(http, forms.url, "placeOrder", {"body": "<é/>"})
    assert echo.last.value("Content-Type") == "application/xml; charset=utf-8"
    assert echo.last.body == "<é/>".encode()


async def test_what_is_no_base64_is_a_fault_and_nothing_is_sent(
    forms: GatewayProcess, echo: EchoUpstream, http: aiohttp.ClientSession
) -> None:
    for tool, arguments, pointer in (
        ("addFile", {"file": "*"}, "/file"),
        ("addFile", {"file": {"data": "*"}}, "/file/data"),
        ("setPicture", {"body": "*"}, "/body"),
    ):
        async with http.post(f"{forms.url}/tools/{tool}", json=arguments) as response:
            problem = await problem_of(response)
        assert (response.status, problem["errors"]) == (
            422,
            [{"pointer": pointer, "message": "is not base64"}],
        )
    assert not echo.seen
