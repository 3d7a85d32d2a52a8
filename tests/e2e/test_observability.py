"""The real process: its log lines, its metrics, and a log that nobody reads."""

import gzip
import json
import os
import signal
import subprocess
import threading
import time
import urllib.request
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import cast

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span as ProtoSpan

from tests.support.echo_upstream import EchoUpstream
from tests.support.gateway_process import COMMAND, GatewayProcess, wait_until
from tests.support.serving import write_spec
from tests.support.telemetry import series

PATHS = {"/items/{id}": {"get": {"operationId": "getItem", "responses": {}}}}


def get(url: str, **headers: str) -> str:
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    with urllib.request.urlopen(urllib.request.Request(url, headers=sent), timeout=30) as answer:  # noqa: S310
        text: str = answer.read().decode()
        return text


@pytest.fixture
def arguments(tmp_path: Path) -> list[str]:
    return ["--spec", f"shop={write_spec(tmp_path, PATHS)}", "--store", "memory://"]


def test_s93_each_request_is_one_line_whatever_it_says(
    tmp_path: Path, arguments: list[str]
) -> None:
    with EchoUpstream() as echo:
        base = ["--base-url", f"shop={echo.url}", "--log-format", "json"]
        with GatewayProcess(*arguments, *base, directory=tmp_path) as gateway:
            agent = 'x" status=200 \x9b[2J ' + "a" * 5_000
            get(f"{gateway.url}/apis/shop/items/1?key=s3cr3t", User_Agent=agent)
            get(f"{gateway.url}/healthz")
            wait_until(lambda: "gateway.access" in gateway.log, "the line")
        lines = [json.loads(line) for line in gateway.log.splitlines() if line.startswith("{")]
    (line,) = [line for line in lines if line["logger"] == "gateway.access"]
    assert (line["status"], line["api"], line["operation"]) == (200, "shop", "getItem")
    assert line["agent"].startswith('x" status=200')
    assert len(line["agent"]) == 200
    assert "s3cr3t" not in gateway.log
    assert "items/1" not in gateway.log


def test_no_access_log_is_none(tmp_path: Path, arguments: list[str]) -> None:
    with EchoUpstream() as echo:
        base = ["--base-url", f"shop={echo.url}", "--no-access-log"]
        with GatewayProcess(*arguments, *base, directory=tmp_path) as gateway:
            get(f"{gateway.url}/apis/shop/items/1")
    assert "gateway.access" not in gateway.log


def test_r36_a_log_that_nobody_reads_holds_up_no_caller(
    tmp_path: Path, arguments: list[str]
) -> None:
    with EchoUpstream() as echo:
        reader, writer = os.pipe()
        # A pipe of one page, full at once: nothing more goes in.
        os.set_blocking(writer, False)
        process = subprocess.Popen(
            [str(COMMAND), "serve", "--port", "0", *arguments, "--base-url", f"shop={echo.url}"],
            cwd=tmp_path,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=writer,
        )
        try:
            announced = b""
            while b"\n" not in announced:
                announced += os.read(reader, 1)
            url = announced.decode().split("listening on ")[1].strip()
            while True:
                try:
                    os.write(writer, b"x" * 4_096)
                except BlockingIOError:
                    break
            os.set_blocking(writer, True)
            for number in range(50):
                get(f"{url}/apis/shop/items/{number}")
            text = get(f"{url}/metrics")
            began = time.monotonic()
            process.send_signal(signal.SIGINT)
            assert process.wait(30) == 0
        finally:
            process.kill()
            process.wait(30)
            os.close(reader)
            os.close(writer)
    assert (
        series(text, "ocp_gateway_http_requests_total")["method=GET route=/apis/{rest} status=200"]
        == 50.0
    )
    assert time.monotonic() - began < 30


class Receiver(ThreadingHTTPServer):
    """Takes OTLP over HTTP."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), ReceiverHandler)
        self.spans: list[ProtoSpan] = []
        self.services: set[str] = set()
        self.paths: set[str] = set()


class ReceiverHandler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        receiver = cast("Receiver", self.server)
        data = self.rfile.read(int(self.headers["Content-Length"]))
        if self.headers.get("Content-Encoding") == "gzip":
            data = gzip.decompress(data)
        said = ExportTraceServiceRequest.FromString(data)
        receiver.paths.add(self.path)
        for resource in said.resource_spans:
            named = {a.key: a.value.string_value for a in resource.resource.attributes}
            receiver.services.add(named["service.name"])
            for scope in resource.scope_spans:
                receiver.spans.extend(scope.spans)
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        return None


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    receiver = Receiver()
    thread = threading.Thread(target=receiver.serve_forever, args=(0.01,))
    thread.start()
    yield receiver
    receiver.shutdown()
    thread.join()
    receiver.server_close()


def test_spans_reach_a_receiver_and_the_api(
    tmp_path: Path, arguments: list[str], receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(
        "OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{receiver.server_address[1]}"
    )
    trace = "0af7651916cd43dd8448eb211c80319c"
    with EchoUpstream() as echo:
        base = ["--base-url", f"shop={echo.url}"]
        with GatewayProcess(*arguments, *base, directory=tmp_path) as gateway:
            sent = f"00-{trace}-b7ad6b7169203331-01"
            get(f"{gateway.url}/apis/shop/items/1?key=s3cr3t", traceparent=sent)
        heard = echo.seen[0].value("traceparent")
    spans = {span.name: span for span in receiver.spans}
    assert set(spans) == {"GET /apis/{rest}", "GET shop getItem"}
    assert (receiver.paths, receiver.services) == ({"/v1/traces"}, {"ocp-gateway"})
    inner, outer = spans["GET shop getItem"], spans["GET /apis/{rest}"]
    assert {inner.trace_id.hex(), outer.trace_id.hex()} == {trace}
    assert outer.parent_span_id.hex() == "b7ad6b7169203331"
    assert inner.parent_span_id == outer.span_id
    assert heard == f"00-{trace}-{inner.span_id.hex()}-01"
    assert "s3cr3t" not in str(receiver.spans)


def test_workers_are_scraped_as_one(tmp_path: Path, arguments: list[str]) -> None:
    arguments[-1] = f"sqlite:///{tmp_path}/contexts.db"
    with EchoUpstream() as echo:
        base = ["--base-url", f"shop={echo.url}", "--workers", "2"]
        with GatewayProcess(*arguments, *base, directory=tmp_path) as gateway:
            for number in range(40):
                get(f"{gateway.url}/apis/shop/items/{number}", Connection="close")

            def counted() -> float:
                text = get(f"{gateway.url}/metrics")
                return sum(series(text, "ocp_gateway_calls_total").values())

            assert {counted() for _ in range(10)} == {40.0}
            text = get(f"{gateway.url}/metrics")
            assert series(text, "ocp_gateway_api_up") == {"api=shop": 1.0}
            assert series(text, "ocp_gateway_store_up") == {"": 1.0}
