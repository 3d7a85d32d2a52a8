"""What of a context a call needs and an API is sent, and what its answer may change of it."""

from collections.abc import Iterator
from contextlib import contextmanager

from gateway.catalog import Tool
from gateway.context import (
    UPDATABLE,
    AgentContext,
    Statement,
    outbound_headers,
    read_inbound,
    updates_of,
)
from gateway.engine.values import ContextClaim
from gateway.errors import ContextRequired, GatewayError
from gateway.messages import Headers, Response
from gateway.upstreams import ContextUpdates, OcpHeaders, Upstream


def require_context(tool: Tool, claim: ContextClaim) -> bool:
    """Whether the call cannot be without a context. Raises ContextRequired where it names none."""
    if tool.context.requires_context and claim.named_id is None:
        raise ContextRequired(
            f"{tool.name} works within a context: name one, in OCP-Context-ID for example"
        )
    return tool.context.requires_context


def ocp_headers(
    context: AgentContext, upstream: Upstream, tool: Tool | None, *, apis: frozenset[str]
) -> Headers:
    """`tool` is the called operation, None for a path that no description knows.

    Of the history what has to do with `apis`, those that the caller may call, or with none.
    """
    if upstream.ocp_headers is OcpHeaders.OFF:
        return ()
    fields = tool.context.enhances_with if tool else None
    full = upstream.ocp_headers is OcpHeaders.FULL
    return outbound_headers(context, full=full, fields=fields, apis=apis)


def updates_from(
    response: Response, sent: AgentContext, upstream: Upstream, tool: Tool | None
) -> Statement | None:
    """What the response's OCP headers change, as far as configuration and description let it."""
    allowed = tool.context.updates if tool else frozenset()
    if upstream.context_updates is ContextUpdates.ALL:
        allowed = UPDATABLE
    if not allowed or upstream.context_updates is ContextUpdates.OFF:
        return None
    answer = read_inbound(response.head.headers)
    return updates_of(answer, sent, allowed=allowed, api=upstream.name)


@contextmanager
def naming(context_id: str) -> Iterator[None]:
    """Whatever is raised within says which context its call has."""
    try:
        yield
    except GatewayError as error:
        error.context_id = context_id
        raise
