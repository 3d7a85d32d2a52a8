"""A short run of the fuzzer of MCP, and proof that it finds what it looks for."""

import pytest

from gateway.mcp import Decision, Reply, StreamableHttp
from gateway.mcp.streamable_http import Arrival
from tests.support.mcp_transcript import FAULTS
from tests.torture.fuzz_mcp import run
from tests.torture.mcp_corpus import CORPUS


def test_no_body_gets_more_than_its_due() -> None:
    tally = run(1, range(1_500), timed=False)
    assert not tally.findings
    # All ways are taken, or little is proven.
    assert {"200", "202", "400", "404", "406", "415", "stdio", "stdio nothing"} <= set(
        tally.outcomes
    )


def _break(monkeypatch: pytest.MonkeyPatch, reply: Reply | None) -> None:
    """From now on a cancellation is answered so, or breaks down for None."""
    decide = StreamableHttp.on_post

    def on_post(core: StreamableHttp, arrival: Arrival, body: bytes) -> Decision:
        if b"notifications/cancelled" not in body:
            return decide(core, arrival, body)
        if reply is None:
            raise ZeroDivisionError
        return reply

    monkeypatch.setattr(StreamableHttp, "on_post", on_post)


@pytest.mark.parametrize(
    ("reply", "finding"),
    [
        pytest.param(None, "ZeroDivisionError", id="a bug"),
        pytest.param(Reply(status=500), "AssertionError", id="a status"),
        pytest.param(Reply(body=b'{"jsonrpc":"2.0"}'), "AssertionError", id="a shape"),
        pytest.param(Reply(status=404), "AssertionError", id="an outcome"),
    ],
)
def test_what_is_wrong_is_found(
    reply: Reply | None, finding: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert any(b"notifications/cancelled" in said.body for said in CORPUS)
    _break(monkeypatch, reply)
    tally = run(1, range(600), timed=False)
    FAULTS.clear()  # which whoever overhears the tests has found as well
    assert [place for place in tally.findings if place.startswith(finding)]
