"""The seven OCP headers (OCP 1.0, headers): what arrives, judged; what leaves, made.

A bad header never fails a request and never spoils a good one: it is ignored, with a reason that
names no value.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from gateway.context.decoding import Reject, decode_session
from gateway.context.encoding import encode_session
from gateway.context.model import AgentContext, is_agent_type, is_header_id, reduce_agent_type
from gateway.context.sharing import with_fields
from gateway.messages import Headers

CONTEXT_ID = "OCP-Context-ID"
AGENT_TYPE = "OCP-Agent-Type"
CURRENT_GOAL = "OCP-Current-Goal"
SESSION = "OCP-Session"
USER = "OCP-User"
WORKSPACE = "OCP-Workspace"
VERSION = "OCP-Version"
IDENTIFYING = frozenset(name.lower() for name in (CONTEXT_ID, AGENT_TYPE, VERSION))
"""What is sent even where the context itself is nobody's business; lower-case."""

OCP_VERSION = "1.0"
MAX_GOAL = 256
MAX_USER = 64
MAX_WORKSPACE = 128

# One API asks for few combinations of fields; another version of the context begins anew.
_MOST_KEPT = 8

_SESSION = SESSION.lower()
_VERSION = re.compile(r"[0-9]{1,8}\.[0-9]{1,8}")
# Inbound text is ASCII without controls: RFC 9110 5.5 leaves the rest without a meaning, and a
# byte above 0x7f may arrive as a surrogate that no log or store can write.
_PRINTABLE = re.compile(r"[\x20-\x7e]+")
# Outbound text may be Latin-1 (RFC 9110 5.5), without C0 and C1 controls or spaces at its ends,
# which a receiver would strip.
_CARRIABLE = re.compile(r"[\x21-\x7e\xa1-\xff](?:[\x20-\x7e\xa0-\xff]*[\x21-\x7e\xa1-\xff])?")


@dataclass(frozen=True, slots=True, kw_only=True)
class InboundContext:
    """What a message claims about its context; whatever was invalid is None and in `rejects`.

    `user` and `workspace` are claims, never authorisation. `session` is a context whose id is
    `context_id`, its own `session` without foreign members. `rejects` are stable reasons such as
    `session_too_long`, never values.
    """

    context_id: str | None = None
    agent_type: str | None = None
    goal: str | None = None
    user: str | None = None
    workspace: str | None = None
    session: AgentContext | None = None
    rejects: tuple[str, ...] = ()

    @property
    def says_something(self) -> bool:
        """Whether any OCP header was valid; invalid ones count as absent."""
        claims = (self.context_id, self.agent_type, self.goal, self.user, self.workspace)
        return any(claim is not None for claim in claims)


_NOTHING = InboundContext()

_MEMBERS: Mapping[str, str] = {
    CONTEXT_ID.lower(): "context_id",
    AGENT_TYPE.lower(): "agent_type",
    CURRENT_GOAL.lower(): "goal",
    _SESSION: "session",
    USER.lower(): "user",
    WORKSPACE.lower(): "workspace",
    VERSION.lower(): "version",
}
_LIMITS: Mapping[str, int] = {
    "context_id": 64,
    "agent_type": 128,
    "goal": MAX_GOAL,
    "user": MAX_USER,
    "workspace": MAX_WORKSPACE,
    "version": 17,
}


def is_ocp_header(name: str) -> bool:
    """Whether a header belongs to the protocol, spelled with hyphens or underscores, any case.

    By prefix rather than by list, so that a header of a later version is not passed on unjudged.
    """
    return name[:4].replace("_", "-").lower() == "ocp-"


