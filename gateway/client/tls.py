"""TLS towards an API that has files of its own: certificates are always verified."""

import asyncio
import logging
import ssl
from dataclasses import dataclass
from pathlib import Path

from gateway.errors import UpstreamUnreachable
from gateway.upstreams import TlsFiles, Upstream

_LOG = logging.getLogger(__name__)

LOOK_SECONDS = 1.0
"""Files are looked at so often, when there is something to send: certificates are renewed."""
_NONE = TlsFiles()

Stamp = tuple[tuple[int, int, int], ...]
"""Modification time, inode and size of each file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Made:
    context: ssl.SSLContext
    stamp: Stamp


@dataclass(slots=True)
class _Place:
    made: _Made | None = None
    looked: float = float("-inf")
    fault: str = ""


class TlsContexts:
    """The contexts of all APIs. A renewed file makes a new one, for new connections."""

    def __init__(self) -> None:
        self._places: dict[TlsFiles, _Place] = {}

    async def of(self, upstream: Upstream) -> ssl.SSLContext | bool:
        """True stands for the system's authorities. Raises UpstreamUnreachable."""
        if upstream.tls == _NONE:
            return True
        place = self._places.setdefault(upstream.tls, _Place())
        now = asyncio.get_running_loop().time()
        if now - place.looked >= LOOK_SECONDS:
            place.looked = now
            await self._look(place, upstream)
        if place.made is None:
            raise UpstreamUnreachable(f"the TLS files of {upstream.name} cannot be used")
        return place.made.context

    async def _look(self, place: _Place, upstream: Upstream) -> None:
        # In a thread: a disk may be far away, and a bundle of authorities takes milliseconds.
        try:
            place.made = await asyncio.to_thread(_renew, upstream.tls, place.made)
        except (OSError, ValueError) as error:  # ssl.SSLError is an OSError
            # A renewal is often two files, one after the other: what was there goes on.
            fault = f"{type(error).__name__}: {error}"
            if fault != place.fault:
                _LOG.warning("TLS files of %s cannot be used: %s", upstream.name, fault)
            place.fault = fault
        else:
            place.fault = ""


def _renew(files: TlsFiles, made: _Made | None) -> _Made:
    stats = [Path(name).stat() for name in (files.ca, files.cert, files.key) if name]
    stamp = tuple((stat.st_mtime_ns, stat.st_ino, stat.st_size) for stat in stats)
    if made is not None and made.stamp == stamp:
        return made
    context = ssl.create_default_context(cafile=files.ca)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    if files.cert:
        # Without a password OpenSSL would ask for one at the terminal.
        context.load_cert_chain(files.cert, files.key, password="")
    return _Made(context=context, stamp=stamp)
