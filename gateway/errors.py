"""The error tree.

GatewayError
├── ConfigError             the configuration; carries every fault at once          exit 2
├── DescriptionError        a description that cannot be used at all                exit 2
├── BadRequest              400  bad_request
├── Unauthorized            401  unauthorized
├── Forbidden               403  forbidden
├── NotFound                404
│   ├── UnknownApi               unknown_api
│   ├── UnknownTool              unknown_tool
│   ├── UnknownOperation         unknown_operation
│   ├── UnknownContext           unknown_context
│   ├── UnknownResult            unknown_result
│   ├── UnknownResource          unknown_resource
│   └── UnknownPrompt            unknown_prompt
├── MethodNotAllowed        405  method_not_allowed
├── RequestTimeout          408  request_timeout
├── ContextExists           409  context_exists
├── InputRequired           409  input_required (the call goes on once its questions are answered)
├── CannotAsk               409  cannot_ask (it would have to ask what its caller cannot be asked)
│   └── ConfirmationRequired     confirmation_required (the caller has to consent to this very call)
├── VersionConflict         412  version_conflict
├── PayloadTooLarge         413  payload_too_large
├── UriTooLong              414  uri_too_long
├── ExpectationFailed       417  expectation_failed
├── InvalidArguments        422  invalid_arguments; carries one Fault per mistake
│   └── InvalidRequest           invalid_request (proxied, and not as it is described)
├── ContextRequired         428  context_required (the operation needs one that the call names)
├── HeadersTooLarge         431  headers_too_large
├── NotAvailable            501  not_available (not in this version, or nothing may be sent)
├── VersionNotSupported     505  version_not_supported
├── LoopDetected            508  loop_detected
├── InvalidResponse         502  response_invalid; carries one Fault per mistake
├── SourceFailed            502  source_failed (what a resource or prompt is made of)
├── UpstreamError           502  upstream_failed
│   ├── UpstreamLost             (it hung up before it said a word)
│   ├── UpstreamUnreachable 502  upstream_unreachable (nothing was sent)
│   │   ├── UpstreamRefused      (the connection was refused at once)
│   │   └── UpstreamUntried 503  upstream_untried (no address or socket to try it with)
│   │       ├── UpstreamBusy     upstream_busy (as many requests there as may be)
│   │       └── CircuitOpen      upstream_circuit_open (it has failed too often just now)
│   └── UpstreamTimeout     504  upstream_timeout
└── Unavailable             503
    ├── StoreUnavailable         store_unavailable
    │   ├── UnreadableRecord     (one context's record; the store itself is well)
    │   └── StoreBusy            (too many at once, most often on one context; the store is well)
    ├── Overloaded               overloaded (more requests than there is time for)
    ├── TooManyConnections       too_many_connections (more than there are descriptors for)
    └── ApiUnavailable           api_unavailable (no catalog yet, or the gateway is ending)

An upstream's own 4xx or 5xx answer is a result, never one of these.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One mistake in some input: where (RFC 6901 JSON Pointer, `""` is the whole) and what."""

    pointer: str
    message: str


class GatewayError(Exception):
    """Anything that the gateway itself refuses or fails to do. `str()` is fit for the caller."""

    status: ClassVar[int] = 500
    code: ClassVar[str] = "internal_error"
    title: ClassVar[str] = "Internal error"
    context_id: str | None = None
    """The context of the call that failed, once it is known."""


class ConfigError(GatewayError):
    """The configuration cannot be used. `faults` are ready-made lines naming file and line."""

    code = "config_error"
    title = "Configuration error"

    def __init__(self, *faults: str) -> None:
        super().__init__("\n".join(faults))
        self.faults = faults


class DescriptionError(GatewayError):
    """An API description that cannot be read, parsed or understood."""

    code = "description_error"
    title = "Description error"


class BadRequest(GatewayError):
    status = 400
    code = "bad_request"
    title = "Bad request"


class Unauthorized(GatewayError):
    """Nobody knows who is calling (RFC 9110 section 15.5.2)."""

    status = 401
    code = "unauthorized"
    title = "Unauthorized"


