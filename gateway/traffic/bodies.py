"""The bytes of a body as the value that its description is about."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import unquote_plus

from gateway.calls import FORM_TYPE, REQUIRED, charset_of, decode_text, loads, pointer_of
from gateway.catalog import BodyForm, body_form
from gateway.errors import Fault
from gateway.json_weight import weigh_json
from gateway.openapi import Encoding, Parameter, essence_of, is_json
from gateway.traffic.forms import FormPart, split_form
from gateway.traffic.rules import BodyRule
from gateway.traffic.shapes import Shape, typed
from gateway.traffic.texts import Query, read_query
from gateway.traffic.unreadable import Unreadable
from gateway.traffic.values import MISSING, form_value, query_value

MAX_PARTS = 250_000
"""Objects, arrays and members of a JSON body: about 0.1 s of reading."""
MAX_PAIRS = 20_000
"""Of a form: about 0.2 s of reading. Servers stop at a thousand (PHP's max_input_vars, Django)."""
MAX_FAULTS = 50
_OPENING = (b"{", b"[", b":")


class TooMuch(Exception):
    """The body has more in it than is looked at."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadBody:
    """Two readings of one body, the same where there is only one; `faults` are there already."""

    value: object
    other: object
    faults: tuple[Fault, ...] = ()


def is_read_type(media_type: str) -> bool:
    """Whether bodies of this type are looked at: JSON, forms, and plain texts."""
    form = body_form(media_type, is_binary=False)
    if form is BodyForm.TEXT:
        # Streams of events are texts as well, and never end.
        return media_type.startswith("text/") and not media_type.startswith("text/event-stream")
    return form in (BodyForm.JSON, BodyForm.FORM, BodyForm.MULTIPART)


def read_value(rule: BodyRule, body: bytes, content_type: str) -> ReadBody:
    """The value of a body of a type that is read. Raises Unreadable, TooMuch."""
    if is_json(content_type):
        value = _json(body, content_type)
        return ReadBody(value=value, other=value)
    essence = essence_of(content_type)
    if essence == FORM_TYPE:
        if body.count(b"&") >= MAX_PAIRS:
            raise TooMuch
        query = read_query(_text(body, content_type))
        return ReadBody(value=_form(rule, query, loose=False), other=_form(rule, query, loose=True))
    if essence.startswith("multipart/"):
        return _multipart(rule, body, content_type)
    text = _text(body, content_type)
    return ReadBody(value=text, other=text)


def _json(body: bytes, content_type: str) -> object:
    if sum(map(body.count, _OPENING)) > MAX_PARTS and weigh_json(body, MAX_PARTS)[0] > MAX_PARTS:
        raise TooMuch
    loaded = loads(decode_text(body, charset_of(body, content_type, is_json=True)))
    if loaded is None:
        raise Unreadable("is no JSON")
    return loaded.value


def _text(body: bytes, content_type: str) -> str:
    return decode_text(body, charset_of(body, content_type))


def _form(rule: BodyRule, query: Query, *, loose: bool) -> dict[str, object]:
    """The members of a form; those that are not described are texts, or lists of texts."""
    shape = rule.shape
    found: dict[str, object] = {}
    for name, inner in shape.members.items():
        value = _member(
            name, inner, rule.encodings.get(name), query, frozenset(shape.members), loose
        )
        if value is not MISSING:
            found[name] = value
    for name in query.by_name.keys() - _consumed(rule):
        if not _is_inside(name, rule):
            texts = [unquote_plus(text) for text in query.by_name[name]]
            found[name] = _several(texts, shape.others or shape.member(name), loose=loose)
    return found


def _member(
    name: str,
    shape: Shape,
    encoding: Encoding | None,
    query: Query,
    claimed: frozenset[str],
    loose: bool,  # noqa: FBT001
) -> object:
    if encoding is None or encoding.style is None:
        return form_value(name, shape, query, loose=loose)
    parameter = Parameter(
        name=name,
        location="query",
        required=False,
        schema=True,
        pointer="",
        schema_pointer="",
        style=encoding.style,
        explode=encoding.explode,
        nested=encoding.nested,
    )
    return query_value(parameter, shape, query, claimed, loose=loose)


def _consumed(rule: BodyRule) -> frozenset[str]:
    """The names that described members may go by."""
    inner = {
        key
        for name, shape in rule.shape.members.items()
        if (encoding := rule.encodings.get(name)) and encoding.style == "form" and encoding.explode
        for key in shape.members
    }
    return frozenset(rule.shape.members) | inner


def _is_inside(name: str, rule: BodyRule) -> bool:
    """Whether it is `a[b]` of a described member."""
    return "[" in name and name.partition("[")[0] in rule.shape.members


def _several(texts: list[str], shape: Shape, *, loose: bool) -> object:
    if len(texts) == 1:
        return typed(texts[0], shape, loose=loose)
    return [typed(text, shape.item(), loose=loose) for text in texts]


def _multipart(rule: BodyRule, body: bytes, content_type: str) -> ReadBody:
    """The fields of a multipart form; of its files only that they are there."""
    parts = split_form(body, content_type)
    names = {part.name for part in parts}
    faults = [_fault(name, REQUIRED) for name in rule.required if name not in names]
    if rule.closed:
        unknown = sorted(names - rule.shape.members.keys())
        faults += [_fault(name, "is not known here") for name in unknown[:MAX_FAULTS]]
    strict, loose = (_fields(rule, parts, loose=way) for way in (False, True))
    return ReadBody(value=strict, other=loose, faults=tuple(faults))


def _fault(name: str, message: str) -> Fault:
    return Fault(pointer=pointer_of(["body", name]), message=message)


def _fields(rule: BodyRule, parts: tuple[FormPart, ...], *, loose: bool) -> dict[str, object]:
    found: dict[str, list[object]] = {}
    files = {part.name for part in parts if part.is_file}
    for part in parts:
        shape = rule.shape.members.get(part.name)
        encoding = rule.encodings.get(part.name)
        if part.name in files or shape is None or (encoding and encoding.style):
            continue
        inner = shape.item() if shape.admits("array") and not shape.admits("string") else shape
        found.setdefault(part.name, []).append(_part_value(part, inner, loose=loose))
    return dict(_listed(rule, found))


def _part_value(part: FormPart, shape: Shape, *, loose: bool) -> object:
    text = _text(part.data, part.media_type)
    if part.media_type and is_json(part.media_type):
        loaded = loads(text)
        return text if loaded is None else loaded.value
    return typed(text, shape, loose=loose)


def _listed(rule: BodyRule, found: Mapping[str, list[object]]) -> Iterator[tuple[str, object]]:
    for name, values in found.items():
        shape = rule.shape.members[name]
        is_list = shape.admits("array") and not shape.admits("string")
        # A part of JSON may be the whole list.
        whole = len(values) == 1 and isinstance(values[0], list)
        yield name, values if (is_list and not whole) or len(values) > 1 else values[0]
