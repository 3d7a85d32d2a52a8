"""Server Objects: where a description says that its API is (OpenAPI 3.1 section 4.8.5)."""

from collections.abc import Iterable, Mapping
from urllib.parse import urljoin, urlsplit

from gateway.openapi.parameters import PLACEHOLDER


def read_servers(root: Mapping[str, object]) -> tuple[Mapping[str, object], ...]:
    """The Server Objects of a description; of Swagger 2.0 one for each scheme, or a relative one.

    None at all means one at `/`, relative to the description (OpenAPI 3.1 section 4.8.1.1).
    """
    if "swagger" in root:
        return _swagger_servers(root)
    servers = root.get("servers")
    found = servers if isinstance(servers, list) else []
    return tuple(server for server in found if isinstance(server, dict)) or ({"url": "/"},)


def _swagger_servers(root: Mapping[str, object]) -> tuple[Mapping[str, object], ...]:
    host, base, schemes = root.get("host"), root.get("basePath"), root.get("schemes")
    path = base if isinstance(base, str) and base.startswith("/") else "/"
    if not isinstance(host, str) or not host:
        return ({"url": path},)
    known = [s for s in schemes if s in ("http", "https")] if isinstance(schemes, list) else []
    return tuple({"url": f"{scheme}://{host}{path}"} for scheme in known or ["https"])


def first_server(
    servers: Iterable[Mapping[str, object]], *, location: str | None = None
) -> str | None:
    """The first usable server as an absolute http(s) URL, variables at their defaults.

    `location` is the description's own URL, which a relative entry is resolved against; without
    one (a file), relative entries are not usable.
    """
    for server in servers:
        url = server.get("url")
        if not isinstance(url, str):
            continue
        filled = _filled(url, server.get("variables"))
        if filled is None:
            continue
        try:
            absolute = urljoin(location, filled) if location else filled
            parts = urlsplit(absolute)
            usable = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
        except ValueError:
            continue
        if usable and not (parts.username or parts.query or parts.fragment):
            return absolute.rstrip("/")
    return None


def _filled(url: str, variables: object) -> str | None:
    """`url` with every variable's default; None where one has none."""
    known = variables if isinstance(variables, Mapping) else {}
    parts: list[str] = []
    for index, piece in enumerate(PLACEHOLDER.split(url)):
        if index % 2 == 0:
            parts.append(piece)
            continue
        variable = known.get(piece)
        default = variable.get("default") if isinstance(variable, Mapping) else None
        if not isinstance(default, str):
            return None
        parts.append(default)
    return "".join(parts)
