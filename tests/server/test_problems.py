"""Every error is a problem document (RFC 9457)."""

import json
import logging

import aiohttp
import pytest

from gateway.errors import (
    ApiUnavailable,
    Fault,
    GatewayError,
    InvalidArguments,
    MethodNotAllowed,
    UnknownTool,
    UpstreamTimeout,
)
from gateway.server.problems import problem_of as made_of
from tests.support.plain_http import problem_of
from tests.support.serving import Served


@pytest.mark.parametrize(
    ("error", "status", "headers"),
    [
        (UnknownTool("no"), 404, {}),
        (MethodNotAllowed("no", allowed=("GET", "HEAD")), 405, {"Allow": "GET, HEAD"}),
        (ApiUnavailable("no"), 503, {"Retry-After": "5"}),
        (UpstreamTimeout("no"), 504, {}),
        (InvalidArguments(Fault(pointer="/a", message="no")), 422, {}),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, GatewayError) else "",
)
def test_our_errors(error: GatewayError, status: int, headers: dict[str, str]) -> None:
    error.context_id = "ocp-00000001"
    response = made_of(error)
    assert isinstance(response.body, bytes)
    body = json.loads(response.body)
    assert response.status == body["status"] == status
    assert response.headers["OCP-Context-ID"] == "ocp-00000001"
    for name, value in headers.items():
        assert response.headers[name] == value
    assert (body["type"], body["title"], body["code"]) == ("about:blank", error.title, error.code)
    assert body.get("errors") == (
        [{"pointer": "/a", "message": "no"}] if isinstance(error, InvalidArguments) else None
    )


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/nope", 404, "not_found"),
        ("DELETE", "/tools", 405, "method_not_allowed"),
        ("POST", "/apis", 405, "method_not_allowed"),
        ("OPTIONS", "/tools", 405, "method_not_allowed"),
    ],
)
async def test_what_the_router_refuses(
    served: Served, http: aiohttp.ClientSession, method: str, path: str, status: int, code: str
) -> None:
    async with http.request(method, served.url + path) as response:
        assert (response.status, (await problem_of(response))["code"]) == (status, code)
        if status == 405:
            assert "GET" in response.headers["Allow"]


async def test_what_nobody_expected_has_a_number_that_is_in_the_log(
    served: Served,
    http: aiohttp.ClientSession,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def explode(_: object = None) -> None:
        raise RuntimeError("s3cret")

    monkeypatch.setattr(served.gateway, "view", explode)
    with caplog.at_level(logging.ERROR):
        async with http.get(f"{served.url}/tools") as response:
            problem = await problem_of(response)
    assert (response.status, problem["code"]) == (500, "internal_error")
    assert "s3cret" not in json.dumps(problem)
    incident = str(problem["detail"]).rstrip(".").split()[-1]
    assert len(incident) == 12
    assert incident in caplog.text
    async with http.get(f"{served.url}/healthz") as response:
        assert response.status == 200


async def test_a_client_that_has_left_is_no_incident(
    served: Served,
    http: aiohttp.ClientSession,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def find_nobody(_: object = None) -> None:
        raise aiohttp.ClientConnectionResetError

    monkeypatch.setattr(served.gateway, "view", find_nobody)
    with caplog.at_level(logging.ERROR):
        async with http.get(f"{served.url}/tools") as response:
            assert await response.read() == b""
    assert "incident" not in caplog.text
