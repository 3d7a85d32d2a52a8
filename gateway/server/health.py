"""`GET /`, `/healthz`, `/readyz`, `/apis`: what is there and how it fares."""

from collections.abc import Callable, Mapping

from aiohttp import web

from gateway import __version__
from gateway.catalog import OcpSupport
from gateway.engine import Freshness, Gateway
from gateway.mcp import encode_json
from gateway.server.draining import Draining
from gateway.server.provenance import own_url

ENDPOINTS = {
    "tools": "/tools",
    "contexts": "/contexts",
    "apis": "/apis",
    "registry": "/registry",
    "mcp": "/mcp",
    "health": "/healthz",
    "readiness": "/readyz",
}


class Readiness:
    """Whether this server wants to be sent traffic, and what ails it all the same.

    `needs_all`: it takes every API's catalog, else any. `others_ready` speaks for the other
    processes behind the same port. `ailments` says in a few words what else is not as it should be.
    """

    def __init__(
        self,
        gateway: Gateway,
        *,
        needs_all: bool = False,
        draining: Draining | None = None,
        others_ready: Callable[[], bool] = lambda: True,
    ) -> None:
        self._gateway = gateway
        self._draining = draining or Draining()
        self._others_ready = others_ready
        self.needs_all = needs_all
        self.ailments: Mapping[str, str] = {}

    @property
    def is_loaded(self) -> bool:
        """Whether this process, for itself, has the catalogs that it needs."""
        apis = self._gateway.catalog.apis
        return bool(apis) and not (self.needs_all and self._gateway.missing)

    async def judge(self) -> tuple[int, Mapping[str, object]]:
        """Status and body of `/readyz`.

        503 while it drains, and without a catalog; a store that is down or something old that
        serves on only degrades.
        """
        if self._draining.begun:
            return 503, {"status": "draining"}
        if not self.is_loaded:
            return 503, {"status": "unready", "apis": len(self._gateway.catalog.apis)}
        if not self._others_ready():
            return 503, {"status": "unready", "reason": "not every worker is ready"}
        reason = await self._ailment()
        body: dict[str, object] = {"status": "degraded" if reason else "ok"}
        if reason:
            body["reason"] = reason
        if missed := self._gateway.unrecorded:
            body["unrecorded"] = missed
        return 200, body

    async def _ailment(self) -> str | None:
        if not await self._gateway.store_is_up():
            return "context store unavailable"
        if any(state.fault for state in self._gateway.freshness.values()):
            return "a description is not current"
        return next(iter(self.ailments.values()), None)


class StatusEndpoint:
    """The handlers; `readiness` decides what `/readyz` says."""

    def __init__(
        self, gateway: Gateway, *, readiness: Readiness, public_url: str | None = None
    ) -> None:
        self._gateway = gateway
        self._readiness = readiness
        self._public_url = public_url

    async def index(self, request: web.Request) -> web.Response:
        base = self._public_url or own_url(request)
        links = {name: base + path for name, path in ENDPOINTS.items()}
        return _json({"name": "ocp-gateway", "version": __version__, "links": links})

    async def healthz(self, _: web.Request) -> web.Response:
        return _json({"status": "ok"})

    async def readyz(self, _: web.Request) -> web.Response:
        status, body = await self._readiness.judge()
        return _json(body, status=status)

    async def list_apis(self, _: web.Request) -> web.Response:
        names = sorted({*self._gateway.upstreams, *self._gateway.missing})
        return _json({"apis": [self._shown(name) for name in names]})

    def _shown(self, name: str) -> dict[str, object]:
        catalog = self._gateway.catalog.apis.get(name)
        fresh = self._gateway.freshness.get(name, Freshness())
        return {
            "name": name,
            "state": "ready" if catalog else "unavailable",
            "tools": len(catalog.tools) if catalog else 0,
            "problems": len(catalog.problems) if catalog else 0,
            "loaded_at": fresh.loaded_at.isoformat() if fresh.loaded_at else None,
            "fault": fresh.fault,
            "ocp": _support(catalog.ocp) if catalog else None,
        }


def _support(ocp: OcpSupport) -> dict[str, object]:
    return {
        "enabled": ocp.enabled,
        "context_aware": ocp.context_aware,
        "version": ocp.version,
        "agent_types": list(ocp.agent_types),
    }


def _json(value: object, *, status: int = 200) -> web.Response:
    return web.Response(status=status, body=encode_json(value), content_type="application/json")
