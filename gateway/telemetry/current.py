"""What is going on in this task: the request that it answers, and the call that it makes."""

from contextvars import ContextVar
from dataclasses import dataclass, field

from gateway.context import CalledOperation

NOBODY = CalledOperation(api="-", method="-")
"""What a call is about that never got so far."""


@dataclass(slots=True, kw_only=True, eq=False)
class CallState:
    """`status` is the API's; `upstream_seconds`: waiting for response heads, all attempts."""

    operation: CalledOperation = NOBODY
    status: int | None = None
    upstream_seconds: float = 0.0
    requests: int = 0


@dataclass(slots=True, kw_only=True, eq=False)
class RequestState:
    """`calls` are those made for it, in order of their beginning: a batch makes several."""

    request_id: str
    calls: list[CallState] = field(default_factory=list)


REQUEST: ContextVar[RequestState | None] = ContextVar("request", default=None)
CALL: ContextVar[CallState | None] = ContextVar("call", default=None)


def current_request_id() -> str | None:
    """The id of the HTTP request that this task answers; None elsewhere."""
    request = REQUEST.get()
    return request.request_id if request is not None else None
