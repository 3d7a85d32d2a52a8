"""The HTTP server: which route has which handler."""

from dataclasses import dataclass

from aiohttp import web
from aiohttp.http import SERVER_SOFTWARE

from gateway.server.contexts import ContextsEndpoint
from gateway.server.cors import let_read
from gateway.server.debug import DebugEndpoint
from gateway.server.health import StatusEndpoint
from gateway.server.mcp_http import McpEndpoint
from gateway.server.metrics import MetricsEndpoint
from gateway.server.proxy import ProxyEndpoint, guess_no_type
from gateway.server.registry import RegistryEndpoint
from gateway.server.results import ResultsEndpoint
from gateway.server.sse import SseEndpoint
from gateway.server.tools import ToolsEndpoint
from gateway.server.visits import name_request


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoints:
    """Every handler that the server has; `sse` is there where it is wanted."""

    status: StatusEndpoint
    tools: ToolsEndpoint
    results: ResultsEndpoint
    contexts: ContextsEndpoint
    registry: RegistryEndpoint
    proxy: ProxyEndpoint
    mcp: McpEndpoint
    metrics: MetricsEndpoint
    debug: DebugEndpoint
    sse: SseEndpoint | None = None


def make_app(endpoints: Endpoints, *middlewares: object) -> web.Application:
    """The application; the first middleware is the outermost."""
    app = web.Application(middlewares=middlewares)  # type: ignore[arg-type]
    router = app.router
    _add_what_operators_ask(router, endpoints)
    router.add_get("/tools", endpoints.tools.list_tools)
    router.add_get("/tools/{name}", endpoints.tools.show_tool)
    router.add_post("/tools/{name}", endpoints.tools.call_tool)
    router.add_get("/results/{handle}", endpoints.results.show)
    router.add_get("/contexts", endpoints.contexts.list)
    router.add_post("/contexts", endpoints.contexts.create)
    router.add_get("/contexts/{id}", endpoints.contexts.show)
    router.add_patch("/contexts/{id}", endpoints.contexts.patch)
    router.add_delete("/contexts/{id}", endpoints.contexts.delete)
    router.add_get("/registry", endpoints.registry.list_apis)
    router.add_get("/registry/{name}", endpoints.registry.show_api)
    router.add_get("/search", endpoints.registry.search)
    router.add_get("/apis", endpoints.status.list_apis)
    router.add_route("*", "/apis/{rest:.*}", endpoints.proxy.forward)
    router.add_route("*", "/mcp", endpoints.mcp.answer)
    router.add_route("*", "/mcp/{api}", endpoints.mcp.answer)
    if endpoints.sse is not None:
        for path in ("/sse", "/sse/{api}"):
            # Not HEAD, which would wait for a stream without end.
            router.add_get(path, endpoints.sse.open, allow_head=False)
        router.add_post("/messages", endpoints.sse.hear)
        app.on_cleanup.append(endpoints.sse.end_calls)
    app.on_response_prepare.extend((_name_server, let_read, guess_no_type, name_request))
    app.on_shutdown.append(endpoints.mcp.close_streams)
    app.on_cleanup.append(endpoints.mcp.end_calls)
    return app


def _add_what_operators_ask(router: web.UrlDispatcher, endpoints: Endpoints) -> None:
    router.add_get("/", endpoints.status.index)
    router.add_get("/healthz", endpoints.status.healthz)
    router.add_get("/readyz", endpoints.status.readyz)
    router.add_get("/metrics", endpoints.metrics.show)
    router.add_get("/admin/debug", endpoints.debug.show)


async def _name_server(_: web.Request, response: web.StreamResponse) -> None:
    # aiohttp names itself and Python, versions included; an upstream's own name passes.
    if response.headers.get("Server") == SERVER_SOFTWARE:
        response.headers["Server"] = "ocp-gateway"
