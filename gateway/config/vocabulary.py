"""Every key of the configuration, as one JSON Schema (draft 2020-12).

`default` documents what an absent key means; `x-fault` is what a value that misses the pattern is
told; `x-later` marks a key whose feature is not in this version: it may be written with its
default and is refused with anything else.
"""

from collections.abc import Mapping

from gateway.config.offering_keys import PROMPTS, RESOURCES
from gateway.config.schema_parts import DAY, Schema, later
from gateway.config.tool_keys import TOOLS, rules

API_NAME = r"^[a-z][a-z0-9-]{0,31}$"
KEY_ID = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$"
HEADER_NAME = r"^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,256}$"
_HOST_VALUE = r"^(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(:[0-9]{1,5})?$"
_LISTEN = r"^(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+):[0-9]{1,5}$"
_ORIGIN = r"^https?://(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(:[0-9]{1,5})?$"
_MAX_BYTES = 2**40


def _section(**properties: Schema) -> Schema:
    return {
        # `server:` with every line below it commented out is null.
        "type": ["object", "null"],
        "additionalProperties": False,
        "properties": properties,
    }


def _count(default: int, description: str, *, least: int = 1, most: int = _MAX_BYTES) -> Schema:
    return {
        "type": "integer",
        "minimum": least,
        "maximum": most,
        "default": default,
        "description": description,
    }


def _path(description: str) -> Schema:
    return {
        "type": ["string", "null"],
        "minLength": 1,
        "default": None,
        "description": description,
    }


_SERVER = _section(
    host={
        "type": "string",
        "minLength": 1,
        "default": "127.0.0.1",
        "description": "Address or name to listen on.",
    },
    port=_count(8080, "TCP port; 0 picks a free one.", least=0, most=65_535),
    public_url={
        "type": ["string", "null"],
        "default": None,
        "description": "Absolute URL under which clients reach the gateway; "
        "`null` means `http://host:port`.",
    },
    workers=_count(1, "Processes that share the port and the store.", most=256),
    probe_listen={
        "type": ["string", "null"],
        "pattern": _LISTEN,
        "x-fault": "must be HOST:PORT",
        "default": None,
        "description": "`HOST:PORT` of a listener that answers `/healthz`, `/readyz` and "
        "`/metrics` and nothing else, so that a kubelet reaches a gateway on loopback.",
    },
    allowed_origins={
        "type": "array",
        "items": {
            "type": "string",
            "pattern": _ORIGIN,
            "x-fault": "must be an origin such as https://app.example.org",
        },
        "default": [],
        "description": "Browser origins besides loopback that may call; they also get CORS on "
        "`/tools`, `/contexts` and `/apis`.",
    },
    allowed_hosts={
        "type": "array",
        "items": {
            "type": "string",
            "pattern": _HOST_VALUE,
            "x-fault": "must be HOST or HOST:PORT",
        },
        "default": [],
        "description": "`Host` values answered besides loopback, the bind address and "
        "`public_url`'s.",
    },
    trusted_proxies={
        "type": "array",
        "items": {"type": "string"},
        "default": [],
        "description": "Networks (CIDR) of proxies whose `X-Forwarded-*` and `Forwarded` are "
        "believed.",
    },
    metrics_public={
        "type": "boolean",
        "default": False,
        "description": "Whether `/metrics` answers everybody; else admins, and loopback peers "
        "without forwarding headers.",
    },
    drain_seconds={
        "type": "number",
        "minimum": 0,
        "maximum": DAY,
        "default": 25,
        "description": "How long the end may take after SIGTERM; what is in flight has all but the "
        "last second of it.",
    },
    ready_when={
        "enum": ["any", "all"],
        "default": "any",
        "description": "How many APIs must have a catalog before `/readyz` says 200.",
    },
    max_body_bytes=_count(10_485_760, "Largest request body."),
)

_STORE = _section(
    url={
        "type": "string",
        "minLength": 1,
        "default": "sqlite:///.ocp-gateway/contexts.db",
        "description": "Where contexts live: `memory://`, `sqlite:///PATH` (a relative path starts "
        "at the working directory), `redis://`, `redis+sentinel://`, `redis+cluster://` (with "
        "`rediss` for TLS), or a secret reference.",
    },
    context_ttl_seconds=_count(604_800, "How long a context lives after its last call."),
    new_context_ttl_seconds=_count(3_600, "How long a context lives until a second call names it."),
    max_contexts_per_principal=_count(10_000, "Contexts kept for each principal."),
    max_history=_count(1_000, "History entries kept for each context; the oldest go first."),
)


