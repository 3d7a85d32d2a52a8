"""What aiohttp raises, as what it means for the call."""

import errno
import socket

import aiohttp

from gateway.errors import (
    GatewayError,
    UpstreamBusy,
    UpstreamError,
    UpstreamLost,
    UpstreamRefused,
    UpstreamUnreachable,
    UpstreamUntried,
)
from gateway.upstreams import Upstream

# Nothing here is about the API: this machine, or this process, has no more of something.
_EXHAUSTED = frozenset(
    {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM, errno.EADDRNOTAVAIL}
)
_NO_SUCH_NAME = frozenset({socket.EAI_NONAME, socket.EAI_NODATA})


def failure(error: Exception, upstream: Upstream) -> GatewayError:
    """`error` is aiohttp's, a TimeoutError of connecting, or a ValueError for what cannot be."""
    name = upstream.name
    if isinstance(error, aiohttp.ClientConnectorError):
        return _not_connected(error, name)
    if isinstance(error, TimeoutError | aiohttp.ClientHttpProxyError):
        return UpstreamUnreachable(f"{name} cannot be reached")
    if isinstance(error.__cause__, GatewayError):  # a streamed body's own refusal
        return error.__cause__
    if isinstance(error, aiohttp.ClientConnectionError):
        return UpstreamLost(f"{name} closed the connection")
    return UpstreamError(f"{name} gave no valid answer")


def _not_connected(error: aiohttp.ClientConnectorError, name: str) -> UpstreamError:
    if isinstance(error, aiohttp.ClientSSLError):
        return UpstreamUnreachable(f"{name} cannot be reached: its TLS is not acceptable")
    number = error.os_error.errno
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        if number in _NO_SUCH_NAME:
            return UpstreamUnreachable(f"{name} cannot be reached: its name is unknown")
        return UpstreamUntried(f"the name of {name} cannot be looked up now")
    if number in _EXHAUSTED:
        return UpstreamBusy("the gateway has no connection to spare")
    return UpstreamRefused(f"{name} cannot be reached")