def read_inbound(headers: Headers) -> InboundContext:
    """The valid OCP headers of a request or a response. Never raises.

    Names in any case, values Latin-1 text.
    """
    found: dict[str, str] = {}
    rejects: list[str] = []
    for name, value in headers:
        member = _MEMBERS.get(name.lower())
        if member is None:
            continue
        if member in found:
            # Two hops may each believe another one, so none is believed.
            rejects.append(f"{member}_duplicate")
        found[member] = value
    if not found:
        return _NOTHING
    valid = _judge(found, rejects)
    return InboundContext(
        context_id=valid.get("context_id"),
        agent_type=valid.get("agent_type"),
        goal=valid.get("goal"),
        user=valid.get("user"),
        workspace=valid.get("workspace"),
        session=_session(found.get("session"), valid.get("context_id"), rejects),
        rejects=tuple(dict.fromkeys(rejects)),
    )


def _judge(found: dict[str, str], rejects: list[str]) -> dict[str, str]:
    valid: dict[str, str] = {}
    for member, value in found.items():
        if member == "session" or f"{member}_duplicate" in rejects:
            continue
        fault = _fault(member, value)
        if fault is None:
            valid[member] = value
        else:
            rejects.append(f"{member}_{fault}")
    return valid


def _fault(member: str, value: str) -> str | None:
    if not value:
        return "empty"
    if len(value) > _LIMITS[member]:
        return "too_long"
    match member:
        case "context_id":
            accepted = is_header_id(value)
        case "agent_type":
            accepted = is_agent_type(value)
        case "version":
            accepted = _VERSION.fullmatch(value) is not None
        case _:
            accepted = _PRINTABLE.fullmatch(value) is not None
    return None if accepted else "invalid"


def _session(value: str | None, context_id: str | None, rejects: list[str]) -> AgentContext | None:
    if value is None or "session_duplicate" in rejects:
        return None
    if context_id is None:
        rejects.append("session_without_id")
        return None
    session = decode_session(value, context_id)
    if isinstance(session, Reject):
        rejects.append(session.value)
        return None
    if session.session is None:
        return session
    # Nobody asks for what strangers keep there, and it would be held for as long as the call lasts.
    return replace(session, session=replace(session.session, extra={}))


def outbound_headers(
    context: AgentContext,
    *,
    full: bool,
    fields: frozenset[str] | None = None,
    apis: frozenset[str] | None = None,
) -> Headers:
    """The OCP headers that a request to an upstream carries; at most one of each name.

    Without `full` the ids alone: context, agent type, version. With it the members that `fields`
    names (None = all) and the history of `apis` (None = of all). A member that its header cannot
    carry is left out (it stays in the session); the agent type is reduced to what it allows.
    """
    asked = (full, fields, apis)
    # Made once for this very value and kept in it: it ends with it, and is never another's.
    made = context.outbound.get(asked)
    if made is None:
        made = (*_ids(context), *(_contents(context, fields, apis) if full else ()))
        if len(context.outbound) >= _MOST_KEPT:
            context.outbound.clear()
        context.outbound[asked] = made
    return made


def _ids(context: AgentContext) -> Headers:
    agent_type = reduce_agent_type(context.agent_type)
    return (
        *(((CONTEXT_ID, context.context_id),) if is_header_id(context.context_id) else ()),
        *(((AGENT_TYPE, agent_type),) if agent_type else ()),
        (VERSION, OCP_VERSION),
    )


def _contents(
    context: AgentContext, fields: frozenset[str] | None, apis: frozenset[str] | None
) -> Headers:
    shown = context if fields is None else with_fields(context, fields)
    session = encode_session(shown, apis=apis)
    return (*_claims(shown), *(((SESSION, session),) if session else ()))


def without_session(headers: Headers) -> Headers:
    """`headers` without `OCP-Session`: for an upstream that refused them for their size."""
    return tuple((name, value) for name, value in headers if name.lower() != _SESSION)


def _claims(context: AgentContext) -> Headers:
    claims = (
        (CURRENT_GOAL, context.current_goal, MAX_GOAL),
        (USER, context.user, MAX_USER),
        (WORKSPACE, context.workspace, MAX_WORKSPACE),
    )
    return tuple(
        (name, value)
        for name, value, limit in claims
        if value is not None and len(value) <= limit and _CARRIABLE.fullmatch(value)
    )
