"""Lets a client of the matrix talk to a gateway, and keeps what was said."""

import asyncio
import json
import os
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.interop.matrix import Client, bridge
from tests.support.echo_upstream import Answer, EchoUpstream, Seen
from tests.support.gateway_process import (
    COMMAND,
    PATIENCE_SECONDS,
    GatewayProcess,
    child_environment,
)
from tests.support.mcp_relay import Exchange, http_relay, tapped, tapped_exchanges
from tests.support.registry_shop import PATHS
from tests.support.serving import write_spec

_JSON = (("Content-Type", "application/json"),)
_INTERACTION = (("Content-Type", "application/vnd.ocp-gateway.interaction+json"),)
_FORM = {
    "message": "Which colour?",
    "requestedSchema": {
        "type": "object",
        "properties": {"colour": {"type": "string"}},
        "required": ["colour"],
    },
}
_QUESTION = (
    {"type": "progress", "progress": 1, "total": 2},
    {
        "type": "input_required",
        "requests": {"colour": {"method": "elicitation/create", "params": _FORM}},
    },
)

Json = Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shop:
    """An API, a gateway before it, and the command of another one before it, over stdio."""

    echo: EchoUpstream
    url: str
    stdio: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    client: Client
    way: str

    def __str__(self) -> str:
        return f"{self.client}-{self.way}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What a client says of its conversation: `results` have `is_error` and `text`.

    `questions` are the messages of the forms that its user saw.
    """

    tools: Sequence[str]
    results: Sequence[Json]
    questions: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Told(Said):
    """Also, what passed between it and the gateway, and what the API saw."""

    exchanges: Sequence[Exchange]
    seen: Sequence[Seen]


@contextmanager
def shop_for_clients(directory: Path) -> Iterator[Shop]:
    """The API echoes each request, except `missing`, and asks who adds an item."""
    config = directory / "gateway.json"
    spec = write_spec(directory, PATHS)
    with EchoUpstream() as echo:
        echo.answer = _answer
        api = {"name": "shop", "spec": spec, "base_url": echo.url, "interaction": True}
        config.write_text(
            json.dumps({"apis": [api], "store": {"url": "memory://"}, "mcp": {"sse": True}})
        )
        with GatewayProcess(str(config), directory=directory) as gateway:
            yield Shop(echo=echo, url=gateway.url, stdio=(str(COMMAND), "stdio", str(config)))


def _answer(seen: Seen) -> Answer:
    if seen.target == "/items/missing":
        return Answer(status=404, headers=_JSON, body=b'{"why": "no such item"}')
    if seen.request_line.startswith("POST "):
        said = json.loads(seen.body)
        answered = said["responses"]["colour"] if said.get("type") == "continue" else None
        lines = _QUESTION if answered is None else ({"type": "result", "json": answered},)
        return Answer(
            headers=_INTERACTION, body=[json.dumps(line).encode() + b"\n" for line in lines]
        )
    return Answer()


def converse(
    case: Case, shop: Shop, home: Path, *, calls: Sequence[Json], answer: Json | None = None
) -> Told:
    """List, then make `calls`, with `home` for what the client keeps in its home directory.

    `answer` is what its user fills in when asked; without, the client does not let anybody ask.
    """
    before = len(shop.echo.seen)
    plan = {"calls": calls, "answer": answer}
    if case.way == "stdio":
        said, exchanges = _over_stdio(case, plan, shop, home)
    else:
        said, exchanges = asyncio.run(_over_http(case, plan, shop, home))
    return Told(
        tools=said.tools,
        results=said.results,
        questions=said.questions,
        exchanges=exchanges,
        seen=shop.echo.seen[before:],
    )


def _over_stdio(case: Case, plan: Json, shop: Shop, home: Path) -> tuple[Said, list[Exchange]]:
    record = home / "record"
    record.mkdir()
    said = _run(case.client, _door(*tapped(record, *shop.stdio), home=home), plan, home)
    return said, list(tapped_exchanges(record))


async def _over_http(case: Case, plan: Json, shop: Shop, home: Path) -> tuple[Said, list[Exchange]]:
    async with http_relay(shop.url) as relay:
        url = f"{relay.url}/mcp"
        doors = {
            "http": {"url": url},
            "sse": {"sse": f"{relay.url}/sse"},
            "bridge": _door(*bridge(url), home=home),
        }
        said = await asyncio.to_thread(_run, case.client, doors[case.way], plan, home)
        return said, list(relay.exchanges())


def _door(*command: str, home: Path) -> Json:
    name, *arguments = command
    env = {**child_environment(), "HOME": str(home)}
    return {"command": name, "args": arguments, "cwd": str(home), "env": env}


def _run(client: Client, door: Json, plan: Json, home: Path) -> Said:
    interpreter, program = client.command
    assert Path(interpreter).exists(), f"run `make interop`: {interpreter} is missing"
    done = subprocess.run(
        [interpreter, program],
        env={**os.environ, "HOME": str(home)},  # noqa: TID251 - the tests' own environment
        input=json.dumps({"door": door, **plan}),
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return Said(**json.loads(done.stdout))
