"""The upstream's half of the interaction envelope: requests read, lines written."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass

from aiohttp import web

MEDIA_TYPE = "application/vnd.ocp-gateway.interaction+json"
ABILITIES = "Gateway-Interaction"

Line = Mapping[str, object]
Question = Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One round of a call: its JSON body, and what has been answered since the round before.

    `state` is what this upstream sent along with its questions, None when a caller answers
    questions without it.
    """

    body: Mapping[str, object]
    responses: Mapping[str, Mapping[str, object]]
    state: object

    def content(self, key: str) -> Mapping[str, object] | None:
        """What the user filled in for question `key`; empty after a refusal, None: not asked."""
        answer = self.responses.get(key)
        if answer is None or answer.get("action") not in {"accept", "decline", "cancel"}:
            return None
        return _mapping(answer.get("content"))


Conversation = Callable[[Call], AsyncIterator[Line]]


def answer_with(
    conversation: Conversation,
) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    """An aiohttp handler that sends the lines of `conversation`, each as soon as it is there."""

    async def handle(request: web.Request) -> web.StreamResponse:
        call = await _read_call(request)
        if MEDIA_TYPE not in request.headers.get("Accept", "") or ABILITIES not in request.headers:
            raise web.HTTPNotAcceptable(text="this API answers in the interaction envelope only")
        response = web.StreamResponse(headers={"Content-Type": MEDIA_TYPE})
        await response.prepare(request)
        async for line in conversation(call):
            await response.write(json.dumps(line).encode() + b"\n")
        await response.write_eof()
        return response

    return handle


async def _read_call(request: web.Request) -> Call:
    body = _mapping(await request.json()) if request.can_read_body else {}
    if request.content_type != MEDIA_TYPE:
        return Call(body=body, responses={}, state=None)
    if body.get("type") != "continue":
        raise web.HTTPBadRequest(text="a continuation says so")
    responses = {key: _mapping(value) for key, value in _mapping(body.get("responses")).items()}
    return Call(body=_mapping(body.get("body")), responses=responses, state=body.get("state"))


def _mapping(value: object) -> Mapping[str, object]:
    return value if isinstance(value, dict) else {}


def progress(value: float, *, total: float) -> Line:
    return {"type": "progress", "progress": value, "total": total}


def log(text: str) -> Line:
    return {"type": "log", "level": "info", "logger": "everything", "data": text}


def say(text: str) -> Line:
    return result({"type": "text", "text": text})


def result(*blocks: Mapping[str, object]) -> Line:
    return {"type": "result", "content": list(blocks)}


def ask(requests: Mapping[str, Question], *, state: object = None) -> Line:
    line: dict[str, object] = {"type": "input_required", "requests": requests}
    return line if state is None else line | {"state": state}


def ask_user(message: str, required: tuple[str, ...] = (), **properties: object) -> Question:
    """A form; every property is required unless `required` names some."""
    schema = {
        "type": "object",
        "properties": properties,
        "required": list(required or properties),
    }
    return {
        "method": "elicitation/create",
        "params": {"message": message, "requestedSchema": schema},
    }


def ask_model(text: str, *, max_tokens: int = 100) -> Question:
    message = {"role": "user", "content": {"type": "text", "text": text}}
    return {
        "method": "sampling/createMessage",
        "params": {"messages": [message], "maxTokens": max_tokens},
    }


def ask_roots() -> Question:
    return {"method": "roots/list", "params": {}}


async def work() -> None:
    """A piece of work long enough for the report before it to go out by itself.

    The gateway passes ten progress reports a second.
    """
    await asyncio.sleep(0.15)
