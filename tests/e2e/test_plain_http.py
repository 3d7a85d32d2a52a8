"""Tools over plain HTTP, against the real process."""

import json
from uuid import uuid4

import aiohttp

from tests.support.dialogues import TRACKER
from tests.support.echo_upstream import Answer, EchoUpstream
from tests.support.gateway_process import GatewayProcess
from tests.support.ocp import encode_session, history, read_session
from tests.support.plain_http import call_tool, problem_of


async def test_the_catalog_is_listed_and_revalidated(
    gateway: GatewayProcess, http: aiohttp.ClientSession
) -> None:
    async with http.get(f"{gateway.url}/tools") as first:
        catalog = await first.json()
    async with http.get(
        f"{gateway.url}/tools", headers={"If-None-Match": first.headers["ETag"]}
    ) as second:
        again = await second.read()

    assert first.status == 200
    names = [tool["name"] for tool in catalog["tools"]]
    assert names == sorted(names)
    assert len(names) == TRACKER.tools
    assert len(catalog["digest"]) == 64
    assert (second.status, again) == (304, b"")


async def test_calls_become_exact_requests_and_history(
    gateway: GatewayProcess, echo: EchoUpstream, http: aiohttp.ClientSession
) -> None:
    context_id = f"ocp-{uuid4().hex}"
    for example in TRACKER.examples:
        answer = await call_tool(
            http, gateway.url, example.tool, example.arguments, {"OCP-Context-ID": context_id}
        )
        assert (answer["status"], answer["isError"], answer["recorded"]) == (200, False, True)
        assert answer["context_id"] == context_id
        assert echo.last.request_line == example.request_line
        assert json.loads(echo.last.body) == example.body
        assert echo.last.value("Content-Type") == "application/json"

    assert history(read_session(echo.last)) == [
        ("tool_call:issuesCreate", "POST /projects/{project}/issues", "HTTP 200")
    ]


async def test_a_longer_conversation_is_sent_compressed(
    gateway: GatewayProcess, echo: EchoUpstream, http: aiohttp.ClientSession
) -> None:
    headers = {"OCP-Context-ID": f"ocp-{uuid4().hex}"}
    for _ in range(12):
        await call_tool(http, gateway.url, "issuesList", {"project": "gate"}, headers)

    assert echo.last.value("OCP-Session").startswith("gzip:")
    assert len(history(read_session(echo.last))) == 11


async def test_header_cookie_and_query_arguments_reach_their_places(
    gateway: GatewayProcess, echo: EchoUpstream, http: aiohttp.ClientSession
) -> None:
    arguments = {
        "project": "gate",
        "state": "open",
        "labels": ["a", "b c"],
        "X_Trace_Level": 2,
        "theme": "dark",
    }

    await call_tool(http, gateway.url, "issuesList", arguments)

    assert echo.last.request_line == (
        "GET /projects/gate/issues?labels=a&labels=b%20c&state=open HTTP/1.1"
    )
    assert echo.last.value("X-Trace-Level") == "2"
    assert echo.last.value("Cookie") == "theme=dark"
    assert echo.last.body == b""


async def test_every_wrong_argument_is_named_and_nothing_is_sent(
    gateway: GatewayProcess, echo: EchoUpstream, http: aiohttp.ClientSession
) -> None:
    wrong = {"title": "", "labels": ["ok", 1]}
    async with http.post(f"{gateway.url}/tools/issuesCreate", json=wrong) as response:
        problem = await problem_of(response)

    assert (response.status, problem["code"]) == (422, "invalid_arguments")
    errors = problem["errors"]
    assert isinstance(errors, list)
    pointers = {error["pointer"] for error in errors}
    assert {"/title", "/labels/1"} <= pointers
    assert any("project" in error["pointer"] + error["message"] for error in errors)
    assert not echo.seen


async def test_a_path_value_cannot_leave_its_segment(
    gateway: GatewayProcess, echo: EchoUpstream, http: aiohttp.ClientSession
) -> None:
    for hostile in ("..", ".", "", "../../admin", "a/../b", "%2e%2e", "..\\admin"):
        async with http.post(
            f"{gateway.url}/tools/issuesList", json={"project": hostile}
        ) as response:
            assert response.status == 422, hostile
    assert not echo.seen

    await call_tool(http, gateway.url, "issuesList", {"project": "a/b?x=1#%2F"})

    assert echo.last.target == "/projects/a%2Fb%3Fx%3D1%23%252F/issues"


async def test_an_unknown_tool_is_not_found(
    gateway: GatewayProcess, http: aiohttp.ClientSession
) -> None:
    async with http.post(f"{gateway.url}/tools/noSuchTool", json={}) as response:
        problem = await problem_of(response)

    assert (response.status, problem["code"]) == (404, "unknown_tool")


