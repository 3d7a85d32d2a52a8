"""The life of a proxied request."""

import asyncio
import json

import pytest

from gateway.catalog import Catalog
from gateway.context import read_inbound, to_mapping
from gateway.engine import ProxiedRequest
from gateway.errors import (
    ApiUnavailable,
    BadRequest,
    GatewayError,
    LoopDetected,
    MethodNotAllowed,
    UnknownApi,
    UnknownOperation,
    UpstreamError,
    UpstreamTimeout,
    UpstreamUnreachable,
)
from gateway.messages import Headers, Request, RequestHead, ResponseHead, header, header_values
from gateway.policy import ANONYMOUS
from gateway.upstreams import OcpHeaders, ProxyReach
from tests.support.engine import Answer, Stage, broken, stage

ID = "ocp-00000001"
NAMED = (("OCP-Context-ID", ID),)
SESSION = "OCP-Session"


async def forward(
    on: Stage,
    target: str = "/items/7",
    *headers: tuple[str, str],
    method: str = "GET",
    api: str = "shop",
) -> tuple[ResponseHead, bytes]:
    head = RequestHead(method=method, target=target, headers=headers)
    request = ProxiedRequest(
        api=api,
        request=Request(head=head),
        principal=ANONYMOUS,
        inbound=read_inbound(headers),
    )
    async with on.gateway.forward(request) as response:
        return response.head, b"".join([chunk async for chunk in response.body])


def ocp(headers: Headers) -> dict[str, str]:
    return {name: value for name, value in headers if name.lower().startswith("ocp")}


async def test_head_and_body_pass_and_the_context_is_named() -> None:
    on = stage()
    on.client.answer = Answer(status=418, headers=(("X-Up", "1"),), chunks=(b"a", b"b"))

    head, body = await forward(on, "/items/a%2Fb?x=%41", *NAMED, ("X-Own", "1"))

    sent = on.client.requests[-1].head
    assert (sent.method, sent.target) == ("GET", "/v1/items/a%2Fb?x=%41")
    assert header(sent.headers, "X-Own") == "1"
    assert (head.status, body) == (418, b"ab")
    assert header(head.headers, "X-Up") == "1"
    assert ocp(head.headers) == {"OCP-Context-ID": ID}


async def test_there_is_no_total_deadline() -> None:
    on = stage()
    await forward(on)
    assert on.client.deadlines == [None]


@pytest.mark.parametrize(
    ("target", "method", "entry"),
    [
        ("/items/7?token=s3cret", "GET", ("api_call_get", "GET /items/{id}", "HTTP 200")),
        ("/items", "POST", ("api_call_post", "POST /items", "HTTP 200")),
        ("/items/7", "HEAD", ("api_call_head", "HEAD /items/{id}", "HTTP 200")),
    ],
)
async def test_the_entry(target: str, method: str, entry: tuple[str, str, str]) -> None:
    on = stage()
    await forward(on, target, *NAMED, method=method)
    assert await on.entries(ID) == [entry]


async def test_an_undescribed_path_is_recorded_without_it() -> None:
    on = stage(proxy=ProxyReach.ANY)
    await forward(on, "/s3cret/path?s3cret", *NAMED)
    assert await on.entries(ID) == [("api_call_get", None, "HTTP 200")]
    context = await on.context(ID)
    assert context is not None
    assert "s3cret" not in json.dumps(to_mapping(context))


async def test_the_context_goes_along() -> None:
    on = stage()
    await forward(on, "/items", *NAMED, ("OCP-Current-Goal", "find"))
    await forward(on, "/items", *NAMED)
    headers = on.client.last
    assert header(headers, "OCP-Current-Goal") == "find"
    session = read_inbound(headers).session
    assert session is not None
    assert len(session.history) == 1


@pytest.mark.parametrize(
    "headers",
    [
        (),
        (("OCP-Version", "1.0"),),
        (("OCP-Context-ID", "not valid"), (SESSION, "%%%")),
        (("OCP-Context-ID", ID), ("OCP-Context-ID", "ocp-00000002")),
    ],
    ids=["none", "version alone", "invalid", "duplicate"],
)
async def test_traffic_that_says_nothing_of_a_context_leaves_nothing_behind(
    headers: Headers,
) -> None:
    on = stage()
    head, _ = await forward(on, "/items", *headers)
    named = header(head.headers, "OCP-Context-ID")
    assert named is not None
    assert named.startswith("ocp-")
    assert header(on.client.last, "OCP-Context-ID") == named
    assert "OCP-Gateway-Recorded" not in ocp(head.headers)
    assert await on.stored() == ()
    assert on.store.asked == 0


