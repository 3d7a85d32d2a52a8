"""Names that a description chose lead nowhere but where their scope allows, whatever they mean."""

import socket
from collections.abc import Iterator

import pytest

from gateway.client import Resilience
from gateway.errors import ApiUnavailable, UpstreamUnreachable
from gateway.messages import Request, RequestHead
from gateway.upstreams import AddressScope, Upstream
from tests.support.clients import make_client
from tests.support.echo_upstream import EchoUpstream

GET = Request(head=RequestHead(method="GET", target="/"))


@pytest.fixture
def canary() -> Iterator[EchoUpstream]:
    with EchoUpstream() as upstream:
        yield upstream


async def status(client: Resilience, origin: str, scope: AddressScope) -> int:
    upstream = Upstream(name="shop", origin=origin, scope=scope, retries=1)
    async with client.send(GET, upstream, deadline=None) as response:
        return response.head.status


@pytest.fixture
def resolving(monkeypatch: pytest.MonkeyPatch, canary: EchoUpstream) -> None:
    """`inside.test` is at loopback, `mixed.test` at a metadata address, too."""
    addresses = {"inside.test": ["127.0.0.1"], "mixed.test": ["169.254.169.254", "127.0.0.1"]}

    def getaddrinfo(host: str, port: int, *_: object, **__: object) -> list[object]:
        return [
            (socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))
            for address in addresses[host]
        ]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)


@pytest.mark.usefixtures("resolving")
@pytest.mark.parametrize("host", ["inside.test", "127.0.0.1"])
async def test_a_public_name_does_not_lead_inside(
    client: Resilience, canary: EchoUpstream, host: str
) -> None:
    with pytest.raises(UpstreamUnreachable):
        await status(client, f"http://{host}:{canary.port}", AddressScope.PUBLIC)
    assert not canary.seen


@pytest.mark.usefixtures("resolving")
@pytest.mark.parametrize("scope", [AddressScope.NEAR, AddressScope.ANY])
async def test_a_near_one_may(
    client: Resilience, canary: EchoUpstream, scope: AddressScope
) -> None:
    assert await status(client, f"http://inside.test:{canary.port}", scope) == 200


@pytest.mark.usefixtures("resolving")
async def test_the_addresses_that_are_left_are_tried(
    client: Resilience, canary: EchoUpstream
) -> None:
    origin = f"http://mixed.test:{canary.port}"
    assert await status(client, origin, AddressScope.NEAR) == 200
    assert len(canary.seen) == 1


@pytest.mark.usefixtures("resolving")
async def test_a_kept_connection_is_not_shared_with_a_wider_scope(
    client: Resilience, canary: EchoUpstream
) -> None:
    origin = f"http://inside.test:{canary.port}"
    assert await status(client, origin, AddressScope.ANY) == 200
    with pytest.raises(UpstreamUnreachable):
        await status(client, origin, AddressScope.PUBLIC)
    assert len(canary.seen) == 1


async def test_a_closed_client_opens_no_further_pool(canary: EchoUpstream) -> None:
    client = make_client()
    await client.aclose()
    with pytest.raises(ApiUnavailable, match="ending"):
        await status(client, canary.url, AddressScope.NEAR)
