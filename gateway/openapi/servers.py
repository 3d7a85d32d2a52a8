"""Server Objects: where a description says that its API is (OpenAPI 3.1 section 4.8.5)."""

from collections.abc import Iterable, Mapping
from urllib.parse import urljoin, urlsplit

from gateway.openapi.parameters import PLACEHOLDER


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
