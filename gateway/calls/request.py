"""Tool + arguments -> Request. What can be known without the arguments is worked out once."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote, unquote
from weakref import WeakKeyDictionary

from gateway.calls.bodies import encode_body
from gateway.calls.styles import cookie_pairs, encode, header_text, path_text, query_pairs, text_of
from gateway.calls.validation import ArgumentValidator, pointer_of
from gateway.catalog import Argument, BodyMode, Tool, is_json, success_media
from gateway.errors import Fault, InvalidArguments
from gateway.messages import Request, RequestHead
from gateway.openapi import Parameter, SchemaTooDeep, UnresolvedRef
from gateway.openapi.parameters import PLACEHOLDER


@dataclass(frozen=True, slots=True, kw_only=True)
class _Plan:
    """What one tool's requests have in common. `path` alternates literal text and arguments."""

    validator: ArgumentValidator
    path: tuple[str | Argument, ...]
    query: str
    accept: str
    by_location: Mapping[str, tuple[Argument, ...]]


_PLANS: WeakKeyDictionary[Tool, _Plan] = WeakKeyDictionary()


def build_request(tool: Tool, arguments: Mapping[str, object], *, base_path: str = "") -> Request:
    """The request that `arguments` make, to a server whose paths start with `base_path`.

    Raises InvalidArguments with every fault that the published schema or the place of a value
    finds, DescriptionError when that schema is unusable, NotAvailable for a kind of body that
    cannot be sent.
    """
    plan = _PLANS.get(tool)
    if plan is None:
        plan = _PLANS[tool] = _make_plan(tool)
    given = _accepted(plan, arguments)
    faults: list[Fault] = []
    target = base_path + _path(plan, given, faults) + _query(plan, given)
    headers = _headers(plan, given, faults)
    body, media_type = _body(tool, plan, given)
    if media_type:
        headers.append(("Content-Type", media_type))
    if faults:
        raise InvalidArguments(*faults)
    head = RequestHead(method=tool.method, target=target or "/", headers=tuple(headers))
    return Request(head=head, body=body)


def _make_plan(tool: Tool) -> _Plan:
    items = tool.arguments.items
    by_location = {
        place: tuple(a for a in items if a.location == place)
        for place in ("path", "query", "header", "cookie", "body")
    }
    path, _, rest = tool.path.partition("?")
    path_arguments = {a.original: a for a in by_location["path"]}
    return _Plan(
        validator=ArgumentValidator(tool.input_schema),
        path=_path_parts(path.partition("#")[0], path_arguments),
        query=rest.partition("#")[0],
        accept=_accept(tool),
        by_location=by_location,
    )


def _path_parts(path: str, arguments: Mapping[str, Argument]) -> tuple[str | Argument, ...]:
    """The template, split once: a value is never searched for placeholders again."""
    parts: list[str | Argument] = []
    for index, piece in enumerate(PLACEHOLDER.split(path)):
        if index % 2:
            parts.append(arguments[piece])
        elif piece:
            # A literal may hold characters that a request target must not (RFC 9112 section 3.2).
            parts.append(quote(piece, safe="/%-._~!$&'()*+,;=:@"))
    return tuple(parts)


def _accept(tool: Tool) -> str:
    """The media types of the described successes, JSON first, then anything."""
    try:
        described = [media for media, _ in success_media(tool.operation, tool.schemas)]
    except (UnresolvedRef, SchemaTooDeep):
        described = []
    usable = [m for m in dict.fromkeys(described) if m.isascii() and m.isprintable() and "/" in m]
    ordered = sorted((m for m in usable if m != "*/*"), key=lambda m: not is_json(m))
    return ", ".join([*ordered[:8], "*/*;q=0.1"]) if ordered else "*/*"


def _accepted(plan: _Plan, arguments: Mapping[str, object]) -> Mapping[str, object]:
    """`arguments` once they are valid; a null where the schema admits none is not given."""
    if plan.validator.is_valid(arguments):
        return arguments
    faults = plan.validator.faults(arguments)
    nulls = {name for name, value in arguments.items() if value is None}
    unwanted = {name for name in nulls if any(f.pointer == pointer_of([name]) for f in faults)}
    if unwanted:
        arguments = {k: v for k, v in arguments.items() if k not in unwanted}
        faults = plan.validator.faults(arguments)
    if faults:
        raise InvalidArguments(*faults)
    return arguments


