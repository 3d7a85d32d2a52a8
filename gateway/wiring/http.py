"""The HTTP side put together: endpoints, middlewares, the runner that aiohttp serves."""

import secrets
import time
from collections.abc import Callable

from aiohttp import web

from gateway.catalog import Recall, make_anew
from gateway.config import Config
from gateway.engine import Gateway
from gateway.forwarding import Front
from gateway.interfaces import SessionBoard
from gateway.server.app import Endpoints, make_app
from gateway.server.callers import make_caller_middleware, principal_of
from gateway.server.connections import close_early
from gateway.server.contexts import ContextsEndpoint
from gateway.server.cors import make_page_middleware
from gateway.server.debug import DebugEndpoint
from gateway.server.entrance import Entrance, Runner
from gateway.server.guard import make_guard_middleware
from gateway.server.health import Readiness, StatusEndpoint
from gateway.server.mcp_http import McpEndpoint
from gateway.server.mcp_parts import McpSettings
from gateway.server.overload import Overload, make_overload_middleware
from gateway.server.parse_log import RefusalLog, http_logger
from gateway.server.problems import make_error_middleware
from gateway.server.provenance import FRONT
from gateway.server.proxy import ProxyEndpoint
from gateway.server.registry import RegistryEndpoint
from gateway.server.results import ResultsEndpoint
from gateway.server.sse import SseEndpoint
from gateway.server.tools import ToolsEndpoint
from gateway.server.visits import make_visit_middleware
from gateway.stores import ResultFiles
from gateway.telemetry import Number, Observatory, Tally
from gateway.wiring.descriptors import connections_for, raise_descriptors
from gateway.wiring.live_settings import LiveSettings
from gateway.wiring.observing import metrics_of, open_observatory
from gateway.wiring.parts import make_server

KEEPALIVE_SECONDS = 75.0


def make_runner(  # noqa: PLR0913 - by name, and each from somewhere else
    config: Config,
    gateway: Gateway,
    board: SessionBoard,
    recall: Recall = make_anew,
    *,
    readiness: Readiness | None = None,
    observatory: Observatory | None = None,
    live: LiveSettings | None = None,
    results: ResultFiles | None = None,
) -> web.AppRunner:
    server = config.server
    # Over stdio nobody could read what is kept.
    gateway.keep_results(results or ResultFiles(), url=f"{server.public_url or ''}/results/")
    judges = live or LiveSettings(config)
    guard, keys = judges.guard, judges.keys
    watching = observatory or open_observatory()
    overload = Overload()
    watching.add_tally(
        "shed_requests",
        Tally(
            about="Requests refused because there were too many.",
            label="reason",
            read=lambda: {"overload": overload.refused},
        ),
    )
    ready = readiness or Readiness(gateway, needs_all=server.ready_when == "all")
    app = make_app(
        make_endpoints(config, gateway, board, recall, ready, watching),
        make_visit_middleware(watching.visits),
        make_error_middleware(secrets.token_bytes),
        make_overload_middleware(overload),
        make_guard_middleware(guard),
        make_page_middleware(guard),
        make_caller_middleware(keys.authenticate if keys else None),
    )
    app[FRONT] = Front(trusted=server.trusted_proxies, public_url=server.public_url)
    app.on_response_prepare.append(close_early)

    def max_body() -> int:
        # An API may take more than the server does otherwise.
        sizes = (upstream.max_body_bytes for upstream in gateway.upstreams.values())
        return max(server.max_body_bytes, *sizes, 0)

    return put_behind_door(
        app, max_body=max_body, overload=overload, shutdown_timeout=server.drain_seconds
    )


def put_behind_door(
    app: web.Application,
    *,
    max_body: Callable[[], int],
    shutdown_timeout: float,
    overload: Overload | None = None,
) -> Runner:
    """A runner whose connections read requests as docs/http.md says; `max_body` is in bytes."""

    def make_entrance(inner: web.Server) -> Entrance:
        return Entrance(
            inner,
            max_connections=connections_for(raise_descriptors()),
            max_body=max_body,
            refusals=RefusalLog(time.monotonic),
            access_log=None,
            logger=http_logger(),
            keepalive_timeout=KEEPALIVE_SECONDS,
            overload=overload,
        )

    return Runner(app, make=make_entrance, shutdown_timeout=shutdown_timeout)


def make_endpoints(
    config: Config,
    gateway: Gateway,
    board: SessionBoard,
    recall: Recall,
    readiness: Readiness,
    observatory: Observatory,
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
    observatory.add_number(
        "event_streams",
        Number(about="Streams of changes that MCP clients hold.", read=mcp.parts.listening.__len__),
    )
    observatory.add_number(
        "configuration_faults",
        Number(
            about="Processes that could not use the configuration as it is now.",
            read=lambda: len(readiness.ailments),
        ),
    )
    return Endpoints(
        status=StatusEndpoint(gateway, readiness=readiness, public_url=server.public_url),
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
        proxy=ProxyEndpoint(gateway, principal_of=principal_of, is_open=not config.api_keys),
        mcp=mcp,
        metrics=metrics_of(observatory, is_public=server.metrics_public),
        debug=DebugEndpoint(observatory.report),
        sse=SseEndpoint(mcp.parts, principal_of=principal_of, public_url=server.public_url)
        if config.mcp.sse
        else None,
    )
