"""Where an API's answer points to, in the words of the gateway's callers."""

import re
from dataclasses import dataclass
from urllib.parse import SplitResult, urljoin, urlsplit

from gateway.messages import has_dot_segment
from gateway.upstreams import Upstream

_DEFAULT_PORTS = {"http": ":80", "https": ":443"}
# RFC 8288 section 3: targets in angle brackets, beside parameters that may quote such brackets.
_LINK_PARTS = re.compile(r'<([^<>]*)>|"(?:[^"\\]|\\.)*"?')
# HTML, "shared declarative refresh steps": what comes before the URL; blanks alone are enough.
_REFRESH = re.compile(
    r"[ \t\f]*[0-9.]+(?:[ \t\f]*[;,][ \t\f]*|[ \t\f]+)(?:url[ \t\f]*=[ \t\f]*)?", re.IGNORECASE
)
_QUOTES = ("'", '"')
# WHATWG URL, section 4.4: what is no part of a URL, at its ends and anywhere.
_ENDS = "".join(map(chr, range(0x21)))
_NOTHING = {ord(character): None for character in "\t\n\r"}
# RFC 3986 section 4.2: what is resolved against the path, not only against the authority.
_IS_RELATIVE = re.compile(r"(?![/\\]|[A-Za-z][A-Za-z0-9+.-]*:)")
_DOT = re.compile("%2e", re.IGNORECASE)
_START = re.compile(r"(https?:)?([/\\]*)([^?#]*)", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Both sides of one proxied request.

    `asked` is the URL that the API was asked for. Callers reach what is at `origin` below
    `base_path` under the path `mount`, at `gateway`: the authority, lower-case, that they used.
    """

    asked: str
    origin: str
    base_path: str
    mount: str
    gateway: str

    def translate(self, reference: str) -> str:
        """A URI reference (RFC 3986 section 4.1) of the API for its callers.

        What is below the API's base URL is below `mount`, as a path. What else is at the API's
        origin is named as a whole, so that it does not lead to the gateway's own endpoints. All
        others stay as they are.
        """
        read = _as_browsers_read(reference)
        try:
            target = urlsplit(urljoin(self.asked, read))
        except ValueError:
            return reference
        origin = _origin(target)
        # Whoever believes X-Forwarded-Host names us, with either scheme and without the mount.
        is_ours = origin.partition("://")[2] == self.gateway
        if origin != self.origin and not is_ours:
            return reference
        if (
            is_ours
            and target.path.startswith(f"{self.mount}/")
            and not has_dot_segment(target.path)
        ):
            return reference
        path = self._below(target.path)
        if path is None:
            return f"{self.origin}{_rest(target.path or '/', target)}"
        moved = self.mount + _rest(path, target)
        return reference if self._leads_to(moved, read) else moved

    def translate_links(self, value: str) -> str:
        """A value of the header `Link`."""
        return _LINK_PARTS.sub(self._translate_link, value)

    def translate_refresh(self, value: str) -> str:
        """A value of the header `Refresh`, which is none of HTTP's."""
        match = _REFRESH.match(value)
        if match is None:
            return value
        before, url, after = match[0], value[match.end() :], ""
        if url.startswith(_QUOTES):
            quote = url[0]
            url, end, rest = url[1:].partition(quote)
            before, after = before + quote, end + rest
        return before + self.translate(url) + after

    def _translate_link(self, match: re.Match[str]) -> str:
        return match[0] if match[1] is None else f"<{self.translate(match[1])}>"

    def _leads_to(self, moved: str, read: str) -> bool:
        """Whether a reference is relative and leads there from where the caller has asked as well.

        A surplus `..` does not: at the API it means the root, but the mount may have more segments
        than the base path.
        """
        if _IS_RELATIVE.match(read) is None:
            return False
        asked = urlsplit(self.asked)
        path = self._below(asked.path)
        # The root may have been asked for by the mount alone, from where `x` is another API.
        if path is None or path == "/":
            return False
        return _leads(self.mount + _rest(path, asked), read) == moved

    def _below(self, path: str) -> str | None:
        """The part below the base path; None where that is left, as some browser reads it."""
        base = f"{self.base_path}/"
        if not f"{path}/".startswith(base) or has_dot_segment(path):
            return None
        return path[len(base) - 1 :] or "/"


def place_of(upstream: Upstream, asked: str, *, mount: str, gateway: str) -> Place:
    return Place(
        asked=asked,
        origin=upstream.origin,
        base_path=upstream.base_path,
        mount=mount,
        gateway=gateway,
    )


def _as_browsers_read(reference: str) -> str:
    r"""As WHATWG URL, section 4.4, has it.

    Tabs are nothing, `%2e` is a dot, `\` is `/`, one is as good as two after a scheme, and so are
    three.
    """
    reference = reference.strip(_ENDS).translate(_NOTHING)
    start = _START.match(reference)
    if start is None:
        return reference
    scheme, slashes, rest = start[1] or "", start[2], start[3]
    given = scheme + slashes + rest
    if len(slashes) > 1:
        given = f"{scheme}//{rest}"
    elif scheme:
        given = slashes + rest
    return _DOT.sub(".", given.replace("\\", "/")) + reference[start.end() :]


def _leads(start: str, reference: str) -> str:
    target = urlsplit(urljoin(start, reference))
    return _rest(target.path, target)


def _origin(url: SplitResult) -> str:
    """As Upstream.origin; user information makes it another's."""
    return f"{url.scheme}://{url.netloc.lower().removesuffix(_DEFAULT_PORTS.get(url.scheme, ' '))}"


def _rest(path: str, url: SplitResult) -> str:
    query = f"?{url.query}" if url.query else ""
    return f"{path}{query}" + (f"#{url.fragment}" if url.fragment else "")