class Forbidden(GatewayError):
    """What nobody may do as the gateway is set up, whoever asks."""

    status = 403
    code = "forbidden"
    title = "Forbidden"


class NotFound(GatewayError):
    status = 404
    code = "not_found"
    title = "Not found"


class UnknownApi(NotFound):
    code = "unknown_api"
    title = "Unknown API"


class UnknownTool(NotFound):
    code = "unknown_tool"
    title = "Unknown tool"


class UnknownOperation(NotFound):
    code = "unknown_operation"
    title = "Unknown operation"


class UnknownContext(NotFound):
    code = "unknown_context"
    title = "Unknown context"


class UnknownResult(NotFound):
    code = "unknown_result"
    title = "Unknown result"


class UnknownResource(NotFound):
    """There is nothing to read at `uri`, or nothing for this caller."""

    code = "unknown_resource"
    title = "Unknown resource"

    def __init__(self, uri: str) -> None:
        super().__init__(f"there is no resource {uri[:200]!r}")
        self.uri = uri


class UnknownPrompt(NotFound):
    code = "unknown_prompt"
    title = "Unknown prompt"


class MethodNotAllowed(GatewayError):
    """`allowed` becomes the `Allow` header (RFC 9110 section 10.2.1)."""

    status = 405
    code = "method_not_allowed"
    title = "Method not allowed"

    def __init__(self, message: str, *, allowed: tuple[str, ...]) -> None:
        super().__init__(message)
        self.allowed = allowed


class RequestTimeout(GatewayError):
    """The caller's body stopped coming (RFC 9110 section 15.5.9)."""

    status = 408
    code = "request_timeout"
    title = "Request timed out"


class ContextExists(GatewayError):
    status = 409
    code = "context_exists"
    title = "Context exists"


@dataclass(frozen=True, slots=True, kw_only=True)
class InputRequest:
    """A question: `elicitation/create`, `sampling/createMessage` or `roots/list`, as MCP has it."""

    method: str
    params: Mapping[str, object] = field(repr=False)


class InputRequired(GatewayError):
    """A call that asks before it can go on: then it is made again, with the answers.

    `state` is to come back with them, authentic; None where nothing has to.
    """

    status = 409
    code = "input_required"
    title = "Input required"

    def __init__(
        self, requests: Mapping[str, InputRequest], *, state: Mapping[str, object] | None = None
    ) -> None:
        super().__init__("the call needs answers first")
        self.requests = requests
        self.state = state


class CannotAsk(GatewayError):
    """`missing`: what the caller would have to be able to do (`Call.abilities`)."""

    status = 409
    code = "cannot_ask"
    title = "The caller cannot be asked"

    def __init__(self, message: str, *, missing: frozenset[str]) -> None:
        super().__init__(message)
        self.missing = missing


class ConfirmationRequired(CannotAsk):
    """Nothing was sent. `digest` is what a caller that cannot be asked consents by."""

    code = "confirmation_required"
    title = "Confirmation required"

    def __init__(self, message: str, *, digest: str) -> None:
        super().__init__(message, missing=frozenset({"elicitation.form"}))
        self.digest = digest


class VersionConflict(GatewayError):
    """A context has another version than the caller expected."""

    status = 412
    code = "version_conflict"
    title = "Version conflict"


class PayloadTooLarge(GatewayError):
    status = 413
    code = "payload_too_large"
    title = "Payload too large"


class UriTooLong(GatewayError):
    status = 414
    code = "uri_too_long"
    title = "URI too long"


class ExpectationFailed(GatewayError):
    """`Expect` asks for something other than `100-continue` (RFC 9110 section 10.1.1)."""

    status = 417
    code = "expectation_failed"
    title = "Expectation failed"


class InvalidArguments(GatewayError):
    """Arguments that the tool's published schema refuses; nothing was sent upstream."""

    status = 422
    code = "invalid_arguments"
    title = "Invalid arguments"

    def __init__(self, *faults: Fault) -> None:
        super().__init__("; ".join(f"{f.pointer or '/'}: {f.message}" for f in faults))
        self.faults = faults


