"""An edge case as a configuration changes it: what is served and sent, byte for byte.

Through the real process, fetched with a secret, with an overlay: `configured/config.yaml` has all.
"""

import asyncio
import json
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import pytest

from tests.support.echo_upstream import Answer, EchoUpstream, Seen
from tests.support.edge.cases import Json
from tests.support.edge.catalogs import ROOM, source
from tests.support.gateway_process import GatewayProcess, run_command

HERE = ROOM / "configured"
GOLDEN = HERE / "golden.json"
KEY = "spec-key-of-nobody"
JSON = ("Content-Type", "application/json")
FORM = ("Content-Type", "application/x-www-form-urlencoded")


@dataclass(slots=True)
class Running:
    """The process, what it is told, and its API, which also has the description."""

    gateway: GatewayProcess
    echo: EchoUpstream
    answer: Answer = field(default_factory=Answer)
    fetched: list[Seen] = field(default_factory=list)
    called: list[Seen] = field(default_factory=list)

    def respond(self, seen: Seen) -> Answer:
        if seen.target == "/specs/edge.yaml":
            self.fetched.append(seen)
            return Answer(body=source("3.1").read_bytes())
        self.called.append(seen)
        return self.answer

    async def get(self, path: str) -> tuple[int, bytes]:
        async with (
            aiohttp.ClientSession() as http,
            http.get(f"{self.gateway.url}{path}") as response,
        ):
            return response.status, await response.read()

    async def post(self, tool: str, arguments: Json) -> tuple[int, Json]:
        async with (
            aiohttp.ClientSession() as http,
            http.post(f"{self.gateway.url}/tools/{tool}?api=edge", json=arguments) as response,
        ):
            return response.status, json.loads(await response.read())

    async def sent(self, tool: str, arguments: Json) -> Seen:
        """The request that a call becomes."""
        self.answer = Answer(status=204, body=b"")
        self.called.clear()
        status, result = await self.post(tool, arguments)
        assert (status, result.get("status")) == (200, 204), result
        (seen,) = self.called
        return seen


@contextmanager
def started(directory: Path) -> Iterator[Running]:
    with EchoUpstream() as echo:
        text = (HERE / "config.yaml").read_text()
        for word, meant in (("ECHO", echo.url), ("HERE", HERE), ("KEYS", directory)):
            text = text.replace(f"{word}/", f"{meant}/")
        (directory / "config.yaml").write_text(text)
        (directory / "spec-key").write_text(KEY)
        running = Running(GatewayProcess("config.yaml", directory=directory), echo)
        echo.answer = running.respond
        with running.gateway:
            yield running


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with started(tmp_path_factory.mktemp("configured")) as running:
        yield running


async def served(running: Running) -> str:
    """Everything that is published, as people read it."""
    lists = {
        form: json.loads((await running.get(f"/tools?api=edge&format={form}"))[1])["tools"]
        for form in ("ocp", "mcp")
    }
    return json.dumps(lists, indent=1) + "\n"


async def test_what_is_served_is_the_golden_catalog(running: Running) -> None:
    assert await served(running) == GOLDEN.read_text()


async def test_the_description_is_asked_for_with_its_secret_and_the_api_never_sees_it(
    running: Running,
) -> None:
    assert {seen.value("X-Spec-Key") for seen in running.fetched} == {KEY}
    seen = await running.sent("jsonAny", {"body": [1]})
    assert KEY not in str(seen)
    assert KEY not in running.gateway.log


@dataclass(frozen=True, slots=True, kw_only=True)
class Configured:
    """A call, and what is on the wire besides what each request has."""

    tool: str
    arguments: Json
    line: str
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""


