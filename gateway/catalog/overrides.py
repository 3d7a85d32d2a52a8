"""What the configuration sets of tools, held against what the description has (docs/selection.md).

A description may change under a configuration that fitted once, so nothing here is fatal: a setting
without a tool is reported, a name that cannot be given is not given, and a tool whose fixed
arguments cannot be sent is left out, because a call without them would be another call.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from difflib import get_close_matches

import jsonschema_rs

from gateway.catalog.arguments import BodyMode
from gateway.catalog.naming import prefixed
from gateway.catalog.parameter_headers import header_faults
from gateway.catalog.selection import ToolOverride, check_overrides
from gateway.catalog.tool import Tool
from gateway.errors import Fault
from gateway.openapi import join


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """The overrides that can be used, by generated name, and what is wrong with the others."""

    overrides: Mapping[str, ToolOverride]
    faults: tuple[Fault, ...]


def settle_overrides(
    api: str, names: Iterable[str], overrides: Mapping[str, ToolOverride]
) -> Settled:
    """`overrides` for an API whose operations have these generated `names`, chosen or not."""
    known = frozenset(names)
    faults = (*check_overrides(known, overrides), *_prefixed_names(api, known, overrides))
    at = {fault.pointer for fault in faults}
    return Settled(
        overrides={
            tool: replace(override, name=None) if f"{join('', tool)}/name" in at else override
            for tool, override in overrides.items()
            if tool in known
        },
        faults=faults,
    )


def _prefixed_names(
    api: str, known: frozenset[str], overrides: Mapping[str, ToolOverride]
) -> Iterator[Fault]:
    """Given names that mean another tool of the API already, prefixed with the API's name."""
    given = {override.name: tool for tool, override in overrides.items() if override.name}
    for name in sorted(known) if given else ():
        tool = given.get(prefixed(api, name), name)
        if tool != name and prefixed(api, name) not in known:
            at = f"{join('', tool)}/name"
            yield Fault(pointer=at, message=f"{prefixed(api, name)!r} means {name} already")


def fixed_faults(tool: Tool) -> tuple[Fault, ...]:
    """What keeps the arguments that the configuration fixes from being sent."""
    return tuple(_fixed_faults(tool)) if tool.override.set else ()


def body_faults(tool: Tool) -> tuple[Fault, ...]:
    """Where the body is not as the configuration wants it; calls work all the same."""
    wanted = tool.override.arguments
    mode = tool.arguments.body_mode
    if wanted is None or (wanted == "body" and mode is BodyMode.WHOLE):
        return ()
    reason = ""
    if mode is BodyMode.NONE:
        reason = "the operation has no body"
    elif wanted == "flat" and mode is BodyMode.WHOLE:
        reason = "separate arguments cannot say what this body can; it stays one argument"
    return (Fault(pointer=f"{join('', tool.name)}/arguments", message=reason),) if reason else ()


def parameter_faults(tool: Tool) -> tuple[Fault, ...]:
    """Headers that cannot repeat their arguments; the tool does without them."""
    at = f"{join('', tool.name)}/mcp_headers"
    wanted = tool.override.mcp_headers
    found = header_faults(wanted, tool.open_properties) if wanted else ()
    return tuple(Fault(pointer=join(at, argument), message=reason) for argument, reason in found)


def _fixed_faults(tool: Tool) -> Iterator[Fault]:
    whole = tool.whole_schema
    properties = whole.get("properties")
    known = properties if isinstance(properties, dict) else {}
    for name, value in tool.override.set.items():
        at = join(f"{join('', tool.name)}/set", name)
        if name not in known:
            close = get_close_matches(name, sorted(known), n=1)
            hint = f"; did you mean {close[0]}?" if close else ""
            yield Fault(pointer=at, message=f"there is no argument of this name{hint}")
        elif reason := _misfit(value, {"$defs": whole.get("$defs", {}), "allOf": [known[name]]}):
            yield Fault(pointer=at, message=reason)


def _misfit(value: object, schema: dict[str, object]) -> str | None:
    """Why `value` is none that the schema of its argument admits."""
    try:
        validator = jsonschema_rs.Draft202012Validator(schema, mask="the value", offline=True)
        error = next(iter(validator.iter_errors(value)), None)
    except ValueError:
        return "the argument's schema cannot be used"
    return None if error is None else error.message[:200]
