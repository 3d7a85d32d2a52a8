"""Text that is published: what nobody can see is taken out, and what is endless is cut.

A description can hide instructions in characters that a reviewer's screen does not show (tag
characters, variation selectors, zero-width and bidirectional controls, terminal escapes). They are
removed from everything that is only read; what calls depend on must be free of them.
"""

import re

MARKER = " […]"
# In characters. Of 300,000 schema and parameter texts in 557 public descriptions 16 are longer.
MAX_ARGUMENT_TEXT = 4_096

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
# Arrows, dingbats and pictographs ask for their coloured form by U+FE0F (UTS 51 section 2.8);
# after anything else it shows nothing.
_COLOURED = re.compile(
    "(?<=[\u00a9\u00ae\u203c\u2049\u2122\u2139\u2190-\u21ff\u2300-\u27bf\u2900-\u2bff\u3030\u303d"
    "\u3297\u3299\U0001f000-\U0001faff])\ufe0f"
)
_NEWLINES = re.compile(r"\r\n?|[\x85\u2028\u2029]")


def clean_text(text: str) -> str:
    """`text` without what no reader sees: controls, format characters, escapes, private use.

    Tabs and newlines stay, other line ends become newlines, words and spaces are left alone.
    """
    # Nearly all texts end here: these methods are ten times as fast as the expression.
    if text.isascii() and (text.isprintable() or _is_plain(text)):
        return text
    if _INVISIBLE.search(text) is None:
        return text
    return _INVISIBLE.sub("", _NEWLINES.sub("\n", _ESCAPES.sub("", text)))


def _is_plain(text: str) -> bool:
    return text.replace("\n", "").replace("\t", "").isprintable()


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


def clean_data(value: object) -> object:
    """Example data with clean texts, names of members included; as a new value."""
    if isinstance(value, str):
        return clean_text(value)
    if isinstance(value, dict):
        return {clean_text(str(k)): clean_data(v) for k, v in value.items()}
    return [clean_data(item) for item in value] if isinstance(value, list) else value


def hides_something(value: object) -> bool:
    """Whether a text anywhere in `value`, names of members included, is not what it looks like."""
    todo = [value]
    while todo:
        part = todo.pop()
        if isinstance(part, str):
            if _hides_something(part):
                return True
        elif isinstance(part, list):
            todo += part
        elif isinstance(part, dict):
            todo += part.values()
            todo += map(str, part)
    return False


def _hides_something(text: str) -> bool:
    if text.isascii() and text.isprintable():
        return False
    return _INVISIBLE.search(_COLOURED.sub("", text)) is not None
