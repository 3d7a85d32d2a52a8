"""`GET /`, `/healthz`, `/readyz`, `/apis`: what is there and how it fares."""

from aiohttp import web

from gateway import __version__
from gateway.catalog import OcpSupport
from gateway.engine import Freshness, Gateway
from gateway.mcp import encode_json

ENDPOINTS = {
    "tools": "/tools",
    "contexts": "/contexts",
    "apis": "/apis",
    "registry": "/registry",
    "mcp": "/mcp",
    "health": "/healthz",
    "readiness": "/readyz",
}


class StatusEndpoint:
    """`needs_all`: ready only when every API has a catalog, else when any has."""

    def __init__(self, gateway: Gateway, *, needs_all: bool, public_url: str | None) -> None:
        self._gateway = gateway
        self._needs_all = needs_all
        self._public_url = public_url

    async def index(self, request: web.Request) -> web.Response:
        # The guard has judged the Host already.
        base = self._public_url or f"http://{request.host}"
        links = {name: base + path for name, path in ENDPOINTS.items()}
        return _json({"name": "ocp-gateway", "version": __version__, "links": links})

    async def healthz(self, _: web.Request) -> web.Response:
        return _json({"status": "ok"})

    async def readyz(self, _: web.Request) -> web.Response:
        """503 without a catalog; a store that is down or an old catalog only degrades."""
        loaded = len(self._gateway.catalog.apis)
        if not loaded or (self._needs_all and self._gateway.missing):
            return _json({"status": "unready", "apis": loaded}, status=503)
        status: dict[str, object] = {"status": "ok"}
        if not await self._gateway.store_is_up():
            status = {"status": "degraded", "reason": "context store unavailable"}
        elif any(state.fault for state in self._gateway.freshness.values()):
            status = {"status": "degraded", "reason": "a description is not current"}
        if missed := self._gateway.unrecorded:
            status["unrecorded"] = missed
        return _json(status)

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
