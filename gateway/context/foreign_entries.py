"""History entries of others, reduced to what the gateway itself would have written of a call."""

import re
from collections.abc import Mapping

from gateway.context.model import HistoryEntry

MAX_ACTION = 128
MAX_ENDPOINT = 512
MAX_OPERATION = 128

EntryKey = tuple[str, str, str | None]
"""Two entries with the same time, action and endpoint are the same (OCP has no ids for them)."""

_MAX_TIMESTAMP = 64  # RFC 3339 puts no end to the digits of a fraction
_API = re.compile(r"[a-z][a-z0-9-]{0,31}")
_OPERATION = re.compile(r"[A-Za-z0-9_.-]{1,128}")
# Without origin, query, fragment and parameters of a segment: credentials stand in all of them.
_ENDPOINT = re.compile(
    r"([A-Za-z]{1,16}) (?:[A-Za-z][A-Za-z0-9+.-]*://[^/?#\s]*)?(/(?!/)[^\s?#;]*)(?:[?#;].*)?"
)
_STATUS = re.compile(r"HTTP [1-9][0-9]{2}")
# Controls, directions and tags (Unicode): nothing that a reader would not see.
_HIDDEN = re.compile(
    "[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069\U000e0000-\U000e007f]"
)


def entry_key(entry: HistoryEntry) -> EntryKey:
    """What makes an entry the same as another."""
    return entry.timestamp, entry.action, entry.api_endpoint


def reduce_entry(entry: HistoryEntry) -> HistoryEntry | None:
    """Time, action, endpoint, `HTTP <status>` and our own metadata; None for an entry of no use."""
    action = entry.action.partition("?")[0][:MAX_ACTION]
    if not action or len(entry.timestamp) > _MAX_TIMESTAMP or _HIDDEN.search(action):
        return None
    status = entry.result if entry.result and _STATUS.fullmatch(entry.result) else None
    return HistoryEntry(
        timestamp=entry.timestamp,
        action=action,
        api_endpoint=_endpoint(entry.api_endpoint or ""),
        result=status,
        metadata=_metadata(entry.metadata),
    )


def _endpoint(text: str) -> str | None:
    match = _ENDPOINT.fullmatch(text)
    if match is None or _HIDDEN.search(match[2]):
        return None
    return f"{match[1].upper()} {match[2]}"[:MAX_ENDPOINT]


def _metadata(metadata: Mapping[str, object]) -> dict[str, object]:
    reduced: dict[str, object] = {}
    for name, pattern in (("api", _API), ("operation", _OPERATION)):
        text = metadata.get(name)
        if isinstance(text, str) and pattern.fullmatch(text):
            reduced[name] = text
    milliseconds, success = metadata.get("ms"), metadata.get("success")
    if type(milliseconds) is int and 0 <= milliseconds < 2**53:
        reduced["ms"] = milliseconds
    if isinstance(success, bool):
        reduced["success"] = success
    return reduced
