"""R-06, R-07, S-51, S-52: whatever an API says, callers get a status or a cut, never half of it.

Each behaviour is an API of its own in front of one gateway, which has to survive all of them.
"""

import json
from collections.abc import Iterator

import pytest

from tests.support.evil_upstream import BEHAVIOURS, Behaviour, EvilUpstream, Fate
from tests.support.gateway_process import PATIENCE_SECONDS, GatewayProcess
from tests.support.strict_reading import Read, ask

JSON = "Content-Type: application/json\r\n"
DESCRIPTION = {
    "openapi": "3.1.0",
    "info": {"title": "Evil", "version": "1"},
    "paths": {
        "/act": {"get": {"operationId": "act", "responses": {}}},
        "/ok": {"get": {"operationId": "ok", "responses": {}}},
    },
}


@pytest.fixture(scope="module")
def evil() -> Iterator[EvilUpstream]:
    with EvilUpstream() as upstream:
        yield upstream


@pytest.fixture(scope="module")
def gateway(
    evil: EvilUpstream, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[GatewayProcess]:
    directory = tmp_path_factory.mktemp("evil")
    (directory / "evil.json").write_text(json.dumps(DESCRIPTION))
    apis = [
        {
            "name": api_of(name),
            "spec": "evil.json",
            "base_url": f"{evil.url}/{name}",
            "timeout_seconds": 0.5,
        }
        for name in BEHAVIOURS
    ]
    config = directory / "gateway.json"
    config.write_text(json.dumps({"apis": apis, "store": {"url": "memory://"}}))
    with GatewayProcess(str(config), directory=directory) as process:
        yield process
    assert "Traceback" not in process.log


def api_of(behaviour: str) -> str:
    return f"a-{behaviour}"[:32]


async def proxied(gateway: GatewayProcess, name: str, path: str, method: str = "GET") -> Read:
    target = f"/apis/{api_of(name)}/{path}"
    return await ask(gateway.url, method, target, patience=PATIENCE_SECONDS)


def is_refused(answer: Read) -> bool:
    return (answer.status, answer.whole) == (502, True) and code_of(answer) == "upstream_failed"


def code_of(answer: Read) -> object:
    return json.loads(answer.body)["code"]


@pytest.mark.parametrize(("name", "behaviour"), BEHAVIOURS.items(), ids=BEHAVIOURS)
async def test_r06_r07_s51_s52_through_the_proxy(
    gateway: GatewayProcess, name: str, behaviour: Behaviour
) -> None:
    answer = await proxied(gateway, name, "act", behaviour.method)

    if behaviour.proxied is Fate.CUT:
        assert is_refused(answer) or (answer.status, answer.whole) == (200, False)
    elif behaviour.proxied == 502:
        assert is_refused(answer)
    elif behaviour.proxied == 504:
        assert (answer.status, code_of(answer)) == (504, "upstream_timeout")
    elif not (behaviour.excess and answer.status == 502):
        assert (answer.status, answer.body, answer.whole) == (
            behaviour.proxied,
            behaviour.body,
            True,
        )
    for number in range(3):
        good = await proxied(gateway, name, f"ok?{name}-{number}")
        assert (good.status, good.body) == (200, f"{name}-{number}".encode())


TOLD = {
    name: behaviour.proxied != 200
    for name, behaviour in BEHAVIOURS.items()
    if behaviour.method == "GET" and behaviour.proxied != 204 and not behaviour.excess
}


@pytest.mark.parametrize(("name", "is_error"), TOLD.items(), ids=TOLD)
async def test_r06_r07_s51_s52_through_a_tool(
    gateway: GatewayProcess, name: str, is_error: bool
) -> None:
    target = f"/tools/act?api={api_of(name)}"
    headers = f"{JSON}Content-Length: 2\r\n"
    answer = await ask(
        gateway.url, "POST", target, headers=headers, body=b"{}", patience=PATIENCE_SECONDS
    )
    assert (answer.status, answer.whole) == (200, True)
    assert json.loads(answer.body)["isError"] is is_error
