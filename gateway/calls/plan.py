"""What can be known of a tool's requests without the arguments, worked out once per tool."""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote
from weakref import WeakKeyDictionary

from gateway.calls.bodies import BodyPlan, plan_body
from gateway.calls.validation import ArgumentValidator
from gateway.catalog import Argument, Tool, success_media
from gateway.openapi import PLACEHOLDER, UnresolvedRef, is_json

Parts = tuple[str | Argument, ...]

# A template's literals may hold characters that a request target must not (RFC 9112 section 3.2).
_PATH_LITERALS = "/%-._~!$&'()*+,;=:@"
_QUERY_LITERALS = f"{_PATH_LITERALS}?"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What one tool's requests have in common.

    `path` alternates literal text and arguments, and so does `query`, which is what a template has
    after its `?`. `names` are those of the arguments that callers may give, `fixed` are the values
    of the others.
    """

    validator: ArgumentValidator
    names: frozenset[str]
    fixed: Mapping[str, object]
    path: Parts
    query: Parts
    accept: str
    by_location: Mapping[str, tuple[Argument, ...]]
    body: BodyPlan | None


_PLANS: WeakKeyDictionary[Tool, Plan] = WeakKeyDictionary()


def plan_of(tool: Tool) -> Plan:
    """The tool's plan. Raises DescriptionError when its schema is unusable."""
    plan = _PLANS.get(tool)
    if plan is None:
        plan = _PLANS[tool] = _make_plan(tool)
    return plan


def _make_plan(tool: Tool) -> Plan:
    items = tool.arguments.items
    by_location = {
        place: tuple(a for a in items if a.location == place)
        for place in ("path", "query", "header", "cookie")
    }
    path, _, query = tool.path.partition("#")[0].partition("?")
    in_path = {a.original: a for a in by_location["path"]}
    return Plan(
        validator=ArgumentValidator(tool.input_schema),
        names=frozenset(a.name for a in tool.open_arguments),
        fixed=tool.override.set,
        path=_parts(path, in_path, _PATH_LITERALS),
        query=_parts(query, in_path, _QUERY_LITERALS),
        accept=_accept(tool),
        by_location=by_location,
        body=plan_body(tool),
    )


def _parts(template: str, arguments: Mapping[str, Argument], literals: str) -> Parts:
    """The template, split once: a value is never searched for placeholders again."""
    parts: list[str | Argument] = []
    for index, piece in enumerate(PLACEHOLDER.split(template)):
        if index % 2:
            parts.append(arguments[piece])
        elif piece:
            parts.append(quote(piece, safe=literals))
    return tuple(parts)


def _accept(tool: Tool) -> str:
    """The media types of the described successes, JSON first, then anything."""
    try:
        described = [media for media, _ in success_media(tool.operation, tool.schemas)]
    except UnresolvedRef:
        described = []
    usable = [m for m in dict.fromkeys(described) if m.isascii() and m.isprintable() and "/" in m]
    ordered = sorted((m for m in usable if m != "*/*"), key=lambda m: not is_json(m))
    return ", ".join([*ordered[:8], "*/*;q=0.1"]) if ordered else "*/*"
