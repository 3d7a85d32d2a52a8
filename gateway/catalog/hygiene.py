"""Text that models will read: what nobody can see is taken out, and what looks like bait is named.

A description can hide instructions in characters that a reviewer's screen does not show (tag
characters, variation selectors, zero-width and bidirectional controls, terminal escapes). They are
removed from everything published; words are never changed.
"""

import re
from collections.abc import Callable, Mapping

from gateway.openapi.keywords import KEYWORDS, Kind

MARKER = " […]"

# Terminal sequences go as a whole (ECMA-48 8.3: CSI, OSC and the other strings, two-byte escapes),
# or their parameters would stay behind as text. Bounded, so that a lone introducer eats no text.
_ESCAPES = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]{0,64}[ -/]{0,16}[@-~]"
    r"|(?:\x1b[\]PX^_]|[\x9d\x90\x98\x9e\x9f])[^\x07\x1b\x9c\n]{0,2048}(?:\x07|\x1b\\|\x9c)"
    r"|\x1b[ -/]{0,16}[0-Z\\^-~]"
)
_INVISIBLE = re.compile(
    "["
    "\x00-\x08\x0b-\x1f\x7f-\x9f"  # controls, but not tab and newline
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f"  # soft hyphen, joiners, fillers
    "\u0600-\u0605\u06dd\u070f\u0890\u0891\u08e2"  # the rest of Cf: prepended marks
    "\u200b-\u200f\u2028-\u202e\u2060-\u206f"  # zero width, separators, bidirectional
    "\u3164\uffa0\u2800"  # blanks that are letters or symbols to software
    "\ufe00-\ufe0f\ufeff\ufff0-\ufffb"  # variation selectors, BOM, interlinear
    "\U000110bd\U000110cd\U00013430-\U0001345f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"
    "\U000e0000-\U000e0fff"  # tag characters, variation selectors supplement
    "\ud800-\udfff\ue000-\uf8ff\U000f0000-\U0010ffff"  # surrogates, private use
    "]"
)
_NEWLINES = re.compile(r"\r\n?|[\x85\u2028\u2029]")

# What a reviewer wants to see before an agent does; a report, so a wrong alarm costs nothing.
_BAIT: Mapping[str, re.Pattern[str]] = {
    "markup for a model": re.compile(
        r"</?\s*(?:important|system|instructions?|assistant|user|tools?|tool_call|function_calls?"
        r"|secret|admin|hidden|prompt)\s*>"
        r"|<\|[a-z_]{1,32}\|>|\[/?INST\]|<<SYS>>",
        re.IGNORECASE,
    ),
    "asks to set instructions aside": re.compile(
        r"\b(?:ignore|disregard|forget|override|bypass)\b.{0,40}"
        r"\b(?:previous|prior|above|earlier|all|any|your|system|other)\b.{0,40}"
        r"\b(?:instructions?|prompts?|rules?|guidelines?|messages?|context)\b",
        re.IGNORECASE,
    ),
    "speaks to the model": re.compile(
        r"\byou are (?:now|no longer)\b|\bas an ai\b|\bnew instructions?:|\bsystem prompt\b",
        re.IGNORECASE,
    ),
    "asks for secrecy": re.compile(
        r"\b(?:do not|don't|never|without)\b.{0,20}\b(?:tell|telling|mention|mentioning|inform"
        r"|informing|reveal|revealing|notify|notifying|show|showing)\b.{0,20}\b(?:the )?users?\b",
        re.IGNORECASE,
    ),
    "asks for a step before or beside the call": re.compile(
        r"\b(?:before|after|instead of|when) (?:using|calling|invoking) (?:this|any|the|other)\b"
        r".{0,20}\btools?\b",
        re.IGNORECASE,
    ),
    "names secrets on the reader's machine": re.compile(
        r"~/\.(?:ssh|aws|cursor|config)\b|\bid_rsa\b|/etc/passwd\b|\bmcp\.json\b", re.IGNORECASE
    ),
    "hidden characters": re.compile("[\u202a-\u202e\u2066-\u2069\U000e0000-\U000e0fff]"),
}
# Keywords whose text says something to readers and decides nothing.
_WORDS = frozenset({"title", "description", "format", "contentEncoding", "contentMediaType"})
# Patterns look at most this far into a text: their cost is linear, but times seven.
_LOOKED_AT = 20_000


