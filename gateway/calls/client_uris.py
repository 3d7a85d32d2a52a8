"""URIs that clients are given: only what their parsers take.

One that cannot read a URI refuses the whole result that it stands in (the `url` crate under
pydantic, `URL` in JavaScript). Both follow the WHATWG URL standard, and this is stricter.
"""

import re
from ipaddress import IPv4Address, IPv6Address
from unicodedata import bidirectional
from urllib.parse import urlsplit

import idna

MAX_URI = 8_192
"""Characters."""
_NEED_HOST = frozenset({"http", "https", "ftp", "ws", "wss"})
# RFC 1035 section 2.3.4, and the underscore that many names have all the same.
_LABEL = re.compile(r"[A-Za-z0-9_-]{1,63}")
_MAX_NAME = 253
# WHATWG URL, "ends in a number": such a host is an IPv4 address or nothing.
_NUMBER = re.compile(r"[0-9]+|0[Xx][0-9A-Fa-f]*")
# Of schemes that the standard does not know: RFC 3986 without what must be escaped.
_OPAQUE = re.compile(r"[A-Za-z0-9._~!$&'()*+,;=-]+")
_RIGHT_TO_LEFT = frozenset({"R", "AL", "AN"})
_PORT = re.compile(r":[0-9]*$")


def is_for_clients(uri: str) -> bool:
    """Whether parsers read a URI with a scheme, in visible ASCII."""
    try:
        parts = urlsplit(uri)
        _ = parts.port
    except ValueError:
        return False
    host = _PORT.sub("", parts.netloc.rpartition("@")[2])
    if parts.scheme == "file":
        # No port and no user; a backslash is a slash.
        return "\\" not in uri and (not parts.netloc or _is_host(parts.netloc))
    if parts.scheme in _NEED_HOST:
        return "\\" not in uri and _is_host(host)
    return not parts.netloc or _is_ipv6(host) or _OPAQUE.fullmatch(host) is not None


def _is_host(host: str) -> bool:
    if host.startswith("["):
        return _is_ipv6(host)
    name = host.removesuffix(".")
    labels = name.split(".")
    if len(name) > _MAX_NAME or not all(_LABEL.fullmatch(label) for label in labels):
        return False
    if _NUMBER.fullmatch(labels[-1]):
        return _is_ipv4(name)
    return _are_readable(labels)


def _are_readable(labels: list[str]) -> bool:
    try:
        said = [idna.ulabel(x) if x.lower().startswith("xn--") else x for x in labels]
        # RFC 5893 section 2: one label from right to left binds them all.
        if any(bidirectional(letter) in _RIGHT_TO_LEFT for letter in "".join(said)):
            for label in said:
                idna.check_bidi(label, check_ltr=True)
    except UnicodeError:
        return False
    return True


def _is_ipv4(text: str) -> bool:
    try:
        IPv4Address(text)
    except ValueError:
        return False
    return True


def _is_ipv6(host: str) -> bool:
    try:
        IPv6Address(host.removeprefix("[").removesuffix("]"))
    except ValueError:
        return False
    return host.startswith("[") and host.endswith("]") and "%" not in host
