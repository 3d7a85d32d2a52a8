"""How requests lie in a stream of bytes: HTTP/1.1 framing (RFC 9112) in its one strict reading.

Whoever stands in front of the gateway, and whoever stands behind it, may read a sloppy message
otherwise. What two readers could read differently is refused here: that is request smuggling.
"""

import re
from dataclasses import dataclass
from typing import Final

from gateway.errors import (
    BadRequest,
    ExpectationFailed,
    HeadersTooLarge,
    MethodNotAllowed,
    PayloadTooLarge,
    UriTooLong,
    VersionNotSupported,
)

MAX_TARGET: Final = 16_384
MAX_LINE_BESIDES: Final = 64
"""What a request line may have beside its target."""
MAX_HEADERS: Final = 128
# A legal OCP-Session has 8,192 characters, and a longer one is to be ignored, not refused.
MAX_FIELD_BYTES: Final = 65_536
MAX_HEAD_BYTES: Final = 262_144
"""A whole head: request line and headers."""

ALLOWED: Final = ("DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT")
# RFC 9110, 5789, 3253, 3648, 3744, 4791, 4918, 5323, 5842, 9911 and what is in wide use besides.
_METHODS: Final = frozenset(
    b"ACL BIND CHECKOUT CONNECT COPY DELETE GET HEAD LINK LOCK M-SEARCH MERGE MKACTIVITY MKCALENDAR"
    b" MKCOL MOVE NOTIFY OPTIONS PATCH POST PROPFIND PROPPATCH PURGE PUT QUERY REBIND REPORT SEARCH"
    b" SUBSCRIBE TRACE UNBIND UNLINK UNLOCK UNSUBSCRIBE".split()
)
# TRACE would read the credentials back that the gateway adds; CONNECT makes a tunnel.
_NEVER: Final = frozenset({b"CONNECT", b"TRACE"})

_REQUEST_LINE: Final = re.compile(rb"([^ ]+) ([^ ]+) HTTP/([0-9])\.([0-9])")
_ORIGIN_FORM: Final = re.compile(rb"/(?!/)[!\"$-~]*")  # visible ASCII but `#`, RFC 9112 3.2.1
# RFC 9112 section 5: a name right before its colon, no folding, no control but tabs.
_FIELDS: Final = re.compile(
    rb"(?:[!#$%&'*+.^_`|~0-9A-Za-z-]+:[\t\x20-\x7e\x80-\xff]*\r\n)*\r\n",
)
_TOLD: Final = re.compile(
    rb"\n(host|content-length|transfer-encoding|expect):([^\r]*)", re.IGNORECASE
)
_LENGTH: Final = re.compile(rb"[0-9]{1,18}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Framing:
    """What a head says of its message. `length` is None for a body in chunks.

    `invites`: the caller sends its body only after a `100 Continue`.
    """

    length: int | None = 0
    invites: bool = False


_NO_BODY: Final = Framing()


def read_head(head: bytes, *, max_body: int) -> Framing:
    """Judge a head, from its request line to its empty line.

    Raises BadRequest, MethodNotAllowed, PayloadTooLarge (a body over `max_body` bytes),
    UriTooLong, ExpectationFailed, HeadersTooLarge, VersionNotSupported. No text has any of `head`.
    """
    end = head.index(b"\r\n")
    is_old = _read_request_line(head[:end])
    _check_sizes(head)
    if not _FIELDS.fullmatch(head, end + 2):
        raise BadRequest("the request's headers are not as HTTP has them")
    told: dict[bytes, list[bytes]] = {}
    for name, value in _TOLD.findall(head, end + 1):
        told.setdefault(name.lower(), []).append(value.strip(b" \t"))
    hosts = len(told.get(b"host", ()))
    if hosts > 1 or (hosts == 0 and not is_old):
        raise BadRequest("a request has one Host")
    if len(told) == hosts:  # nothing but Host, if that
        return _NO_BODY
    length = _body_length(told, is_old=is_old)
    if length is not None and length > max_body:
        raise PayloadTooLarge(f"the body is larger than {max_body} bytes")
    return Framing(length=length, invites=_expects(told, is_old=is_old) and length != 0)


def _read_request_line(line: bytes) -> bool:
    """Whether it speaks HTTP/1.0."""
    match = _REQUEST_LINE.fullmatch(line)
    if match is None:
        if len(line) > MAX_TARGET + MAX_LINE_BESIDES:
            raise UriTooLong(f"a URL has at most {MAX_TARGET} characters")
        raise BadRequest("the request line is not as HTTP has it")
    method, target, major, minor = match.groups()
    if major != b"1" or minor not in b"01":
        raise VersionNotSupported("HTTP/1.1 and HTTP/1.0 are spoken here")
    if len(target) > MAX_TARGET:
        raise UriTooLong(f"a URL has at most {MAX_TARGET} characters")
    if method not in _METHODS:
        raise BadRequest("there is no such method")
    if method in _NEVER:
        raise MethodNotAllowed(f"{method.decode()} is never served.", allowed=ALLOWED)
    if not _ORIGIN_FORM.fullmatch(target) and (method, target) != (b"OPTIONS", b"*"):
        raise BadRequest("the request target is not in origin form")
    return minor == b"0"


def _check_sizes(head: bytes) -> None:
    if len(head) > MAX_HEAD_BYTES:
        raise HeadersTooLarge(f"a head has at most {MAX_HEAD_BYTES} bytes")
    if head.count(b"\n") > MAX_HEADERS + 2:
        raise HeadersTooLarge(f"a request has at most {MAX_HEADERS} headers")
    if len(head) > MAX_FIELD_BYTES and max(map(len, head.split(b"\r\n"))) > MAX_FIELD_BYTES:
        raise HeadersTooLarge(f"a header has at most {MAX_FIELD_BYTES} bytes")


def _body_length(told: dict[bytes, list[bytes]], *, is_old: bool) -> int | None:
    """RFC 9112 section 6.3, where everything in doubt is an error."""
    codings, lengths = told.get(b"transfer-encoding"), told.get(b"content-length")
    if codings is not None:
        # Section 6.1: HTTP/1.0 has no transfer codings, and with a length it may be an attack.
        if is_old or lengths is not None or [c.lower() for c in codings] != [b"chunked"]:
            raise BadRequest("the request's body is not framed as HTTP/1.1 has it")
        return None
    if lengths is None:
        return 0
    if len(lengths) > 1 or not _LENGTH.fullmatch(lengths[0]):
        raise BadRequest("the request's Content-Length is no length")
    return int(lengths[0])


def _expects(told: dict[bytes, list[bytes]], *, is_old: bool) -> bool:
    """RFC 9110 section 10.1.1: HTTP/1.0 does not know what it asks for."""
    asked = told.get(b"expect")
    if asked is None or is_old:
        return False
    if [value.lower() for value in asked] != [b"100-continue"]:
        raise ExpectationFailed("only 100-continue can be expected")
    return True
