"""The request's side of an interaction: what is offered, and how a call goes on with answers."""

from collections.abc import Mapping
from dataclasses import replace

from gateway.calls.answers import INTERACTION_TYPE, media_type_of
from gateway.calls.bodies import json_bytes
from gateway.messages import Request, RequestHead, ResponseHead, header
from gateway.openapi import is_json

Json = Mapping[str, object]

TELLING = ("progress", "log")
ASKING = ("elicitation.form", "elicitation.url", "sampling", "sampling.tools", "roots")
OFFER = "Gateway-Interaction"
_ACCEPT = f"{INTERACTION_TYPE}, */*;q=0.5"
_MAY_ASK = frozenset({"POST", "PUT", "PATCH"})
_WRITTEN = frozenset({"accept", OFFER.lower()})


def may_ask(request: Request) -> bool:
    """Whether the request can be made again with answers in it: its body is JSON, or none."""
    if request.head.method not in _MAY_ASK or not isinstance(request.body, bytes | None):
        return False
    content_type = header(request.head.headers, "content-type") or ""
    return request.body is None or is_json(content_type.partition(";")[0].strip().lower())


def offer(request: Request, abilities: frozenset[str]) -> Request:
    """The request, saying that an interaction is understood and what its caller can take now."""
    words = (*TELLING, *(ASKING if may_ask(request) else ()))
    able = ", ".join(word for word in words if word in abilities)
    kept = tuple(pair for pair in request.head.headers if pair[0].lower() not in _WRITTEN)
    head = replace(request.head, headers=(("Accept", _ACCEPT), *kept, (OFFER, able)))
    return replace(request, head=head)


def continuation(request: Request, responses: Json, state: object) -> Request:
    """The same request once more, with the answers that there are.

    An answer that is none of what MCP's three questions are answered with is left out, so that the
    API sees that it is missing.
    """
    usable = {key: value for key, value in responses.items() if _is_answer(value)}
    original = request.body if isinstance(request.body, bytes) else b"null"
    body = b'{"type":"continue","body":%b,"responses":%b,"state":%b}'
    headers = tuple(p for p in request.head.headers if p[0].lower() != "content-type")
    head: RequestHead = replace(
        request.head, headers=(*headers, ("Content-Type", INTERACTION_TYPE))
    )
    return Request(head=head, body=body % (original, json_bytes(usable), json_bytes(state)))


def _is_answer(value: object) -> bool:
    if not isinstance(value, Mapping):
        return False
    if isinstance(value.get("action"), str) or isinstance(value.get("roots"), list):
        return True
    return {"role", "content", "model"} <= value.keys()


def is_interaction(method: str, head: ResponseHead) -> bool:
    """Whether an answer to `method` is to be read line by line: by the very type, never `+json`."""
    has_body = method != "HEAD" and head.status not in (204, 205)
    return 200 <= head.status < 300 and has_body and media_type_of(head) == INTERACTION_TYPE
