"""A tool call that is only shown is the call that would be made, and leaves nothing behind."""

import pytest

from gateway.calls import Preview
from gateway.context import read_inbound
from gateway.engine import ContextClaim, ToolCall
from gateway.errors import GatewayError, InvalidArguments, UnknownTool
from gateway.messages import Headers, header
from gateway.policy import ANONYMOUS
from gateway.upstreams import AddressScope, OcpHeaders
from tests.support.engine import UPSTREAM, Stage, stage

ID = "ocp-0123456789"
CALLER: Headers = (
    ("OCP-Context-ID", ID),
    ("OCP-Current-Goal", "a private goal"),
    ("X-Key", "s3cret"),
    ("X-Note", "s3cret"),
)


def asking(name: str = "getItem", **arguments: object) -> ToolCall:
    return ToolCall(
        name=name,
        arguments=arguments or {"id": "7", "X_Note": "hello"},
        principal=ANONYMOUS,
        claim=ContextClaim(inbound=read_inbound(CALLER)),
        headers=CALLER,
    )


async def shown(on: Stage, call: ToolCall) -> Preview:
    preview = await on.gateway.preview_tool(call)
    assert on.client.requests == []
    assert await on.stored() == ()
    return preview


async def test_it_is_the_request_that_would_be_sent() -> None:
    on = stage(headers=(("X-Env", "s3cret"),), forward_headers=frozenset({"x-key"}))
    preview = await shown(on, asking(id="a b"))
    await on.gateway.call_tool(asking(id="a b"))
    (request,) = on.client.requests
    assert (preview.method, preview.url) == ("GET", f"http://shop.test{request.head.target}")
    assert preview.url == "http://shop.test/v1/items/a%20b"
    assert [name for name, _ in preview.headers] == [name for name, _ in request.head.headers]


async def test_what_neither_arguments_nor_ids_say_is_hidden() -> None:
    on = stage(
        headers=(("X-Env", "s3cret"), ("accept", "s3cret")),
        forward_headers=frozenset({"x-key", "x-note"}),
    )
    preview = await shown(on, asking(id="7", X_Note="hello"))
    values = dict(preview.headers)
    assert values["X-Note"] == "hello"
    assert (values["X-Env"], values["accept"], values["X-Key"]) == ("***", "***", "***")
    assert (values["OCP-Context-ID"], values["OCP-Version"]) == (ID, "1.0")
    assert values["OCP-Session"].startswith("*** (")
    assert "s3cret" not in str(preview)
    assert "private" not in str(preview)
    assert set(preview.hidden) == {"X-Env", "accept", "X-Key", "OCP-Session", "OCP-Current-Goal"}


async def test_a_forwarded_header_is_hidden_where_no_argument_makes_it() -> None:
    on = stage(forward_headers=frozenset({"x-note"}))
    preview = await shown(on, asking(id="7"))
    assert header(preview.headers, "X-Note") == "***"


async def test_it_goes_where_the_operation_is() -> None:
    place = UPSTREAM.at("https://up.test/x", scope=AddressScope.PUBLIC)
    on = stage(elsewhere={("GET", "/items/{id}"): place}, headers=(("X-Env", "s3cret"),))
    preview = await shown(on, asking())
    assert preview.url == "https://up.test/x/items/7"
    assert "X-Env" not in dict(preview.headers)


async def test_nothing_of_the_context_where_nothing_is_sent() -> None:
    preview = await shown(stage(ocp_headers=OcpHeaders.OFF), asking())
    assert not [name for name, _ in preview.headers if name.startswith("OCP")]


@pytest.mark.parametrize(
    ("call", "error"),
    [
        pytest.param(asking("nope"), UnknownTool, id="unknown tool"),
        pytest.param(asking("getItem", zz=1), InvalidArguments, id="bad arguments"),
        pytest.param(asking("getItem", id=".."), InvalidArguments, id="dot segment"),
    ],
)
async def test_it_is_refused_like_the_call(call: ToolCall, error: type[GatewayError]) -> None:
    on = stage()
    with pytest.raises(error):
        await on.gateway.preview_tool(call)
    assert await on.stored() == ()


async def test_the_context_that_stands_is_read_and_not_written() -> None:
    on = stage()
    await on.gateway.call_tool(asking())
    before = await on.stored()
    on.client.requests.clear()
    await on.gateway.preview_tool(asking())
    assert (await on.stored(), on.client.requests) == (before, [])


async def test_it_needs_no_store() -> None:
    on = stage()
    on.store.up = False
    assert (await on.gateway.preview_tool(asking())).method == "GET"
