"""An upstream: one HTTP API's address and the rules for reaching it."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from urllib.parse import quote, urlsplit

from gateway.messages import Headers

Address = IPv4Address | IPv6Address
OperationKey = tuple[str, str]
"""Method, upper-case, and path template of an operation."""


class OcpHeaders(StrEnum):
    """What of the context an upstream is sent."""

    FULL = "full"
    IDS = "ids"  # OCP-Context-ID, OCP-Agent-Type, OCP-Version
    OFF = "off"


class ContextUpdates(StrEnum):
    """Which OCP headers of this upstream's responses may change the context.

    `declared`: what the operation's `x-ocp-context` names; `all`: whatever that may name.
    """

    DECLARED = "declared"
    ALL = "all"
    OFF = "off"


class ProxyReach(StrEnum):
    """Which paths below the base URL `/apis/{name}/...` reaches."""

    DESCRIBED = "described"
    ANY = "any"
    OFF = "off"


class Validation(StrEnum):
    """What comes of proxied traffic that the description does not allow."""

    OFF = "off"
    REPORT = "report"  # counted and logged; it passes
    ENFORCE = "enforce"


@dataclass(frozen=True, slots=True, kw_only=True)
class Validates:
    """Which proxied traffic of an API is compared with its description."""

    requests: Validation = Validation.OFF
    responses: Validation = Validation.OFF


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsFiles:
    """Paths of PEM files: authorities in place of the system's, a client certificate, its key."""

    ca: str | None = None
    cert: str | None = None
    key: str | None = None


# Where clouds answer with the machine's own credentials, besides link-local addresses: AWS over
# IPv6 (instances, pods), Google Cloud over IPv6, Alibaba Cloud, Oracle Cloud, Azure.
_METADATA = frozenset(
    {IPv6Address(text) for text in ("fd00:ec2::254", "fd00:ec2::23", "fd20:ce::254")}
    | {IPv4Address(text) for text in ("100.100.100.200", "192.0.0.192", "168.63.129.16")}
)
_LINK_LOCAL_METADATA = "169.254.169.254"
_METADATA_NAMES = frozenset({"metadata.google.internal", "metadata.goog"})
_NAT64 = IPv6Network("64:ff9b::/96")  # RFC 6052
_LOCAL_NAT64 = IPv6Network("64:ff9b:1::/48")  # RFC 8215
_COMPATIBLE = IPv6Network("::/96")  # RFC 4291 section 2.5.5.1, deprecated


class AddressScope(StrEnum):
    """Which addresses a name may lead to. What the operator names may be anywhere."""

    ANY = "any"
    NEAR = "near"  # private networks too, but no link-local and no cloud metadata addresses
    PUBLIC = "public"

    def admits(self, address: Address) -> bool:
        """Whether a connection may be made there; an address inside an address counts."""
        if self is AddressScope.ANY:
            return True
        inner = _unwrapped(address)
        if inner.is_multicast or any(map(_is_metadata, (inner, *_readings(address)))):
            return False
        return self is AddressScope.NEAR or (inner.is_global and not inner.is_reserved)

    def admits_host(self, host: str) -> bool:
        """Whether a host may be asked for as written; a name is judged when it is resolved."""
        address = literal_address(host)
        return address is None or self.admits(address)


def literal_address(host: str) -> Address | None:
    """The address that a URL's host, without brackets, is or always means; None for a name."""
    name = host.lower().rstrip(".")
    if name == "localhost" or name.endswith(".localhost"):  # RFC 6761 section 6.3
        return IPv4Address("127.0.0.1")
    if name in _METADATA_NAMES:
        return IPv4Address(_LINK_LOCAL_METADATA)
    try:
        return ip_address(name)
    except ValueError:
        return None


def _unwrapped(address: Address) -> Address:
    """The IPv4 address that an IPv6 one stands for, where it does."""
    if isinstance(address, IPv4Address):
        return address
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    teredo = address.teredo
    return address.ipv4_mapped or address.sixtofour or (teredo[1] if teredo else address)


