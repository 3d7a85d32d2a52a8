"""Interactions and confirmations with a real API on the other side, over plain HTTP."""

import asyncio
import json
import threading
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path

import aiohttp
import pytest

from gateway.calls import target_digest
from gateway.catalog import ToolOverride
from gateway.config import ApiConfig
from gateway.config.model import McpConfig
from gateway.engine import ContextClaim, Progress, ToolCall
from gateway.upstreams import ProxyReach
from tests.support.asking import (
    INTERACTION,
    Heard,
    accept,
    asks,
    call_of,
    dialogue,
    form,
    lines,
)
from tests.support.echo_upstream import Answer, EchoUpstream, Seen
from tests.support.plain_http import call_tool, problem_of
from tests.support.raw_upstream import raw_upstream
from tests.support.serving import Served, serving, write_spec
from tests.support.tools import TEXT, parameter

HEAD = (("Content-Type", INTERACTION),)
DONE = {"type": "result", "json": {"done": True}}
STEP = {"type": "progress", "progress": 1}


@pytest.fixture
async def served(echo: EchoUpstream, spec: str) -> AsyncIterator[Served]:
    """`shop` answers line by line and has an operation to be confirmed; `wide` is open."""
    tools = {"listItems": ToolOverride(confirm=True)}
    shop = ApiConfig(
        name="shop",
        spec=spec,
        base_url=f"{echo.url}/v1",
        interaction=True,
        tools=tools,
        timeout_seconds=5,
    )
    wide = ApiConfig(name="wide", spec=spec, base_url=echo.url, proxy=ProxyReach.ANY, tools=tools)
    async with serving(shop, wide) as running:
        yield running


def add(**changes: object) -> ToolCall:
    return call_of("shopAddItem", {"body": {"a": 1}}, **changes)


class TestLineByLine:
    async def test_progress_is_there_before_the_next_line_is_written(
        self, served: Served, echo: EchoUpstream
    ) -> None:
        told = threading.Event()

        class Prompt(Heard):
            async def progress(self, progress: Progress) -> None:
                await super().progress(progress)
                told.set()

        def steps() -> Iterator[bytes]:
            yield lines(STEP)
            if told.wait(20):
                yield lines(DONE)

        echo.answer = Answer(headers=HEAD, body=steps())
        heard = Prompt()
        talk = await dialogue(served.gateway, add(listener=heard))
        assert heard.progresses == [Progress(progress=1)]
        assert talk.text == '{"done":true}'

    async def test_lines_arrive_in_any_pieces(self, served: Served, echo: EchoUpstream) -> None:
        heard = Heard()
        whole = lines(STEP, {"type": "log", "level": "info", "data": "ä"}, DONE)
        echo.answer = Answer(headers=HEAD, body=[bytes([byte]) for byte in whole])
        talk = await dialogue(served.gateway, add(listener=heard))
        assert (len(heard.progresses), [log.data for log in heard.logs]) == (1, ["ä"])
        assert talk.text == '{"done":true}'

    async def test_a_question_is_answered_on_the_same_connection(
        self, served: Served, echo: EchoUpstream
    ) -> None:
        def behave(seen: Seen) -> Answer:
            if seen.value("Content-Type") == INTERACTION:
                return Answer(headers=HEAD, body=lines(DONE))
            return Answer(headers=HEAD, body=lines(asks({"a": form()}, state={"n": 2**70})))

        echo.answer = behave
        talk = await dialogue(served.gateway, add(claim=ContextClaim(ambient_id="ocp-00000001")))
        await talk.answer(a=accept(name="x"))
        first, second = echo.seen
        assert (first.request_line, first.connection) == (second.request_line, second.connection)
        assert json.loads(second.body)["state"] == {"n": 2**70}
        other = {"Content-Length", "OCP-Session"}  # nothing is stored yet: it tells the time
        kept = {name: value for name, value in first.headers if name not in other}
        again = {name: value for name, value in second.headers if name not in other}
        assert again == {**kept, "Content-Type": INTERACTION}

    async def test_silence_ends_it(self, served: Served, echo: EchoUpstream) -> None:
        shop = served.gateway.upstreams["shop"]
        served.gateway.upstreams = {"shop": replace(shop, timeout_seconds=0.2)}
        quiet = threading.Event()

        def steps() -> Iterator[bytes]:
            yield lines(STEP)[:-1]  # a line that has not ended is none
            quiet.wait(20)

        echo.answer = Answer(headers=HEAD, body=steps())
        talk = await dialogue(served.gateway, add())
        quiet.set()
        assert "did not answer in 0.2 s" in talk.text

    async def test_whoever_goes_takes_the_request_along(self, served: Served) -> None:
        told = asyncio.Event()

        class Prompt(Heard):
            async def progress(self, progress: Progress) -> None:
                told.set()

        head = f"HTTP/1.1 200 OK\r\nContent-Type: {INTERACTION}\r\n\r\n".encode()
        async with raw_upstream(head, lines(STEP), stay=True) as raw:
            shop = served.gateway.upstreams["shop"]
            served.gateway.upstreams = {"shop": replace(shop, origin=raw.url)}
            task = asyncio.ensure_future(dialogue(served.gateway, add(listener=Prompt())))
            async with asyncio.timeout(20):
                await told.wait()
                task.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await task
                await raw.left.wait()


