"""Notifications about a request that is under way."""

from gateway.mcp.decisions import Work
from gateway.mcp.json_text import encode_json
from gateway.mcp.request_meta import LEVELS


def progress_notice(
    work: Work, progress: float, *, total: float | None = None, message: str | None = None
) -> bytes:
    """`notifications/progress` for a request that gave a token."""
    params: dict[str, object] = {"progressToken": work.progress_token, "progress": progress}
    if total is not None:
        params["total"] = total
    if message is not None and work.revision.progress_message:
        params["message"] = message
    return notification("notifications/progress", params)


def log_notice(level: str, data: object, *, logger: str | None = None) -> bytes:
    """`notifications/message`."""
    params: dict[str, object] = {"level": level, "data": data}
    if logger is not None:
        params["logger"] = logger
    return notification("notifications/message", params)


def notification(method: str, params: dict[str, object] | None = None) -> bytes:
    """Any notification as one line of JSON."""
    message: dict[str, object] = {"jsonrpc": "2.0", "method": method}
    return encode_json(message if params is None else {**message, "params": params})


def is_loud_enough(level: str, least: str) -> bool:
    """Whether a line of `level` is to be heard by whoever asked for `least` and above."""
    return LEVELS.index(level) >= LEVELS.index(least)
