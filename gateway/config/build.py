"""A checked Tree into a Config. What is absent takes the dataclass's default."""

from collections.abc import Mapping
from dataclasses import replace
from ipaddress import ip_network
from pathlib import Path

from gateway.catalog import Rule, ToolOverride
from gateway.config.addresses import is_remote
from gateway.config.model import (
    DEFAULT_STORE,
    ApiConfig,
    ApiKey,
    Config,
    McpConfig,
    Overrides,
    ServerConfig,
    StoreConfig,
)
from gateway.config.secret import Secret, is_reference, read_secret
from gateway.config.tree import Keys, Source, Tree
from gateway.upstreams import (
    ContextUpdates,
    OcpHeaders,
    ProxyReach,
    TlsFiles,
    Validates,
    Validation,
)

Table = Mapping[str, object]


def build_config(
    tree: Tree, overrides: Overrides, environ: Mapping[str, str], places: tuple[Path, Path]
) -> Config:
    """`places` are the file's directory, where its own paths start, and the working directory."""
    server = _server(_table(tree.at("server")))
    store = _store(_table(tree.at("store")), environ, places[1])
    apis = [
        replace(
            _api(_table(tree.at("apis", index)), _spec(tree, index, places), server.max_body_bytes),
            spec_headers=_secrets(_table(tree.at("apis", index, "spec_headers")), environ),
            overlays=_overlays(tree, index, places),
            tls=_tls(tree, index, places),
            egress_proxy=_secret(tree.text("apis", index, "egress_proxy"), environ),
        )
        for index in range(tree.size("apis"))
    ]
    state_key = tree.text("mcp", "state_key")
    return Config(
        server=server,
        store=store,
        apis=tuple(apis),
        api_keys=_api_keys(tree, environ),
        mcp=McpConfig(
            state_key=read_secret(state_key, environ) if state_key else None,
            tools="search" if tree.at("mcp", "tools") == "search" else "list",
            output_schemas=tree.at("mcp", "output_schemas") is True,
            confirm_destructive=tree.at("mcp", "confirm_destructive") is True,
            context_argument=tree.at("mcp", "context_argument") is True,
            sse=tree.at("mcp", "sse") is True,
            page_size=_integer(_table(tree.at("mcp")), "page_size", 0),
        ),
        insecure_open=overrides.insecure_open,
        cache=_cache(store, places[1]),
    )


def unnamed_api(spec: str, server: ServerConfig, cwd: Path) -> ApiConfig:
    """An API that its description's title will name."""
    return ApiConfig(spec=_located(spec, cwd), max_body_bytes=server.max_body_bytes)


def _server(table: Table) -> ServerConfig:
    base = ServerConfig()
    return ServerConfig(
        host=_text(table, "host") or base.host,
        port=_integer(table, "port", base.port),
        public_url=_url(table, "public_url"),
        workers=_integer(table, "workers", base.workers),
        probe_listen=_listen(table, "probe_listen"),
        allowed_origins=_texts(table, "allowed_origins"),
        trusted_proxies=tuple(map(ip_network, _texts(table, "trusted_proxies"))),
        metrics_public=table.get("metrics_public") is True,
        allowed_hosts=_texts(table, "allowed_hosts"),
        drain_seconds=_number(table, "drain_seconds", base.drain_seconds),
        ready_when="all" if table.get("ready_when") == "all" else "any",
        max_body_bytes=_integer(table, "max_body_bytes", base.max_body_bytes),
    )


def _store(table: Table, environ: Mapping[str, str], cwd: Path) -> StoreConfig:
    base = StoreConfig()
    ttl = _integer(table, "context_ttl_seconds", base.context_ttl_seconds)
    new_ttl = _integer(table, "new_context_ttl_seconds", base.new_context_ttl_seconds)
    most = _integer(table, "max_contexts_per_principal", base.max_contexts_per_principal)
    return StoreConfig(
        url=_store_url(_text(table, "url") or DEFAULT_STORE, environ, cwd),
        context_ttl_seconds=ttl,
        new_context_ttl_seconds=new_ttl,
        max_contexts_per_principal=most,
        max_history=_integer(table, "max_history", base.max_history),
    )


def _store_url(text: str, environ: Mapping[str, str], cwd: Path) -> Secret:
    secret = read_secret(text, environ)
    shown = secret.shown if is_reference(text) else "***"
    return Secret(shown=shown, _read=lambda: _absolute(secret.reveal(), cwd))


def _absolute(url: str, cwd: Path) -> str:
    """A later change of the working directory must not move the database."""
    prefix = "sqlite:///"
    if not url.startswith(prefix):
        return url
    return f"{prefix}{cwd / url.removeprefix(prefix)}"


def _cache(store: StoreConfig, cwd: Path) -> Path:
    """Beside the database: where that may be written, so may this."""
    database = store.sqlite_path
    return (database.parent if database else cwd / ".ocp-gateway") / "cache"


def _spec(tree: Tree, index: int, places: tuple[Path, Path]) -> str:
    keys = ("apis", index, "spec")
    return _located(tree.text(*keys) or "", start_of(tree, keys, places))


def _overlays(tree: Tree, index: int, places: tuple[Path, Path]) -> tuple[str, ...]:
    keys = ("apis", index, "overlays")
    start = start_of(tree, keys, places)
    written = (tree.text(*keys, item) for item in range(tree.size(*keys)))
    return tuple(_located(text, start) for text in written if text)