async def test_what_a_caller_and_an_upstream_say_in_the_protocol_does_not_pass_as_such() -> None:
    on = stage(ocp_headers=OcpHeaders.OFF)
    on.client.answer = Answer(headers=((SESSION, "forged"), ("OCP-Context-ID", "ocp-ffffffff")))
    head, _ = await forward(on, "/items", *NAMED, (SESSION, "x"), ("OCP_User", "x"))
    assert ocp(on.client.last) == {}
    assert ocp(head.headers) == {"OCP-Context-ID": ID}


async def test_store_down_is_said() -> None:
    on = stage()
    on.store.up = False
    head, _ = await forward(on, "/items", *NAMED)
    assert ocp(head.headers) == {"OCP-Context-ID": ID, "OCP-Gateway-Recorded": "false"}


@pytest.mark.parametrize(
    ("error", "result"),
    [
        (UpstreamTimeout, "timeout"),
        (UpstreamUnreachable, "unreachable"),
        (UpstreamError, "unreachable"),
    ],
)
async def test_a_failure_is_raised_recorded_and_named(
    error: type[UpstreamError], result: str
) -> None:
    on = stage()
    on.client.answer = broken(error)
    with pytest.raises(error) as caught:
        await forward(on, "/items", *NAMED)
    assert caught.value.context_id == ID
    assert await on.entries(ID) == [("api_call_get", "GET /items", result)]


async def test_a_failure_after_the_head_keeps_the_entry_of_the_head() -> None:
    on = stage()
    on.client.answer = Answer(chunks=(b"a",), breaks=broken(UpstreamTimeout))
    with pytest.raises(UpstreamTimeout):
        await forward(on, "/items", *NAMED)
    assert await on.entries(ID) == [("api_call_get", "GET /items", "HTTP 200")]


async def test_a_caller_that_leaves_is_recorded() -> None:
    on = stage()
    on.client.answer = Answer(hold=asyncio.Event())
    task = asyncio.ensure_future(forward(on, "/items", *NAMED))
    await on.client.asked.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await on.gateway.aclose()
    assert await on.entries(ID) == [("api_call_get", "GET /items", "cancelled")]


async def test_a_loop_is_seen() -> None:
    on = stage()
    await forward(on, "/items")
    (via,) = header_values(on.client.last, "Via")
    with pytest.raises(LoopDetected):
        await forward(on, "/items", ("Via", via))
    # Another gateway's mark is none of ours.
    await forward(on, "/items", ("Via", "1.1 ocp-gateway-ffffffff"))


@pytest.mark.parametrize(
    ("reach", "api", "method", "target", "error"),
    [
        (ProxyReach.DESCRIBED, "nope", "GET", "/items", UnknownApi),
        (ProxyReach.DESCRIBED, "loading", "GET", "/items", ApiUnavailable),
        (ProxyReach.DESCRIBED, "shop", "GET", "/admin", UnknownOperation),
        (ProxyReach.DESCRIBED, "shop", "GET", "/ITEMS", UnknownOperation),
        (ProxyReach.DESCRIBED, "shop", "GET", "/items/", UnknownOperation),
        (ProxyReach.DESCRIBED, "shop", "DELETE", "/items", MethodNotAllowed),
        (ProxyReach.DESCRIBED, "shop", "GET", "/items/..", BadRequest),
        (ProxyReach.DESCRIBED, "shop", "GET", "/items/%2e%2e%2fadmin", BadRequest),
        (ProxyReach.ANY, "shop", "GET", "/x/../y", BadRequest),
        (ProxyReach.ANY, "shop", "GET", "/..;/y", BadRequest),
        (ProxyReach.OFF, "shop", "GET", "/items", UnknownOperation),
    ],
)
async def test_refusals_send_and_store_nothing(
    reach: ProxyReach, api: str, method: str, target: str, error: type[GatewayError]
) -> None:
    on = stage(proxy=reach)
    on.gateway.missing = frozenset({"loading"})
    with pytest.raises(error) as caught:
        await forward(on, target, *NAMED, method=method, api=api)
    assert caught.value.context_id == ID
    assert not on.client.requests
    assert await on.stored() == ()


@pytest.mark.parametrize("target", ["/anything?x", "/", "//", "/100%25"])
async def test_any_path_below_the_base_where_that_is_allowed(target: str) -> None:
    on = stage(proxy=ProxyReach.ANY)
    await forward(on, target)
    assert on.client.requests[-1].head.target == f"/v1{target}"


async def test_an_api_that_was_missing_can_be_taken_in() -> None:
    on = stage()
    shop, upstream = on.gateway.catalog.apis["shop"], on.gateway.upstreams["shop"]
    on.gateway.catalog, on.gateway.upstreams = type(on.gateway.catalog)([]), {}
    on.gateway.missing = frozenset({"shop"})
    with pytest.raises(ApiUnavailable):
        on.gateway.view("shop")

    on.gateway.admit(Catalog([shop]), upstream)

    assert on.gateway.view("shop").find("getItem") is not None
    assert not on.gateway.missing
    await forward(on)
