"""Exact bytes against the running gateway (S-37, S-38, S-43, S-48, S-49).

With aiohttp's parser in C and in Python (S-99). What is refused never reaches the API; what is not
refused is exactly the requests that the table tells.
"""

import json
from collections.abc import Iterator

import pytest

from tests.support.echo_upstream import EchoUpstream
from tests.support.gateway_process import GatewayProcess
from tests.support.raw_client import RawAnswer, RawConnection
from tests.support.raw_requests import CASES, Case, get

CONFIG = """
apis:
  - name: echo
    spec: {description}
    base_url: {url}
    proxy: any
"""
DESCRIPTION = {"openapi": "3.1.0", "info": {"title": "echo", "version": "1"}, "paths": {}}
AFTER = get(line=b"GET /apis/echo/after HTTP/1.1")

REFUSED = [case for case in CASES if case.status]
FRAMED = [case for case in CASES if case.sent]


@pytest.fixture(scope="module")
def echo() -> Iterator[EchoUpstream]:
    with EchoUpstream() as upstream:
        yield upstream


@pytest.fixture(scope="module", params=["c", "python"])
def gateway(
    request: pytest.FixtureRequest, echo: EchoUpstream, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[GatewayProcess]:
    folder = tmp_path_factory.mktemp("gateway")
    description = folder / "echo.json"
    description.write_text(
        json.dumps({**DESCRIPTION, "paths": {"/known": {"get": {"responses": {}}}}})
    )
    config = folder / "gateway.yaml"
    config.write_text(CONFIG.format(description=description, url=echo.url))
    with pytest.MonkeyPatch.context() as patch:
        if request.param == "python":
            patch.setenv("AIOHTTP_NO_EXTENSIONS", "1")
        with GatewayProcess(str(config), "--store", "memory://", directory=folder) as process:
            yield process


def is_ours(answer: RawAnswer, status: int) -> bool:
    """A refusal of the gateway's own, with nothing in it of what was sent or of what runs there."""
    problem = json.loads(answer.body)
    return (
        answer.status == problem["status"] == status
        and answer.version == "1.1"
        and answer.values("content-type") == ["application/problem+json"]
        and answer.values("connection") == ["close"]
        and answer.values("server") == ["ocp-gateway"]
        and not answer.interim
        and b"aiohttp" not in answer.body
    )


@pytest.mark.parametrize("after", [b"", AFTER], ids=["alone", "pipelined"])
@pytest.mark.parametrize("case", REFUSED, ids=lambda case: case.name)
def test_s37_s38_s43_s48_s99_what_is_in_doubt_is_refused(
    gateway: GatewayProcess, echo: EchoUpstream, case: Case, after: bytes
) -> None:
    echo.seen.clear()
    with RawConnection(gateway.url) as raw:
        raw.send(case.raw + after)
        answer = raw.answer()
        assert is_ours(answer, case.status), answer
        assert raw.rest() == b""
    assert not [seen for seen in echo.seen if seen.target == "/after"]
    # A body is passed on while it comes; nothing was, if it broke off at once.
    assert not echo.seen


@pytest.mark.parametrize("case", FRAMED, ids=lambda case: case.name)
def test_s37_s43_s99_what_is_clear_is_these_requests(
    gateway: GatewayProcess, echo: EchoUpstream, case: Case
) -> None:
    echo.seen.clear()
    with RawConnection(gateway.url) as raw:
        raw.send(case.raw + AFTER)
        answers = raw.answers(len(case.sent) + 1)
    seen = [(*s.request_line.split(" ")[:2], s.body) for s in echo.seen]
    assert seen == [*case.sent, ("GET", "/after", b"")]
    told = [json.loads(answer.body)["request_line"] for answer in answers]
    assert told == [s.request_line for s in echo.seen]
    assert [answer.status for answer in answers] == [200] * len(answers)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_s37_s99_a_request_in_pieces_is_judged_like_a_whole_one(
    gateway: GatewayProcess, echo: EchoUpstream, case: Case
) -> None:
    """In halves, for a reader that decides on what it has so far."""
    echo.seen.clear()
    half = len(case.raw) // 2
    with RawConnection(gateway.url) as raw:
        for piece in (case.raw[:half], case.raw[half:]):
            try:
                raw.send(piece)
            except ConnectionError:
                assert case.status
        answer = raw.answer()
    assert answer.status == (case.status or 200)


def test_there_are_enough_cases() -> None:
    names = [case.name for case in CASES]
    assert len(names) == len(set(names)) >= 80
