"""A body that is too large for a result: an excerpt, and how to read on."""

from dataclasses import dataclass
from enum import StrEnum

from gateway.calls.answers import content_type, may_be_json, media_type_of
from gateway.calls.content import Rest, Text
from gateway.calls.decoding import charset_of, decode_beginning
from gateway.catalog import Tool, is_textual, result_uri
from gateway.messages import ResponseHead

EXCERPT_BYTES = 65_536


class Ending(StrEnum):
    """How the reading of a larger body ended. The values stand in brackets, as a reason."""

    WHOLE = "all of it was read"
    TOO_LARGE = "it is larger than the gateway reads"
    BROKEN_OFF = "the API broke off or was too slow"
    NO_ROOM = "there was no room for it"


@dataclass(frozen=True, slots=True, kw_only=True)
class Larger:
    """A body that a result shows the beginning of. `size` is how many of its bytes were read.

    `handle` is that of the resource where these can be read for a while, None where they are not
    kept; `url` is the same place for HTTP, None where there is no HTTP.
    """

    size: int
    ending: Ending
    handle: str | None = None
    url: str | None = None


def excerpt(
    tool: Tool, head: ResponseHead, beginning: bytes, larger: Larger
) -> tuple[Text, Rest | None]:
    """The excerpt of a body that starts with `beginning`; of what is no text, a note instead."""
    text, start = _text(tool, head, beginning[:EXCERPT_BYTES])
    whole = larger.ending is Ending.WHOLE
    size = f"{larger.size:,} bytes" if whole else f"more than {larger.size:,} bytes"
    rest = None
    if larger.handle is not None:
        rest = Rest(handle=larger.handle, start=start, size=larger.size, whole=whole)
    if text is None:
        kind = media_type_of(head) or "binary"
        return Text(text=f"[The {kind} answer of {size} was left out. {_way_on(larger, 0)}]"), rest
    first = f"[Excerpt: the first {start:,} bytes of {size}, not the whole answer.]"
    return Text(text=f"{first}\n{text}\n[Cut here. {_way_on(larger, start)}]"), rest


def _text(tool: Tool, head: ResponseHead, beginning: bytes) -> tuple[str | None, int]:
    """The beginning's whole characters and their size in bytes; None, 0 for what is no text."""
    declared, media_type = content_type(head), media_type_of(head)
    is_json = may_be_json(tool, head)
    if not is_json and not is_textual(media_type):
        return None, 0
    text, size = decode_beginning(beginning, charset_of(beginning, declared, is_json=is_json))
    # Only the description may have said so: then the text has to look like it.
    if not is_textual(media_type) and text.lstrip()[:1] not in ("{", "[", '"'):
        return None, 0
    return text, size


def _way_on(larger: Larger, start: int) -> str:
    if larger.handle is None:
        return f"The rest was not kept ({larger.ending}); ask for less, if the arguments can."
    end = min(start + EXCERPT_BYTES, larger.size) - 1
    way = f"the MCP resource {result_uri(larger.handle, start)}"
    if larger.url is not None:
        way = f"GET {larger.url} with the header Range: bytes={start}-{end} or {way}"
    if larger.ending is Ending.WHOLE:
        return f"For an hour at most, {way} reads on."
    last = larger.size - 1
    return f"For an hour at most, {way} reads on, up to byte {last} ({larger.ending})."
