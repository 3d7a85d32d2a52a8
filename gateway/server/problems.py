"""Errors as problem details (RFC 9457), the one shape that every HTTP error has."""

import logging
from collections.abc import Awaitable, Callable, Mapping

from aiohttp import ClientConnectionResetError, web

from gateway.errors import (
    ConfirmationRequired,
    GatewayError,
    InvalidArguments,
    InvalidResponse,
    MethodNotAllowed,
    Unauthorized,
    Unavailable,
    UpstreamUntried,
)
from gateway.mcp import encode_json

_LOG = logging.getLogger(__name__)

RETRY_SECONDS = 5

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def problem(
    *,
    status: int,
    code: str,
    title: str,
    detail: str,
    extra: Mapping[str, object] | None = None,
    headers: Mapping[str, str] | None = None,
) -> web.Response:
    """A problem+json response; `extra` are further members."""
    members = {"type": "about:blank", "title": title, "status": status, "detail": detail}
    return web.Response(
        status=status,
        body=encode_json({**members, "code": code, **(extra or {})}),
        headers={"Content-Type": "application/problem+json", **(headers or {})},
    )


def unsupported_media_type(detail: str, headers: Mapping[str, str] | None = None) -> web.Response:
    """415, for a body that is not as it has to be; `detail` says how."""
    return problem(
        status=415,
        code="unsupported_media_type",
        title="Unsupported media type",
        detail=detail,
        headers=headers,
    )


def problem_of(error: GatewayError) -> web.Response:
    """The response that an error of ours becomes."""
    headers: dict[str, str] = {}
    extra: dict[str, object] = {}
    if error.context_id is not None:
        headers["OCP-Context-ID"] = error.context_id
    if isinstance(error, Unauthorized):
        headers["WWW-Authenticate"] = "Bearer"
    if isinstance(error, MethodNotAllowed):
        headers["Allow"] = ", ".join(error.allowed)
    if isinstance(error, Unavailable):
        headers["Retry-After"] = str(RETRY_SECONDS)
    if isinstance(error, UpstreamUntried):
        headers["Retry-After"] = str(error.retry_after)
    if isinstance(error, InvalidArguments | InvalidResponse):
        extra["errors"] = [{"pointer": f.pointer, "message": f.message} for f in error.faults]
    if isinstance(error, ConfirmationRequired):
        extra["digest"] = error.digest
    return problem(
        status=error.status,
        code=error.code,
        title=error.title,
        detail=str(error),
        extra=extra,
        headers=headers,
    )


def make_error_middleware(new_bytes: Callable[[int], bytes]) -> Callable[..., object]:
    """The outermost middleware: whatever a handler raises becomes a problem."""

    @web.middleware
    async def answer_errors(request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            return await handler(request)
        except GatewayError as error:
            return problem_of(error)
        except web.HTTPException as error:
            return _problem_of_routing(error)
        except ClientConnectionResetError:
            return web.Response()  # the client left before its answer began: nobody reads this
        except Exception:  # noqa: BLE001 - the server must survive any request
            incident = new_bytes(6).hex()
            _LOG.exception("%s failed, incident %s", request.method, incident)
            return problem(
                status=500,
                code="internal_error",
                title="Internal error",
                detail=f"The gateway failed; the log names the incident {incident}.",
            )

    return answer_errors


def _problem_of_routing(error: web.HTTPException) -> web.Response:
    """What aiohttp's router refuses: no such route, wrong method."""
    codes = {404: ("not_found", "Not found"), 405: ("method_not_allowed", "Method not allowed")}
    code, title = codes.get(error.status, ("http_error", error.reason))
    headers = {"Allow": error.headers["Allow"]} if "Allow" in error.headers else {}
    return problem(status=error.status, code=code, title=title, detail=f"{title}.", headers=headers)