async def modern(http: aiohttp.ClientSession, url: str, **params: object) -> dict[str, object]:
    """The result of a `tools/call` of 2026-07-28 by a client that can be asked for forms."""
    version, name = "2026-07-28", "shopAddItem"
    meta = {
        "io.modelcontextprotocol/protocolVersion": version,
        "io.modelcontextprotocol/clientCapabilities": {"elicitation": {}},
    }
    headers = {
        "Accept": "application/json, text/event-stream",
        "MCP-Protocol-Version": version,
        "Mcp-Method": "tools/call",
        "Mcp-Name": name,
    }
    call = {"name": name, "arguments": {"body": {}}, "_meta": meta, **params}
    message = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": call}
    async with http.post(f"{url}/mcp", json=message, headers=headers) as response:
        assert response.status == 200, await response.text()
        result = (await response.json())["result"]
        assert isinstance(result, dict)
        return result


async def test_a_state_goes_through_a_client_to_the_last_digit(
    served: Served, echo: EchoUpstream, http: aiohttp.ClientSession
) -> None:
    state = {"n": 2**70, "deep": json.loads("[" * 190 + "]" * 190), "f": 1.0}

    def behave(seen: Seen) -> Answer:
        if seen.value("Content-Type") == INTERACTION:
            return Answer(headers=HEAD, body=lines(DONE))
        return Answer(headers=HEAD, body=lines(asks({"a": form()}, state=state)))

    echo.answer = behave
    asked = await modern(http, served.url)
    assert asked["resultType"] == "input_required"
    answers = {"a": accept(name="x")}
    done = await modern(
        http, served.url, inputResponses=answers, requestState=asked["requestState"]
    )
    assert done["structuredContent"] == {"done": True}
    assert json.loads(echo.last.body) == {
        "type": "continue",
        "body": {},
        "responses": answers,
        "state": state,
    }


class TestPlainHttp:
    async def test_what_can_be_asked_of_nobody_is_a_result(
        self, served: Served, echo: EchoUpstream, http: aiohttp.ClientSession
    ) -> None:
        echo.answer = Answer(headers=HEAD, body=lines(STEP, asks({"a": form()})))
        answer = await call_tool(http, served.url, "shopAddItem", {"body": {}})
        assert echo.last.value("Gateway-Interaction") == ""
        assert (answer["isError"], answer["status"], answer["recorded"]) == (True, 200, True)
        assert "cannot be asked for elicitation.form" in str(answer["content"])

    async def test_an_api_that_only_wants_its_state_back_gets_it(
        self, served: Served, echo: EchoUpstream, http: aiohttp.ClientSession
    ) -> None:
        def behave(seen: Seen) -> Answer:
            if seen.value("Content-Type") == INTERACTION:
                return Answer(headers=HEAD, body=lines(DONE))
            return Answer(headers=HEAD, body=lines(asks({}, state="s")))

        echo.answer = behave
        answer = await call_tool(http, served.url, "shopAddItem", {"body": {}})
        assert answer["structuredContent"] == {"done": True}
        ids = {seen.value("OCP-Context-ID") for seen in echo.seen}
        assert ids == {answer["context_id"]}

    async def test_but_not_for_ever(
        self, served: Served, echo: EchoUpstream, http: aiohttp.ClientSession
    ) -> None:
        echo.answer = Answer(headers=HEAD, body=lines(asks({}, state="s")))
        answer = await call_tool(http, served.url, "shopAddItem", {"body": {}})
        assert answer["isError"]
        assert len(echo.seen) == 9

    async def test_proxied_traffic_passes_through_untouched(
        self, served: Served, echo: EchoUpstream, http: aiohttp.ClientSession
    ) -> None:
        said = lines(STEP, asks({"a": form()}))
        echo.answer = Answer(headers=HEAD, body=said)
        headers = {"Gateway-Interaction": "mine", "Accept": INTERACTION}
        async with http.post(f"{served.url}/apis/shop/items", json={}, headers=headers) as response:
            assert response.headers["Content-Type"] == INTERACTION
            assert await response.read() == said
        assert echo.last.values("Gateway-Interaction") == ["mine"]