class InvalidRequest(InvalidArguments):
    """A proxied request that is not as its operation is described; nothing was sent upstream."""

    code = "invalid_request"
    title = "Invalid request"


class ContextRequired(GatewayError):
    """The operation's description says `requires_context`, and the call named no context."""

    status = 428
    code = "context_required"
    title = "Context required"


class HeadersTooLarge(GatewayError):
    """Too many header lines, one too long, or all of them together (RFC 6585 section 5)."""

    status = 431
    code = "headers_too_large"
    title = "Headers too large"


class NotAvailable(GatewayError):
    status = 501
    code = "not_available"
    title = "Not available"


class VersionNotSupported(GatewayError):
    status = 505
    code = "version_not_supported"
    title = "HTTP version not supported"


class LoopDetected(GatewayError):
    status = 508
    code = "loop_detected"
    title = "Loop detected"


class InvalidResponse(GatewayError):
    """An API's answer that is not as it is described. What was asked for may have been done."""

    status = 502
    code = "response_invalid"
    title = "Response invalid"

    def __init__(self, *faults: Fault) -> None:
        told = "; ".join(f"{f.pointer or '/'}: {f.message}" for f in faults)
        super().__init__(f"the API's answer is not as it is described: {told}")
        self.faults = faults


class SourceFailed(GatewayError):
    """What a resource or a prompt is made of could not be had."""

    status = 502
    code = "source_failed"
    title = "Source failed"


class UpstreamError(GatewayError):
    """The upstream broke the exchange: protocol violation, connection lost after sending."""

    status = 502
    code = "upstream_failed"
    title = "Upstream failed"


class UpstreamLost(UpstreamError):
    """The connection ended after the request was sent and before any byte of an answer."""


class UpstreamUnreachable(UpstreamError):
    """No connection: refused, unresolvable, TLS failure. Nothing was sent."""

    code = "upstream_unreachable"
    title = "Upstream unreachable"


class UpstreamRefused(UpstreamUnreachable):
    """Refused at once, so another attempt costs nobody anything."""


class UpstreamUntried(UpstreamUnreachable):
    """The gateway could not, or would not, try. `retry_after` is in seconds, 1 at least."""

    status = 503
    code = "upstream_untried"
    title = "Upstream not tried"

    def __init__(self, message: str, *, retry_after: int = 1) -> None:
        super().__init__(message)
        self.retry_after = max(1, retry_after)


class UpstreamBusy(UpstreamUntried):
    """As many requests as may be are under way to this API, and no place came free in time."""

    code = "upstream_busy"
    title = "Upstream busy"


class CircuitOpen(UpstreamUntried):
    """The API has failed several times in a row, and nobody asks it for a moment."""

    code = "upstream_circuit_open"
    title = "Upstream circuit open"


class UpstreamTimeout(UpstreamError):
    status = 504
    code = "upstream_timeout"
    title = "Upstream timed out"


class Unavailable(GatewayError):
    status = 503
    code = "unavailable"
    title = "Unavailable"


class StoreUnavailable(Unavailable):
    code = "store_unavailable"
    title = "Context store unavailable"


class UnreadableRecord(StoreUnavailable):
    """What stands under a context's key was not written by this version; it is left as it is.

    For the request at hand the context is absent and nothing can be recorded. The store is well.
    """


class StoreBusy(StoreUnavailable):
    """More callers at once than one context, or the way to the store, can take. The store is well.

    Where many others were faster, a change may have been stored although nobody can tell.
    """


class Overloaded(Unavailable):
    """More requests than this process has time for. Nothing of this one was looked at."""

    code = "overloaded"
    title = "Overloaded"


class TooManyConnections(Unavailable):
    """As many connections are open as the process has descriptors for. Nothing was read."""

    code = "too_many_connections"
    title = "Too many connections"


class ApiUnavailable(Unavailable):
    """There is no catalog yet, or the gateway is ending. Nothing was sent."""

    code = "api_unavailable"
    title = "API unavailable"
