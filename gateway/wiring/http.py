"""The HTTP side put together: endpoints, middlewares, the runner that aiohttp serves."""

import secrets
import time

from aiohttp import web

from gateway.catalog import Recall, make_anew
from gateway.config import Config
from gateway.engine import Gateway
from gateway.identity import ApiKeys
from gateway.interfaces import SessionBoard
from gateway.server.app import Endpoints, make_app
from gateway.server.callers import make_caller_middleware, principal_of
from gateway.server.contexts import ContextsEndpoint
from gateway.server.cors import serve_pages
from gateway.server.guard import Guard, make_guard_middleware
from gateway.server.health import StatusEndpoint
from gateway.server.mcp_http import McpEndpoint
from gateway.server.mcp_parts import McpSettings
from gateway.server.parse_log import http_logger
from gateway.server.problems import make_error_middleware
from gateway.server.proxy import ProxyEndpoint
from gateway.server.registry import RegistryEndpoint
from gateway.server.results import ResultsEndpoint
from gateway.server.sse import SseEndpoint
from gateway.server.tools import ToolsEndpoint
from gateway.stores import ResultFiles
from gateway.wiring.parts import make_server

# A legal OCP-Session has 8,192 characters, and a longer one is to be ignored, not refused.
MAX_FIELD_BYTES = 65_536
KEEPALIVE_SECONDS = 75.0


def make_runner(
    config: Config, gateway: Gateway, board: SessionBoard, recall: Recall = make_anew
) -> web.AppRunner:
    server = config.server
    # Over stdio nobody could read what is kept.
    gateway.keep_results(ResultFiles(), url=f"{server.public_url or ''}/results/")
    keys = _keys(config)
    guard = Guard(names=(server.host, *server.allowed_hosts), public_url=server.public_url)
    app = make_app(
        make_endpoints(config, gateway, board, recall),
        make_error_middleware(secrets.token_bytes),
        make_guard_middleware(guard),
        serve_pages,
        make_caller_middleware(keys.authenticate if keys else None),
    )
    return web.AppRunner(
        app,
        access_log=None,
        logger=http_logger(),
        # A compressed upload is passed on as it is; inflated, its head would be a lie.
        auto_decompress=False,
        # Without it a handler outlives its client, and so does the request to the upstream.
        handler_cancellation=True,
        keepalive_timeout=KEEPALIVE_SECONDS,
        max_line_size=MAX_FIELD_BYTES,
        max_field_size=MAX_FIELD_BYTES,
        shutdown_timeout=server.drain_seconds,
    )


def make_endpoints(
    config: Config, gateway: Gateway, board: SessionBoard, recall: Recall
) -> Endpoints:
    server = config.server
    settings = McpSettings(
        server=make_server(config),
        session_keys=config.mcp.state_keys() or (secrets.token_bytes(32),),
        additions=gateway.additions,
        page_size=config.mcp.page_size,
        recall=recall,
        max_body_bytes=server.max_body_bytes,
    )
    mcp = McpEndpoint(
        gateway,
        settings=settings,
        principal_of=principal_of,
        clock=time.time,
        new_bytes=secrets.token_bytes,
        board=board,
    )
    return Endpoints(
        status=StatusEndpoint(
            gateway, needs_all=server.ready_when == "all", public_url=server.public_url
        ),
        tools=ToolsEndpoint(
            gateway,
            principal_of=principal_of,
            max_body_bytes=server.max_body_bytes,
            recall=recall,
        ),
        results=ResultsEndpoint(gateway, principal_of=principal_of),
        contexts=ContextsEndpoint(
            gateway.contexts,
            principal_of=principal_of,
            max_body_bytes=server.max_body_bytes,
            # Everybody in reach is the one principal then, and its contexts are everybody's.
            may_list=bool(config.api_keys) or not config.insecure_open,
            url=f"{server.public_url or ''}/contexts/",
        ),
        registry=RegistryEndpoint(gateway, public_url=server.public_url, recall=recall),
        proxy=ProxyEndpoint(gateway, principal_of=principal_of),
        mcp=mcp,
        sse=SseEndpoint(mcp.parts, principal_of=principal_of, public_url=server.public_url)
        if config.mcp.sse
        else None,
    )


def _keys(config: Config) -> ApiKeys | None:
    """None where nobody is asked who is calling."""
    if not config.api_keys:
        return None
    return ApiKeys((key.id, key.key.reveal(), key.admin) for key in config.api_keys)
