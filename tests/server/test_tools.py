"""`/tools` over plain HTTP."""

import asyncio
import json
import threading
from io import BytesIO

import aiohttp
import pytest

from gateway.catalog import Tool
from gateway.server import tools
from tests.support.echo_upstream import Answer, EchoUpstream
from tests.support.plain_http import call_tool, problem_of
from tests.support.serving import Served

JSON = {"Content-Type": "application/json"}


async def fetch(
    http: aiohttp.ClientSession, url: str, headers: dict[str, str] | None = None
) -> tuple[int, dict[str, str], bytes]:
    async with http.get(url, headers=headers) as response:
        headers = {name.lower(): value for name, value in response.headers.items()}
        return response.status, headers, await response.read()


class TestTheList:
    async def test_holds_every_tool_in_name_order(
        self, served: Served, http: aiohttp.ClientSession
    ) -> None:
        status, headers, body = await fetch(http, f"{served.url}/tools")
        listed = json.loads(body)
        names = [tool["name"] for tool in listed["tools"]]
        assert (status, headers["content-type"]) == (200, "application/json")
        assert names == sorted(names)
        assert {"shopGetItem", "wideGetItem"} < set(names)
        assert listed["digest"] == served.gateway.view().digest
        assert listed["nextCursor"] is None

    async def test_of_one_api_has_its_own_names(
        self, served: Served, http: aiohttp.ClientSession
    ) -> None:
        _, _, body = await fetch(http, f"{served.url}/tools?api=shop")
        names = [tool["name"] for tool in json.loads(body)["tools"]]
        assert names == ["addItem", "getItem", "listItems", "sendForm"]

    @pytest.mark.parametrize("query", ["", "?format=mcp", "?api=shop", "?api=shop&format=mcp"])
    async def test_has_a_strong_tag_that_answers_304(
        self, served: Served, http: aiohttp.ClientSession, query: str
    ) -> None:
        url = f"{served.url}/tools{query}"
        _, headers, body = await fetch(http, url)
        tag = headers["etag"]
        assert tag.startswith('"')
        for known in (tag, f"W/{tag}", f'"other", {tag}', "*"):
            status, again, nothing = await fetch(http, url, {"If-None-Match": known})
            assert (status, nothing, again["etag"]) == (304, b"", tag), known
        for unknown in ('"other"', tag.strip('"'), ""):
            status, again, same = await fetch(http, url, {"If-None-Match": unknown})
            assert (status, again["etag"], same) == (200, tag, body), unknown

    async def test_is_made_once_while_others_are_served(
        self, served: Served, http: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        others_were_served, made = threading.Event(), list[str]()

        def slow(name: str, _: Tool) -> dict[str, object]:
            assert others_were_served.wait(30)
            made.append(name)
            return {}

        monkeypatch.setitem(tools.FORMATS, "ocp", slow)
        async with asyncio.TaskGroup() as group:
            asks = [group.create_task(fetch(http, f"{served.url}/tools?api=shop")) for _ in "ab"]
            status, _, _ = await fetch(http, f"{served.url}/healthz")
            others_were_served.set()
        assert status == 200
        assert [ask.result()[0] for ask in asks] == [200, 200]
        assert len(made) == len(set(made)) > 0

    async def test_every_representation_has_its_own_tag(
        self, served: Served, http: aiohttp.ClientSession
    ) -> None:
        queries = ["", "?format=mcp", "?api=shop", "?api=wide"]
        answers = [await fetch(http, f"{served.url}/tools{query}") for query in queries]
        bodies, tags = {body for *_, body in answers}, {head["etag"] for _, head, _ in answers}
        assert len(tags) == len(bodies)

    @pytest.mark.parametrize(
        ("query", "status", "code"),
        [
            ("?api=nope", 404, "unknown_api"),
            ("?format=xml", 400, "bad_request"),
            ("?nope=1", 400, "bad_request"),
            ("?format=openai", 501, "not_available"),
            ("?search=x", 501, "not_available"),
        ],
    )
    async def test_refuses_what_it_cannot_do(
        self, served: Served, http: aiohttp.ClientSession, query: str, status: int, code: str
    ) -> None:
        async with http.get(f"{served.url}/tools{query}") as response:
            problem = await problem_of(response)
            assert (response.status, problem["code"]) == (status, code)


class TestOneTool:
    @pytest.mark.parametrize("name", ["shopGetItem", "getItem?api=shop"])
    async def test_is_shown_with_digest_cost_and_source(
        self, served: Served, http: aiohttp.ClientSession, name: str
    ) -> None:
        _, _, body = await fetch(http, f"{served.url}/tools/{name}")
        shown = json.loads(body)
        assert shown["tool"]["name"] == name.partition("?")[0]
        assert len(shown["digest"]) == 64
        compact = json.dumps(shown["tool"], separators=(",", ":"), ensure_ascii=False).encode()
        assert shown["tokens"] == -(-len(compact) // 4)
        assert shown["source"] == {
            "api": "shop",
            "method": "GET",
            "path": "/items/{id}",
            "operationId": "getItem",
        }

    @pytest.mark.parametrize("name", ["nope", "nope?api=shop", "shop%2FgetItem"])
    async def test_that_is_none_is_404(
        self, served: Served, http: aiohttp.ClientSession, name: str
    ) -> None:
        async with http.get(f"{served.url}/tools/{name}") as response:
            assert response.status == 404
            await problem_of(response)


class TestCalls:
    async def test_answer_with_everything_about_the_call(
        self, served: Served, echo: EchoUpstream, http: aiohttp.ClientSession
    ) -> None:
        echo.answer = Answer(
            headers=(
                ("Content-Type", "application/json"),
                ("X-A", "1"),
                ("x-a", "2"),
                ("Set-Cookie", "s3cret"),
            ),
            body=b'{"n": 18446744073709551617}',
        )
        headers = {"OCP-Context-ID": "ocp-00000001"}
        answer = await call_tool(http, served.url, "shopGetItem", {"id": 2**70}, headers)

        assert echo.last.target == f"/v1/items/{2**70}"
        assert answer == {
            "status": 200,
            "headers": {"content-type": "application/json", "x-a": "1, 2"},
            "content": [{"type": "text", "text": '{"n": 18446744073709551617}'}],
            "structuredContent": {"n": 2**64 + 1},
            "isError": False,
            "context_id": "ocp-00000001",
            "recorded": True,
        }

    async def test_are_200_whatever_the_upstream_does(
        self, served: Served, echo: EchoUpstream, http: aiohttp.ClientSession
    ) -> None:
        echo.answer = Answer(status=503, headers=(("Retry-After", "9"),), body=b"")
        answer = await call_tool(http, served.url, "shopGetItem", {"id": 1})
        assert (answer["status"], answer["isError"]) == (503, True)
        echo.go_down()
        answer = await call_tool(http, served.url, "shopGetItem", {"id": 1})
        assert (answer["status"], answer["isError"], answer["recorded"]) == (None, True, True)

    async def test_need_no_body_where_there_are_no_arguments(
        self, served: Served, echo: EchoUpstream, http: aiohttp.ClientSession
    ) -> None:
        async with http.post(f"{served.url}/tools/listItems?api=shop") as response:
            assert response.status == 200
        assert echo.last.target == "/v1/items"

    @pytest.mark.parametrize(
        ("body", "fault"),
        [
            (b"{", "not JSON"),
            (b"[]", "not an object"),
            (b"null", "null"),
            (b'{"id": NaN}', "NaN"),
            (b'{"id": 1e400}', "infinite"),
            (b'{"id": "\\ud800"}', "lone surrogate"),
            (b'{"id": "\xff"}', "not UTF-8"),
            (b'{"id": 1} x', "trailing text"),
            (b"[" * 100_000, "endless"),
            (b'{"id":' + b"[" * 101 + b"]" * 101 + b"}", "too deep"),
            ('{"id": 1}'.encode("utf-16"), "UTF-16"),
        ],
        ids=lambda value: value if isinstance(value, str) else "",
    )
    async def test_take_strict_json_only(
        self,
        served: Served,
        echo: EchoUpstream,
        http: aiohttp.ClientSession,
        body: bytes,
        fault: str,
    ) -> None:
        url = f"{served.url}/tools/shopGetItem"
        async with http.post(url, data=body, headers=JSON) as response:
            assert (response.status, (await problem_of(response))["code"]) == (400, "bad_request")
        assert not echo.seen

    @pytest.mark.parametrize(
        ("headers", "body"),
        [
            ({"Content-Type": "text/plain"}, b"{}"),
            ({"Content-Type": "application/x-www-form-urlencoded"}, b"id=1"),
            ({"Content-Type": "application/x-www-form-urlencoded"}, b""),
            ({"Content-Type": "multipart/form-data; boundary=x"}, b""),
            ({"Content-Type": "application/octet-stream"}, b"{}"),
            ({**JSON, "Content-Encoding": "gzip"}, b"\x1f\x8b"),
        ],
        ids=["text", "form", "empty form", "multipart", "bytes", "compressed"],
    )
    async def test_take_plain_json_only(
        self,
        served: Served,
        echo: EchoUpstream,
        http: aiohttp.ClientSession,
        headers: dict[str, str],
        body: bytes,
    ) -> None:
        url = f"{served.url}/tools/listItems?api=shop"
        async with http.post(url, data=body, headers=headers) as response:
            assert response.status == 415
            assert (await problem_of(response))["code"] == "unsupported_media_type"
        assert not echo.seen

    async def test_take_bodies_up_to_the_limit(
        self, served: Served, echo: EchoUpstream, http: aiohttp.ClientSession
    ) -> None:
        url = f"{served.url}/tools/shopAddItem"
        big = b'{"body": {"x": "' + b"x" * 10_485_760 + b'"}}'
        async with http.post(url, data=BytesIO(big), headers=JSON) as response:
            assert response.status == 413
            assert (await problem_of(response))["code"] == "payload_too_large"
        assert not echo.seen

    async def test_list_every_fault(
        self, served: Served, echo: EchoUpstream, http: aiohttp.ClientSession
    ) -> None:
        arguments = {"id": "s3cret", "zz": 1}
        async with http.post(f"{served.url}/tools/shopGetItem", json=arguments) as response:
            problem = await problem_of(response)
            assert (response.status, problem["code"]) == (422, "invalid_arguments")
            assert problem["errors"] == [
                {"pointer": "/id", "message": "expected integer, received string"},
                {"pointer": "/zz", "message": "is not known here"},
            ]
            assert "OCP-Context-ID" in response.headers
            assert "s3cret" not in json.dumps(problem)
        assert not echo.seen

    @pytest.mark.parametrize(
        ("name", "status", "code"),
        [
            ("nope", 404, "unknown_tool"),
            ("getItem?api=nope", 404, "unknown_api"),
            ("shopGetItem?dry_run=1", 400, "bad_request"),
            ("shopGetItem?nope=x", 400, "bad_request"),
        ],
    )
    async def test_refuse_what_is_not_there(
        self,
        served: Served,
        echo: EchoUpstream,
        http: aiohttp.ClientSession,
        name: str,
        status: int,
        code: str,
    ) -> None:
        async with http.post(f"{served.url}/tools/{name}", json={"id": 1}) as response:
            assert (response.status, (await problem_of(response))["code"]) == (status, code)
        assert not echo.seen


class TestDryRuns:
    async def test_answer_the_request_and_send_nothing(
        self, served: Served, echo: EchoUpstream, http: aiohttp.ClientSession
    ) -> None:
        url = f"{served.url}/tools/shopAddItem?dry_run=true"
        async with http.post(url, json={"body": {"name": "é"}}) as response:
            assert response.status == 200
            assert "OCP-Context-ID" not in response.headers
            shown = await response.json()
        assert (shown["method"], shown["url"]) == ("POST", f"{echo.url}/v1/items")
        assert shown["headers"]["Content-Type"] == "application/json"
        assert shown["headers"]["OCP-Session"].startswith("*** (")
        assert shown["hidden"] == ["OCP-Session"]
        assert shown["body"] == {"bytes": 13, "complete": True, "text": '{"name":"é"}'}
        assert not echo.seen

    async def test_name_the_context_that_is_named(
        self, served: Served, http: aiohttp.ClientSession
    ) -> None:
        url = f"{served.url}/tools/getItem?api=shop&dry_run=true"
        named = {"OCP-Context-ID": "ocp-0123456789"}
        async with http.post(url, json={"id": 7}, headers=named) as response:
            assert response.headers["OCP-Context-ID"] == "ocp-0123456789"
            assert (await response.json())["body"] is None

    async def test_are_refused_like_calls(
        self, served: Served, http: aiohttp.ClientSession
    ) -> None:
        url = f"{served.url}/tools/shopGetItem?dry_run=true"
        async with http.post(url, json={"id": "x"}) as response:
            problem = await problem_of(response)
            assert (response.status, problem["code"]) == (422, "invalid_arguments")

    async def test_false_is_a_call(
        self, served: Served, echo: EchoUpstream, http: aiohttp.ClientSession
    ) -> None:
        url = f"{served.url}/tools/shopGetItem?dry_run=false"
        async with http.post(url, json={"id": 7}) as response:
            assert (await response.json())["isError"] is False
        assert len(echo.seen) == 1
