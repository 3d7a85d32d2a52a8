"""`validate` with the real command: what callers, the API and the log see of it."""

import json
from collections.abc import Iterator
from pathlib import Path

import aiohttp
import pytest
from yarl import URL

from tests.support.documents import document, operation, query
from tests.support.echo_upstream import Answer, EchoUpstream
from tests.support.gateway_process import GatewayProcess, wait_until

BOOK = {
    "type": "object",
    "required": ["title"],
    "properties": {"title": {"type": "string"}, "year": {"type": "integer"}},
}
DESCRIPTION = document(
    {
        "/books": {
            "get": operation(
                operationId="list", parameters=[query("limit", {"type": "integer"})], answer=BOOK
            ),
            "post": operation(operationId="add", body=BOOK, answer=BOOK),
        }
    }
)
CONFIG = """
store: {{url: "memory://"}}
apis:
  - name: books
    spec: books.json
    base_url: {url}
    proxy: any
    validate: {{requests: {mode}, responses: {mode}}}
"""
JSON = (("Content-Type", "application/json"),)
GOOD = Answer(headers=JSON, body=b'{"title": "a"}')
WRONG = Answer(headers=JSON, body=b'{"title": 5, "s3cret": "s3cret"}')


@pytest.fixture
def mode(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def checked(mode: str, echo: EchoUpstream, tmp_path: Path) -> Iterator[GatewayProcess]:
    (tmp_path / "books.json").write_text(json.dumps(DESCRIPTION))
    (tmp_path / "gateway.yaml").write_text(CONFIG.format(url=echo.url, mode=mode))
    with GatewayProcess("gateway.yaml", directory=tmp_path) as process:
        yield process


def as_mode(*modes: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("mode", modes, indirect=True)


@as_mode("enforce")
async def test_enforce_refuses_a_wrong_request_and_sends_nothing(
    checked: GatewayProcess, echo: EchoUpstream, http: aiohttp.ClientSession
) -> None:
    echo.answer = GOOD
    url = f"{checked.url}/apis/books/books"
    async with http.post(url, json={"year": "s3cret"}) as answer:
        told = await answer.json(content_type=None)
    assert (answer.status, answer.content_type) == (422, "application/problem+json")
    assert answer.headers["OCP-Context-ID"]
    assert told["code"] == "invalid_request"
    assert told["errors"] == [
        {"pointer": "/body/title", "message": "is required"},
        {"pointer": "/body/year", "message": "expected integer, received string"},
    ]
    assert "s3cret" not in json.dumps(told)
    async with http.get(f"{url}?limit=many") as answer:
        told = await answer.json(content_type=None)
    assert (answer.status, told["errors"][0]["pointer"]) == (422, "/query/limit")
    assert echo.seen == []


@as_mode("enforce")
async def test_enforce_passes_what_is_right_byte_for_byte(
    checked: GatewayProcess, echo: EchoUpstream, http: aiohttp.ClientSession
) -> None:
    echo.answer = GOOD
    body = b'{ "title" : "\\u0061",\n "other": 1.50 }'
    url = URL(f"{checked.url}/apis/books/books?x=%41", encoded=True)
    async with http.post(url, data=body, headers=JSON) as answer:
        assert (answer.status, await answer.read()) == (200, GOOD.body)
    assert echo.last.body == body
    assert echo.last.target == "/books?x=%41"
    assert echo.last.value("Content-Length") == str(len(body))


@as_mode("enforce")
async def test_enforce_answers_502_for_a_wrong_answer(
    checked: GatewayProcess, echo: EchoUpstream, http: aiohttp.ClientSession
) -> None:
    echo.answer = WRONG
    async with http.get(f"{checked.url}/apis/books/books") as answer:
        told = await answer.json(content_type=None)
    assert (answer.status, told["code"]) == (502, "response_invalid")
    assert told["errors"] == [
        {"pointer": "/body/title", "message": "expected string, received integer"}
    ]
    assert "s3cret" not in json.dumps(told)
    async with http.get(f"{checked.url}/apis/books/undescribed") as answer:
        assert (answer.status, await answer.read()) == (200, WRONG.body)


@as_mode("report", "off")
async def test_report_and_off_pass_everything(
    mode: str, checked: GatewayProcess, echo: EchoUpstream, http: aiohttp.ClientSession
) -> None:
    echo.answer = WRONG
    url = f"{checked.url}/apis/books/books"
    async with http.post(url, data=b'{"year": "s3cret"}', headers=JSON) as answer:
        assert (answer.status, await answer.read()) == (200, WRONG.body)
    assert echo.last.body == b'{"year": "s3cret"}'
    told = ("a request of POST /books is not as it is described", "/body/title is required")
    wrong = ("a response of POST /books is not as it is described", "/body/title expected string")
    if mode == "report":
        wait_until(lambda: all(text in checked.log for text in (*told, *wrong)), "the lines")
    else:
        assert checked.stop() == 0
        assert "not as it is described" not in checked.log
    assert "s3cret" not in checked.log
