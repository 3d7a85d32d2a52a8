"""Calls that somebody has to consent to first: to this very call, before anything is sent."""

from collections.abc import Mapping
from dataclasses import replace

from gateway.calls import CONFIRM, confirmation_digest, confirmation_request, target_digest
from gateway.catalog import Tool
from gateway.engine.rounds import Course, Json, Stage
from gateway.engine.values import ToolCall
from gateway.errors import ConfirmationRequired
from gateway.messages import RequestHead, header

CONSENT_HEADER = "OCP-Gateway-Confirm"
"""Of a proxied request; as all OCP headers it goes no further."""


class Declined(Exception):
    """Nobody consented; nothing was sent."""

    context_id = ""


def needs_consent(tool: Tool, *, destructive: bool) -> bool:
    """Whether a call of the tool does. `destructive`: everything published as destructive does."""
    if tool.override.confirm is not None:
        return tool.override.confirm
    return destructive and tool.published_hints.get("destructiveHint") is True


def take_consent(tool: Tool, call: ToolCall, arguments: Json, course: Course) -> Course:
    """How the call stands once it is consented to. `arguments`: all that are known to be valid.

    Raises InputRequired to ask, ConfirmationRequired where nobody can be asked, Declined.
    """
    digest = confirmation_digest(tool, arguments)
    if digest in (call.consent, course.consent):
        return replace(course, consent=digest)
    # Without the state nobody knows what was asked: an answer alone is no consent.
    answer = course.answer(Stage.CONFIRM, CONFIRM) if course.asking == digest else None
    if answer is not None:
        if _agrees(answer):
            return replace(course, consent=digest, asking=None)
        raise Declined(f"The call of {tool.name} was not confirmed: nothing was sent.")
    if "elicitation.form" not in call.abilities:
        raise ConfirmationRequired(
            f"nothing was sent: {tool.name} needs a confirmation of these very arguments, and the"
            " client cannot be asked for one",
            digest=digest,
        )
    if not course.may_ask:
        raise Declined(f"Nobody answered whether to call {tool.name}: nothing was sent.")
    asking = replace(course, asking=digest, consent=None)
    raise asking.ask(Stage.CONFIRM, {CONFIRM: confirmation_request(tool, arguments)})


def _agrees(answer: Json) -> bool:
    content = answer.get("content")
    said = content.get(CONFIRM) if isinstance(content, Mapping) else None
    return answer.get("action") == "accept" and said is True


def check_consent(api: str, head: RequestHead) -> None:
    """Of a proxied request. Its body streams, so consent is to method, path and query alone.

    Raises ConfirmationRequired.
    """
    digest = target_digest(api, head.method, head.target)
    if header(head.headers, CONSENT_HEADER) != digest:
        raise ConfirmationRequired(
            f"nothing was sent: {head.method} needs a confirmation here; repeat the request with"
            f" {CONSENT_HEADER}: {digest}",
            digest=digest,
        )
