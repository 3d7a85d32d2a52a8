"""A sidecar that starts before the API whose description it fetches."""

import asyncio
import json
from pathlib import Path

import aiohttp

from tests.support.echo_upstream import Answer, EchoUpstream
from tests.support.gateway_process import GatewayProcess
from tests.support.tools import DONE

PATIENCE = 30
TEXT = json.dumps(
    {
        "openapi": "3.1.0",
        "info": {"title": "Shop", "version": "1"},
        "paths": {"/x": {"get": {"operationId": "getX", "responses": DONE}}},
    }
).encode()


async def test_it_listens_is_not_ready_and_becomes_so(
    tmp_path: Path, echo: EchoUpstream, http: aiohttp.ClientSession
) -> None:
    echo.answer = Answer(status=503, body=b"starting")
    arguments = ("--spec", f"shop={echo.url}/openapi.json", "--base-url", f"shop={echo.url}")
    with GatewayProcess(*arguments, directory=tmp_path) as gateway:

        async def ready() -> tuple[int, object]:
            async with http.get(f"{gateway.url}/readyz") as answer:
                return answer.status, json.loads(await answer.read())

        assert await ready() == (503, {"status": "unready", "apis": 0})
        async with http.get(f"{gateway.url}/apis/shop/x") as answer:
            assert answer.status == 503
            assert json.loads(await answer.read())["code"] == "api_unavailable"
        async with http.get(f"{gateway.url}/tools") as answer:
            assert json.loads(await answer.read())["tools"] == []
        echo.answer = Answer(body=TEXT)
        async with asyncio.timeout(PATIENCE):
            while (await ready())[0] != 200:  # noqa: ASYNC110 - another process
                await asyncio.sleep(0.02)
        async with http.get(f"{gateway.url}/apis/shop/x") as answer:
            assert answer.status == 200