async def test_an_upstream_status_is_a_result(
    gateway: GatewayProcess, echo: EchoUpstream, http: aiohttp.ClientSession
) -> None:
    echo.answer = Answer(
        status=503,
        headers=(("Content-Type", "text/plain"), ("Retry-After", "3"), ("Set-Cookie", "a=b")),
        body=b"later",
    )

    answer = await call_tool(http, gateway.url, "issuesList", {"project": "gate"})

    assert (answer["status"], answer["isError"]) == (503, True)
    assert "later" in json.dumps(answer["content"])
    assert "Set-Cookie" not in json.dumps(answer["headers"])


async def test_redirects_are_results_and_are_not_followed(
    gateway: GatewayProcess, echo: EchoUpstream, http: aiohttp.ClientSession
) -> None:
    echo.answer = Answer(status=302, headers=(("Location", f"{echo.url}/elsewhere"),), body=b"")

    answer = await call_tool(http, gateway.url, "issuesList", {"project": "gate"})

    assert answer["status"] == 302
    assert f"{echo.url}/elsewhere" in json.dumps(answer["headers"])
    assert len(echo.seen) == 1


async def test_broken_ocp_headers_are_ignored_and_the_call_goes_on(
    gateway: GatewayProcess, echo: EchoUpstream, http: aiohttp.ClientSession
) -> None:
    context_id = f"ocp-{uuid4().hex}"
    broken = {
        "OCP-Context-ID": context_id,
        "OCP-Agent-Type": "not allowed!",
        "OCP-Session": "%%%",
        "OCP-Workspace": "w" * 500,
    }

    answer = await call_tool(http, gateway.url, "issuesList", {"project": "gate"}, broken)

    assert (answer["status"], answer["context_id"]) == (200, context_id)
    session = read_session(echo.last)
    assert session["agent_type"] == "generic_agent"
    assert not echo.last.values("OCP-Workspace")


async def test_an_oversized_session_header_does_not_stop_the_call(
    gateway: GatewayProcess, echo: EchoUpstream, http: aiohttp.ClientSession
) -> None:
    big = {"OCP-Session": "A" * 40_000}

    answer = await call_tool(http, gateway.url, "issuesList", {"project": "gate"}, big)

    assert (answer["status"], answer["recorded"]) == (200, True)


async def test_the_callers_secrets_do_not_travel_on(
    gateway: GatewayProcess, echo: EchoUpstream, http: aiohttp.ClientSession
) -> None:
    secrets = {"Authorization": "Bearer SECRET-1", "Cookie": "s=SECRET-2", "X-API-Key": "SECRET-3"}

    await call_tool(http, gateway.url, "issuesList", {"project": "SECRET-4"}, secrets)

    sent = repr(echo.last.headers)
    assert "SECRET" not in sent
    assert "SECRET" not in gateway.log


async def test_a_foreign_session_does_not_leak_into_the_context(
    gateway: GatewayProcess, echo: EchoUpstream, http: aiohttp.ClientSession
) -> None:
    now = "2026-01-01T00:00:00Z"
    foreign = {
        "context_id": "ocp-00000000",
        "agent_type": "spy",
        "current_goal": "mislead",
        "created_at": now,
        "last_updated": now,
    }
    headers = {"OCP-Context-ID": f"ocp-{uuid4().hex}", "OCP-Session": encode_session(foreign)}

    await call_tool(http, gateway.url, "issuesList", {"project": "gate"}, headers)

    assert read_session(echo.last).get("current_goal") is None


async def test_health_and_front_page_answer(
    gateway: GatewayProcess, http: aiohttp.ClientSession
) -> None:
    async with http.get(f"{gateway.url}/healthz") as alive:
        assert alive.status == 200
    async with http.get(f"{gateway.url}/readyz") as ready:
        assert ready.status == 200
    async with http.get(f"{gateway.url}/", headers={"Accept": "application/json"}) as front:
        assert front.status == 200
        assert front.content_type == "application/json"
    async with http.get(f"{gateway.url}/no/such/place") as lost:
        problem = await problem_of(lost)
    assert problem["status"] == 404


async def test_a_foreign_host_or_origin_is_refused(
    gateway: GatewayProcess, http: aiohttp.ClientSession
) -> None:
    async with http.get(f"{gateway.url}/tools", headers={"Host": "evil.example"}) as rebound:
        assert rebound.status == 421
    origin = {"Origin": "http://evil.example"}
    async with http.get(f"{gateway.url}/tools", headers=origin) as crossed:
        assert crossed.status == 403


async def test_it_ends_well_when_asked(gateway: GatewayProcess) -> None:
    assert gateway.stop() == 0
    assert "Traceback" not in gateway.log
