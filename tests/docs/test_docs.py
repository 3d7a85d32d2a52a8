"""The pages name what is there: layers, routes, error codes, methods, limits, libraries."""

import ast
import json
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import pytest
from aiohttp import web

from gateway import client, inflow
from gateway.calls import (
    client_uris,
    eliciting,
    envelope,
    envelope_content,
    envelope_lines,
    envelope_shapes,
    excerpts,
    failures,
    preview,
    selecting,
    validation,
)
from gateway.catalog import api_text, responses, tool, uri_templates
from gateway.catalog.naming import RESERVED
from gateway.cli.demo import describe_demo
from gateway.client import conversation, resolving, tls
from gateway.config import offered
from gateway.context import decoding, patching
from gateway.context import headers as ocp
from gateway.demo.run import Demo
from gateway.dialects import markdown
from gateway.dialects import ocp as ocp_dialect
from gateway.engine import (
    KEPT_BYTES,
    SELECT_BYTES,
    OwnContexts,
    interactions,
    offerings,
    own_resources,
    rounds,
    search_additions,
)
from gateway.errors import GatewayError
from gateway.interfaces import MAX_BOARD_BYTES
from gateway.mcp import (
    MAX_LINE,
    Server,
    completion,
    json_text,
    legacy,
    modern,
    output_schemas,
    request_state,
    sessions,
    subscriptions,
)
from gateway.mcp import errors as rpc
from gateway.mcp.revisions import LEGACY, MODERN_BY_NAME
from gateway.openapi import hygiene
from gateway.policy import ANONYMOUS, breaker, budget, circuit, lanes
from gateway.server import (
    asking,
    channels,
    chunks,
    contexts,
    door,
    event_streams,
    framing,
    listen_streams,
    listening,
    problems,
    running_calls,
    session_records,
    sse,
    websockets,
)
from gateway.server.app import Endpoints, make_app
from gateway.server.contexts import ContextsEndpoint
from gateway.server.debug import DebugEndpoint
from gateway.server.health import Readiness, StatusEndpoint
from gateway.server.mcp_http import McpEndpoint
from gateway.server.mcp_parts import McpSettings
from gateway.server.metrics import MetricsEndpoint
from gateway.server.pace import PATIENCE
from gateway.server.proxy import ProxyEndpoint
from gateway.server.registry import RegistryEndpoint
from gateway.server.results import ResultsEndpoint
from gateway.server.sse import SseEndpoint
from gateway.server.tools import ToolsEndpoint
from gateway.sources import list_files, loading, text, watching, yaml_text
from gateway.stores import (
    MemoryBoard,
    copies,
    paging,
    record,
    redis,
    redis_board,
    redis_connections,
    redis_records,
    redis_sentinel,
    results,
    sqlite,
    sqlite_board,
)
from gateway.stores import breaker as guard
from gateway.wiring import descriptors, http, reloading
from tests.support.fake_gateway import FakeGateway, as_gateway
from tests.support.pages import DOCS, ROOT, Row, checked_rows, fenced, names_in

README = ROOT / "README.md"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
CODE = sorted((ROOT / "gateway").rglob("*.py"))
PAGES = sorted([*ROOT.glob("*.md"), *DOCS.rglob("*.md"), *ROOT.glob("benchmarks/*.md")])
# Written so that this file does not hold the words itself.
FOREIGN = re.compile(
    r"/wor[k]\b|(?<!\.\./)\bshare[d]/|\bhel[p]ers?\b|\bcontrac[t](?:\.md| section)|py[p]i\.org"
    r"|pytho[n]hosted|\bissu[e] \d|\bsessio[n] of work",
    re.IGNORECASE,
)


def relative(path: Path) -> str:
    return str(path.relative_to(ROOT))


def test_the_layer_picture_is_the_one_that_is_enforced() -> None:
    contracts = PROJECT["tool"]["importlinter"]["contracts"]
    enforced = next(contract["layers"] for contract in contracts if contract["type"] == "layers")

    assert fenced(DOCS / "architecture.md", "layers") == ["\n".join(enforced) + "\n"]


def test_every_room_has_its_line() -> None:
    table = (DOCS / "architecture.md").read_text().partition("## Layers")[0]
    first_cells = re.findall(r"^\| (`[^|]*) \|", table, re.MULTILINE)
    listed = {name.rstrip("/") for cell in first_cells for name in names_in(cell)}
    rooms = {path.stem for path in (ROOT / "gateway").iterdir() if path.name[0] != "_"}

    assert listed == rooms | {"__main__"}


async def _nothing() -> bytes:
    return b""


