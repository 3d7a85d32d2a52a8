"""S-90: certificates are always verified, and renewed ones are seen without a restart."""

import asyncio
import shutil
import ssl
import warnings
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from gateway.client import Resilience, tls
from gateway.errors import UpstreamError, UpstreamUnreachable
from gateway.messages import Request, RequestHead
from gateway.upstreams import TlsFiles, Upstream
from tests.support.certificates import Certificates, make_certificates


@dataclass(slots=True)
class TlsServer:
    """Answers 200 to each request; `heard` counts them."""

    url: str = ""
    heard: int = 0


@asynccontextmanager
async def tls_server(context: ssl.SSLContext) -> AsyncIterator[TlsServer]:
    state = TlsServer()

    async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.readuntil(b"\r\n\r\n")
            state.heard += 1
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            await writer.drain()
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(converse, "127.0.0.1", 0, ssl=context)
    async with server:
        state.url = f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        yield state


def serving(files: Certificates) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(files.certificate, files.key)
    return context


def knowing(ca: Path | None, own: Certificates | None = None) -> TlsFiles:
    return TlsFiles(
        ca=str(ca) if ca else None,
        cert=str(own.certificate) if own else None,
        key=str(own.key) if own else None,
    )


async def ask(client: Resilience, url: str, files: TlsFiles) -> int:
    upstream = Upstream(name="shop", origin=url, tls=files, retries=1)
    request = Request(head=RequestHead(method="GET", target="/"))
    async with client.send(request, upstream, deadline=None) as response:
        return response.head.status


@pytest.fixture
def files(tmp_path: Path) -> Certificates:
    return make_certificates(tmp_path / "server")


@pytest.fixture(autouse=True)
def _looks_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tls, "LOOK_SECONDS", 0.0)


async def test_s90_a_private_authority_is_believed(client: Resilience, files: Certificates) -> None:
    async with tls_server(serving(files)) as server:
        assert await ask(client, server.url, knowing(files.authority)) == 200


async def test_s90_an_authority_that_nobody_knows_is_not(
    client: Resilience, files: Certificates, tmp_path: Path
) -> None:
    other = make_certificates(tmp_path / "other")
    async with tls_server(serving(files)) as server:
        for ca in (None, other.authority):
            with pytest.raises(UpstreamUnreachable, match="TLS is not acceptable"):
                await ask(client, server.url, knowing(ca))
    assert server.heard == 0


@pytest.mark.parametrize(
    ("address", "expired"), [("127.0.0.2", False), ("127.0.0.1", True)], ids=["name", "expired"]
)
async def test_s90_a_certificate_of_another_name_or_time_is_not(
    client: Resilience, tmp_path: Path, address: str, expired: bool
) -> None:
    files = make_certificates(tmp_path / "bad", address=address, expired=expired)
    async with tls_server(serving(files)) as server:
        with pytest.raises(UpstreamUnreachable, match="TLS is not acceptable"):
            await ask(client, server.url, knowing(files.authority))
    assert server.heard == 0


async def test_s90_old_versions_are_not_spoken(client: Resilience, files: Certificates) -> None:
    context = serving(files)
    context.set_ciphers("ALL:@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = ssl.TLSVersion.TLSv1
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    async with tls_server(context) as server:
        with pytest.raises(UpstreamUnreachable):
            await ask(client, server.url, knowing(files.authority))
    assert server.heard == 0


async def test_s90_a_certificate_is_shown_to_who_asks_for_it(
    client: Resilience, files: Certificates, tmp_path: Path
) -> None:
    own = make_certificates(tmp_path / "own")
    context = serving(files)
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(own.authority)
    async with tls_server(context) as server:
        assert await ask(client, server.url, knowing(files.authority, own)) == 200
        with pytest.raises(UpstreamError):
            await ask(client, server.url, knowing(files.authority))
    assert server.heard == 1


async def test_s90_renewed_files_count_from_the_next_connection_on(
    client: Resilience, files: Certificates, tmp_path: Path
) -> None:
    known = tmp_path / "known.pem"
    shutil.copy(files.authority, known)
    async with tls_server(serving(files)) as server:
        assert await ask(client, server.url, knowing(known)) == 200
    renewed = make_certificates(tmp_path / "renewed")
    async with tls_server(serving(renewed)) as server:
        with pytest.raises(UpstreamUnreachable):
            await ask(client, server.url, knowing(known))
        renewed.authority.rename(known)
        assert await ask(client, server.url, knowing(known)) == 200


async def test_s90_half_a_renewal_changes_nothing_yet(
    client: Resilience,
    files: Certificates,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    own = make_certificates(tmp_path / "own")
    renewed = make_certificates(tmp_path / "renewed")
    async with tls_server(serving(files)) as server:
        given = knowing(files.authority, own)
        assert await ask(client, server.url, given) == 200
        renewed.certificate.rename(own.certificate)
        for _ in range(2):
            assert await ask(client, server.url, given) == 200
        assert len(caplog.messages) == 1
        assert caplog.messages[0].startswith("TLS files of shop cannot be used")
        renewed.key.rename(own.key)
        assert await ask(client, server.url, given) == 200


@pytest.mark.parametrize("content", [None, b"", b"no certificate"], ids=["none", "empty", "text"])
async def test_s90_files_that_cannot_be_used_are_no_reason_to_do_without(
    client: Resilience, files: Certificates, tmp_path: Path, content: bytes | None
) -> None:
    broken = tmp_path / "broken.pem"
    if content is not None:
        broken.write_bytes(content)
    async with tls_server(serving(files)) as server:
        with pytest.raises(UpstreamUnreachable, match="TLS files of shop"):
            await ask(client, server.url, knowing(broken))
    assert server.heard == 0


async def test_files_are_looked_at_once_in_a_while(
    client: Resilience, files: Certificates, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tls, "LOOK_SECONDS", 1_000.0)
    async with tls_server(serving(files)) as server:
        assert await ask(client, server.url, knowing(files.authority)) == 200
        files.authority.unlink()
        assert await ask(client, server.url, knowing(files.authority)) == 200
