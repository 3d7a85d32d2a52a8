"""A listener of its own for health and metrics: no Host is checked, and nothing else is there."""

from collections.abc import Awaitable, Callable

from aiohttp import web

from gateway.server.health import StatusEndpoint

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def make_probe_app(
    status: StatusEndpoint, *middlewares: object, metrics: Handler | None = None
) -> web.Application:
    """`/healthz`, `/readyz`, and `/metrics` where there are any."""
    app = web.Application(middlewares=middlewares)  # type: ignore[arg-type]
    app.router.add_get("/healthz", status.healthz)
    app.router.add_get("/readyz", status.readyz)
    if metrics is not None:
        app.router.add_get("/metrics", metrics)
    return app