def make_endpoints() -> Endpoints:
    gateway = as_gateway(FakeGateway())
    mcp = McpEndpoint(
        gateway,
        settings=McpSettings(server=Server(version="0"), session_keys=(b"k" * 32,)),
        principal_of=lambda _: ANONYMOUS,
        clock=lambda: 0.0,
        new_bytes=bytes,
        board=MemoryBoard(),
    )
    return Endpoints(
        status=StatusEndpoint(gateway, readiness=Readiness(gateway)),
        tools=ToolsEndpoint(gateway, principal_of=lambda _: ANONYMOUS, max_body_bytes=1),
        results=ResultsEndpoint(gateway, principal_of=lambda _: ANONYMOUS),
        contexts=ContextsEndpoint(
            cast("OwnContexts", object()), principal_of=lambda _: ANONYMOUS, max_body_bytes=1
        ),
        registry=RegistryEndpoint(gateway, public_url=None),
        proxy=ProxyEndpoint(gateway, principal_of=lambda _: ANONYMOUS),
        mcp=mcp,
        metrics=MetricsEndpoint(_nothing, content_type="text/plain", is_public=False),
        debug=DebugEndpoint(dict),
        sse=SseEndpoint(mcp.parts, principal_of=lambda _: ANONYMOUS),
    )


def test_the_endpoints_are_those_of_the_server() -> None:
    routes = {
        ("any" if route.method == "*" else route.method, route.resource.canonical)
        for route in make_app(make_endpoints()).router.routes()
        if route.method != "HEAD" and route.resource is not None
    }

    assert {(row[0], row[1]) for row in checked_rows("endpoints.md", "routes")} == routes


def error_classes(base: type[GatewayError]) -> Iterator[type[GatewayError]]:
    if base.__module__.startswith("gateway."):
        yield base
    for child in base.__subclasses__():
        yield from error_classes(child)