def _headers(description: str) -> Schema:
    return {
        "type": "object",
        "propertyNames": {"pattern": HEADER_NAME, "x-fault": "is not a valid header name"},
        "additionalProperties": {"type": "string"},
        "default": {},
        "description": description,
    }


_API: Schema = {
    "type": "object",
    "additionalProperties": False,
    "required": ["name", "spec"],
    "properties": {
        "name": {
            "type": "string",
            "pattern": API_NAME,
            "x-fault": f"must match {API_NAME}",
            "description": "The API's name in paths, prefixes and messages; required.",
        },
        "spec": {
            "type": "string",
            "minLength": 1,
            "description": "OpenAPI description: a path (relative to the configuration file) or an "
            "http(s) URL; required.",
        },
        "spec_headers": _headers(
            "Headers for fetching a description from a URL, sent to its origin only; values may be "
            "secret references."
        ),
        "overlays": {
            "type": "array",
            "items": {"type": "string", "minLength": 1},
            "default": [],
            "description": "OpenAPI Overlay documents, applied in this order: paths (relative to "
            "the configuration file) or http(s) URLs.",
        },
        "base_url": {
            "type": ["string", "null"],
            "default": None,
            "description": "Where the API is; `null` means the first usable entry of the "
            "description's `servers`.",
        },
        "proxy": {
            "enum": ["described", "any", "off"],
            "default": "described",
            "description": "What `/apis/{name}` reaches: the described operations, every path "
            "below `base_url`, or nothing.",
        },
        "allow_html": {
            "type": "boolean",
            "default": False,
            "description": "Whether pages of this API may act as pages of the gateway's origin; "
            "else every answer below `/apis` is sandboxed.",
        },
        "context_updates": {
            "enum": ["declared", "all", "off"],
            "default": "declared",
            "description": "What the OCP headers of this API's answers may change of the context: "
            "what its description declares, everything that answers can change, or nothing.",
        },
        "reload_seconds": _count(
            60,
            "How often a URL is asked for a new description; a file is watched, and a change is "
            "live within a second. 0: read once, and again at SIGHUP only.",
            least=0,
            most=DAY,
        ),
        "headers": _headers("Headers added to every request to this API."),
        "credentials": later("outgoing credentials", default={}),
        "principal_credentials": later("outgoing credentials", default={}),
        "tls": _section(
            ca=_path(
                "PEM file of the authorities that may have signed the API's certificate, in "
                "place of the system's."
            ),
            cert=_path("PEM file of the certificate that the gateway shows."),
            key=_path("PEM file of its private key, unless `cert` holds it."),
        ),
        "egress_proxy": {
            "type": ["string", "null"],
            "minLength": 1,
            "default": None,
            "description": "`http://` URL of an HTTP proxy by which this API is reached, or a "
            "secret reference to one with a password.",
        },
        "pin": later("pinned tool definitions", default=None),
        "forward_headers": {
            "type": "array",
            "items": {
                "type": "string",
                "pattern": HEADER_NAME,
                "x-fault": "is not a valid header name",
            },
            "default": [],
            "description": "The caller's request headers that may pass on tool calls.",
        },
        "ocp_headers": {
            "enum": ["auto", "full", "ids", "off"],
            "default": "auto",
            "description": "What of the context this API is sent: everything, the identifiers, or "
            "nothing; `auto` is `full` for loopback and private addresses and `ids` for others.",
        },
        "include": rules("The operations to take; empty means all."),
        "exclude": rules("The operations to leave out, even if `include` names them."),
        "tools": TOOLS,
        "validate": _section(
            requests={
                "enum": ["off", "report", "enforce"],
                "default": "off",
                "description": "Proxied requests against the description: not at all, counted and "
                "logged, or refused with 422.",
            },
            responses={
                "enum": ["off", "report", "enforce"],
                "default": "off",
                "description": "Proxied answers against the description: not at all, counted and "
                "logged, or replaced by 502.",
            },
        ),
        "timeout_seconds": {
            "type": "number",
            "exclusiveMinimum": 0,
            "maximum": DAY,
            "default": 30,
            "description": "To the response head and between body chunks; for a tool call, in "
            "total.",
        },
        "retries": _count(
            1,
            "Further attempts after a refused connection (any method) or a failure before any "
            "response byte (idempotent methods); never after a status.",
            least=0,
            most=10,
        ),
        "max_concurrency": _count(
            256,
            "Requests to this API at a time, and as many WebSockets; more wait for a moment.",
            most=100_000,
        ),
        "max_response_bytes": _count(10_485_760, "Largest response that a tool call reads."),
        "max_body_bytes": {
            "type": ["integer", "null"],
            "minimum": 1,
            "maximum": _MAX_BYTES,
            "default": None,
            "description": "Largest request body for this API; `null` means the server's.",
        },
        "websocket": {
            "type": "boolean",
            "default": False,
            "description": "Whether WebSockets pass through `/apis/{name}`.",
        },
        "interaction": {
            "type": "boolean",
            "default": False,
            "description": "Whether this API may answer tool calls line by line, with progress, "
            "log messages and questions to the caller (docs/interactions.md).",
        },
    },
}

