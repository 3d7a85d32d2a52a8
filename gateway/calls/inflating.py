"""Content codings of an answer, undone piece by piece while it arrives (RFC 9110 section 8.4)."""

import zlib
from collections.abc import Iterator

from gateway.messages import Headers, header_values

PIECE = 262_144
"""The most that comes out at once, in bytes: a few of them may inflate a thousandfold."""

_GZIP = b"\x1f\x8b"
_KNOWN = frozenset({"gzip", "x-gzip", "deflate"})
# Blocked gzip has a member for each 64 KiB; more than this only keeps us busy.
_MAX_MEMBERS = 10_000


class Undecodable(Exception):
    """The body cannot be read as its head says."""


class ContentDecoder:
    """Takes one body as it comes over the wire and gives the representation in it."""

    def __init__(self, headers: Headers) -> None:
        codings = tuple(
            coding.strip().lower()
            for value in header_values(headers, "content-encoding")
            for coding in value.split(",")
            if coding.strip().lower() not in ("", "identity")
        )
        self._codings = codings
        self._machine: zlib._Decompress | None = None
        self._waiting = b""
        self._members = 0
        self._ended = False

    @property
    def inflates(self) -> bool:
        """Whether more may come out than goes in."""
        return bool(self._codings)

    def decode(self, chunk: bytes) -> Iterator[bytes]:
        """What `chunk` adds, in pieces of at most PIECE bytes where it inflates.

        Raises Undecodable for an unknown coding or a broken stream.
        """
        if not self._codings:
            yield chunk
            return
        self._check_known()
        data, self._waiting = self._waiting + chunk, b""
        while data and not self._ended:
            machine = self._machine or self._begin(data)
            if machine is None:
                return
            try:
                piece = machine.decompress(data, PIECE)
            except zlib.error as error:
                raise Undecodable(f"the answer's {self._codings[0]} coding is broken") from error
            if piece:
                yield piece
            self._machine = None if machine.eof else machine
            data = machine.unused_data if machine.eof else machine.unconsumed_tail

    def finish(self) -> None:
        """The body has ended. Raises Undecodable where its coding has not."""
        # An answer to HEAD names a coding, too, and has no body.
        if self._machine is not None or (self._waiting and not self._members):
            raise Undecodable(f"the answer's {self._codings[0]} coding ends early")

    def _check_known(self) -> None:
        if len(self._codings) > 1 or self._codings[0] not in _KNOWN:
            shown = ", ".join(self._codings)[:40]
            raise Undecodable(f"the answer's content coding {shown!r} is not known")

    def _begin(self, data: bytes) -> "zlib._Decompress | None":
        """The machine for the member that starts here, if enough is there to see what it is."""
        if len(data) < len(_GZIP):
            self._waiting = data
            return None
        # RFC 1952 section 2.2: one member or several; what else follows is padding.
        if self._members and not data.startswith(_GZIP):
            self._ended = True
            return None
        self._members += 1
        if self._members > _MAX_MEMBERS:
            raise Undecodable(f"the answer's {self._codings[0]} coding has too many parts")
        # 47: gzip or zlib by its header; deflate in the wild comes raw, too (-15).
        is_raw = self._codings[0] == "deflate" and not _is_wrapped(data)
        return zlib.decompressobj(-15 if is_raw else 47)


def _is_wrapped(data: bytes) -> bool:
    """Whether `data` begins as gzip or zlib do (RFC 1950 section 2.2)."""
    has_zlib_header = data[0] & 0x0F == 8 and int.from_bytes(data[:2], "big") % 31 == 0
    return has_zlib_header or data.startswith(_GZIP)
