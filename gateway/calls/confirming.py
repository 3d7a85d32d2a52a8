"""What a person is told before a call that needs a confirmation, and what stands for their yes."""

import json
from collections.abc import Mapping

from gateway.calls.plan import plan_of
from gateway.calls.styles import encode, path_text, text_of
from gateway.catalog import Argument, Tool, digest_of
from gateway.errors import InputRequest
from gateway.openapi import clean_text, limit_text

Json = Mapping[str, object]

CONFIRM = "confirm"
_MAX_PATH = 500
_MAX_VALUE = 200
_MAX_LISTED = 20
# These carry credentials as often as not.
_UNSHOWN = frozenset({"header", "cookie"})


def confirmation_digest(tool: Tool, arguments: Json) -> str:
    """What a consent is bound to: the tool as it is now and these very arguments."""
    about = {"api": tool.api, "tool": tool.digest, "arguments": arguments}
    return digest_of(about)


def target_digest(api: str, method: str, target: str) -> str:
    """What a consent to a proxied request is bound to. `target`: raw path and query."""
    return digest_of({"api": api, "method": method, "target": target})


def confirmation_request(tool: Tool, arguments: Json) -> InputRequest:
    """The question. `arguments` are valid; what the configuration fixes is not shown."""
    place = _escaped(_path(tool, arguments), _MAX_PATH)
    title = f" ({limit_text(tool.title, 100)})" if tool.title else ""
    lines = [
        f"Send {tool.method} {place} to {tool.api}?",
        f"Tool: {tool.name}{title}",
        *_listed(tool, arguments),
    ]
    agreed = {
        "type": "boolean",
        "title": "Send it",
        "description": "Nothing is sent unless this is set.",
    }
    schema = {"type": "object", "properties": {CONFIRM: agreed}, "required": [CONFIRM]}
    params = {"message": "\n".join(lines), "requestedSchema": schema}
    return InputRequest(method="elicitation/create", params=params)


def _path(tool: Tool, arguments: Json) -> str:
    plan = plan_of(tool)
    return "".join(
        part if isinstance(part, str) else _segment(part, arguments) for part in plan.path
    )


def _segment(argument: Argument, arguments: Json) -> str:
    value = arguments.get(argument.name)
    if value is None or argument.parameter is None:
        return f"{{{argument.name}}}"
    if argument.parameter.media_type is not None:
        return encode(text_of(value))
    return path_text(argument.parameter, value)


def _listed(tool: Tool, arguments: Json) -> list[str]:
    """The arguments that are not in the path, one a line."""
    known = {a.name: a for a in tool.open_arguments if a.location != "path"}
    given = [(known[name], value) for name, value in arguments.items() if name in known]
    lines = [f"- {argument.name}: {_shown(argument, value)}" for argument, value in given]
    if len(lines) > _MAX_LISTED:
        more = len(lines) - _MAX_LISTED
        lines = [*lines[:_MAX_LISTED], f"- and {more} more"]
    return lines


def _shown(argument: Argument, value: object) -> str:
    schema = argument.schema if isinstance(argument.schema, dict) else {}
    if argument.location in _UNSHOWN or schema.get("format") == "password":
        return "(not shown)"
    return _escaped(_beginning(value), _MAX_VALUE)


def _beginning(value: object) -> str:
    """JSON, on one line; of a long value not much more than is shown."""
    if isinstance(value, str):
        value = value[: 2 * _MAX_VALUE]
    pieces: list[str] = []
    size = 0
    for piece in json.JSONEncoder(ensure_ascii=False).iterencode(value):
        pieces.append(piece[: 2 * _MAX_VALUE])
        size += len(pieces[-1])
        if size > 2 * _MAX_VALUE:
            break
    return "".join(pieces)


def _escaped(text: str, limit: int) -> str:
    """Bounded, and with what nobody sees spelled out: the question must not say what it hides."""
    if clean_text(text) != text:
        text = text.encode("ascii", "backslashreplace").decode()
    return text if len(text) <= limit else f"{text[:limit]}… ({len(text):,} characters or more)"
