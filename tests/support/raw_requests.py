"""Requests that readers of HTTP are known to read differently, and what each has to come to.

Drawn from RFC 9110 and 9112, from advisories (CL.TE, TE.CL, TE.TE, TE.0, CL.0, chunk extensions,
hidden headers), and from what h1spec asks of a server.
"""

from dataclasses import dataclass

Sent = tuple[str, str, bytes]
"""Method, target and body of one request as the API must see it."""

API = "/apis/echo"
HOST = b"Host: 127.0.0.1\r\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """`raw` is refused with `status` and a closed connection, or it is the requests in `sent`."""

    name: str
    raw: bytes
    status: int = 0
    sent: tuple[Sent, ...] = ()


def post(
    headers: bytes, body: bytes = b"", *, line: bytes = b"POST /apis/echo/a HTTP/1.1"
) -> bytes:
    return line + b"\r\n" + HOST + headers + b"\r\n" + body


def get(headers: bytes = b"", *, line: bytes = b"GET /apis/echo/a HTTP/1.1") -> bytes:
    return post(headers, line=line)


def _refused(name: str, raw: bytes, status: int = 400) -> Case:
    return Case(name=name, raw=raw, status=status)


def _framed(name: str, raw: bytes, *sent: Sent) -> Case:
    return Case(name=name, raw=raw, sent=sent)


_CHUNKED = b"Transfer-Encoding: chunked\r\n"
_END = b"0\r\n\r\n"
_HELLO = b"5\r\nhello\r\n"


def _with_te(value: bytes) -> bytes:
    return post(b"Transfer-Encoding:" + value + b"\r\n", _HELLO + _END)


def _chunks(body: bytes) -> bytes:
    return post(_CHUNKED, body)


LENGTHS = (
    _refused("cl-and-te", post(b"Content-Length: 5\r\n" + _CHUNKED, _HELLO + _END)),
    _refused("te-and-cl", post(_CHUNKED + b"Content-Length: 5\r\n", _HELLO + _END)),
    _refused("cl-0-and-te", post(b"Content-Length: 0\r\n" + _CHUNKED, _HELLO + _END)),
    _refused("cl-twice", post(b"Content-Length: 5\r\nContent-Length: 6\r\n", b"hello!")),
    _refused("cl-twice-the-same", post(b"Content-Length: 5\r\nContent-Length: 5\r\n", b"hello")),
    _refused("cl-twice-in-cases", post(b"Content-Length: 5\r\ncontent-length: 5\r\n", b"hello")),
    *(
        _refused(f"cl-{name}", post(b"Content-Length:" + value + b"\r\n", b"hello"))
        for name, value in {
            "list": b" 5, 5",
            "plus": b" +5",
            "minus": b" -5",
            "underscore": b" 1_0",
            "hex": b" 0x5",
            "empty": b"",
            "blank": b" ",
            "letters": b" five",
            "space-inside": b" 5 5",
            "float": b" 5.0",
            "exponent": b" 5e0",
            "full-width": " \uff15".encode(),
            "vertical-tab": b" \x0b5",
            "form-feed": b" 5\x0c",
            "quoted": b' "5"',
            "semicolon": b" 5;",
            "huge": b" 99999999999999999999",
            "two-to-the-64": b" 18446744073709551621",
            "nul": b" 5\x00",
        }.items()
    ),
    _refused("cl-over-the-limit", post(b"Content-Length: 999999999999\r\n"), 413),
    _refused("cl-space-before-colon", post(b"Content-Length : 5\r\n", b"hello")),
    _refused("cl-tab-before-colon", post(b"Content-Length\t: 5\r\n", b"hello")),
    _refused("cl-folded", post(b"Content-Length:\r\n 5\r\n", b"hello")),
    _refused("cl-behind-a-folded-line", post(b"X: a\r\n Content-Length: 5\r\n", b"hello")),
    _refused("cl-in-a-line-without-colon", post(b"X\r\nContent-Length: 5\r\n", b"hello")),
    _framed("cl-with-zeros", post(b"Content-Length: 005\r\n", b"hello"), ("POST", "/a", b"hello")),
    _framed("cl-with-tab", post(b"Content-Length:\t5\t\r\n", b"hello"), ("POST", "/a", b"hello")),
    _framed("cl-in-capitals", post(b"CONTENT-LENGTH:5\r\n", b"hello"), ("POST", "/a", b"hello")),
    _framed("cl-0", post(b"Content-Length: 0\r\n"), ("POST", "/a", b"")),
    _framed(
        "get-with-body",
        post(b"Content-Length: 5\r\n", b"hello", line=b"GET /apis/echo/a HTTP/1.1"),
        ("GET", "/a", b"hello"),
    ),
    _framed(
        "a-request-in-a-body",
        post(b"Content-Length: %d\r\n" % len(get()), get()),
        ("POST", "/a", get()),
    ),
)

CODINGS = (
    *(
        _refused(f"te-{name}", _with_te(value))
        for name, value in {
            "xchunked": b" xchunked",
            "chunkedx": b" chunkedx",
            "then-identity": b" chunked, identity",
            "after-identity": b" identity, chunked",
            "after-gzip": b" gzip, chunked",
            "identity": b" identity",
            "twice-in-one": b" chunked, chunked",
            "empty": b"",
            "comma-first": b" , chunked",
            "comma-last": b" chunked,",
            "quoted": b' "chunked"',
            "parameter": b" chunked;q=1",
            "vertical-tab": b" \x0bchunked",
            "nul": b" chunked\x00",
            "non-ascii": b" chunke\xc4\x91",
            "kelvin": " chun\u212aed".encode(),
        }.items()
    ),
    _refused("te-twice", post(_CHUNKED * 2, _HELLO + _END)),
    _refused("te-twice-other", post(_CHUNKED + b"Transfer-Encoding: x\r\n", _HELLO + _END)),
    _refused("te-space-before-colon", post(b"Transfer-Encoding : chunked\r\n", _HELLO + _END)),
    _refused("te-folded", post(b"Transfer-Encoding:\r\n chunked\r\n", _HELLO + _END)),
    _refused("te-behind-bare-lf", post(b"X: a\nTransfer-Encoding: chunked\r\n", _HELLO + _END)),
    _refused("te-behind-bare-cr", post(b"X: a\rTransfer-Encoding: chunked\r\n", _HELLO + _END)),
    _refused("te-leading-space", post(b" Transfer-Encoding: chunked\r\n", _HELLO + _END)),
    _refused(
        "te-on-http-1.0",
        post(_CHUNKED, _HELLO + _END, line=b"POST /apis/echo/a HTTP/1.0"),
    ),
    _framed("te-in-capitals", _with_te(b" CHUNKED "), ("POST", "/a", b"hello")),
    _framed("te-without-space", _with_te(b"chunked"), ("POST", "/a", b"hello")),
)

CHUNKS = (
    *(
        _refused(f"chunk-{name}", _chunks(body))
        for name, body in {
            "hex-prefix": b"0x5\r\nhello\r\n0\r\n\r\n",
            "plus": b"+5\r\nhello\r\n0\r\n\r\n",
            "minus": b"-1\r\nhello\r\n0\r\n\r\n",
            "leading-space": b" 5\r\nhello\r\n0\r\n\r\n",
            "trailing-space": b"5 \r\nhello\r\n0\r\n\r\n",
            "underscore": b"0_5\r\nhello\r\n0\r\n\r\n",
            "no-size": b"\r\nhello\r\n0\r\n\r\n",
            "letters": b"g\r\nhello\r\n0\r\n\r\n",
            "huge": b"fffffffffffffffff5\r\nhello\r\n0\r\n\r\n",
            "size-with-bare-lf": b"5\nhello\r\n0\r\n\r\n",
            "size-with-bare-cr": b"5\rhello\r\n0\r\n\r\n",
            "data-with-bare-lf": b"5\r\nhello\n0\r\n\r\n",
            "too-short": b"6\r\nhello\r\n0\r\n\r\n",
            "too-long": b"4\r\nhello\r\n0\r\n\r\n",
            "extension-with-lf": b"5;a\nb\r\nhello\r\n0\r\n\r\n",
            "extension-with-cr": b"5;a\rb\r\nhello\r\n0\r\n\r\n",
            "extension-with-nul": b"5;a=\x00\r\nhello\r\n0\r\n\r\n",
            "extension-of-80-kb": b"5;" + b"a" * 80_000 + b"\r\nhello\r\n0\r\n\r\n",
            "trailer-without-colon": b"5\r\nhello\r\n0\r\nX\r\n\r\n",
            "trailer-with-lf": b"5\r\nhello\r\n0\r\nX: a\nY: b\r\n\r\n",
            "trailer-folded": b"5\r\nhello\r\n0\r\nX: a\r\n b\r\n\r\n",
            "trailers-of-80-kb": b"5\r\nhello\r\n0\r\n" + b"X: abcdefgh\r\n" * 7_000 + b"\r\n",
            "trailer-that-frames": b"5\r\nhello\r\n0\r\ncontent-length: 50\r\n\r\n",
            "trailer-that-routes": b"5\r\nhello\r\n0\r\nHost: evil.example\r\n\r\n",
            "end-with-bare-lf": b"5\r\nhello\r\n0\n\n",
        }.items()
    ),
    _framed("chunks", _chunks(_HELLO * 2 + _END), ("POST", "/a", b"hellohello")),
    _framed("chunk-zeros", _chunks(b"0005\r\nhello\r\n000\r\n\r\n"), ("POST", "/a", b"hello")),
    _framed(
        "chunk-in-capitals", _chunks(b"A\r\n0123456789\r\n" + _END), ("POST", "/a", b"0123456789")
    ),
    _framed("chunk-extension", _chunks(b'5;a="b"\r\nhello\r\n' + _END), ("POST", "/a", b"hello")),
    _framed("trailers", _chunks(_HELLO + b"0\r\nX: y\r\nZ: \r\n\r\n"), ("POST", "/a", b"hello")),
    _framed("no-chunks", _chunks(_END), ("POST", "/a", b"")),
    _framed(
        "a-request-in-a-chunk",
        _chunks(b"%x\r\n" % len(get()) + get() + b"\r\n" + _END),
        ("POST", "/a", get()),
    ),
)

LINES = (
    *(
        _refused(f"line-{name}", get(line=line), status)
        for name, line, status in (
            ("version-2.0", b"GET /apis/echo/a HTTP/2.0", 505),
            ("version-0.9", b"GET /apis/echo/a HTTP/0.9", 505),
            ("version-1.2", b"GET /apis/echo/a HTTP/1.2", 505),
            ("version-1.32", b"GET /apis/echo/a HTTP/1.32", 400),
            ("version-11", b"GET /apis/echo/a HTTP/11", 400),
            ("version-01.1", b"GET /apis/echo/a HTTP/01.1", 400),
            ("version-lower", b"GET /apis/echo/a http/1.1", 400),
            ("version-none", b"GET /apis/echo/a", 400),
            ("version-other", b"GET /apis/echo/a RTSP/1.0", 400),
            ("preface-of-http-2", b"PRI * HTTP/2.0", 505),
            ("two-spaces", b"GET  /apis/echo/a HTTP/1.1", 400),
            ("space-at-the-end", b"GET /apis/echo/a HTTP/1.1 ", 400),
            ("space-in-target", b"GET /apis/echo/a b HTTP/1.1", 400),
            ("tab", b"GET\t/apis/echo/a HTTP/1.1", 400),
            ("leading-space", b" GET /apis/echo/a HTTP/1.1", 400),
            ("bare-cr", b"GET /apis/echo/a\rHTTP/1.1", 400),
            ("nul-in-target", b"GET /apis/echo/\x00 HTTP/1.1", 400),
            ("control-in-target", b"GET /apis/echo/\x1f HTTP/1.1", 400),
            ("raw-utf-8", "GET /apis/echo/\u00fc HTTP/1.1".encode(), 400),
            ("fragment", b"GET /apis/echo/a#b HTTP/1.1", 400),
            ("absolute-form", b"GET http://127.0.0.1/apis/echo/a HTTP/1.1", 400),
            ("absolute-form-elsewhere", b"GET http://evil.example/ HTTP/1.1", 400),
            ("scheme-relative", b"GET //evil.example/a HTTP/1.1", 400),
            ("at-evil", b"GET @evil.example/ HTTP/1.1", 400),
            ("authority-form", b"GET evil.example:80 HTTP/1.1", 400),
            ("asterisk", b"GET * HTTP/1.1", 400),
            ("no-target", b"GET HTTP/1.1", 400),
            ("connect", b"CONNECT 127.0.0.1:80 HTTP/1.1", 405),
            ("trace", b"TRACE /apis/echo/a HTTP/1.1", 405),
            ("method-lower", b"get /apis/echo/a HTTP/1.1", 400),
            ("method-mixed", b"Get /apis/echo/a HTTP/1.1", 400),
            ("method-unknown", b"GETX /apis/echo/a HTTP/1.1", 400),
            ("method-with-bracket", b"GE(T /apis/echo/a HTTP/1.1", 400),
            ("method-quoted", b'"GET" /apis/echo/a HTTP/1.1', 400),
            ("uri-of-128-kb", b"GET /apis/echo/" + b"a" * 131_072 + b" HTTP/1.1", 414),
            ("uri-of-17-kb", b"GET /apis/echo/" + b"a" * 17_408 + b" HTTP/1.1", 414),
        )
    ),
    _refused("line-is-tls", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n"),
    _refused("line-is-noise", b"\x00\xff" * 200 + b"\r\n\r\n"),
    _framed("empty-line-first", b"\r\n" + get(), ("GET", "/a", b"")),
    _framed(
        "uri-of-16-kb",
        get(line=b"GET /apis/echo/" + b"a" * 16_000 + b" HTTP/1.1"),
        ("GET", "/" + "a" * 16_000, b""),
    ),
    _framed(
        "odd-but-legal-target",
        get(line=b"GET /apis/echo/a%2Fb;c=1//d?x=[{|}]&y=%zz HTTP/1.1"),
        ("GET", "/a%2Fb;c=1//d?x=[{|}]&y=%zz", b""),
    ),
    _framed(
        "method-of-webdav", get(line=b"PROPFIND /apis/echo/a HTTP/1.1"), ("PROPFIND", "/a", b"")
    ),
)

HEADERS = (
    _refused("host-none", b"GET /apis/echo/a HTTP/1.1\r\n\r\n"),
    _refused("host-twice", get(b"Host: evil.example\r\n")),
    _refused("host-twice-the-same", get(HOST)),
    *(
        _refused(f"field-{name}", get(line))
        for name, line in {
            "nul": b"X: a\x00b\r\n",
            "bare-cr": b"X: a\rb\r\n",
            "bare-lf": b"X: a\nY: b\r\n",
            "bell": b"X: a\x07b\r\n",
            "delete": b"X: a\x7fb\r\n",
            "folded": b"X: a\r\n b\r\n",
            "folded-with-tab": b"X: a\r\n\tb\r\n",
            "no-colon": b"X\r\n",
            "no-name": b": a\r\n",
            "space-in-name": b"X Y: a\r\n",
            "space-before-colon": b"X : a\r\n",
            "nul-in-name": b"X\x00: a\r\n",
            "non-ascii-name": b"X\xc3\xbc: a\r\n",
            "bracket-in-name": b"X(: a\r\n",
            "cr-cr-lf": b"X: a\r\r\n",
        }.items()
    ),
    _refused("first-field-folded", b"GET /apis/echo/a HTTP/1.1\r\n X: a\r\n" + HOST + b"\r\n"),
    _refused("only-bare-lf", b"GET /apis/echo/a HTTP/1.1\nHost: 127.0.0.1\n\n\r\n\r\n"),
    _refused("headers-1000", get(b"X: a\r\n" * 1_000), 431),
    _refused("header-over-64-kb", get(b"X: " + b"a" * 65_537 + b"\r\n"), 431),
    _refused("head-over-256-kb", get((b"X: " + b"a" * 60_000 + b"\r\n") * 5), 431),
    _refused("expect-other", post(b"Expect: foo\r\nContent-Length: 5\r\n", b"hello"), 417),
    _refused("expect-twice", get(b"Expect: 100-continue\r\nExpect: 100-continue\r\n"), 417),
    _framed("headers-100", get(b"X: a\r\n" * 100), ("GET", "/a", b"")),
    _framed("header-of-60-kb", get(b"X: " + b"a" * 60_000 + b"\r\n"), ("GET", "/a", b"")),
    _framed("field-empty", get(b"X:\r\nY: \r\n"), ("GET", "/a", b"")),
    _framed("field-of-utf-8", get("X: \u00fc\r\n".encode()), ("GET", "/a", b"")),
    _framed("field-of-latin-1", get(b"X: \xfc\r\n"), ("GET", "/a", b"")),
    _framed("te-trailers", get(b"TE: trailers\r\nConnection: TE\r\n"), ("GET", "/a", b"")),
    _framed("upgrade-h2c", get(b"Upgrade: h2c\r\nConnection: Upgrade\r\n"), ("GET", "/a", b"")),
    _framed(
        "upgrade-with-body",
        post(b"Upgrade: websocket\r\nConnection: Upgrade\r\nContent-Length: 5\r\n", b"hello"),
        ("POST", "/a", b"hello"),
    ),
    _framed(
        "upgrade-declined",
        get(b"Upgrade: websocket\r\nConnection: Upgrade\r\n"),
        ("GET", "/a", b""),
    ),
)

CASES = (*LENGTHS, *CODINGS, *CHUNKS, *LINES, *HEADERS)
