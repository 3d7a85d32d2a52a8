"""From a call to what is sent: where to, with which headers, and what is said when it fails."""

from dataclasses import replace

from gateway.calls import MAY_HAVE_HAPPENED, OFFER, UNSAFE_TO_REPEAT
from gateway.catalog import NativeTool, Tool
from gateway.context import IDENTIFYING, CalledOperation
from gateway.engine.values import ToolCall
from gateway.errors import (
    NotAvailable,
    UnknownOperation,
    UpstreamError,
    UpstreamTimeout,
    UpstreamUnreachable,
)
from gateway.forwarding import passed_on
from gateway.messages import Headers, Request, RequestHead
from gateway.upstreams import Upstream


def tool_place(upstream: Upstream, tool: Tool) -> Upstream:
    """Where a tool's call goes. Raises NotAvailable where its fixed arguments must not go."""
    place = upstream.of(tool.method, tool.path)
    # Only the description has named that origin: what the operator fixed is meant for this API.
    if tool.override.set and place.origin != upstream.origin:
        raise NotAvailable(
            f"{tool.method} {tool.path[:200]} is on another server, where fixed arguments are not"
            " sent; give that server an API of its own"
        )
    return place


def timed(upstream: Upstream, tool: Tool) -> Upstream:
    """The upstream with the tool's own limit, where it has one."""
    seconds = tool.override.timeout_seconds
    return upstream if seconds is None else replace(upstream, timeout_seconds=seconds)


def names_of_arguments(built: Request, upstream: Upstream) -> frozenset[str]:
    """Headers, lower-case, that the arguments make, and that identify the context or offer."""
    configured = {name.lower() for name, _ in upstream.headers}
    made = {name.lower() for name, _ in built.head.headers}
    return frozenset((made - configured) | IDENTIFYING | {OFFER.lower()})


def tool_request(request: Request, call: ToolCall, upstream: Upstream, ocp: Headers) -> Request:
    """The built request with the API's own headers, the caller's permitted ones and the context."""
    own = {name.lower() for name, _ in (*request.head.headers, *upstream.headers)}
    # The trace that the message names is nearer to the call than its transport's.
    traced = tuple(p for p in call.trace if p[0] not in own)
    taken = own | {name for name, _ in traced}
    if "traceparent" in taken:
        taken.add("tracestate")  # W3C Trace Context section 3.3: of another trace it says nothing
    passed = tuple(p for p in passed_on(call.headers, upstream) if p[0].lower() not in taken)
    configured = {name.lower() for name, _ in upstream.headers}
    built = tuple(p for p in request.head.headers if p[0].lower() not in configured)
    headers = (*built, *upstream.headers, *passed, *traced, *ocp)
    return replace(request, head=replace(request.head, headers=headers))


def own_place(upstream: Upstream, tool: Tool) -> Upstream:
    """Where an operation is on its API's own server. Raises UnknownOperation for another's."""
    place = upstream.of(tool.method, tool.path)
    # What a caller sends through the proxy, cookies and keys included, is meant for this origin.
    if place.origin != upstream.origin:
        what = f"{tool.method} {tool.path[:200]}"
        raise UnknownOperation(f"{what} is on another server; only its tool leads there")
    return place


def proxied_operation(upstream: Upstream, head: RequestHead, tool: Tool | None) -> CalledOperation:
    # An undescribed path may hold anything, ids and secrets included: it is not recorded.
    return CalledOperation(
        api=upstream.name,
        method=head.method,
        path=tool.path if tool else None,
        name=tool.name if tool else None,
    )


def called_operation(tool: Tool) -> CalledOperation:
    return CalledOperation(api=tool.api, method=tool.method, path=tool.path, name=tool.name)


def own_operation(tool: NativeTool) -> CalledOperation:
    """A tool of the gateway's own, which belongs to no API."""
    return CalledOperation(api="-", method="-", name=tool.name)


def is_call(head: RequestHead, tool: Tool) -> bool:
    """Whether a proxied request asks for the operation itself: OPTIONS may only be about it."""
    return head.method != "OPTIONS" or tool.method == "OPTIONS"


def failure_text(error: UpstreamError, tool: Tool, upstream: Upstream) -> str:
    """What happened and whether to try again; what was sent may have been carried out."""
    if isinstance(error, UpstreamTimeout):
        said = f"{upstream.name} did not answer in {upstream.timeout_seconds:g} s."
    else:
        said = f"{error}."
    if isinstance(error, UpstreamUnreachable) or tool.method not in UNSAFE_TO_REPEAT:
        return f"{said} Retrying may help."
    return f"{said} {MAY_HAVE_HAPPENED}"
