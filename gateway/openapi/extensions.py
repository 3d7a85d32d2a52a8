"""The `x-ocp-*` keys (OCP 1.0, Level 2): what an API says of the contexts that calls carry.

What breaks the protocol's constraints counts as absent, member by member, and costs nothing else;
only of a list that bounds something the words that are known still count. The objects are open.
`check_document` says where it happens.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TypeVar

from gateway.openapi.document import join
from gateway.openapi.hygiene import clean_text

Fault = tuple[str, str]
"""A JSON Pointer below the object that has the key, and what is wrong there."""
Constraint = Callable[[object], Iterator[Fault]]
Default = TypeVar("Default", frozenset[str], None)

CONTEXT = "x-ocp-context"
CONTEXT_AWARE = "x-ocp-context-aware"

# The protocol's words for what enhances an answer, and the context's members that they mean.
_ENHANCING: Mapping[str, str] = {
    "agent_goal": "current_goal",
    "workspace_context": "workspace",
    "conversation_history": "history",
    "current_file": "current_file",
    "recent_changes": "recent_changes",
    "error_context": "error_context",
    "session": "session",
}
_UPDATABLE = ("current_goal", "context_summary", "error_context", "recent_changes", "history")
# What the answers of an API may change that is aware of contexts and says no more about it.
_UPDATED_BY_AWARE_APIS = frozenset({"current_goal", "context_summary", "history"})

_VERSION = re.compile(r"[0-9]+\.[0-9]+")
_MEMBER = re.compile(r"[a-zA-Z][a-zA-Z0-9_]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class OcpSupport:
    """What the description's `info` declares; informative, but for `context_aware`."""

    enabled: bool = False
    context_aware: bool = False
    agent_types: tuple[str, ...] = ()
    version: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ContextUse:
    """What an operation does with a context, by the names of the context's members.

    `enhances_with` are those that it can use, None for all; `updates` those that its answers may
    change where the configuration goes by what is declared.
    """

    enhances_with: frozenset[str] | None = None
    updates: frozenset[str] = frozenset()
    requires_context: bool = False


NO_SUPPORT = OcpSupport()
NO_USE = ContextUse()


def read_support(root: Mapping[str, object]) -> OcpSupport:
    """What a description, by its root, says of the whole API."""
    info = root.get("info")
    if not isinstance(info, Mapping):
        return NO_SUPPORT
    types = _sound(info, "x-ocp-agent-types", INFO)
    version = _sound(info, "x-ocp-version", INFO)
    return OcpSupport(
        enabled=_sound(info, "x-ocp-enabled", INFO) is True,
        context_aware=_sound(info, CONTEXT_AWARE, INFO) is True,
        agent_types=tuple(map(clean_text, _texts(types) or ())),
        version=version if isinstance(version, str) else None,
    )


def read_context_use(operation: Mapping[str, object], *, aware: bool) -> ContextUse:
    """What an Operation Object says; `aware` is what its API declares of itself."""
    given = operation.get(CONTEXT)
    use = given if isinstance(given, Mapping) else {}
    if not use and not aware:
        return NO_USE
    usual = _UPDATED_BY_AWARE_APIS if aware else frozenset()
    return ContextUse(
        enhances_with=_bound(use, "enhances_with", _ENHANCING, default=None),
        updates=_bound(use, "updates_context", {word: word for word in _UPDATABLE}, default=usual),
        requires_context=_sound(use, "requires_context", _CONTEXT_MEMBERS) is True,
    )


def _bound(
    use: Mapping[str, object], key: str, words: Mapping[str, str], *, default: Default
) -> frozenset[str] | Default:
    """The members that the list `key` names; `default` only where there is no such key.

    Whoever writes one wants less than all: what cannot be read of it names nothing.
    """
    if key not in use:
        return default
    given = use[key]
    named = given if isinstance(given, list) else []
    return frozenset(words[word] for word in named if isinstance(word, str) and word in words)


def extension_faults(holder: object, constraints: Mapping[str, Constraint]) -> Iterator[Fault]:
    """What of an object's `constraints` does not hold, each with its pointer below the object."""
    if not isinstance(holder, Mapping):
        return
    for key, constraint in constraints.items():
        if key in holder:
            for below, message in constraint(holder[key]):
                yield f"{join('', key)}{below}", message


def _sound(holder: Mapping[str, object], key: str, constraints: Mapping[str, Constraint]) -> object:
    """The member `key`; None where it is absent or not as it has to be."""
    value = holder.get(key)
    return value if value is not None and not any(constraints[key](value)) else None


def _texts(value: object) -> tuple[str, ...] | None:
    return tuple(map(str, value)) if isinstance(value, list) else None


def _flag(value: object) -> Iterator[Fault]:
    if not isinstance(value, bool):
        yield "", "must be true or false"


def _version(value: object) -> Iterator[Fault]:
    if not isinstance(value, str) or not _VERSION.fullmatch(value):
        yield "", 'must be a text like "1.0"'


def _list_of(words: tuple[str, ...] | None) -> Constraint:
    """A list of texts, each of them one of `words` where there are some."""

    def check(value: object) -> Iterator[Fault]:
        if not isinstance(value, list):
            yield "", "must be a list of texts"
            return
        for index, item in enumerate(value):
            if not isinstance(item, str):
                yield f"/{index}", "must be a text"
            elif words is not None and item not in words:
                yield f"/{index}", f"must be one of {', '.join(words)}"

    return check


def _context(value: object) -> Iterator[Fault]:
    if isinstance(value, Mapping):
        yield from extension_faults(value, _CONTEXT_MEMBERS)
    else:
        yield "", "must be an object"


def _schemas(value: object) -> Iterator[Fault]:
    if not isinstance(value, Mapping):
        yield "", "must be an object"
        return
    for name, schema in value.items():
        if not _MEMBER.fullmatch(str(name)):
            yield join("", str(name)), "a member's name has letters, digits and _ only"
        elif not isinstance(schema, Mapping):
            yield join("", str(name)), "must be an object, a schema"


_CONTEXT_MEMBERS: Mapping[str, Constraint] = MappingProxyType(
    {
        "enhances_with": _list_of(tuple(_ENHANCING)),
        "updates_context": _list_of(_UPDATABLE),
        "requires_context": _flag,
    }
)
INFO: Mapping[str, Constraint] = MappingProxyType(
    {
        "x-ocp-enabled": _flag,
        CONTEXT_AWARE: _flag,
        "x-ocp-agent-types": _list_of(None),
        "x-ocp-version": _version,
    }
)
OPERATION: Mapping[str, Constraint] = MappingProxyType(
    {CONTEXT: _context, "x-ocp-enhanced-response": _schemas}
)
RESPONSE: Mapping[str, Constraint] = MappingProxyType({"x-ocp-context-updated": _flag})
