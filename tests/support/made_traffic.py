"""Messages made of a description: right ones, and each with something wrong in it."""

import json
import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from gateway.calls import build_request
from gateway.catalog import Tool, answer_media
from gateway.errors import GatewayError
from gateway.messages import Headers, RequestHead
from gateway.openapi import Convert, Direction, UnresolvedRef

Json = Mapping[str, object]
MAX_LEVELS = 5
_TEXTS = {
    "date-time": "2026-01-02T03:04:05Z",
    "date": "2026-01-02",
    "time": "03:04:05Z",
    "uuid": "12345678-1234-1234-1234-123456789abc",
    "email": "a@example.com",
    "uri": "https://example.com/a",
    "url": "https://example.com/a",
    "ipv4": "192.0.2.1",
    "byte": "YWJj",
    "hostname": "example.com",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """`wrong` names what was done to a right message; empty for a right one."""

    head: RequestHead
    body: bytes | None
    wrong: str = ""


class Unmakeable(Exception):
    """No value of this schema is made here."""


def make_value(schema: object, defs: Json, dice: random.Random, levels: int = MAX_LEVELS) -> object:
    """Some value of a converted schema. Raises Unmakeable."""
    if not isinstance(schema, Mapping):
        return "a"
    if schema.get("not") == {} or levels < 0 or "pattern" in schema:
        raise Unmakeable
    if isinstance(ref := schema.get("$ref"), str):
        return make_value(defs[ref.removeprefix("#/$defs/")], defs, dice, levels - 1)
    if isinstance(values := schema.get("enum"), list):
        return dice.choice(values)
    return _composed(schema, defs, dice, levels)


def _composed(schema: Json, defs: Json, dice: random.Random, levels: int) -> object:
    for forms in ("anyOf", "oneOf"):
        if isinstance(parts := schema.get(forms), list):
            return make_value(parts[0], defs, dice, levels - 1)
    if isinstance(parts := schema.get("allOf"), list):
        made = [make_value(part, defs, dice, levels - 1) for part in parts]
        if len(made) == 1:
            return made[0]
        return {k: v for part in made if isinstance(part, dict) for k, v in part.items()}
    return _typed(schema, defs, dice, levels)


def _typed(schema: Json, defs: Json, dice: random.Random, levels: int) -> object:
    given = schema.get("type", "object" if "properties" in schema else "string")
    kind = given[0] if isinstance(given, list) else given
    if kind == "object":
        return _object(schema, defs, dice, levels)
    if kind == "array":
        least = max(1, int(str(schema.get("minItems", 1))))
        if least > 3:
            raise Unmakeable
        return [make_value(schema.get("items", {}), defs, dice, levels - 1) for _ in range(least)]
    if kind in ("integer", "number"):
        lowest = float(str(schema.get("minimum", schema.get("exclusiveMinimum", 0))))
        highest = float(str(schema.get("maximum", lowest + 5)))
        return int(min(highest, lowest + 1))
    if kind == "boolean":
        return dice.choice([True, False])
    if kind == "null":
        return None
    return _text(schema)


def _text(schema: Json) -> str:
    made = _TEXTS.get(str(schema.get("format")), "abc")
    least, most = int(str(schema.get("minLength", 0))), int(str(schema.get("maxLength", 99)))
    if made == "abc":
        return made.ljust(least, "x")[:most]
    if not least <= len(made) <= most:
        raise Unmakeable
    return made


def _object(schema: Json, defs: Json, dice: random.Random, levels: int) -> dict[str, object]:
    properties = schema.get("properties", {})
    required = schema.get("required", [])
    assert isinstance(properties, Mapping)
    assert isinstance(required, list)
    made: dict[str, object] = {}
    for name, part in properties.items():
        if name in required or (levels > 2 and dice.random() < 0.4):
            try:
                made[name] = make_value(part, defs, dice, levels - 1)
            except Unmakeable:
                if name in required:
                    raise
    if set(required) - properties.keys():
        raise Unmakeable
    return made


def made_requests(tool: Tool, dice: random.Random) -> Iterator[Made]:
    """A right request of an operation, then wrong ones; nothing where none can be made."""
    schema = tool.input_schema
    defs = schema.get("$defs", {})
    assert isinstance(defs, dict)
    try:
        arguments = make_value(schema, defs, dice)
        assert isinstance(arguments, dict)
        request = build_request(tool, arguments)
    except (Unmakeable, GatewayError):
        return
    assert request.body is None or isinstance(request.body, bytes)
    right = Made(head=request.head, body=request.body)
    yield right
    yield from _wrong_heads(right, dice)
    yield from _wrong_bodies(right, dice)


def _wrong_heads(right: Made, dice: random.Random) -> Iterator[Made]:
    path, mark, query = right.head.target.partition("?")
    pairs = query.split("&") if mark else []
    if pairs:
        at = dice.randrange(len(pairs))
        name = pairs[at].partition("=")[0]
        for text, what in ((f"{name}=%21x", "query value"), ("", "query pair left out")):
            changed = [*pairs[:at], *([text] if text else []), *pairs[at + 1 :]]
            target = path + ("?" + "&".join(changed) if changed else "")
            yield replace(right, head=replace(right.head, target=target), wrong=what)
    last = path.rpartition("/")[0] + "/%21x"
    yield replace(right, head=replace(right.head, target=f"{last}{mark}{query}"), wrong="path")


def _wrong_bodies(right: Made, dice: random.Random) -> Iterator[Made]:
    if right.body is None:
        return
    headers = [pair for pair in right.head.headers if pair[0] != "Content-Type"]
    bare = replace(right.head, headers=tuple(headers))
    other = replace(bare, headers=(*headers, ("Content-Type", "application/x-unknown")))
    yield replace(right, head=other, wrong="content type")
    yield replace(right, head=bare, body=None, wrong="body left out")
    if dict(right.head.headers)["Content-Type"] == "application/json":
        for value, what in wrong_values(json.loads(right.body), dice):
            yield replace(right, body=json.dumps(value).encode(), wrong=what)


def wrong_values(value: object, dice: random.Random) -> Iterator[tuple[object, str]]:
    """The value with another type somewhere, without one of its members, and as something else."""
    if isinstance(value, dict) and value:
        name = dice.choice(sorted(value))
        inner = value[name]
        yield {k: v for k, v in value.items() if k != name}, f"without {name}"
        yield {**value, name: [[inner]]}, f"another type of {name}"
        if isinstance(inner, dict) and inner:
            for changed, what in wrong_values(inner, dice):
                yield {**value, name: changed}, f"{what} in {name}"
    yield [value, 1.5, None], "a list"


def made_answers(tool: Tool, dice: random.Random) -> Iterator[tuple[int, Headers, bytes, str]]:
    """Right and wrong answers with JSON, for statuses 200 and 404."""
    for status in (200, 404):
        try:
            media = dict(answer_media(tool.operation, tool.schemas, status))
            node = media["application/json"].child("schema")
            assert node is not None
            value = make_answer(tool, node.value, node.pointer, dice)
        except (KeyError, AssertionError, Unmakeable, UnresolvedRef):
            continue
        headers: Headers = (("Content-Type", "application/json"),)
        yield status, headers, json.dumps(value).encode(), ""
        for wrong, what in wrong_values(value, dice):
            yield status, headers, json.dumps(wrong).encode(), what
        yield status, (("Content-Type", "text/csv"),), b"a", "content type"


def make_answer(tool: Tool, schema: object, pointer: str, dice: random.Random) -> object:
    assert isinstance(schema, dict)
    tool.schemas.check(schema, pointer)

    def build(convert: Convert) -> dict[str, object]:
        made = convert(schema, pointer)
        return made if isinstance(made, dict) else {}

    bundled = tool.schemas.bundle(build, Direction.OUTPUT)
    defs = bundled.get("$defs", {})
    assert isinstance(defs, dict)
    return make_value(bundled, defs, dice, 9)
