"""An upstream: one HTTP API's address and the rules for reaching it."""

from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import urlsplit

from gateway.messages import Headers


class OcpHeaders(StrEnum):
    """What of the context an upstream is sent."""

    FULL = "full"
    IDS = "ids"  # OCP-Context-ID, OCP-Agent-Type, OCP-Version
    OFF = "off"


class ProxyReach(StrEnum):
    """Which paths below the base URL `/apis/{name}/...` reaches."""

    DESCRIBED = "described"
    ANY = "any"
    OFF = "off"


@dataclass(frozen=True, slots=True, kw_only=True)
class Upstream:
    """`origin` is `scheme://host[:port]`; `base_path` is empty or starts, never ends, with `/`.

    Times are seconds, sizes bytes.
    """

    name: str
    origin: str
    base_path: str = ""
    headers: Headers = ()
    forward_headers: frozenset[str] = frozenset()
    ocp_headers: OcpHeaders = OcpHeaders.IDS
    proxy: ProxyReach = ProxyReach.DESCRIBED
    timeout_seconds: float = 30.0
    retries: int = 1
    max_response_bytes: int = 10_485_760
    max_body_bytes: int = 10_485_760

    @property
    def base_url(self) -> str:
        return self.origin + self.base_path


def split_base_url(url: str) -> tuple[str, str]:
    """An absolute http(s) URL as origin and base path, the path without its trailing slash."""
    parts = urlsplit(url)
    return f"{parts.scheme.lower()}://{parts.netloc}", parts.path.rstrip("/")