def codes_of_the_server() -> Iterator[tuple[str, str]]:
    """Status and code of every `problem(...)` that is written out in gateway/server."""
    for path in sorted((ROOT / "gateway" / "server").glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                given = {
                    keyword.arg: keyword.value.value
                    for keyword in node.keywords
                    if isinstance(keyword.value, ast.Constant)
                }
                if node.func.id == "problem" and "code" in given:
                    yield str(given["status"]), str(given["code"])


def test_the_error_codes_are_those_of_the_code() -> None:
    raised = {(str(error.status), error.code) for error in error_classes(GatewayError)}
    written = set(codes_of_the_server())
    assert ("415", "unsupported_media_type") in written

    rows = checked_rows("errors.md", "errors")

    assert {(row[0], row[1]) for row in rows} == raised | written
    assert len({row[1] for row in rows}) == len(rows)


@pytest.mark.parametrize(
    "refusal", [web.HTTPNotFound(), web.HTTPMethodNotAllowed("PUT", ["GET"]), web.HTTPGone()]
)
def test_what_the_router_refuses_has_a_listed_code(refusal: web.HTTPException) -> None:
    body = problems._problem_of_routing(refusal).body
    assert isinstance(body, bytes)

    assert f"`{json.loads(body)['code']}`" in (DOCS / "errors.md").read_text()


def test_the_revisions_are_those_that_are_spoken() -> None:
    spoken = {(name, "modern") for name in MODERN_BY_NAME} | {(r.name, "legacy") for r in LEGACY}

    assert {(row[0], row[1]) for row in checked_rows("mcp.md", "revisions")} == spoken


@pytest.mark.parametrize(
    ("column", "served"),
    [(1, {*modern._METHODS}), (2, {*legacy._METHODS, "initialize"})],
    ids=["modern", "legacy"],
)
def test_the_methods_are_those_that_are_served(column: int, served: set[str]) -> None:
    assert {row[0] for row in checked_rows("mcp.md", "methods") if row[column]} == served


def test_the_json_rpc_codes_are_those_of_the_core() -> None:
    codes = {str(value) for value in vars(rpc).values() if type(value) is int and value < 0}

    assert {row[0] for row in checked_rows("mcp.md", "rpc")} == codes


LIMITS = {
    "a description": (loading.MAX_BYTES,),
    "fetching a description: everything / redirects": (
        loading.FETCH_SECONDS,
        loading.MAX_REDIRECTS,
    ),
    "a watched file: rest before it is read": (watching.LOOK_SECONDS,),
    "reading a file that is being written: attempts": (text.READ_ATTEMPTS,),
    "a description's fault in `GET /apis`": (reloading.MAX_FAULT,),
    "lists of tools on disk: bytes of one / number": (list_files.MAX_BYTES, list_files.MAX_FILES),
    "a body that `dry_run` shows": (preview.MAX_SHOWN,),
    "a tool's title / description / a text in its schemas": (
        tool.MAX_TITLE,
        tool.MAX_DESCRIPTION,
        hygiene.MAX_ARGUMENT_TEXT,
    ),
    "an answer's schema in the OCP format": (responses.MAX_SCHEMA,),
    "definitions beside one tool's parameters in the OCP format": (ocp_dialect.MAX_DEFINITIONS,),
    "YAML: levels / nodes after aliases": (yaml_text.MAX_DEPTH, yaml_text.MAX_NODES),
    "a header line, in and out": (framing.MAX_FIELD_BYTES,),
    "a URL / headers / a whole head ([more](http.md#sizes))": (
        framing.MAX_TARGET,
        framing.MAX_HEADERS,
        framing.MAX_HEAD_BYTES,
    ),
    "an idle kept connection": (http.KEEPALIVE_SECONDS,),
    "a client: its first byte, or a head / a body to begin with / bytes of it for each further "
    "second / silence that it can buy ([more](http.md#time))": (
        PATIENCE.head,
        PATIENCE.body,
        PATIENCE.body_rate,
        PATIENCE.body_credit,
    ),
    "a client that takes nothing of an answer / that is still sending when it is refused": (
        PATIENCE.unread,
        PATIENCE.linger,
    ),
    "requests sent ahead on one connection": (door.MAX_PIPELINED,),
    "chunks of a body: an extension / all of them / trailers": (
        chunks.MAX_SIZE_LINE,
        chunks.MAX_EXTENSIONS,
        chunks.MAX_TRAILERS,
    ),
    "descriptors left for other than clients: this, or a quarter": (descriptors.RESERVED,),
    "a line of MCP over stdio": (MAX_LINE,),
    "a stream of changes: modern ones of one named caller / its life / a sign of life every": (
        listen_streams.MAX_STREAMS,
        listen_streams.LIFE_SECONDS,
        listening.PING_SECONDS,
    ),
    "a stream of changes: left unread / gathering what is told at once": (
        listening.MAX_BACKLOG,
        listening.WINDOW_SECONDS,
    ),
    "`subscriptions/listen`: URIs / characters of one": (
        subscriptions.MAX_URIS,
        subscriptions.MAX_URI,
    ),
    "an answer to a question that arrives at another process": (MAX_BOARD_BYTES,),
    "questions of one process that wait for their answers: in Redis / in a SQLite file": (
        redis_board.MAX_TAKING,
        sqlite_board.MAX_TAKING,
    ),
    "a legacy MCP session: resources that it watches / characters of a URI / cancellations noted "
    "at a time": (
        session_records.MAX_WATCHED,
        session_records.MAX_URI,
        running_calls.MAX_NOTED,
    ),
    "a WebSocket: without a byte / waiting in one direction": (
        websockets.IDLE_SECONDS,
        inflow.MAX_WAITING_BYTES,
    ),
    "HTTP+SSE: streams / running calls of one": (sse.MAX_STREAMS, sse.MAX_RUNNING),
    "JSON of a call: levels / objects, arrays and members": (
        json_text.MAX_DEPTH,
        json_text.MAX_PARTS,
    ),
    "faults in one refusal": (validation.MAX_FAULTS,),
    "an excerpt of a large result / of an error": (excerpts.EXCERPT_BYTES, failures.ERROR_EXCERPT),
    "a kept result, unless `max_response_bytes` is more": (KEPT_BYTES,),
    "kept results: bytes / number / time": (
        results.MAX_TOTAL_BYTES,
        results.MAX_RESULTS,
        results.TTL_SECONDS,
    ),
    "`select`: its answers / its expression": (SELECT_BYTES, selecting.MAX_EXPRESSION),
    "an interaction: a line / lines / all of them / an API's state": (
        envelope.MAX_LINE,
        envelope.MAX_LINES,
        envelope.MAX_BYTES,
        envelope_lines.MAX_STATE,
    ),
    "an interaction: objects, arrays and members of a result / of any other line / blocks": (
        envelope_lines.MAX_PARTS,
        envelope_lines.MAX_NOTE_PARTS,
        envelope_content.MAX_BLOCKS,
    ),
    "an interaction: a URI": (client_uris.MAX_URI,),
    "an interaction: questions at once / characters of a key / in all": (
        envelope_shapes.MAX_REQUESTS,
        envelope_shapes.MAX_KEY,
        rounds.MAX_ROUNDS,
    ),
    "an interaction: a round / its end after the last line / progress told in a second": (
        interactions.MAX_SECONDS,
        interactions.PARTING_SECONDS,
        interactions.MOST_PROGRESS,
    ),
    "missing arguments asked for: fields / bytes of the answers": (
        eliciting.MAX_FIELDS,
        eliciting.MAX_GIVEN,
    ),
    "a stored context": (record.MAX_RECORD_BYTES,),
    "a member that a patch sets of a context / names in its `api_specs`": (
        patching.MAX_MEMBER,
        patching.MAX_SPECS,
    ),
    "the body of a patch, or of a new context": (contexts.MAX_BODY,),
    "`OCP-Session`: characters / bytes inflated / objects, arrays and commas": (
        decoding.MAX_SESSION_CHARS,
        decoding.MAX_JSON_BYTES,
        decoding.MAX_JSON_PARTS,
    ),
    "contexts on a page of `GET /contexts`: unless `limit` says / at most": (
        contexts.DEFAULT_LIMIT,
        contexts.MAX_LIMIT,
    ),
    "such a page, read of SQLite or Redis: in all / of a context, where that holds all but its "
    "history": (paging.PAGE_BYTES, paging.HEAD_BYTES),
    "an in-process copy of a context: how long it is read / all of them": (
        copies.COPY_SECONDS,
        copies.MAX_COPY_BYTES,
    ),
    "calls that wait for Redis at once": (redis.MAX_WAITING,),
    "unreadable values that are set aside: in Redis for each caller, in SQLite / time": (
        redis_records.MAX_QUARANTINED,
        sqlite.MAX_QUARANTINED,
        redis_records.QUARANTINE_SECONDS,
    ),
    "one Redis update, retries included": (redis.UPDATE_SECONDS,),
    "a Redis server: connections / to connect, and for each answer": (
        redis_connections.MAX_CONNECTIONS,
        redis_connections.OPERATION_SECONDS,
    ),
    "Sentinel: an answer / how long it is believed": (
        redis_sentinel.SENTINEL_SECONDS,
        redis_sentinel.MASTER_SECONDS,
    ),
    "any store: one operation / `/readyz`": (guard.PATIENCE_SECONDS, guard.PING_SECONDS),
    "a store that is down: failures that show it / until it is tried again": (
        breaker.FAILURES,
        breaker.PAUSE_SECONDS,
    ),
    "waiting for a busy SQLite file": (sqlite.BUSY_SECONDS,),
}


LIMITS |= {
    "a legacy MCP session: its life / waiting for the answer to a question": (
        sessions.LIFE_SECONDS,
        asking.PATIENCE_SECONDS,
    ),
    "`requestState`: its life / characters": (
        request_state.LIFE_SECONDS,
        request_state.MAX_STATE,
    ),
    "what is said to a client before its answer, unread: then the call waits / is cut off": (
        channels.MAX_WAITING,
        event_streams.STALL_SECONDS,
    ),
}
LIMITS |= {
    "a resource of large results: unless `length` says / at most": (
        excerpts.EXCERPT_BYTES,
        own_resources.MAX_PART,
    ),
    "a description as a resource": (api_text.MAX_WHOLE,),
    "a schema on a tool's page": (markdown.MAX_SCHEMA,),
    "a question to `searchTools` / tools of its answer": (
        search_additions.MAX_QUESTION,
        search_additions.MAX_LIMIT,
    ),
    "tools that `describeTool` describes at once": (search_additions.MAX_NAMES,),
    "an `outputSchema`: about / levels": (
        output_schemas.MAX_SCHEMA_BYTES,
        output_schemas.MAX_DEPTH,
    ),
    "a file that `mcp.resources` or `mcp.prompts` names": (offered.MAX_OFFERED_BYTES,),
    "a resource's URI / variables of its template": (
        uri_templates.MAX_URI,
        uri_templates.MAX_VARIABLES,
    ),
    "a prompt's argument": (offerings.MAX_ARGUMENT,),
    "values that a completion names": (completion.MAX_VALUES,),
}

LIMITS |= {
    "connecting to an API: name, TCP, proxy and TLS": (client.CONNECT_SECONDS,),
    "the head of an API's answer: all fields / interim answers before it": (
        client.MAX_HEAD_BYTES,
        conversation.MAX_INTERIM,
    ),
    "requests that wait for an API: at most / each": (lanes.MOST_WAITING, lanes.WAITING_SECONDS),
    "an API that fails: failures in a row / left alone for, at first / at most": (
        circuit.FAILURES,
        *circuit.PAUSE_SECONDS,
    ),
    "retries: of the requests of so many seconds / a share / and so many more": (
        budget.WINDOW_SECONDS,
        budget.SHARE,
        budget.FLOOR,
    ),
    "an API's addresses: used unasked / where names cannot be looked up / asked again after a "
    "failure": (
        resolving.FRESH_SECONDS,
        resolving.STALE_SECONDS,
        resolving.FAILED_SECONDS,
    ),
    "an API's TLS files are looked at every": (tls.LOOK_SECONDS,),
}


def test_the_limits_are_those_of_the_code() -> None:
    stated = {
        row[0]: tuple(float(number.replace(",", "")) for number in re.findall(r"[\d,.]+", row[1]))
        for row in checked_rows("operations.md", "limits")
    }

    assert stated == {what: tuple(map(float, values)) for what, values in LIMITS.items()}
    assert client.MAX_FIELD_BYTES == framing.MAX_FIELD_BYTES


def test_the_ocp_headers_are_those_that_are_read() -> None:
    rows = {row[0].lower(): row[1] for row in checked_rows("context.md", "headers")}
    bounds = {"goal": ocp.MAX_GOAL, "user": ocp.MAX_USER, "workspace": ocp.MAX_WORKSPACE}

    assert rows.keys() == ocp._MEMBERS.keys()
    for name, member in ocp._MEMBERS.items():
        assert str(bounds.get(member, "")) in rows[name]


def test_the_reserved_names_are_listed() -> None:
    page = (DOCS / "names.md").read_text()

    assert {name for name in RESERVED if f"`{name}`" in page} == RESERVED


def dependencies() -> Iterator[str]:
    project = PROJECT["project"]
    groups = [
        project["dependencies"],
        *project["optional-dependencies"].values(),
        *PROJECT["dependency-groups"].values(),
    ]
    for requirement in (requirement for group in groups for requirement in group):
        yield re.split(r"[^A-Za-z0-9_.-]", requirement, maxsplit=1)[0]


def test_every_library_has_its_line() -> None:
    rows: list[Row] = checked_rows("adr/0007-libraries.md", "dependencies")

    assert sorted(row[0] for row in rows) == sorted(set(dependencies()))


@pytest.mark.parametrize("module", ["openapi_core", "prance"])
def test_the_load_path_does_without(module: str) -> None:
    importing = re.compile(rf"^\s*(?:import|from) {module}\b", re.MULTILINE)

    assert not [relative(path) for path in CODE if importing.search(path.read_text())]


def test_every_decision_is_in_the_index() -> None:
    folder = DOCS / "adr"
    listed = re.findall(r"\]\((\d{4}-[a-z0-9-]+\.md)\)", (folder / "README.md").read_text())

    assert listed == sorted(path.name for path in folder.glob("[0-9]*.md"))


@pytest.mark.parametrize("path", [*CODE, ROOT / "pyproject.toml", ROOT / "Makefile"], ids=relative)
def test_pages_that_the_code_refers_to_exist(path: Path) -> None:
    named = re.findall(r"\bdocs/[\w./-]+\.md", path.read_text())

    assert not [name for name in named if not (ROOT / name).exists()]


@pytest.mark.parametrize("path", [*PAGES, *CODE], ids=relative)
def test_nothing_refers_to_what_readers_do_not_have(path: Path) -> None:
    found = [match[0] for match in FOREIGN.finditer(path.read_text())]

    assert not found


def test_the_readme_is_one_screen() -> None:
    lines = README.read_text().splitlines()

    assert len(lines) <= 80
    assert max(len(line) for line in lines if not line.startswith("|")) <= 100


def test_the_readme_shows_what_the_demo_prints() -> None:
    url = "http://127.0.0.1:PORT"
    running = Demo(gateway_url=url, api_url=url, store=Path("contexts.db"))
    printed = " ".join(describe_demo(running, "CONTEXT").split())
    shown = [block for language in ("sh", "json") for block in fenced(README, language)]

    assert len(shown) == 2
    assert all(" ".join(block.split()) in printed for block in shown)


def test_the_readme_s_commands_are_targets_of_the_makefile() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    used = set(re.findall(r"^    make ([a-z]+)", README.read_text(), re.MULTILINE))

    assert {"demo", "test"} <= used <= targets


@pytest.mark.parametrize("page", PAGES, ids=relative)
def test_json_on_a_page_is_json(page: Path) -> None:
    for block in fenced(page, "json"):
        json.loads(block)


def test_a_page_for_each_subject_is_linked_from_the_readme() -> None:
    linked = set(re.findall(r"\]\(docs/([a-z-]+\.md)\)", README.read_text()))
    through = set(re.findall(r"\]\(([a-z-]+\.md)", (DOCS / "operations.md").read_text()))

    assert {path.name for path in DOCS.glob("*.md")} <= linked | through