CALLS = {
    "set in the query, under a given name": Configured(
        tool="search",
        arguments={"form": "a b", "added": ["x", "y"]},
        line="GET /v1/query?added=x%7Cy&form=a%20b&plain=acme%20%26%20co"
        "&whole=%7B%22tenant%22%3A%22acme%22%7D",
    ),
    "under the name that it had": Configured(
        tool="queryStyles",
        arguments={},
        line="GET /v1/query?plain=acme%20%26%20co&whole=%7B%22tenant%22%3A%22acme%22%7D",
    ),
    "set in the path": Configured(
        tool="pathStyles",
        arguments={"simpleX": "s", "label": "l", "labelX": "x", "matrix": "m"},
        line="GET /v1/path/a%2Fb/s/.l/.x/;matrix=m/;matrixX=1;matrixX=2",
    ),
    "set in a JSON body": Configured(
        tool="jsonFlat",
        arguments={"tags": ["t"]},
        line="PATCH /v1/json/flat",
        headers=(("Content-Type", "application/merge-patch+json"),),
        body=b'{"name":"fixed","tags":["t"]}',
    ),
    "set in a form of the overlay": Configured(
        tool="addedBody",
        arguments={"id": 7, "note": "a b"},
        line="POST /v1/added/7",
        headers=(FORM,),
        body=b"note=a+b&tenant=acme",
    ),
    "a body as a whole": Configured(
        tool="jsonAny",
        arguments={"body": {"é": None}},
        line="POST /v1/json/any",
        headers=(JSON,),
        body='{"é":null}'.encode(),
    ),
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
async def test_a_call_is_these_bytes(running: Running, call: Configured) -> None:
    seen = await running.sent(call.tool, call.arguments)

    assert seen.request_line == f"{call.line} HTTP/1.1"
    for name, value in (("X-Env", "prod"), *call.headers):
        assert seen.value(name) == value
    assert seen.body == call.body


@pytest.mark.parametrize(
    ("tool", "arguments", "status", "pointer"),
    [
        pytest.param("plantTree", {}, 404, None, id="hidden"),
        pytest.param("jsonOptional", {}, 404, None, id="excluded by its method"),
        pytest.param("headHeaders", {}, 404, None, id="not included"),
        pytest.param("search", {"plain": "other"}, 422, "/plain", id="fixed"),
        pytest.param("search", {"reserved": "x"}, 422, "/reserved", id="removed by the overlay"),
        pytest.param(
            "addedBody", {"id": 1, "tenant": "other"}, 422, "/tenant", id="fixed in a body"
        ),
    ],
)
async def test_what_was_taken_away_cannot_be_called(
    running: Running, tool: str, arguments: Json, status: int, pointer: str | None
) -> None:
    running.called.clear()

    found, problem = await running.post(tool, arguments)

    errors = problem.get("errors", [])
    assert isinstance(errors, list)
    assert found == status
    assert [error["pointer"] for error in errors] == ([pointer] if pointer else [])
    assert running.called == []


@pytest.mark.parametrize("path", ["/tree", "/headers"])
async def test_the_proxy_knows_the_same_operations(running: Running, path: str) -> None:
    running.called.clear()
    assert (await running.get(f"/apis/edge{path}"))[0] == 404
    assert running.called == []


async def test_select_sees_the_whole_answer(running: Running) -> None:
    body = b'{"items":[{"name":"a","size":1},{"name":"b","size":2}],"pad":"%s"}' % (b"x" * 100)
    running.answer = Answer(headers=(JSON,), body=body)

    _, result = await running.post("getAnswer", {})

    assert (result["content"], result["structuredContent"]) == (
        [{"type": "text", "text": '["b"]'}],
        ["b"],
    )
    assert "rest" not in result


async def test_a_handle_reads_on_to_the_last_byte(running: Running) -> None:
    body = "".join(f"{number:05},é\n" for number in range(9_000)).encode()
    running.answer = Answer(headers=(("Content-Type", "text/csv"),), body=body)

    _, result = await running.post("search", {})

    rest = result["rest"]
    assert isinstance(rest, dict)
    handle, start = rest["handle"], rest["start"]
    assert re.fullmatch(r"[0-9a-f]{32}", handle)
    assert rest == {"handle": handle, "start": start, "size": len(body), "complete": True}
    content = result["content"]
    assert isinstance(content, list)
    first, shown, last = content[0]["text"].partition("\n")[0], *halves(content[0]["text"])
    assert (
        first
        == f"[Excerpt: the first {start:,} bytes of {len(body):,} bytes, not the whole answer.]"
    )
    assert last.startswith(f"[Cut here. For an hour at most, GET /results/{handle} ")
    assert shown.encode() == body[:start]
    assert await running.get(f"/results/{handle}") == (200, body)


def halves(text: str) -> tuple[str, str]:
    """An excerpt between its two lines, and the second line."""
    shown, _, last = text.partition("\n")[2].rpartition("\n")
    return shown, last


async def test_check_says_what_fits_nothing(running: Running) -> None:
    done = run_command("check", "config.yaml", directory=running.gateway.directory)
    said = [
        line
        for line in done.stdout.splitlines()
        if "configuration: " in line or "overlay.yaml" in line
    ]
    assert done.code == 0
    assert [line.split(": ")[0] for line in said] == ["warning", "warning"]
    assert said[0].endswith(": /: configuration: exclude/1: matches no operation")
    assert said[1].endswith(
        "overlay.yaml:22: /actions/3/target: the target matches nothing (overlay-no-match)"
    )


def write() -> None:
    """The golden file, from a process."""
    with tempfile.TemporaryDirectory() as directory, started(Path(directory)) as running:
        GOLDEN.write_text(asyncio.run(served(running)))


if __name__ == "__main__":
    write()
