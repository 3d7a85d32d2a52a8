"""An API behind a gateway that agents find in its registry, and what the gateway keeps of them."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from urllib.request import urlopen

from tests.support.echo_upstream import EchoUpstream
from tests.support.gateway_process import PATIENCE_SECONDS, GatewayProcess
from tests.support.serving import write_spec
from tests.support.tools import DONE, TEXT, parameter

ITEM = {"type": "object", "properties": {"name": TEXT, "price": {"type": "number"}}}
PATHS: Mapping[str, object] = {
    "/items": {
        "get": {
            "operationId": "listItems",
            "parameters": [parameter("q", "query", TEXT), parameter("Traced", "header", TEXT)],
            "responses": DONE,
        },
        "post": {
            "operationId": "addItem",
            "requestBody": {
                "required": True,
                "content": {"application/json": {"schema": {**ITEM, "required": ["name"]}}},
            },
            "responses": DONE,
        },
    },
    "/items/{id}": {
        "parameters": [parameter("id", "path", TEXT)],
        "get": {"operationId": "getItem", "responses": DONE},
    },
}


@contextmanager
def shop_behind_a_gateway(echo: EchoUpstream, directory: Path) -> Iterator[GatewayProcess]:
    """`github` in front of `echo`, with a SQLite store in `directory`."""
    spec = write_spec(directory, PATHS, name="github")
    arguments = ("--spec", f"github={spec}", "--base-url", f"github={echo.url}/v1")
    with GatewayProcess(*arguments, directory=directory) as gateway:
        yield gateway


Entry = Mapping[str, object]


def kept_entries(gateway: GatewayProcess, context_id: str) -> list[Entry]:
    """The history of a context as the gateway has it; no entry is there twice."""
    url = f"{gateway.url}/contexts/{context_id}"
    with urlopen(url, timeout=PATIENCE_SECONDS) as response:  # noqa: S310 - our own gateway
        context = json.load(response)
    history = context["history"]
    times = [(e["timestamp"], e["action"], e.get("api_endpoint")) for e in history]
    assert len(times) == len(set(times))
    return list(history)


def calls_of(entries: Sequence[Entry]) -> list[Entry]:
    """Those that the gateway itself wrote, one for each call."""
    return [e for e in entries if e.get("api_endpoint") == "GET /items/{id}"]
