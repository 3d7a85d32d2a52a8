"""A request as a curl command that a POSIX shell can be given."""

import re
import shlex
from base64 import b64encode
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from gateway.cli.failures import CommandFailed

# What curl would take for a range or a list in a URL (curl(1), --globoff).
_GLOB = re.compile(r"[\[\]{}]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Dry:
    """What a gateway says to `dry_run`: a request, and what of it is not shown."""

    method: str
    url: str
    headers: Mapping[str, str]
    hidden: tuple[str, ...]
    text: str | None
    base64: str | None
    size: int
    complete: bool


def read_dry(answer: object) -> Dry:
    """The answer to `POST /tools/NAME?dry_run=true`. Raises CommandFailed when it is none."""
    members = answer if isinstance(answer, dict) else {}
    body = members.get("body")
    content = body if isinstance(body, dict) else {}
    headers, hidden = members.get("headers"), members.get("hidden")
    method, url = members.get("method"), members.get("url")
    if not (isinstance(method, str) and isinstance(url, str) and isinstance(headers, dict)):
        raise CommandFailed("the gateway answered no request: it may know no dry_run")
    text, base64, size = content.get("text"), content.get("base64"), content.get("bytes")
    return Dry(
        method=method,
        url=url,
        headers={str(name): str(value) for name, value in headers.items()},
        hidden=tuple(map(str, hidden)) if isinstance(hidden, list) else (),
        text=text if isinstance(text, str) else None,
        base64=base64 if isinstance(base64, str) else None,
        size=size if isinstance(size, int) else 0,
        complete=content.get("complete") is not False,
    )


def curl_command(dry: Dry) -> str:
    """The command, over several lines. A body that a terminal cannot show is piped in."""
    words = " \\\n  ".join(_words(dry))
    piped = _piped(dry)
    return f"printf %s {_quoted(piped)} | base64 -d | {words}" if piped is not None else words


def notes(dry: Dry) -> Iterator[str]:
    """What the command lacks of the request."""
    if dry.hidden:
        yield f"*** stands for values that are not shown: {', '.join(dry.hidden)}"
    if not dry.complete:
        yield f"the body has {dry.size} bytes, of which the command has the first only"


def _words(dry: Dry) -> Iterator[str]:
    has_body = dry.text is not None or dry.base64 is not None
    yield "curl --globoff" if _GLOB.search(dry.url) else "curl"
    if dry.method == "HEAD" and not has_body:
        yield "--head"
    elif dry.method != "GET" or has_body:
        yield f"--request {_quoted(dry.method)}"
    yield _quoted(dry.url)
    for name, value in dry.headers.items():
        # An empty value is written with a semicolon (curl(1), --header).
        yield f"--header {_quoted(f'{name}: {value}' if value else f'{name};')}"
    if not has_body:
        return
    if not any(name.lower() == "content-type" for name in dry.headers):
        yield "--header 'Content-Type:'"  # curl would claim a form
    if _piped(dry) is None:
        yield f"--data-raw {_quoted(dry.text or '')}"
    else:
        yield "--data-binary @-"


def _piped(dry: Dry) -> str | None:
    """The body in base64, where it is no text that one can look at."""
    if dry.base64 is not None:
        return dry.base64
    if dry.text is None or _is_plain(dry.text):
        return None
    return b64encode(dry.text.encode(errors="surrogatepass")).decode()


def _is_plain(text: str) -> bool:
    """Whether a terminal shows the text and obeys none of it, pasted or printed."""
    return text.replace("\n", "").isprintable()


def _quoted(text: str) -> str:
    """One word for the shell; what a terminal would obey is escaped (bash, zsh, POSIX 2024)."""
    if _is_plain(text):
        return shlex.quote(text)
    escaped = "".join(
        chr(byte) if 0x20 <= byte < 0x7F and byte not in b"'\\" else f"\\{byte:03o}"
        for byte in text.encode(errors="surrogatepass")
    )
    return f"$'{escaped}'"