class TestConfirming:
    async def test_a_tool(
        self, served: Served, echo: EchoUpstream, http: aiohttp.ClientSession
    ) -> None:
        url = f"{served.url}/tools/shopListItems"
        async with http.post(url, json={"q": "x"}) as response:
            problem = await problem_of(response)
            assert response.headers["OCP-Context-ID"].startswith("ocp-")
        assert (problem["status"], problem["code"]) == (409, "confirmation_required")
        assert f"?confirm={problem['digest']}" in str(problem["detail"])
        assert echo.seen == []

        async with http.post(f"{url}?confirm={problem['digest']}", json={"q": "y"}) as response:
            assert response.status == 409
        async with http.post(f"{url}?confirm={problem['digest']}", json={"q": "x"}) as response:
            assert response.status == 200
        assert [seen.target for seen in echo.seen] == ["/v1/items?q=x"]

    async def test_by_the_api_s_own_name_for_it(
        self, served: Served, http: aiohttp.ClientSession
    ) -> None:
        async with http.post(f"{served.url}/tools/shopListItems", json={}) as response:
            one = await problem_of(response)
        async with http.post(f"{served.url}/tools/listItems?api=shop", json={}) as response:
            assert (await problem_of(response))["digest"] == one["digest"]

    async def test_a_preview_shows_it_without(
        self, served: Served, http: aiohttp.ClientSession
    ) -> None:
        async with http.post(f"{served.url}/tools/shopListItems?dry_run=true", json={}) as response:
            assert response.status == 200

    async def test_a_proxied_request(
        self, served: Served, echo: EchoUpstream, http: aiohttp.ClientSession
    ) -> None:
        url = f"{served.url}/apis/shop/items?q=x"
        async with http.get(url) as response:
            problem = await problem_of(response)
        assert (problem["status"], problem["code"]) == (409, "confirmation_required")
        assert problem["digest"] == target_digest("shop", "GET", "/items?q=x")
        assert f"OCP-Gateway-Confirm: {problem['digest']}" in str(problem["detail"])
        assert echo.seen == []

        headers = {"OCP-Gateway-Confirm": str(problem["digest"])}
        async with http.get(url, headers=headers) as response:
            assert response.status == 200
        assert echo.last.values("OCP-Gateway-Confirm") == []
        async with http.get(f"{url}&r=1", headers=headers) as response:
            assert response.status == 409

    async def test_where_every_path_is_open_only_the_tool_is_asked_about(
        self, served: Served, http: aiohttp.ClientSession
    ) -> None:
        async with http.get(f"{served.url}/apis/wide/items") as response:
            assert response.status == 200
        async with http.post(f"{served.url}/tools/wideListItems", json={}) as response:
            assert response.status == 409


async def test_all_that_is_destructive_where_it_is_configured(
    echo: EchoUpstream, tmp_path: Path, http: aiohttp.ClientSession
) -> None:
    item = {"parameters": [parameter("id", "path", TEXT)], "delete": {}, "get": {}}
    spec = write_spec(tmp_path, {"/items/{id}": item})
    shop = ApiConfig(name="shop", spec=spec, base_url=echo.url)
    async with serving(shop, mcp=McpConfig(confirm_destructive=True)) as running:
        for method, status in (("DELETE", 409), ("GET", 200)):
            async with http.request(method, f"{running.url}/apis/shop/items/7") as response:
                assert response.status == status
    assert [seen.request_line for seen in echo.seen] == ["GET /items/7 HTTP/1.1"]
