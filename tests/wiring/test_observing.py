"""When traces are wanted, and what a gateway does that cannot send any."""

import sys

import pytest

from gateway.telemetry import NO_SPANS
from gateway.wiring import observing
from gateway.wiring.observing import tracing

RECEIVER = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9"}


@pytest.mark.parametrize(
    "environ",
    [
        {},
        {"OTEL_EXPORTER_OTLP_ENDPOINT": ""},
        {**RECEIVER, "OTEL_SDK_DISABLED": "True"},
        {**RECEIVER, "OTEL_TRACES_EXPORTER": "none"},
    ],
    ids=["nothing", "empty", "disabled", "other exporter"],
)
async def test_nobody_has_asked_for_traces(environ: dict[str, str]) -> None:
    async with tracing(environ) as spans:
        assert spans is NO_SPANS


async def test_without_the_extra_it_serves_and_says_so(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setitem(sys.modules, "gateway.telemetry.tracing", None)
    async with tracing(RECEIVER) as spans:
        assert spans is NO_SPANS
    assert "ocp-gateway[otel]" in caplog.text


async def test_a_receiver_that_is_down_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(observing, "CLOSE_SECONDS", 0.05)
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", RECEIVER["OTEL_EXPORTER_OTLP_ENDPOINT"])
    async with tracing(RECEIVER) as spans:
        spans.server("GET", {}).ended("/", 200, aborted=False)