def clean_text(text: str) -> str:
    """`text` without what no reader sees: controls, format characters, escapes, private use.

    Tabs and newlines stay, other line ends become newlines, words and spaces are left alone.
    """
    if text.isascii() and text.isprintable():
        return text
    if _INVISIBLE.search(text) is None:
        return text
    return _INVISIBLE.sub("", _NEWLINES.sub("\n", _ESCAPES.sub("", text)))


def limit_text(text: str, limit: int) -> str:
    """At most `limit` characters: whole sentences or else whole words, then MARKER.

    A `limit` that the marker does not fit into gives the bare beginning.
    """
    if len(text) <= limit:
        return text
    room = limit - len(MARKER)
    if room <= 0:
        return text[: max(limit, 0)]
    # One character more than fits says whether the last word is whole.
    head = text[: room + 1]
    ends = [match.end() for match in re.finditer(r"[.!?](?=\s)|\n(?=\s)", head)]
    if ends and ends[-1] >= room // 2:
        return head[: ends[-1]].rstrip() + MARKER
    cut = max(head.rfind(" "), head.rfind("\n"), head.rfind("\t"))
    kept = head[:cut] if cut >= room // 2 else head[:room]
    return kept.rstrip() + MARKER


def clean_schema(schema: object) -> object:
    """A converted JSON Schema with clean words; the same object when nothing changes.

    Cleaned: `title`, `description`, `format`, `contentEncoding`, `contentMediaType` and text
    anywhere inside `examples`, in every schema below, `$defs` included. Exact: what calls depend
    on, that is `enum`, `const`, `default`, `pattern`, `required`, `discriminator`, `$ref` and the
    names of properties and definitions. Words that become empty stay as the empty text.
    """
    if isinstance(schema, Mapping):
        return _changed_members(schema, _clean_member)
    return schema


def suspicious(text: str) -> tuple[str, ...]:
    """What in `text` looks like an attempt to direct the model, one phrase for each kind."""
    looked_at = text[:_LOOKED_AT]
    return tuple(name for name, pattern in _BAIT.items() if pattern.search(looked_at))


def _clean_member(key: str, value: object) -> object:
    if key in _WORDS:
        return clean_text(value) if isinstance(value, str) else value
    if key == "examples":
        return _clean_data(value)
    kind = KEYWORDS.get(key)
    if kind is Kind.SCHEMA:
        return clean_schema(value)
    if kind is Kind.SCHEMAS:
        return _changed_items(value, clean_schema)
    if (kind is Kind.NAMED_SCHEMAS or key == "$defs") and isinstance(value, Mapping):
        return _changed_members(value, lambda _, part: clean_schema(part))
    return value


def _clean_data(value: object) -> object:
    """Text inside example data; names of members stay, they are names."""
    if isinstance(value, str):
        return clean_text(value)
    if isinstance(value, Mapping):
        return _changed_members(value, lambda _, part: _clean_data(part))
    return _changed_items(value, _clean_data)


def _changed_members(
    value: Mapping[str, object], change: Callable[[str, object], object]
) -> Mapping[str, object]:
    changed = {key: new for key, part in value.items() if (new := change(key, part)) is not part}
    return {**value, **changed} if changed else value


def _changed_items(value: object, change: Callable[[object], object]) -> object:
    if not isinstance(value, list | tuple):
        return value
    items = [change(item) for item in value]
    same = all(new is old for new, old in zip(items, value, strict=True))
    return value if same else items
