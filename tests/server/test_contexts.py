import asyncio
import io
import json
import threading
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

import aiohttp
import pytest
from aiohttp import web

from gateway.catalog import make_anew
from gateway.config import ApiConfig, Config, ServerConfig
from gateway.context import is_valid_context
from gateway.context.patching import MAX_MEMBER
from gateway.errors import StoreUnavailable
from gateway.mcp import LARGE, parse_json
from gateway.policy import Principal
from gateway.server.app import make_app
from gateway.server.contexts import MAX_BODY, ContextsEndpoint
from gateway.server.health import Readiness
from gateway.server.problems import make_error_middleware
from gateway.stores import MemoryBoard
from gateway.wiring.http import make_endpoints
from gateway.wiring.observing import open_observatory
from tests.support.contexts import append
from tests.support.echo_upstream import EchoUpstream
from tests.support.engine import FakeClient, StoreWithSwitch, gateway_with
from tests.support.serving import MEMORY, Served, serving

ID = "ocp-0123456789abcdef0123456789abcdef"
MERGE_PATCH = {"Content-Type": "application/merge-patch+json"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> dict[str, object]:
        value = json.loads(self.body)
        assert isinstance(value, dict)
        return value


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """`/contexts` of a gateway whose store the test holds; the header `X-Who` is the principal."""

    url: str
    store: StoreWithSwitch
    http: aiohttp.ClientSession

    async def ask(
        self, method: str, path: str = "", body: object = None, *, who: str = "ann", **headers: str
    ) -> Reply:
        sent = {"X-Who": who, **{k.replace("_", "-"): v for k, v in headers.items()}}
        if body is not None:
            sent = {"Content-Type": "application/json", **sent}
        whole = body if isinstance(body, bytes | None) else json.dumps(body).encode()
        data = None if whole is None else io.BytesIO(whole)
        url = f"{self.url}/contexts{path}"
        async with self.http.request(method, url, data=data, headers=sent) as response:
            return Reply(
                status=response.status, headers=response.headers, body=await response.read()
            )


@asynccontextmanager
async def opened(
    http: aiohttp.ClientSession, *, may_list: bool = True, max_body_bytes: int = 1_000_000
) -> AsyncIterator[Door]:
    store = StoreWithSwitch()
    gateway = gateway_with(FakeClient(), store, {})
    endpoints = replace(
        make_endpoints(
            Config(store=MEMORY),
            gateway,
            MemoryBoard(),
            make_anew,
            Readiness(gateway),
            open_observatory(),
        ),
        contexts=ContextsEndpoint(
            gateway.contexts,
            principal_of=lambda request: Principal(name=f"key:{request.headers['X-Who']}"),
            max_body_bytes=max_body_bytes,
            may_list=may_list,
        ),
    )
    app = make_app(endpoints, make_error_middleware(bytes))
    runner = web.AppRunner(app, access_log=None, auto_decompress=False)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield Door(url=f"http://127.0.0.1:{runner.addresses[0][1]}", store=store, http=http)
    finally:
        await runner.cleanup()


@pytest.fixture
async def door(http: aiohttp.ClientSession) -> AsyncIterator[Door]:
    async with opened(http) as door:
        yield door


async def test_a_context_is_made_read_patched_and_deleted(door: Door) -> None:
    made = await door.ask("POST", body={"goal": "ship it", "agent_type": "ide"})
    assert made.status == 201
    context_id = str(made.json["context_id"])
    assert made.headers["Location"] == f"/contexts/{context_id}"
    assert (made.json["current_goal"], made.json["agent_type"]) == ("ship it", "ide")
    assert is_valid_context(made.json)

    path = f"/{context_id}"
    read = await door.ask("GET", path)
    assert (read.status, read.body) == (200, made.body)
    assert read.headers["ETag"] == made.headers["ETag"]
    assert read.headers["Content-Type"].startswith("application/json")

    patched = await door.ask("PATCH", path, {"goal": None, "summary": "done"}, **MERGE_PATCH)
    assert patched.status == 200
    assert "current_goal" not in patched.json
    assert patched.json["context_summary"] == "done"
    assert patched.headers["ETag"] != read.headers["ETag"]
    assert (await door.ask("GET", path)).headers["ETag"] == patched.headers["ETag"]

    gone = await door.ask("DELETE", path)
    assert (gone.status, gone.body) == (204, b"")
    assert [r.headers["OCP-Context-ID"] for r in (made, read, patched, gone)] == [context_id] * 4
    assert (await door.ask("GET", path)).status == 404


async def test_what_is_made_without_a_word_has_defaults(door: Door) -> None:
    made = await door.ask("POST", OCP_Agent_Type="cli-1", OCP_Context_ID=ID)

    assert made.status == 201
    assert made.json["agent_type"] == "cli-1"
    assert made.json["context_id"] != ID
    assert (await door.ask("POST", body={})).json["agent_type"] == "generic_agent"


async def test_a_named_context_is_made_once(door: Door) -> None:
    first = await door.ask("POST", body={"context_id": "My-7", "goal": "a"})
    second = await door.ask("POST", body={"context_id": "My-7", "goal": "b"})

    assert (first.status, second.status) == (201, 409)
    assert second.json["code"] == "context_exists"
    assert second.headers["OCP-Context-ID"] == "My-7"
    assert (await door.ask("GET", "/My-7")).json["current_goal"] == "a"


async def test_nobody_can_tell_another_s_context_from_none(door: Door) -> None:
    await door.ask("POST", body={"context_id": ID, "goal": "secret"})

    for method, body in (("GET", None), ("PATCH", {"goal": "x"}), ("DELETE", None)):
        theirs = await door.ask(method, f"/{ID}", body, who="bob", If_Match="*")
        none = await door.ask(method, f"/{ID[:-1]}0", body, who="bob", If_Match="*")
        assert theirs.status == none.status == 404
        assert theirs.body == none.body
        assert theirs.json["code"] == "unknown_context"
        assert {**theirs.headers, "OCP-Context-ID": "", "Date": ""} == {
            **none.headers,
            "OCP-Context-ID": "",
            "Date": "",
        }
    assert (await door.ask("POST", body={"context_id": ID}, who="bob")).status == 201
    assert (await door.ask("GET", f"/{ID}")).json["current_goal"] == "secret"
    assert "current_goal" not in (await door.ask("GET", f"/{ID}", who="bob")).json


async def test_a_reader_that_has_it_is_told_so(door: Door) -> None:
    made = await door.ask("POST", body={"context_id": ID})
    etag = made.headers["ETag"]

    for field in (etag, f'"other", W/{etag}', "*"):
        known = await door.ask("GET", f"/{ID}", If_None_Match=field)
        assert (known.status, known.body) == (304, b"")
        assert (known.headers["ETag"], known.headers["OCP-Context-ID"]) == (etag, ID)
    assert (await door.ask("GET", f"/{ID}", If_None_Match='"other"')).status == 200
    head = await door.ask("HEAD", f"/{ID}")
    assert (head.status, head.body, head.headers["ETag"]) == (200, b"", etag)


@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_a_reader_may_insist_on_the_state_it_knows(door: Door, method: str) -> None:
    etag = (await door.ask("POST", body={"context_id": ID})).headers["ETag"]

    for field, unless, status in (
        (etag, "", 200),
        ("*", "", 200),
        ('"other"', "", 412),
        (f"W/{etag}", "", 412),
        ('"other"', etag, 412),
        (etag, etag, 304),
    ):
        conditions = {"If_Match": field} | ({"If_None_Match": unless} if unless else {})
        read = await door.ask(method, f"/{ID}", **conditions)
        assert (read.status, read.headers["OCP-Context-ID"]) == (status, ID)


@pytest.mark.parametrize("patch", [{}, {"api_specs": {}}], ids=str)
async def test_a_patch_that_says_nothing_changes_nothing(door: Door, patch: object) -> None:
    made = await door.ask("POST", body={"context_id": ID})
    owner = Principal(name="key:ann")
    before = await door.store.inner.get(owner, ID)

    for condition in ({}, {"If_Match": made.headers["ETag"]}, {"If_Match": "*"}):
        patched = await door.ask("PATCH", f"/{ID}", patch, **condition)
        assert (patched.status, patched.body) == (200, made.body)
        assert patched.headers["ETag"] == made.headers["ETag"]
    assert await door.store.inner.get(owner, ID) == before
    assert (await door.ask("PATCH", f"/{ID}", patch, If_Match='"other"')).status == 412
    assert (await door.ask("PATCH", f"/{ID}", patch, who="bob")).status == 404


@pytest.mark.parametrize("method", ["PATCH", "DELETE"])
async def test_a_condition_that_does_not_hold_changes_nothing(door: Door, method: str) -> None:
    etag = (await door.ask("POST", body={"context_id": ID})).headers["ETag"]
    body = {"goal": "late"} if method == "PATCH" else None
    await door.ask("PATCH", f"/{ID}", {"user": "early"})

    for condition in ({"If_Match": etag}, {"If_Match": '"x"'}, {"If_None_Match": "*"}):
        refused = await door.ask(method, f"/{ID}", body, **condition)
        assert (refused.status, refused.json["code"]) == (412, "version_conflict")
        assert refused.headers["OCP-Context-ID"] == ID
    now = await door.ask("GET", f"/{ID}")
    assert (now.json["user"], now.json.get("current_goal")) == ("early", None)
    weak = await door.ask(method, f"/{ID}", body, If_Match=f"W/{now.headers['ETag']}")
    assert weak.status == 412
    assert (await door.ask(method, f"/{ID}", body, If_Match=now.headers["ETag"])).status < 300


async def test_a_call_between_reading_and_writing_breaks_the_condition(door: Door) -> None:
    """Also where the context was deleted and made anew meanwhile, with the same version."""
    etag = (await door.ask("POST", body={"context_id": ID})).headers["ETag"]
    ann = Principal(name="key:ann")
    await door.store.inner.update(ann, ID, append(context_id=ID))

    assert (await door.ask("PATCH", f"/{ID}", {}, If_Match=etag)).status == 412
    await door.ask("DELETE", f"/{ID}")
    await door.store.inner.update(ann, ID, append(context_id=ID))
    assert (await door.ask("DELETE", f"/{ID}", If_Match=etag)).status == 412


@pytest.mark.parametrize(
    ("condition", "status"),
    [
        ({"If_Match": "*"}, 200),
        ({"If_None_Match": '"other"'}, 200),
        ({"If_Match": "{etag}"}, 412),
    ],
    ids=["exists", "is-not-other", "is-this"],
)
@pytest.mark.parametrize("method", ["PATCH", "DELETE"])
async def test_a_call_breaks_only_a_condition_that_names_a_state(
    door: Door, method: str, condition: Mapping[str, str], status: int
) -> None:
    """The call is recorded when the condition has been judged, just before the change."""
    etag = (await door.ask("POST", body={"context_id": ID})).headers["ETag"]
    sent = {name: field.format(etag=etag) for name, field in condition.items()}
    body = {"user": "u"} if method == "PATCH" else None
    door.store.hold = asyncio.Event()
    door.store.writing.clear()
    async with asyncio.TaskGroup() as group:
        asking = group.create_task(door.ask(method, f"/{ID}", body, **sent))
        await door.store.writing.wait()
        await door.store.inner.update(Principal(name="key:ann"), ID, append(context_id=ID))
        door.store.hold.set()

    expected = 204 if (method, status) == ("DELETE", 200) else status
    assert asking.result().status == expected


@pytest.mark.parametrize("path", ["/a_b", "/" + "a" * 65, "/%2e%2e%2fx", "/a%0a", "/%F0%9F%90%99"])
async def test_an_id_that_is_none_is_not_found(door: Door, path: str) -> None:
    for method in ("GET", "DELETE"):
        reply = await door.ask(method, path)
        assert (reply.status, reply.json["code"]) == (404, "unknown_context")
        assert "OCP-Context-ID" not in reply.headers
    assert door.store.asked == 0


async def test_every_fault_of_a_patch_is_told(door: Door) -> None:
    await door.ask("POST", body={"context_id": ID})
    refused = await door.ask("PATCH", f"/{ID}", {"goal": 1, "history": [], "user": "u"})

    assert (refused.status, refused.json["code"]) == (422, "invalid_arguments")
    errors = refused.json["errors"]
    assert isinstance(errors, list)
    assert [error["pointer"] for error in errors] == ["/goal", "/history"]
    assert refused.headers["OCP-Context-ID"] == ID
    assert "user" not in (await door.ask("GET", f"/{ID}")).json


@pytest.mark.parametrize(
    ("method", "path"), [("POST", ""), ("PATCH", f"/{ID}")], ids=["post", "patch"]
)
async def test_bodies_that_are_no_plain_json_are_refused(
    door: Door, method: str, path: str
) -> None:
    typed = await door.ask(method, path, b"goal=x", Content_Type="text/plain")
    coded = await door.ask(method, path, {"goal": "x"}, Content_Encoding="gzip")
    broken = await door.ask(method, path, b'{"goal": ')
    large = await door.ask(method, path, b'{"goal": "' + b"x" * 1_000_000 + b'"}')

    assert [r.status for r in (typed, coded, broken, large)] == [415, 415, 400, 413]
    assert typed.json["code"] == "unsupported_media_type"
    if method == "PATCH":
        assert "application/merge-patch+json" in typed.headers["Accept-Patch"]


async def test_a_patch_has_a_limit_of_its_own(http: aiohttp.ClientSession) -> None:
    """What is over it is refused although tools may be given as much."""
    async with opened(http, max_body_bytes=2 * MAX_BODY) as door:
        whole = dict.fromkeys(("goal", "summary", "user"), "🐙" * MAX_MEMBER)
        said = json.dumps(whole, ensure_ascii=False).encode()
        assert (await door.ask("POST", body=said)).status == 201
        spaces = b" " * (MAX_BODY - len(said))
        assert (await door.ask("POST", body=said + spaces)).status == 201
        assert (await door.ask("POST", body=said + spaces + b" ")).status == 413


@pytest.mark.parametrize("size", [LARGE // 2, LARGE], ids=["small", "large"])
async def test_only_a_large_body_is_read_aside(
    door: Door, size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    readers: list[int] = []

    def read(body: bytes) -> object:
        readers.append(threading.get_ident())
        return parse_json(body)

    monkeypatch.setattr("gateway.server.heads.parse_json", read)
    body = b'{"goal": "x"' + b" " * size + b"}"
    assert (await door.ask("POST", body=body)).status == 201
    assert [reader == threading.get_ident() for reader in readers] == [size < LARGE]


async def test_a_list_has_the_caller_s_own_page_by_page(door: Door) -> None:
    for number in range(5):
        await door.ask("POST", body={"context_id": f"ocp-0000000{number}", "agent_type": "ide"})
    await door.ask("POST", body={"context_id": "ocp-00000009"}, who="bob")
    await door.store.inner.update(
        Principal(name="key:ann"), "ocp-00000000", append(context_id="ocp-00000000")
    )

    found: list[dict[str, object]] = []
    cursor: object = ""
    while cursor is not None:
        page = await door.ask("GET", f"?limit=2&cursor={cursor}" if cursor else "?limit=2")
        assert page.status == 200
        lines, cursor = page.json["contexts"], page.json["nextCursor"]
        assert isinstance(lines, list)
        assert len(lines) <= 2
        found += lines

    assert [line["context_id"] for line in found] == [f"ocp-0000000{n}" for n in range(5)]
    assert [line["interaction_count"] for line in found] == [1, 0, 0, 0, 0]
    assert found[0].keys() == {"context_id", "agent_type", "last_updated", "interaction_count"}
    assert found[1]["agent_type"] == "ide"


@pytest.mark.parametrize(
    "query",
    ["limit=0", "limit=1001", "limit=x", "limit=1e2", "limit=-1", "cursor=%FF", "cursor=*", "q=1"],
)
async def test_a_question_that_makes_no_sense_is_refused(door: Door, query: str) -> None:
    reply = await door.ask("GET", f"?{query}")

    assert (reply.status, reply.json["code"]) == (400, "bad_request")


async def test_where_everybody_is_the_same_nothing_is_listed(http: aiohttp.ClientSession) -> None:
    async with opened(http, may_list=False) as door:
        await door.ask("POST", body={"context_id": ID})
        reply = await door.ask("GET")
        assert (reply.status, reply.json["code"]) == (403, "forbidden")
        assert ID not in reply.body.decode()
        assert (await door.ask("GET", f"/{ID}")).status == 200


async def test_a_store_that_is_down_is_said_to_be(door: Door) -> None:
    door.store.up = False

    for method, path, body in (
        ("GET", "", None),
        ("POST", "", {"context_id": ID}),
        ("GET", f"/{ID}", None),
        ("PATCH", f"/{ID}", {"goal": "x"}),
        ("DELETE", f"/{ID}", None),
    ):
        reply = await door.ask(method, path, body)
        assert (reply.status, reply.json["code"]) == (503, "store_unavailable")
        assert int(reply.headers["Retry-After"]) > 0
        assert reply.headers.get("OCP-Context-ID") == (ID if path or body else None)


async def test_a_write_that_was_not_stored_is_no_success(door: Door) -> None:
    await door.ask("POST", body={"context_id": ID})
    door.store.refusal = StoreUnavailable("full")

    assert (await door.ask("PATCH", f"/{ID}", {"goal": "x"})).status == 503
    assert (await door.ask("POST")).status == 503
    assert (await door.ask("DELETE", f"/{ID}")).status == 503


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("PUT", "", {"GET", "HEAD", "POST"}),
        ("DELETE", "", {"GET", "HEAD", "POST"}),
        ("POST", f"/{ID}", {"GET", "HEAD", "PATCH", "DELETE"}),
    ],
)
async def test_other_methods_are_named(
    door: Door, method: str, path: str, allowed: set[str]
) -> None:
    reply = await door.ask(method, path)

    assert (reply.status, reply.json["code"]) == (405, "method_not_allowed")
    assert set(reply.headers["Allow"].split(",")) == allowed


async def test_calls_and_contexts_share_one_memory(
    served: Served, echo: EchoUpstream, http: aiohttp.ClientSession
) -> None:
    """Made here, filled by a tool call and a proxied request, read here."""
    async with http.post(f"{served.url}/contexts", json={"goal": "count"}) as response:
        context_id = response.headers["OCP-Context-ID"]
    named = {"OCP-Context-ID": context_id}
    async with http.post(f"{served.url}/tools/shopListItems", json={}, headers=named) as response:
        assert (await response.json())["context_id"] == context_id
    async with http.get(f"{served.url}/apis/shop/items", headers=named) as response:
        assert response.status == 200
    async with http.get(f"{served.url}/contexts/{context_id}") as response:
        context = await response.json()
    async with http.get(f"{served.url}/contexts") as response:
        (line,) = (await response.json())["contexts"]

    assert [entry["action"] for entry in context["history"]] == [
        "tool_call:listItems",
        "api_call_get",
    ]
    assert line["interaction_count"] == context["session"]["interaction_count"] == 2
    assert context["current_goal"] == "count"


async def test_an_open_gateway_in_reach_of_others_lists_nothing(
    echo: EchoUpstream, spec: str, http: aiohttp.ClientSession
) -> None:
    shop = ApiConfig(name="shop", spec=spec, base_url=echo.url)
    async with (
        serving(shop, insecure_open=True) as served,
        http.get(f"{served.url}/contexts") as response,
    ):
        assert response.status == 403


async def test_the_address_of_a_new_context_is_the_one_that_callers_use(
    echo: EchoUpstream, spec: str, http: aiohttp.ClientSession
) -> None:
    shop = ApiConfig(name="shop", spec=spec, base_url=echo.url)
    public = ServerConfig(public_url="https://gw.example/x")
    async with (
        serving(shop, server=public) as served,
        http.post(f"{served.url}/contexts", json={"context_id": ID}) as response,
    ):
        assert response.headers["Location"] == f"https://gw.example/x/contexts/{ID}"