def _path(plan: _Plan, given: Mapping[str, object], faults: list[Fault]) -> str:
    out: list[str] = []
    for part in plan.path:
        if isinstance(part, str):
            out.append(part)
            continue
        text = _part_text(part, given.get(part.name))
        if _leaves_segment(text):
            pointer = pointer_of([part.name])
            faults.append(Fault(pointer=pointer, message="is empty or a dot segment in the path"))
        out.append(text)
    path = "".join(out)
    if not faults and any(_is_dots(segment) for segment in path.split("/")):
        faults.append(Fault(pointer="", message="the arguments make a dot segment in the path"))
    return path


def _part_text(argument: Argument, value: object) -> str:
    parameter = argument.parameter
    if parameter is None or value is None:
        return ""
    if parameter.media_type is not None:
        return encode(_content_text(parameter, value))
    return path_text(parameter, value)


def _leaves_segment(text: str) -> bool:
    return not text or _is_dots(text)


def _is_dots(segment: str) -> bool:
    """Whether a server that decodes, perhaps more than once, would see `.` or `..`."""
    for _ in range(4):
        if segment in (".", ".."):
            return True
        if "%" not in segment:
            return False
        segment = unquote(segment)
    return segment in (".", "..")


def _query(plan: _Plan, given: Mapping[str, object]) -> str:
    pairs = [plan.query] if plan.query else []
    for argument in plan.by_location["query"]:
        parameter = argument.parameter
        if parameter is None or argument.name not in given:
            continue
        value = given[argument.name]
        if parameter.media_type is not None:
            pairs.append(f"{encode(parameter.name)}={encode(_content_text(parameter, value))}")
        else:
            pairs.extend(f"{name}={text}" for name, text in query_pairs(parameter, value))
    return "?" + "&".join(pairs) if pairs else ""


def _headers(
    plan: _Plan, given: Mapping[str, object], faults: list[Fault]
) -> list[tuple[str, str]]:
    headers = [("Accept", plan.accept)]
    for argument in plan.by_location["header"]:
        value = given.get(argument.name)
        parameter = argument.parameter
        if value is None or parameter is None or value in ([], {}):
            continue
        content = parameter.media_type is not None
        text = _content_text(parameter, value) if content else header_text(parameter, value)
        if _is_field_value(text):
            headers.append((argument.original, text))
        else:
            message = "cannot be a header value: printable ASCII without outer spaces"
            faults.append(Fault(pointer=pointer_of([argument.name]), message=message))
    cookies = [pair for a in plan.by_location["cookie"] for pair in _cookies(a, given.get(a.name))]
    if cookies:
        headers.append(("Cookie", "; ".join(f"{name}={text}" for name, text in cookies)))
    return headers


def _cookies(argument: Argument, value: object) -> list[tuple[str, str]]:
    parameter = argument.parameter
    if parameter is None or value is None:
        return []
    if parameter.media_type is not None:
        return [(parameter.name, encode(_content_text(parameter, value)))]
    return cookie_pairs(parameter, value)


def _is_field_value(text: str) -> bool:
    """RFC 9110 section 5.5, without obs-text: what is not ASCII has no agreed meaning there."""
    return text == text.strip() and all(" " <= c <= "~" or c == "\t" for c in text)


def _content_text(parameter: Parameter, value: object) -> str:
    if parameter.media_type is not None and is_json(parameter.media_type):
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return text_of(value)


def _body(tool: Tool, plan: _Plan, given: Mapping[str, object]) -> tuple[bytes | None, str | None]:
    body, mode = tool.operation.body, tool.arguments.body_mode
    if body is None or mode is BodyMode.NONE:
        return None, None
    value: object
    if mode is BodyMode.WHOLE:
        name = plan.by_location["body"][0].name
        if name not in given:
            return None, None
        value = given[name]
    else:
        value = {a.original: given[a.name] for a in plan.by_location["body"] if a.name in given}
        if not value and not body.required:
            return None, None
    return encode_body(value, body.media_type), body.media_type
