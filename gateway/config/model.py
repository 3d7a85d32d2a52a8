"""The configuration as values. Times are seconds, sizes bytes; names are those of the YAML keys."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Literal

from gateway.catalog import Declared, DeclaredResource, Prompt, Rule, Selection, ToolOverride
from gateway.config.secret import Secret, read_secret
from gateway.messages import Headers
from gateway.upstreams import ContextUpdates, OcpHeaders, ProxyReach, TlsFiles, Validates

DEFAULT_STORE = "sqlite:///.ocp-gateway/contexts.db"
MEBIBYTES_10 = 10_485_760

ReadyWhen = Literal["any", "all"]
ToolLists = Literal["list", "search"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerConfig:
    """`public_url` is absolute without a trailing slash; None means `http://host:port`.

    `probe_listen` is host and port of the listener for probes.
    """

    host: str = "127.0.0.1"
    port: int = 8080
    public_url: str | None = None
    workers: int = 1
    probe_listen: tuple[str, int] | None = None
    allowed_origins: tuple[str, ...] = ()
    trusted_proxies: tuple[IPv4Network | IPv6Network, ...] = ()
    metrics_public: bool = False
    allowed_hosts: tuple[str, ...] = ()
    drain_seconds: float = 25.0
    ready_when: ReadyWhen = "any"
    max_body_bytes: int = MEBIBYTES_10


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreConfig:
    """`url` reveals `memory://`, `sqlite:///` + an absolute path, `redis://...` or `rediss://...`.

    It is a Secret because a Redis URL carries a password.
    """

    url: Secret = field(default_factory=lambda: read_secret(DEFAULT_STORE, {}))
    context_ttl_seconds: int = 604_800
    new_context_ttl_seconds: int = 3_600
    max_contexts_per_principal: int = 10_000
    max_history: int = 1_000

    @property
    def sqlite_path(self) -> Path | None:
        """The database file, None for any other kind of store."""
        url = self.url.reveal()
        return Path(url.removeprefix("sqlite:///")) if url.startswith("sqlite:///") else None


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiConfig:
    """One API.

    `name` is None until its description's title is known (`name_apis`); `spec` is an http(s) URL
    or an absolute path; `base_url` is absolute without a trailing slash, None means the
    description's first usable server; `overlays` are located like `spec`; `ocp_headers` None means
    `auto`; `forward_headers` are lower-case; `reload_seconds` 0 means never; `tools` are by
    generated name.
    """

    spec: str
    name: str | None = None
    spec_headers: tuple[tuple[str, Secret], ...] = ()
    overlays: tuple[str, ...] = ()
    include: tuple[Rule, ...] = ()
    exclude: tuple[Rule, ...] = ()
    tools: Mapping[str, ToolOverride] = field(default_factory=dict)
    reload_seconds: int = 60
    base_url: str | None = None
    proxy: ProxyReach = ProxyReach.DESCRIBED
    headers: Headers = ()
    forward_headers: frozenset[str] = frozenset()
    ocp_headers: OcpHeaders | None = None
    context_updates: ContextUpdates = ContextUpdates.DECLARED
    timeout_seconds: float = 30.0
    retries: int = 1
    max_response_bytes: int = MEBIBYTES_10
    max_body_bytes: int = MEBIBYTES_10
    max_concurrency: int = 256
    interaction: bool = False
    allow_html: bool = False
    websocket: bool = False
    validates: Validates = field(default_factory=Validates)
    tls: TlsFiles = field(default_factory=TlsFiles)
    egress_proxy: Secret | None = None

    @property
    def selection(self) -> Selection:
        """Which operations become tools."""
        return Selection(include=self.include, exclude=self.exclude)


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKey:
    """Whoever sends `key` is the principal `key:{id}`."""

    id: str
    key: Secret
    admin: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class McpConfig:
    """`page_size`: items on a page of a list, 0 for all of them."""

    state_key: Secret | None = None
    tools: ToolLists = "list"
    output_schemas: bool = False
    confirm_destructive: bool = False
    context_argument: bool = False
    sse: bool = False
    page_size: int = 0
    resources: tuple[DeclaredResource, ...] = ()
    prompts: tuple[Prompt, ...] = ()

    @property
    def declared(self) -> Declared:
        """What is offered beside tools."""
        return Declared(resources=self.resources, prompts=self.prompts)

    @property
    def searches(self) -> bool:
        """Whether tools are found by searching instead of in lists."""
        return self.tools == "search"

    def state_keys(self) -> tuple[bytes, ...]:
        """One key a line: the first signs, all verify. Empty: the caller mints one at start."""
        if self.state_key is None:
            return ()
        lines = (line.strip() for line in self.state_key.reveal().splitlines())
        return tuple(line.encode() for line in lines if line)


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """The whole configuration, checked.

    `pending_base_urls` holds `--base-url NAME=URL` of APIs whose name is not known yet;
    `cache` is the directory for the last good descriptions, None for none.
    """

    server: ServerConfig = ServerConfig()
    store: StoreConfig = field(default_factory=StoreConfig)
    apis: tuple[ApiConfig, ...] = ()
    api_keys: tuple[ApiKey, ...] = ()
    mcp: McpConfig = McpConfig()
    insecure_open: bool = False
    pending_base_urls: Mapping[str, str] = field(default_factory=dict)
    cache: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Overrides:
    """What the command line says, which wins over environment and file.

    `specs` are `NAME=PATH_OR_URL` or `PATH_OR_URL`, `base_urls` are `NAME=URL`. `listens` is False
    for a command that opens no port: the rule about open gateways does not concern it.
    """

    specs: tuple[str, ...] = ()
    base_urls: tuple[str, ...] = ()
    host: str | None = None
    port: int | None = None
    store: str | None = None
    workers: int | None = None
    insecure_open: bool = False
    listens: bool = True
