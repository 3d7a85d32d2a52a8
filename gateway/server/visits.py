"""Each request from its head to its answer's end: told to whoever counts and logs them."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Protocol

from aiohttp import web
from aiohttp.typedefs import Middleware

from gateway.server.provenance import provenance_of

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

REQUEST_ID = "X-Request-ID"
_REQUEST_ID = web.RequestKey("request_id", str)
_STATUS = web.RequestKey("status", int)
_ENDED = web.RequestKey("ended", bool)


class Visit(Protocol):
    """One request under way."""

    @property
    def request_id(self) -> str: ...

    def ended(
        self, route: str, *, status: int | None, received: int, sent: int, aborted: bool
    ) -> None: ...


class Visits(Protocol):
    """Hears of every request. Nothing raises or waits."""

    def begin(
        self, method: str, headers: Mapping[str, str], client: str, *, trusted: bool
    ) -> Visit: ...


def make_visit_middleware(visits: Visits) -> Middleware:
    """The outermost middleware: an answer that is not begun yet is written here, to its end."""

    @web.middleware
    async def visit(request: web.Request, handler: Handler) -> web.StreamResponse:
        origin = provenance_of(request)
        trusted = bool(origin.hops)
        seen = visits.begin(request.method, request.headers, origin.address, trusted=trusted)
        request[_REQUEST_ID] = seen.request_id
        whole = False
        try:
            response = await handler(request)
            whole = await _is_written(request, response)
        finally:
            seen.ended(
                route_of(request),
                status=request.get(_STATUS),
                received=request.content.total_bytes,
                sent=request.writer.output_size,
                aborted=not (whole or request.get(_ENDED, False)),
            )
        return response

    return visit


def note_end(request: web.Request) -> None:
    """A pipe has ended because one side has left it: it has no last byte to tell that by."""
    request[_ENDED] = True


async def name_request(request: web.Request, response: web.StreamResponse) -> None:
    """The answer says under which id the log has its request: a signal of `on_response_prepare`."""
    request_id = request.get(_REQUEST_ID)
    if request_id is not None:
        request[_STATUS] = response.status
        # What an API has to say of its own request stays.
        response.headers.setdefault(REQUEST_ID, request_id)


async def _is_written(request: web.Request, response: web.StreamResponse) -> bool:
    """Whether the whole answer is on its way; one whose handler broke it off never is."""
    if not response.prepared:
        try:
            await response.prepare(request)
            await response.write_eof()
        except ConnectionError:
            return False  # the client has left; aiohttp finds that out as well
    # Heads count, so that even an empty answer has a length once it has ended.
    return response.body_length > 0


def route_of(request: web.Request) -> str:
    """The template of the path, `-` where there is none: a path may hold anything."""
    resource = request.match_info.route.resource
    return resource.canonical if resource is not None else "-"
