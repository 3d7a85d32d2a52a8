"""S-39, F15: nginx before the gateway, and between the gateway and an API. `make interop` runs it.

Whatever the two make of a request together, each request that the API sees has been answered to the
caller, in its place, and none besides.
"""

import json
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.e2e.test_smuggling import CONFIG, DESCRIPTION
from tests.support.echo_upstream import EchoUpstream
from tests.support.gateway_process import GatewayProcess
from tests.support.nginx import NginxServer, nginx_executable, unpack_nginx
from tests.support.raw_client import Ended, RawAnswer, RawConnection
from tests.support.raw_requests import CASES, Case, get

PROXY = """
upstream next {{ server {place}; keepalive 8; }}
server {{
  listen @LISTEN@;
  client_header_timeout 1s; client_body_timeout 1s; lingering_timeout 1s;
  client_max_body_size 0; large_client_header_buffers 8 256k;
  location / {{
    proxy_pass http://next; proxy_http_version 1.1;
    proxy_set_header Connection ""; proxy_set_header Host 127.0.0.1;
    proxy_request_buffering {buffering};
  }}
}}
"""
AFTER = get(b"Connection: close\r\n", line=b"GET /apis/echo/after HTTP/1.1")


@pytest.fixture(scope="module")
def echo() -> Iterator[EchoUpstream]:
    if nginx_executable() is None:
        unpack_nginx()
    with EchoUpstream() as upstream:
        yield upstream


@pytest.fixture(scope="module", params=["before-streaming", "before-buffering", "behind"])
def front(
    request: pytest.FixtureRequest, echo: EchoUpstream, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """The URL that callers use."""
    folder = tmp_path_factory.mktemp("chain")
    buffering = "on" if request.param == "before-buffering" else "off"
    if request.param == "behind":
        nginx = NginxServer(folder, PROXY.format(place=place(echo.url), buffering=buffering))
        with nginx, gateway_before(nginx.url, folder) as gateway:
            yield gateway.url
        return
    with gateway_before(echo.url, folder) as gateway:
        http = PROXY.format(place=place(gateway.url), buffering=buffering)
        with NginxServer(folder, http) as nginx:
            yield nginx.url


def place(url: str) -> str:
    return url.removeprefix("http://")


def gateway_before(url: str, folder: Path) -> GatewayProcess:
    description = folder / "echo.json"
    known: object = {"/known": {"get": {"responses": {}}}}
    description.write_text(json.dumps({**DESCRIPTION, "paths": known}))
    config = folder / "gateway.yaml"
    config.write_text(CONFIG.format(description=description, url=url))
    return GatewayProcess(str(config), "--store", "memory://", directory=folder)


def all_answers(raw: RawConnection) -> list[RawAnswer]:
    data = raw.rest()
    if data and not data.startswith(b"HTTP/"):
        # nginx still knows HTTP/0.9: a body, and the end.
        kind = ("Content-Type", "application/json")
        return [RawAnswer(status=200, headers=(kind,), body=data)]
    raw.put_back(data)
    answers: list[RawAnswer] = []
    with suppress(Ended, ConnectionError):
        while True:
            answers.append(raw.answer())
    return answers


def request_lines(answers: list[RawAnswer]) -> list[str]:
    """Those that the API has answered, as it has seen them."""
    types = "application/json"
    told = [
        json.loads(answer.body)
        for answer in answers
        if answer.status == 200 and answer.values("content-type") == [types]
    ]
    # The gateway's own pages say nothing of a request.
    return [page["request_line"] for page in told if "request_line" in page]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_s39_f15_what_the_api_sees_is_what_was_answered(
    front: str, echo: EchoUpstream, case: Case
) -> None:
    echo.seen.clear()
    with RawConnection(front) as raw:
        raw.send(case.raw + AFTER)
        answers = all_answers(raw)
    assert request_lines(answers) == [seen.request_line for seen in echo.seen]
    targets = [seen.target for seen in echo.seen]
    assert all("evil" not in target for target in targets)
    assert len(answers) <= 2
    if case.status and answers and answers[0].status != 200:
        assert targets in ([], ["/after"])
    for seen, (method, target, body) in zip(echo.seen, case.sent, strict=False):
        assert (seen.request_line.split(" ")[0], seen.target, seen.body) == (method, target, body)
