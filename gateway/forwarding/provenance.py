"""Where a request comes from, and under which name: what trusted proxies say of it, judged."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address
from urllib.parse import urlsplit

from gateway.forwarding.names import is_trace
from gateway.messages import Headers, has_dot_segment, header, header_values
from gateway.upstreams import Address

Network = IPv4Network | IPv6Network

MAX_HOPS = 32
"""Proxies in a row that are followed back to the client."""

_PREFIX = re.compile(r"(?:/[A-Za-z0-9._~-]+)+")
_PORT = re.compile(r"[1-9][0-9]{0,4}")
_LAST_PORT = 65_535
# IPv6 with an IPv4 address in it, brackets and a port.
_LONGEST_ADDRESS = 53
_SCHEMES = frozenset({"http", "https"})
# Some proxies write ports; RFC 7239 section 6 has them, and brackets around IPv6.
_NODE = re.compile(r"\[([0-9A-Fa-f:.]+)\](?::[0-9]+)?|([0-9.]+)(?::[0-9]+)?|([0-9A-Fa-f:.]+)")
# RFC 7239 section 4, and addresses that some write without the quotes that they need.
_PAIR = re.compile(r'[ \t]*([A-Za-z]+)=(?:"((?:[^"\\]|\\.)*)"|([^\s",;=]+))[ \t]*([;,]|$)')


@dataclass(frozen=True, slots=True, kw_only=True)
class Provenance:
    """Who asks, and how.

    `address` is the client's, text as `ipaddress` writes it, empty where it is not known. `hops`
    are the proxies on the way, all trusted, the nearest last. `host` is whom the client has asked
    for (RFC 9110 section 7.2), `prefix` a path that was taken off in front of us, `port` one that
    a proxy named apart. For logs and for the API; it identifies nobody.
    """

    address: str = ""
    hops: tuple[str, ...] = ()
    scheme: str = "http"
    host: str = ""
    port: str = ""
    prefix: str = ""

    def claims(self, mount: str) -> Headers:
        """The forwarding headers by which an API learns all this; `mount` is its own prefix."""
        made = (
            ("X-Forwarded-For", ", ".join(filter(None, (self.address, *self.hops)))),
            ("X-Forwarded-Proto", self.scheme),
            ("X-Forwarded-Host", self.host),
            ("X-Forwarded-Port", self.port),
            ("X-Forwarded-Prefix", self.prefix + mount),
        )
        return tuple([pair for pair in made if pair[1]])


class Front:
    """What stands in front: the proxies that are believed, the URL by which clients find us."""

    def __init__(self, *, trusted: Iterable[Network] = (), public_url: str | None = None) -> None:
        self._trusted = tuple(trusted)
        public = urlsplit(public_url or "")
        self._scheme, self._netloc = public.scheme, public.netloc.lower()
        self._public_path = public.path.rstrip("/")

    def trusts(self, peer: str) -> bool:
        """Whether anything but `Host` counts of what comes from that address."""
        near = _address(peer.partition("%")[0]) if self._trusted else None
        return near is not None and self._trusts(near)

    def judge(self, headers: Headers, peer: str) -> Provenance:
        """`headers` as they arrived from the address `peer`.

        Claims of a peer that is not trusted, and malformed ones, are as if they were not there; but
        a believed host is for the guard to judge, like any other.
        """
        near = _address(peer.partition("%")[0])
        if near is None or not self._trusts(near):
            return self._seen(headers, "" if near is None else str(near))
        path = _path(headers)
        believed = [near, *self._believed(path.addresses)]
        *hops, client = map(str, believed)
        seen = self._seen(headers, client)
        scheme = _at(path.schemes, len(hops)).lower()
        return replace(
            seen,
            hops=tuple(reversed(hops)),
            scheme=scheme if scheme in _SCHEMES else seen.scheme,
            host=_at(path.hosts, len(hops)) or seen.host,
            port=_port(headers),
            prefix=_prefix(headers) or seen.prefix,
        )

    def _seen(self, headers: Headers, address: str) -> Provenance:
        """What holds without anybody's word: who asks for the public name came in by its URL."""
        host = header(headers, "host") or ""
        scheme = self._scheme if self._netloc and host.lower() == self._netloc else "http"
        return Provenance(address=address, host=host, scheme=scheme, prefix=self._public_path)

    def _believed(self, addresses: Sequence[str]) -> Iterator[Address]:
        """From the nearest to the first that is no trusted proxy: the client."""
        for text in reversed(addresses[-MAX_HOPS:]):
            address = _address(text)
            if address is None:
                return
            yield address
            if not self._trusts(address):
                return

    def _trusts(self, address: Address) -> bool:
        return any(address in network for network in self._trusted)


def is_forwarded(headers: Headers) -> bool:
    """Whether any header says that the request has come through a proxy, believed or not."""
    return any(is_trace(name) for name, _ in headers)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Path:
    """What proxies have appended, the nearest last."""

    addresses: Sequence[str] = ()
    schemes: Sequence[str] = ()
    hosts: Sequence[str] = ()


def _path(headers: Headers) -> _Path:
    names = ("x-forwarded-for", "x-forwarded-proto", "x-forwarded-host")
    addresses, schemes, hosts = (_listed(header_values(headers, name)) for name in names)
    if addresses or schemes or hosts:
        # Proxies that write these hand on whatever `Forwarded` a client sends.
        return _Path(addresses=addresses, schemes=schemes, hosts=hosts)
    elements = _elements(", ".join(header_values(headers, "forwarded")))
    return _Path(
        addresses=[element.get("for", "") for element in elements],
        schemes=[element.get("proto", "") for element in elements],
        hosts=[element.get("host", "") for element in elements],
    )


def _listed(values: Sequence[str]) -> list[str]:
    return [item.strip() for value in values for item in value.split(",")]


def _elements(text: str) -> list[dict[str, str]]:
    """The elements of `Forwarded`; none where any of it is malformed."""
    elements: list[dict[str, str]] = [{}]
    at = 0
    while at < len(text):
        match = _PAIR.match(text, at)
        if match is None:
            return []
        name, quoted, token, end = match.groups()
        elements[-1][name.lower()] = token if quoted is None else re.sub(r"\\(.)", r"\1", quoted)
        if end == ",":
            elements.append({})
        at = match.end()
    return elements


def _at(values: Sequence[str], hops: int) -> str:
    """What the proxy said that saw the client, or the farthest one that said anything."""
    return values[-min(max(hops, 1), len(values))] if values else ""


def _port(headers: Headers) -> str:
    port = header(headers, "x-forwarded-port") or ""
    return port if _PORT.fullmatch(port) and int(port) <= _LAST_PORT else ""


def _prefix(headers: Headers) -> str:
    # A path of other characters has made open redirects (CVE-2020-15129).
    prefix = (header(headers, "x-forwarded-prefix") or "").rstrip("/")
    return prefix if _PREFIX.fullmatch(prefix) and not has_dot_segment(prefix) else ""


def _address(text: str) -> Address | None:
    return _kept_address(text) if len(text) <= _LONGEST_ADDRESS else None


@lru_cache(maxsize=1_024)
def _kept_address(text: str) -> Address | None:
    match = _NODE.fullmatch(text)
    if match is None:
        return None
    try:
        address = ip_address(match[1] or match[2] or match[3])
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address