def start_of(tree: Tree, keys: Keys, places: tuple[Path, Path]) -> Path:
    """Where a relative path that was written at `keys` starts."""
    return places[0] if tree.origin(keys).source is Source.FILE else places[1]


def _located(spec: str, start: Path) -> str:
    return spec if is_remote(spec) else str(start / spec)


def _api(table: Table, spec: str, server_max_body: int) -> ApiConfig:
    base = ApiConfig(spec=spec)
    ocp_headers = _text(table, "ocp_headers") or "auto"
    headers = tuple((name, str(value)) for name, value in _table(table.get("headers")).items())
    return ApiConfig(
        name=_text(table, "name"),
        spec=spec,
        reload_seconds=_integer(table, "reload_seconds", base.reload_seconds),
        base_url=_url(table, "base_url"),
        proxy=ProxyReach(_text(table, "proxy") or base.proxy),
        include=_rules(table, "include"),
        exclude=_rules(table, "exclude"),
        tools=_overrides(_table(table.get("tools"))),
        headers=headers,
        forward_headers=frozenset(map(str.lower, _texts(table, "forward_headers"))),
        ocp_headers=None if ocp_headers == "auto" else OcpHeaders(ocp_headers),
        context_updates=ContextUpdates(_text(table, "context_updates") or base.context_updates),
        timeout_seconds=_number(table, "timeout_seconds", base.timeout_seconds),
        retries=_integer(table, "retries", base.retries),
        max_response_bytes=_integer(table, "max_response_bytes", base.max_response_bytes),
        max_body_bytes=_integer(table, "max_body_bytes", server_max_body),
        max_concurrency=_integer(table, "max_concurrency", base.max_concurrency),
        interaction=table.get("interaction") is True,
        allow_html=table.get("allow_html") is True,
        websocket=table.get("websocket") is True,
        validates=_validates(_table(table.get("validate"))),
    )


def _validates(table: Table) -> Validates:
    return Validates(
        requests=Validation(_text(table, "requests") or Validation.OFF),
        responses=Validation(_text(table, "responses") or Validation.OFF),
    )


def _tls(tree: Tree, index: int, places: tuple[Path, Path]) -> TlsFiles:
    paths: dict[str, str] = {}
    for name in ("ca", "cert", "key"):
        keys = ("apis", index, "tls", name)
        if text := tree.text(*keys):
            paths[name] = str(start_of(tree, keys, places) / text)
    return TlsFiles(**paths)


def _api_keys(tree: Tree, environ: Mapping[str, str]) -> tuple[ApiKey, ...]:
    places = (("auth", "api_keys", index) for index in range(tree.size("auth", "api_keys")))
    return tuple(
        ApiKey(
            id=tree.text(*keys, "id") or "",
            key=read_secret(tree.text(*keys, "key") or "", environ),
            admin=tree.at(*keys, "admin") is True,
        )
        for keys in places
    )


def _secret(text: str | None, environ: Mapping[str, str]) -> Secret | None:
    return read_secret(text, environ) if text else None


def _listen(table: Table, key: str) -> tuple[str, int] | None:
    host, _, port = (_text(table, key) or "").rpartition(":")
    return (host.strip("[]"), int(port)) if host else None


def _rules(table: Table, key: str) -> tuple[Rule, ...]:
    rules = table.get(key)
    return tuple(
        Rule(
            method=_text(rule, "method"),
            path=_text(rule, "path"),
            tag=_text(rule, "tag"),
            operation_id=_text(rule, "operation_id"),
        )
        for rule in map(_table, rules if isinstance(rules, list) else ())
    )


def _overrides(table: Table) -> Mapping[str, ToolOverride]:
    return {name: _override(_table(value)) for name, value in table.items()}


def _override(table: Table) -> ToolOverride:
    arguments = table.get("arguments")
    seconds = table.get("timeout_seconds")
    return ToolOverride(
        name=_text(table, "name"),
        description=_text(table, "description"),
        hidden=table.get("hidden") is True,
        timeout_seconds=float(seconds) if isinstance(seconds, (int, float)) else None,
        select=_text(table, "select"),
        confirm=confirm if isinstance(confirm := table.get("confirm"), bool) else None,
        set=_table(table.get("set")),
        arguments=arguments if arguments in ("flat", "body") else None,
        mcp_headers={
            name: str(header) for name, header in _table(table.get("mcp_headers")).items()
        },
    )


def _secrets(table: Table, environ: Mapping[str, str]) -> tuple[tuple[str, Secret], ...]:
    return tuple((name, read_secret(str(value), environ)) for name, value in table.items())


def _table(value: object) -> Table:
    return value if isinstance(value, dict) else {}


def _text(table: Table, key: str) -> str | None:
    value = table.get(key)
    return value if isinstance(value, str) else None


def _texts(table: Table, key: str) -> tuple[str, ...]:
    value = table.get(key)
    return tuple(map(str, value)) if isinstance(value, list) else ()


def _url(table: Table, key: str) -> str | None:
    text = _text(table, key)
    return text.rstrip("/") if text is not None else None


def _number(table: Table, key: str, default: float) -> float:
    value = table.get(key)
    return float(value) if isinstance(value, (int, float)) else default


def _integer(table: Table, key: str, default: int) -> int:
    """JSON Schema takes 8080.0 for an integer, so it is one here too."""
    value = table.get(key)
    return int(value) if isinstance(value, (int, float)) else default
