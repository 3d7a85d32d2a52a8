"""Server Objects: where a description says that its API is (OpenAPI 3.1 section 4.8.5).

A path item and an operation may have servers of their own, which count instead of the
description's; of Swagger 2.0 an operation may have other `schemes`.
"""

import re
from collections.abc import Iterable, Mapping
from ipaddress import AddressValueError, IPv4Address
from urllib.parse import urljoin, urlsplit

from gateway.messages import has_dot_segment
from gateway.openapi.document import Node, base_of
from gateway.openapi.parameters import PLACEHOLDER

_VISIBLE = re.compile(r"[!-~]+")
# A name that can be asked for, or an IPv6 address, which urlsplit has taken out of its brackets.
_HOST = re.compile(r"[A-Za-z0-9._-]+|[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*")
_NUMBER = re.compile(r"[0-9]+|0[xX][0-9a-fA-F]*")


def read_servers(root: Mapping[str, object]) -> tuple[str, ...]:
    """The URLs of a description's servers, relative ones included, variables at their defaults.

    One whose variables have none is left out. No servers at all means one at `/`, relative to the
    description (OpenAPI 3.1 section 4.8.1.1).
    """
    if "swagger" in root:
        return _swagger_urls(root, root.get("schemes"))
    given = _entries(root.get("servers"))
    return ("/",) if not given else _urls(given)


def operation_servers(
    root: Mapping[str, object], shared: Node | None, operation: Node
) -> tuple[str, ...] | None:
    """The same of one operation; None where the description's servers count.

    `shared` is the `servers` member of its path item.
    """
    if "swagger" in root:
        schemes = operation.child("schemes")
        # Without a host there is nothing to say what scheme the others are reached by.
        host = root.get("host")
        if schemes is None or not _schemes(schemes.value) or not isinstance(host, str):
            return None
        return _swagger_urls(root, schemes.value)
    for node in (operation.child("servers"), shared):
        if node is not None and (given := _entries(node.value)):
            base = base_of(node.pointer)
            return tuple(_from_root(url, base) for url in _urls(given))
    return None


def _from_root(url: str, base: str) -> str:
    """A relative URL that stands in the document `base`, as one that stands in the root."""
    try:
        return urljoin(base, url) if base else url
    except ValueError:  # no URL at all, which is said where it is needed
        return url


def absolute_server(url: str, *, home: str | None = None) -> str | None:
    """A server's URL as an absolute http(s) one without a trailing slash; None if it is unusable.

    `home` is the URL that relative ones are resolved against.
    """
    url = url.strip()
    # urlsplit drops tabs and line ends silently: what it would hide is refused first.
    if not _VISIBLE.fullmatch(url) or "\\" in url:
        return None
    try:
        absolute = urljoin(home, url) if home else url
        parts = urlsplit(absolute)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return None
    if parts.scheme not in ("http", "https") or not _HOST.fullmatch(host) or port == 0:
        return None
    surplus = "@" in parts.netloc or parts.query or parts.fragment
    if surplus or has_dot_segment(parts.path) or _is_odd_number(host):
        return None
    return absolute.rstrip("/")


def _is_odd_number(host: str) -> bool:
    """Whether resolvers would take the host for an IPv4 address that it does not look like.

    `127.1`, `0x7f000001`, `2130706433`: a host that ends in a number is an address (WHATWG URL).
    """
    last = host.rstrip(".").rpartition(".")[2]
    if ":" in host or not _NUMBER.fullmatch(last):
        return False
    try:
        IPv4Address(host)
    except AddressValueError:
        return True
    return False


def _entries(servers: object) -> list[Mapping[str, object]]:
    found = servers if isinstance(servers, list | tuple) else ()
    return [server for server in found if isinstance(server, dict)]


def _urls(servers: Iterable[Mapping[str, object]]) -> tuple[str, ...]:
    filled = (_filled(server.get("url"), server.get("variables")) for server in servers)
    return tuple(dict.fromkeys(url for url in filled if url is not None))


def _swagger_urls(root: Mapping[str, object], schemes: object) -> tuple[str, ...]:
    host, base = root.get("host"), root.get("basePath")
    path = base if isinstance(base, str) and base.startswith("/") else "/"
    if not isinstance(host, str) or not host:
        return (path,)
    return tuple(f"{scheme}://{host}{path}" for scheme in _schemes(schemes) or ["https"])


def _schemes(schemes: object) -> list[str]:
    known = ("http", "https")
    return [s for s in schemes if s in known] if isinstance(schemes, list | tuple) else []


def _filled(url: object, variables: object) -> str | None:
    """`url` with every variable's default; None where one has none, or none of its `enum`."""
    if not isinstance(url, str):
        return None
    known = variables if isinstance(variables, Mapping) else {}
    parts: list[str] = []
    for index, piece in enumerate(PLACEHOLDER.split(url)):
        if index % 2 == 0:
            parts.append(piece)
            continue
        default = _default(known.get(piece))
        if default is None:
            return None
        parts.append(default)
    return "".join(parts)


def _default(variable: object) -> str | None:
    if not isinstance(variable, Mapping):
        return None
    default, values = variable.get("default"), variable.get("enum")
    # `default: 443` without quotes is a number in YAML.
    text = str(default) if type(default) is int else default
    if not isinstance(text, str):
        return None
    allowed = {str(v) for v in values} if isinstance(values, list | tuple) and values else {text}
    return text if text in allowed else None
