"""The edge cases through the real process: from `POST /tools/NAME` to the bytes on the wire."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass

import aiohttp
import pytest

from tests.support.echo_upstream import Answer, EchoUpstream, Seen
from tests.support.edge.bodies import FORMS, JSON_BODIES, OTHER_BODIES
from tests.support.edge.cases import BOUNDARY, Call, Json, Refusal, Result
from tests.support.edge.catalogs import VERSIONS, api_name, golden, source
from tests.support.edge.outcomes import REFUSALS, RESULTS
from tests.support.edge.parameters import HEADERS, PATHS, QUERIES, SERVERS
from tests.support.gateway_process import GatewayProcess

CALLS = (*PATHS, *SERVERS, *QUERIES, *HEADERS, *JSON_BODIES, *FORMS, *OTHER_BODIES)
# What every request has, whatever the arguments: where it goes, who sends it, which context.
_EVERYWHERE = ("host", "user-agent", "content-length", "x-request-id")


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """The four edge cases behind one process, in front of one API that answers `204`."""

    gateway: GatewayProcess
    echo: EchoUpstream

    async def post(self, api: str, tool: str, arguments: Json) -> tuple[int, Json]:
        """Status and JSON of the answer to a call."""
        body = json.dumps(arguments, ensure_ascii=False).encode()
        headers = {"Content-Type": "application/json"}
        async with aiohttp.ClientSession() as http:
            url = f"{self.gateway.url}/tools/{tool}?api={api}"
            async with http.post(url, data=body, headers=headers) as response:
                return response.status, json.loads(await response.read())

    async def listed(self, api: str, form: str) -> object:
        """The tools of one API as `GET /tools` has them."""
        async with aiohttp.ClientSession() as http:
            url = f"{self.gateway.url}/tools?api={api}&format={form}"
            async with http.get(url) as response:
                return json.loads(await response.read())["tools"]


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with EchoUpstream() as echo:
        arguments = [
            argument
            for version in VERSIONS
            for argument in (
                *("--spec", f"{api_name(version)}={source(version)}"),
                *("--base-url", f"{api_name(version)}={echo.url}/v1"),
            )
        ]
        directory = tmp_path_factory.mktemp("edge")
        with GatewayProcess(*arguments, directory=directory) as gateway:
            yield Running(gateway=gateway, echo=echo)


@pytest.fixture
def quiet(running: Running) -> Running:
    running.echo.answer = Answer(status=204, body=b"")
    running.echo.seen.clear()
    return running


def own_headers(seen: Seen) -> list[tuple[str, str]]:
    return [
        (name, value)
        for name, value in seen.headers
        if name.lower() not in _EVERYWHERE and not name.lower().startswith("ocp-")
    ]


def without_boundary(seen: Seen) -> tuple[list[tuple[str, str]], bytes]:
    """Headers and body with the one thing that differs between requests put in its place."""
    headers = own_headers(seen)
    found = re.search(r"boundary=(\S+)", dict(headers).get("Content-Type", ""))
    if found is None:
        return headers, seen.body
    shown = [(name, value.replace(found[1], BOUNDARY)) for name, value in headers]
    return shown, seen.body.replace(found[1].encode(), BOUNDARY.encode())


@pytest.mark.parametrize("call", CALLS, ids=[call.name for call in CALLS])
async def test_a_call_is_these_bytes(quiet: Running, call: Call) -> None:
    status, answer = await quiet.post(call.api, call.tool, call.arguments)

    assert (status, answer.get("status")) == (200, 204), answer
    (seen,) = quiet.echo.seen
    headers, body = without_boundary(seen)
    assert seen.request_line == f"{call.line} HTTP/1.1"
    assert headers == [("Accept", call.accept), *call.headers]
    assert body == (call.body or b"")
    if call.body is None:  # RFC 9110 section 8.6: a length of nothing is for PUT and its like
        assert seen.values("Content-Length") in ([], ["0"])
    else:
        assert seen.value("Content-Length") == str(len(seen.body))


@pytest.mark.parametrize("refusal", REFUSALS, ids=[refusal.name for refusal in REFUSALS])
async def test_what_cannot_be_sent_is_refused(quiet: Running, refusal: Refusal) -> None:
    status, problem = await quiet.post(refusal.api, refusal.tool, refusal.arguments)

    errors = problem.get("errors", [])
    assert isinstance(errors, list)
    assert status == refusal.status, problem
    assert sorted({error["pointer"] for error in errors}) == list(refusal.pointers)
    assert not quiet.echo.seen


@pytest.mark.parametrize("expected", RESULTS, ids=[result.name for result in RESULTS])
async def test_an_answer_is_this_result(quiet: Running, expected: Result) -> None:
    quiet.echo.answer = expected.answer

    status, result = await quiet.post("edge31", "getAnswer", {})

    assert status == 200
    assert result["status"] == expected.answer.status
    assert result["content"] == [expected.content]
    assert result["structuredContent"] == expected.structured
    assert result["isError"] is expected.is_error


@pytest.mark.parametrize("form", ["ocp", "mcp"])
@pytest.mark.parametrize("version", VERSIONS)
async def test_what_is_served_is_the_golden_catalog(
    running: Running, version: str, form: str
) -> None:
    served = await running.listed(api_name(version), form)

    # As text: the order of members counts, too.
    assert json.dumps(served) == json.dumps(json.loads(golden(version).read_text())[form])


def test_every_tool_is_called() -> None:
    told = {(call.api, call.tool) for call in CALLS}
    told |= {(refusal.api, refusal.tool) for refusal in REFUSALS}
    listed = {
        (api_name(version), tool["name"])
        for version in VERSIONS
        for tool in json.loads(golden(version).read_text())["ocp"]
    }
    assert told == listed