_AUTH = _section(
    api_keys={
        "type": "array",
        "items": {
            "type": "object",
            "additionalProperties": False,
            "required": ["id", "key"],
            "properties": {
                "id": {
                    "type": "string",
                    "pattern": KEY_ID,
                    "x-fault": f"must match {KEY_ID}",
                    "description": "Who holds the key: the principal is `key:ID`; required.",
                },
                "key": {
                    "type": "string",
                    "minLength": 1,
                    "description": "Secret reference to the key, of at least 16 characters; "
                    "required.",
                },
                "admin": {
                    "type": "boolean",
                    "default": False,
                    "description": "Whether its holder may read `/metrics` and `/admin/debug`.",
                },
                "apis": later("access by API", default=[]),
                "methods": later("access by method", default=[]),
                "requests_per_second": later("rate limits", default=0),
            },
        },
        "default": [],
        "description": "Keys that callers send as `Authorization: Bearer KEY` or `X-API-Key`. With "
        "any, only `/`, `/healthz` and `/readyz` are open.",
    },
    jwt=later("authentication", default=None),
    rules=later("access rules", default=[]),
    mtls_header=later("authentication", default=None),
)

_MCP = _section(
    tools={
        "enum": ["list", "search"],
        "default": "list",
        "description": "What MCP lists publish: every tool, or only `searchTools`, `describeTool` "
        "and `callTool`, by which a model finds, reads and calls all of them.",
    },
    output_schemas={
        "type": "boolean",
        "default": False,
        "description": "Publish what tools answer as `outputSchema`; every result then has "
        "`structuredContent`.",
    },
    confirm_destructive={
        "type": "boolean",
        "default": False,
        "description": "As if every operation that is published as destructive had "
        "`confirm: true`, unless it says `confirm: false`.",
    },
    context_argument={
        "type": "boolean",
        "default": False,
        "description": "Publish an optional argument `ocpContextId` on every tool, and the tools "
        "`ocpContextCreate`, `ocpContextGet` and `ocpContextUpdate`: for clients that can name a "
        "context neither in `_meta` nor in a header.",
    },
    sse={
        "type": "boolean",
        "default": False,
        "description": "Serve the HTTP+SSE transport of 2024-11-05 as well: `GET /sse`, "
        "`GET /sse/NAME`, `POST /messages`.",
    },
    state_key={
        "type": ["string", "null"],
        "default": None,
        "description": "Secret reference to the keys that sign MCP session ids and seal what a "
        "call that asks gives its client (`requestState`), one of at least 32 bytes a line: the "
        "first signs, all verify. Gateways that share traffic need the same; `null` mints one at "
        "start, so that sessions and open questions end with the process.",
    },
    prompts=PROMPTS,
    resources=RESOURCES,
    page_size=_count(
        0, "Items on a page of an MCP list; 0: everything on the first page.", least=0, most=100_000
    ),
)

SCHEMA: Schema = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "server": _SERVER,
        "store": _STORE,
        "apis": {"type": ["array", "null"], "items": _API},
        "auth": _AUTH,
        "services": _section(workspace=later("workspace services", default=False)),
        "audit": later("the audit log", default="off"),
        "mcp": _MCP,
    },
}


def schema_at(keys: tuple[str | int, ...]) -> Schema | None:
    """The schema of one place, None for a place that the vocabulary does not have."""
    schema: object = SCHEMA
    for key in keys:
        if not isinstance(schema, Mapping):
            return None
        if isinstance(key, int):
            schema = schema.get("items")
            continue
        properties = schema.get("properties", {})
        schema = properties.get(key, schema.get("additionalProperties"))
    return schema if isinstance(schema, Mapping) else None
