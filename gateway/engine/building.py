"""A tool call up to its request: place, arguments, and what somebody has to say to it first."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from gateway.calls import build_request
from gateway.catalog import Tool
from gateway.engine.confirmation import check_consent, needs_consent, take_consent
from gateway.engine.context_tools import Taken, along_with
from gateway.engine.context_use import require_context
from gateway.engine.elicitation import fill_in
from gateway.engine.interactions import Turn
from gateway.engine.recording import Conversation
from gateway.engine.rounds import Course, Json, course_of
from gateway.engine.sending import (
    is_call,
    names_of_arguments,
    timed,
    tool_place,
    tool_request,
)
from gateway.engine.values import ContextClaim, ToolCall
from gateway.messages import Headers, Request, RequestHead
from gateway.upstreams import ProxyReach, Upstream


@dataclass(frozen=True, slots=True, kw_only=True)
class Built:
    """`call` has all its arguments; `requires_context`: it cannot be without a stored one."""

    tool: Tool
    call: ToolCall = field(repr=False)
    upstream: Upstream
    request: Request
    course: Course
    requires_context: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Ready:
    """A tool call that only has to be sent."""

    turn: Turn
    talk: Conversation


def build_call(
    tool: Tool, taken: Taken, upstream: Upstream, *, asks: bool, confirms: bool
) -> Built:
    """The call as it can be sent. `confirms`: whatever is destructive needs a confirmation.

    Raises InvalidArguments and its like; where it `asks`, also InputRequired,
    ConfirmationRequired and Declined. Nothing is sent then.
    """
    call, course = taken.call, course_of(taken.call)
    place = timed(tool_place(upstream, tool), tool)

    def build(arguments: Json) -> Request:
        with along_with(taken.faults):
            return build_request(tool, arguments, base_path=place.base_path)

    can_elicit = asks and place.interaction and "elicitation.form" in call.abilities
    filled = fill_in(tool, call.arguments, course, build, asks=can_elicit)
    required = require_context(tool, call.claim)
    course = filled.course
    if asks and needs_consent(tool, destructive=confirms):
        course = take_consent(tool, call, filled.arguments, course)
    return Built(
        tool=tool,
        call=replace(call, arguments=filled.arguments),
        upstream=place,
        request=filled.request,
        course=course,
        requires_context=required,
    )


def turn_of(built: Built, ocp: Headers, monotonic: Callable[[], float]) -> Turn:
    """What is sent, with the context's headers. `monotonic` counts seconds."""
    turn = Turn(
        call=built.call,
        tool=built.tool,
        upstream=built.upstream,
        course=built.course,
        request=tool_request(built.request, built.call, built.upstream, ocp),
        shown=names_of_arguments(built.request, built.upstream),
        monotonic=monotonic,
    )
    return turn.prepared()


def check_proxied(
    tool: Tool | None,
    upstream: Upstream,
    head: RequestHead,
    claim: ContextClaim,
    *,
    confirms: bool,
) -> bool:
    """Whether a proxied request, described by `tool`, cannot be without a stored context.

    Raises ContextRequired, and ConfirmationRequired unless every path is open anyway.
    """
    if tool is None or not is_call(head, tool):
        return False
    required = require_context(tool, claim)
    described = upstream.proxy is ProxyReach.DESCRIBED
    if described and needs_consent(tool, destructive=confirms):
        check_consent(upstream.name, head)
    return required
