"""The seam to OpenTelemetry: what may become a span of a trace, and nobody who listens."""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Final, Protocol, Self

from gateway.context import CalledOperation
from gateway.errors import GatewayError
from gateway.messages import Request
from gateway.upstreams import Upstream


class Span(Protocol):
    """A stretch of time in a trace. Nothing raises or waits."""

    def answered(self, status: int, /) -> None: ...

    def failed(self, error: GatewayError, /) -> None: ...


class ServerSpan(Protocol):
    """The span of an HTTP request; `ended` ends it."""

    def ended(self, route: str, status: int | None, /, *, aborted: bool) -> None: ...


class Spans(Protocol):
    """Makes spans: one of each HTTP request, and one of each request to an API below it."""

    def server(self, method: str, headers: Mapping[str, str], /) -> ServerSpan:
        """From now on spans of this task lie within this one."""
        ...

    def client(
        self, request: Request, upstream: Upstream, operation: CalledOperation, /
    ) -> AbstractContextManager[tuple[Request, Span]]:
        """The request names its span (W3C Trace Context) instead of its caller's."""
        ...


class _NoSpans:
    """Traces pass as callers send them, and get no spans of ours."""

    def server(self, _method: str, _headers: Mapping[str, str], /) -> Self:
        return self

    def client(
        self, request: Request, _upstream: Upstream, _operation: CalledOperation, /
    ) -> "_Untraced":
        return _Untraced(request)

    def ended(self, _route: str, _status: int | None, /, *, aborted: bool) -> None:
        del aborted

    def answered(self, _status: int, /) -> None:
        return None

    def failed(self, _error: GatewayError, /) -> None:
        return None


class _Untraced:
    __slots__ = ("_request",)

    def __init__(self, request: Request) -> None:
        self._request = request

    def __enter__(self) -> tuple[Request, Span]:
        return self._request, NO_SPANS

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        return None


NO_SPANS: Final = _NoSpans()
