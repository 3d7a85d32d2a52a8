"""Tool + arguments -> Request."""

import json
import re
from collections.abc import Mapping

from gateway.calls.bodies import encode_body
from gateway.calls.forms import FORM_TYPE, encode_form
from gateway.calls.plan import Plan, plan_of
from gateway.calls.styles import (
    Pairs,
    cookie_name,
    cookie_pairs,
    encode,
    header_text,
    is_undefined,
    path_text,
    query_pairs,
    text_of,
)
from gateway.calls.validation import pointer_of
from gateway.catalog import Argument, Tool
from gateway.errors import Fault, InvalidArguments
from gateway.messages import Request, RequestHead, has_dot_segment
from gateway.openapi import WHOLE_QUERY, Parameter, essence_of, is_json

# More than servers read of one header line, as a rule; they would drop the connection.
MAX_HEADER_VALUE = 8_192
# RFC 6265 section 4.1.1, and the comma that the unexploded styles delimit by.
_COOKIE_VALUE = re.compile(r"[!#-+,\-./0-:<-\[\]-~]*")


def build_request(tool: Tool, arguments: Mapping[str, object], *, base_path: str = "") -> Request:
    """The request that `arguments` make, to a server whose paths start with `base_path`.

    Raises InvalidArguments with every fault that the published schema or the place of a value
    finds, DescriptionError when that schema is unusable, NotAvailable for a body of a type
    that nothing can be sent as.
    """
    plan = plan_of(tool)
    try:
        return _build(tool, plan, arguments, base_path)
    except (UnicodeEncodeError, RecursionError):  # lone surrogates, endless depth
        raise InvalidArguments(Fault(pointer="", message="cannot be written as JSON")) from None


def _build(tool: Tool, plan: Plan, arguments: Mapping[str, object], base_path: str) -> Request:
    given = {**_accepted(plan, arguments), **plan.fixed}
    faults: list[Fault] = []
    target = base_path + _path(plan, given, faults) + _query(plan, given)
    headers = _headers(plan, given, faults)
    body, content_type = encode_body(plan.body, given, faults) if plan.body else (None, None)
    if faults:
        raise InvalidArguments(*faults)
    if content_type:
        headers.append(("Content-Type", content_type))
    head = RequestHead(method=tool.method, target=target or "/", headers=tuple(headers))
    return Request(head=head, body=body)


def _accepted(plan: Plan, arguments: Mapping[str, object]) -> Mapping[str, object]:
    """`arguments` once they are valid; a null where the schema admits none is not given."""
    while not plan.validator.is_valid(arguments):
        faults = plan.validator.faults(arguments)
        at = {fault.pointer for fault in faults}
        unwanted = {
            name
            for name, value in arguments.items()
            if value is None and name in plan.names and pointer_of([name]) in at
        }
        if not unwanted:
            raise InvalidArguments(*faults)
        arguments = {name: v for name, v in arguments.items() if name not in unwanted}
    return arguments


def _path(plan: Plan, given: Mapping[str, object], faults: list[Fault]) -> str:
    out: list[str] = []
    for part in plan.path:
        if isinstance(part, str):
            out.append(part)
            continue
        text = _part_text(part, given.get(part.name))
        # Encoded dots are no defence, and neither is `..%2F`: there are servers that decode, then
        # resolve. The proxy refuses the same paths.
        if not text or has_dot_segment(text):
            message = "is empty or has a dot segment, which no path value may"
            faults.append(Fault(pointer=pointer_of([part.name]), message=message))
        out.append(text)
    path = "".join(out)
    if not faults and has_dot_segment(path):
        faults.append(Fault(pointer="", message="the arguments make a dot segment in the path"))
    return path


def _part_text(argument: Argument, value: object) -> str:
    parameter = argument.parameter
    if parameter is None or value is None:
        return ""
    if parameter.media_type is not None:
        return encode(_content_text(parameter, value))
    return path_text(parameter, value)


def _query(plan: Plan, given: Mapping[str, object]) -> str:
    in_template = [
        p if isinstance(p, str) else _part_text(p, given.get(p.name)) for p in plan.query
    ]
    pairs = ["".join(in_template)] if in_template else []
    for argument in plan.by_location["query"]:
        parameter = argument.parameter
        if parameter is None or argument.name not in given:
            continue
        value = given[argument.name]
        pairs += _query_pairs(parameter, value)
    return "?" + "&".join(pairs) if pairs else ""


def _query_pairs(parameter: Parameter, value: object) -> list[str]:
    if parameter.media_type is None:
        return [f"{name}={text}" for name, text in query_pairs(parameter, value)]
    text = _content_text(parameter, value)
    if parameter.style != WHOLE_QUERY:
        return [f"{encode(parameter.name)}={encode(text)}"]
    is_form = essence_of(parameter.media_type) == FORM_TYPE and isinstance(value, Mapping)
    return [text if is_form else encode(text)]


def _headers(plan: Plan, given: Mapping[str, object], faults: list[Fault]) -> list[tuple[str, str]]:
    headers = [("Accept", plan.accept)]
    for argument in plan.by_location["header"]:
        text = _header_text(argument.parameter, given.get(argument.name))
        if text is None:
            continue
        if fault := _field_fault(text):
            faults.append(Fault(pointer=pointer_of([argument.name]), message=fault))
        headers.append((argument.original, text))
    if cookies := _cookies(plan, given, faults):
        headers.append(("Cookie", "; ".join(f"{name}={text}" for name, text in cookies)))
    return headers


def _header_text(parameter: Parameter | None, value: object) -> str | None:
    if parameter is None or value is None:
        return None
    if parameter.media_type is not None:
        return _content_text(parameter, value, ascii_only=True)
    return None if is_undefined(value) else header_text(parameter, value)


def _field_fault(text: str) -> str | None:
    """RFC 9110 section 5.5, without obs-text: what is not ASCII has no agreed meaning there."""
    if len(text) > MAX_HEADER_VALUE:
        return f"is longer than {MAX_HEADER_VALUE} characters, too long for a header"
    if text == text.strip() and all(" " <= c <= "~" or c == "\t" for c in text):
        return None
    return "cannot be a header value: printable ASCII without outer spaces"


def _cookies(plan: Plan, given: Mapping[str, object], faults: list[Fault]) -> Pairs:
    found: Pairs = []
    for argument in plan.by_location["cookie"]:
        pairs = _cookie_pairs(argument.parameter, given.get(argument.name))
        if not all(_COOKIE_VALUE.fullmatch(text) for _, text in pairs):
            message = "cannot be in a cookie: no space, quote, comma, semicolon or backslash can"
            faults.append(Fault(pointer=pointer_of([argument.name]), message=message))
        found += pairs
    return found


def _cookie_pairs(parameter: Parameter | None, value: object) -> Pairs:
    if parameter is None or value is None:
        return []
    if parameter.media_type is not None:
        return [(cookie_name(parameter), encode(_content_text(parameter, value)))]
    return cookie_pairs(parameter, value)


def _content_text(parameter: Parameter, value: object, *, ascii_only: bool = False) -> str:
    """A `content` parameter's value as its media type writes it (OpenAPI 3.1.1 appendix E)."""
    media_type = parameter.media_type or ""
    if is_json(media_type):
        return json.dumps(value, ensure_ascii=ascii_only, separators=(",", ":"))
    if essence_of(media_type) == FORM_TYPE and isinstance(value, Mapping):
        return encode_form(value, {}).decode()
    return text_of(value)