def _readings(address: Address) -> Iterator[IPv4Address]:
    """What an IPv6 address may stand for besides, where only the network's operator knows."""
    number = int(address)
    if address in _COMPATIBLE or address in _LOCAL_NAT64:
        yield IPv4Address(number & 0xFFFFFFFF)
    if address in _LOCAL_NAT64:
        # RFC 6052 section 2.2: prefixes of 48, 56 and 64 bits, with bits 64 to 71 in between.
        joined = number >> 64 << 56 | number & 0xFFFFFF_FFFFFFFF
        yield from (IPv4Address(joined >> shift & 0xFFFFFFFF) for shift in (40, 32, 24))


def _is_metadata(address: Address) -> bool:
    return address.is_link_local or address in _METADATA


@dataclass(frozen=True, slots=True, kw_only=True)
class Upstream:
    """`origin` is `scheme://host[:port]`; `base_path` is empty or starts, never ends, with `/`.

    `elsewhere` has the operations that are at another base URL. Times are seconds, sizes bytes.
    `tls` and `egress_proxy` (an http URL, maybe with a password) are how it is reached.
    `interaction`: it may answer tool calls with the interaction envelope (docs/interactions.md).
    """

    name: str
    origin: str
    base_path: str = ""
    headers: Headers = ()
    forward_headers: frozenset[str] = frozenset()
    ocp_headers: OcpHeaders = OcpHeaders.IDS
    context_updates: ContextUpdates = ContextUpdates.DECLARED
    proxy: ProxyReach = ProxyReach.DESCRIBED
    timeout_seconds: float = 30.0
    retries: int = 1
    max_response_bytes: int = 10_485_760
    max_body_bytes: int = 10_485_760
    max_concurrency: int = 256
    scope: AddressScope = AddressScope.ANY
    interaction: bool = False
    allow_html: bool = False
    websocket: bool = False
    validates: Validates = Validates()
    tls: TlsFiles = TlsFiles()
    egress_proxy: str | None = field(default=None, repr=False)
    elsewhere: Mapping[OperationKey, "Upstream"] = field(default_factory=dict)

    @property
    def base_url(self) -> str:
        return self.origin + self.base_path

    def of(self, method: str, path: str) -> "Upstream":
        """Where that operation is: here, unless the description puts it elsewhere."""
        return self.elsewhere.get((method, path), self)

    @property
    def origins(self) -> frozenset[str]:
        """Every origin that a call of this API may reach."""
        return frozenset({self.origin, *(place.origin for place in self.elsewhere.values())})

    def at(self, base_url: str, *, scope: AddressScope) -> "Upstream":
        """The same API at another base URL.

        At another origin, which only a description has named, nothing follows that the operator or
        the caller meant for this one, of the context no more than its identifiers; and what that
        origin says about the context does not count.
        """
        origin, base_path = split_base_url(base_url)
        if origin == self.origin:
            return replace(self, base_path=base_path, elsewhere={})
        off = self.ocp_headers is OcpHeaders.OFF
        return replace(
            self,
            origin=origin,
            base_path=base_path,
            headers=(),
            forward_headers=frozenset(),
            ocp_headers=OcpHeaders.OFF if off else OcpHeaders.IDS,
            context_updates=ContextUpdates.OFF,
            scope=scope,
            interaction=False,
            websocket=False,
            tls=TlsFiles(),
            elsewhere={},
        )


_DEFAULT_PORTS = {"http": ":80", "https": ":443"}
# RFC 3986 section 3.3, and what is encoded already.
_PATH_CHARACTERS = "/%-._~!$&'()*+,;=:@"


def split_base_url(url: str) -> tuple[str, str]:
    """An absolute http(s) URL as origin and base path, the path without its trailing slash.

    Equal origins (RFC 6454 section 5) are equal text.
    """
    parts = urlsplit(url)
    scheme = parts.scheme.lower()
    place = parts.netloc.lower().removesuffix(_DEFAULT_PORTS.get(scheme, ""))
    path = quote(parts.path.rstrip("/"), safe=_PATH_CHARACTERS)
    return f"{scheme}://{re.sub(r':$', '', place)}", path
