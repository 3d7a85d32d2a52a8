"""Calls that ask: a listener that remembers, and rounds taken by hand."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from gateway.engine import CallOutcome, Continuation, Gateway, LogLine, Progress, ToolCall
from gateway.errors import InputRequired
from gateway.messages import Headers
from gateway.policy import ANONYMOUS
from tests.support.engine import Answer

INTERACTION = "application/vnd.ocp-gateway.interaction+json"
HEAD: Headers = (("Content-Type", INTERACTION),)
EVERYTHING = frozenset(
    {"progress", "log", "elicitation.form", "elicitation.url", "sampling", "sampling.tools"}
    | {"roots"}
)
Json = Mapping[str, object]


@dataclass(slots=True)
class Heard:
    """A Listener."""

    progresses: list[Progress] = field(default_factory=list)
    logs: list[LogLine] = field(default_factory=list)

    async def progress(self, progress: Progress) -> None:
        self.progresses.append(progress)

    async def log(self, line: LogLine) -> None:
        self.logs.append(line)


def lines(*members: object) -> bytes:
    return b"".join(json.dumps(each).encode() + b"\n" for each in members)


def envelope(*members: object, status: int = 200) -> Answer:
    """An interaction, each line a chunk of its own."""
    return Answer(status=status, headers=HEAD, chunks=tuple(lines(each) for each in members))


def form(message: str = "Name?") -> Json:
    """A question by form."""
    schema = {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]}
    return {
        "method": "elicitation/create",
        "params": {"message": message, "requestedSchema": schema},
    }


SAMPLE: Json = {
    "method": "sampling/createMessage",
    "params": {
        "messages": [{"role": "user", "content": {"type": "text", "text": "?"}}],
        "maxTokens": 9,
    },
}
ROOTS: Json = {"method": "roots/list", "params": {}}


def asks(requests: Mapping[str, object], **more: object) -> Json:
    return {"type": "input_required", "requests": requests, **more}


def accept(**content: object) -> Json:
    return {"action": "accept", "content": content}


def call_of(name: str, arguments: Json, **changes: object) -> ToolCall:
    call = ToolCall(name=name, arguments=arguments, principal=ANONYMOUS, abilities=EVERYTHING)
    return replace(call, **changes)  # type: ignore[arg-type]


@dataclass(slots=True, kw_only=True)
class Dialogue:
    """One call over several rounds: `required` is what the last one asked."""

    gateway: Gateway
    call: ToolCall
    required: InputRequired | None = None
    outcome: CallOutcome | None = None

    async def begin(self) -> None:
        await self._go(self.call)

    async def answer(self, **responses: object) -> None:
        assert self.required is not None
        # As it comes back from a client: nothing but JSON survives that way.
        state = self.required.state
        carried = None if state is None else json.loads(json.dumps(state))
        continuation = Continuation(responses=responses, state=carried)
        await self._go(replace(self.call, continuation=continuation))

    async def _go(self, call: ToolCall) -> None:
        self.required = self.outcome = None
        try:
            self.outcome = await self.gateway.call_tool(call)
        except InputRequired as required:
            self.required = required

    @property
    def text(self) -> str:
        assert self.outcome is not None
        return "\n".join(str(getattr(block, "text", "")) for block in self.outcome.result.content)


async def dialogue(gateway: Gateway, call: ToolCall) -> Dialogue:
    """A call that has had its first round."""
    begun = Dialogue(gateway=gateway, call=call)
    await begun.begin()
    return begun
