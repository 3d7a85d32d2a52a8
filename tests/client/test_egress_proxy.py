"""APIs that are reached by way of an HTTP proxy, which is told as little as it needs."""

import asyncio
import ssl
from base64 import b64encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from gateway.client import Resilience
from gateway.errors import UpstreamUnreachable
from gateway.messages import Request, RequestHead
from gateway.upstreams import AddressScope, TlsFiles, Upstream
from tests.support.certificates import make_certificates
from tests.support.echo_upstream import EchoUpstream
from tests.support.tls_front import tls_front

PASSWORD = "Basic " + b64encode(b"user:pa ss").decode()


@dataclass(slots=True)
class FakeProxy:
    """Keeps the heads of requests, opens tunnels, answers the rest itself."""

    port: int = 0
    refusal: bytes = b""
    heads: list[str] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://user:pa%20ss@127.0.0.1:{self.port}"

    async def converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                self.heads.append(head)
                if self.refusal:
                    writer.write(self.refusal)
                elif head.startswith("CONNECT "):
                    await self._tunnel(head, reader, writer)
                    return
                else:
                    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nproxy")
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    async def _tunnel(
        self, head: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        host, _, port = head.split()[1].rpartition(":")
        answers, words = await asyncio.open_connection(host, int(port))
        writer.write(b"HTTP/1.1 200 Connected\r\n\r\n")
        async with asyncio.TaskGroup() as group:
            group.create_task(_relay(reader, words))
            group.create_task(_relay(answers, writer))


async def _relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(65_536):
            writer.write(data)
    except OSError:
        pass
    finally:
        writer.close()


@asynccontextmanager
async def fake_proxy(refusal: bytes = b"") -> AsyncIterator[FakeProxy]:
    proxy = FakeProxy(refusal=refusal)
    server = await asyncio.start_server(proxy.converse, "127.0.0.1", 0)
    async with server:
        proxy.port = server.sockets[0].getsockname()[1]
        yield proxy


def field_of(head: str, name: str) -> list[str]:
    pairs = (line.partition(": ") for line in head.split("\r\n"))
    return [value for key, _, value in pairs if key.lower() == name.lower()]


async def ask(client: Resilience, upstream: Upstream, target: str = "/") -> bytes:
    request = Request(head=RequestHead(method="GET", target=target, headers=(("X-A", "1"),)))
    async with client.send(request, upstream, deadline=None) as response:
        assert response.head.status == 200
        return b"".join([chunk async for chunk in response.body])


async def test_an_http_api_is_asked_for_by_its_whole_url(client: Resilience) -> None:
    target = "/a/%2E%2E/b%2Fc?x=%41&&y"
    async with fake_proxy() as proxy:
        upstream = Upstream(
            name="shop", origin="http://shop.test:81", egress_proxy=proxy.url, retries=0
        )
        for _ in range(2):
            assert await ask(client, upstream, target) == b"proxy"
    for head in proxy.heads:
        assert head.startswith(f"GET http://shop.test:81{target} HTTP/1.1\r\n")
        assert field_of(head, "Host") == ["shop.test:81"]
        assert field_of(head, "Proxy-Authorization") == [PASSWORD]
        assert not field_of(head, "Authorization")


async def test_an_https_api_is_behind_a_tunnel_and_never_sees_the_password(
    client: Resilience, tmp_path: Path
) -> None:
    files = make_certificates(tmp_path)
    with EchoUpstream() as echo, EchoUpstream() as reserved:
        reserved.go_down()
        with tls_front(echo.port, reserved.port, files):
            async with fake_proxy() as proxy:
                upstream = Upstream(
                    name="shop",
                    origin=f"https://127.0.0.1:{reserved.port}",
                    egress_proxy=proxy.url,
                    tls=TlsFiles(ca=str(files.authority)),
                    retries=0,
                )
                for _ in range(2):
                    await ask(client, upstream, "/a?b")
                await client.aclose()
        (head,) = proxy.heads
        assert head.startswith(f"CONNECT 127.0.0.1:{reserved.port} HTTP/1.1\r\n")
        assert field_of(head, "Proxy-Authorization") == [PASSWORD]
        assert not field_of(head, "X-A")
        assert [seen.target for seen in echo.seen] == ["/a?b"] * 2
        assert not any(seen.values("Proxy-Authorization") for seen in echo.seen)


async def test_a_certificate_is_verified_in_the_tunnel(client: Resilience, tmp_path: Path) -> None:
    files = make_certificates(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(files.certificate, files.key)
    heard: list[bytes] = []

    async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append(await reader.read(1))
        writer.close()

    server = await asyncio.start_server(converse, "127.0.0.1", 0, ssl=context)
    async with server, fake_proxy() as proxy:
        port = server.sockets[0].getsockname()[1]
        upstream = Upstream(
            name="shop", origin=f"https://127.0.0.1:{port}", egress_proxy=proxy.url, retries=0
        )
        with pytest.raises(UpstreamUnreachable, match="TLS is not acceptable"):
            await ask(client, upstream)
    assert not heard


@pytest.mark.parametrize(
    "refusal",
    [
        b"HTTP/1.1 407 Who\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 502 No\r\nContent-Length: 0\r\n\r\n",
    ],
    ids=["407", "502"],
)
async def test_a_proxy_that_opens_no_tunnel_leaves_the_api_unreachable(
    client: Resilience, refusal: bytes
) -> None:
    async with fake_proxy(refusal) as proxy:
        upstream = Upstream(
            name="shop", origin="https://shop.test", egress_proxy=proxy.url, retries=0
        )
        with pytest.raises(UpstreamUnreachable) as caught:
            await ask(client, upstream)
    assert "user" not in str(caught.value)
    assert "127.0.0.1" not in str(caught.value)


async def test_a_proxy_that_is_down_leaves_the_api_unreachable(client: Resilience) -> None:
    async with fake_proxy() as proxy:
        pass
    upstream = Upstream(name="shop", origin="http://shop.test", egress_proxy=proxy.url)
    with pytest.raises(UpstreamUnreachable):
        await ask(client, upstream)


async def test_a_description_does_not_lead_a_proxy_inside(client: Resilience) -> None:
    async with fake_proxy() as proxy:
        upstream = Upstream(
            name="shop",
            origin="http://169.254.169.254",
            egress_proxy=proxy.url,
            scope=AddressScope.NEAR,
        )
        with pytest.raises(UpstreamUnreachable, match="no near address"):
            await ask(client, upstream)
    assert not proxy.heads


async def test_the_password_is_in_no_text() -> None:
    upstream = Upstream(
        name="shop", origin="http://shop.test", egress_proxy="http://user:secret@proxy.test"
    )
    assert "secret" not in repr(upstream)


async def test_a_proxy_may_be_where_the_api_may_not(client: Resilience) -> None:
    async with fake_proxy() as proxy:
        upstream = Upstream(
            name="shop",
            origin="http://shop.test",
            egress_proxy=proxy.url,
            scope=AddressScope.PUBLIC,
        )
        assert await ask(client, upstream) == b"proxy"
