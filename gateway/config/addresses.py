"""URLs and hosts as the configuration takes them. Each `*_fault` gives None or what is wrong."""

import ipaddress
import re
from urllib.parse import SplitResult, urlsplit

_REMOTE = re.compile(r"https?://", re.IGNORECASE)
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_SEVERAL_REDIS = frozenset({"redis+sentinel", "rediss+sentinel", "redis+cluster", "rediss+cluster"})
_VISIBLE = re.compile(r"[!-~]+")
_HOST_NAME = re.compile(r"[^\s\[\]:/@\x00-\x1f\x7f]+")


def is_remote(spec: str) -> bool:
    return bool(_REMOTE.match(spec))


def is_loopback(host: str) -> bool:
    """Whether a bind address or `Host` value (a port may follow) stays on this machine."""
    name = host.lower()
    match = re.fullmatch(r"\[([^]]*)\](?::\d+)?|([^:]*)(?::\d+)?", name)
    bare = (match.group(1) or match.group(2) or "") if match else name
    if bare == "localhost":
        return True
    try:
        return ipaddress.ip_address(bare).is_loopback
    except ValueError:
        return False


def is_loopback_network(network: str) -> bool:
    return ipaddress.ip_network(network).is_loopback


def network_fault(text: str) -> str | None:
    """For the addresses of proxies."""
    try:
        ipaddress.ip_network(text)
    except ValueError:
        return "must be an address or a network such as 10.0.0.0/8, without host bits"
    return None


def proxy_fault(url: str, *, secret: bool) -> str | None:
    """For the URL of an HTTP proxy; only a `secret` one may carry a user and a password."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return "has an invalid host or port"
    if parts.scheme != "http" or not parts.hostname or port == 0 or not _VISIBLE.fullmatch(url):
        return "must be http://HOST:PORT"
    if parts.path.strip("/") or parts.query or parts.fragment:
        return "must be http://HOST:PORT"
    if "@" in parts.netloc and not secret:
        return "must be a secret reference when it carries a password"
    return None


def host_fault(host: str) -> str | None:
    """For the address or name to listen on."""
    if _HOST_NAME.fullmatch(host):
        return None
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return "must be an address or name alone, without brackets, port or spaces (such as ::1)"
    return None


def url_fault(text: str) -> str | None:
    """For a URL that paths are appended to: absolute http(s), nothing after the path."""
    parts = _parts(text)
    if isinstance(parts, str):
        return parts
    if "?" in text or "#" in text:
        return "must not have a query or a fragment"
    return None


def spec_fault(text: str) -> str | None:
    """For a description's address: a path, or an http(s) URL that carries no password."""
    if is_remote(text):
        parts = _parts(text)
        return parts if isinstance(parts, str) else None
    return "must be a path or an http(s) URL" if _SCHEME.match(text) else None


def store_fault(url: str) -> str | None:
    """For a store's URL."""
    scheme = url.partition("://")[0] if "://" in url else ""
    if url == "memory://":
        return None
    if scheme in {"redis", "rediss"}:
        return _redis_fault(url)
    if scheme == "sqlite" and url.startswith("sqlite:///"):
        path = url.removeprefix("sqlite:///")
        return None if path and path != ":memory:" else "needs a path: sqlite:///PATH"
    if scheme in _SEVERAL_REDIS:
        return None if url.partition("://")[2] else "must name hosts: redis+cluster://HOST:PORT,..."
    return (
        "must be memory://, sqlite:///PATH, redis://..., rediss://..., redis+sentinel://...,"
        " redis+cluster://... or a secret reference"
    )


def public_host(url: str) -> str:
    """The host of a URL that `url_fault` accepts."""
    return urlsplit(url).hostname or ""


def _redis_fault(url: str) -> str | None:
    try:
        parts = urlsplit(url)
        known = parts.hostname and (parts.port is None or parts.port > 0)
    except ValueError:
        known = False
    return None if known else "must name a host, and a port if any: redis://HOST:PORT/DATABASE"


def _parts(text: str) -> SplitResult | str:
    if not is_remote(text):
        return "must be an absolute http:// or https:// URL"
    # urlsplit drops tabs and line ends silently, so what it would hide is refused first.
    if not _VISIBLE.fullmatch(text) or "\\" in text:
        return "must be ASCII without spaces, control characters or backslashes"
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        return "has an invalid host or port"
    if not parts.hostname or port == 0:
        return "has an invalid host or port"
    if "@" in parts.netloc:
        return "must not carry a user or password"
    return parts
