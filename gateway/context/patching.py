"""What a caller may set of its context, as a JSON Merge Patch (RFC 7396)."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import islice

import jsonschema_rs

from gateway.context.model import (
    ID_RULE,
    MAX_RECENT_CHANGES,
    SPEC_NAME,
    AgentContext,
    is_agent_type,
    is_header_id,
    later,
)
from gateway.errors import Fault, InvalidArguments

MAX_MEMBER = 65_536
"""Characters of one member, all its texts together: enough for a long summary."""
MAX_SPECS = 1_000
"""Names that the `api_specs` of one patch may have."""
MAX_FAULTS = 100

_TEXTS: Mapping[str, str] = {
    # The short names are those of the headers; the others the context object's own, so that what
    # was read can be written back.
    "goal": "current_goal",
    "summary": "context_summary",
    "current_goal": "current_goal",
    "context_summary": "context_summary",
    "error_context": "error_context",
    "current_file": "current_file",
    "user": "user",
    "workspace": "workspace",
}
PATCHABLE = (*_TEXTS, "recent_changes", "api_specs")
"""The members that a patch may have."""
_DRAFTED = ("context_id", "agent_type")
_MOST_MEMBERS = len(PATCHABLE) + len(_DRAFTED)

_TOO_LONG = f"takes more than {MAX_MEMBER} characters"
_SURROGATE = re.compile("[\ud800-\udfff]")
_SPEC_NAME = re.compile(SPEC_NAME)
_URI = jsonschema_rs.Draft7Validator(
    {"type": "string", "format": "uri"}, validate_formats=True, ignore_unknown_formats=False
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ContextPatch:
    """A checked patch: members of AgentContext, None erases, what is absent stays.

    `api_specs` are merged name by name, after all are dropped where `drops_specs` says so.
    """

    texts: Mapping[str, str | None] = field(default_factory=dict)
    recent_changes: tuple[str, ...] | None = None
    api_specs: Mapping[str, str | None] = field(default_factory=dict)
    drops_specs: bool = False

    def apply_to(self, context: AgentContext, moment: str) -> AgentContext:
        """The patched context. Raises InvalidArguments when its `api_specs` outgrow MAX_MEMBER."""
        texts, recent = self.texts, self.recent_changes
        return replace(
            context,
            current_goal=texts.get("current_goal", context.current_goal),
            context_summary=texts.get("context_summary", context.context_summary),
            error_context=texts.get("error_context", context.error_context),
            current_file=texts.get("current_file", context.current_file),
            user=texts.get("user", context.user),
            workspace=texts.get("workspace", context.workspace),
            recent_changes=context.recent_changes if recent is None else recent,
            api_specs=self._specs(context.api_specs),
            # Replicas' clocks differ: the newest moment stays.
            last_updated=later(context.last_updated, moment),
        )

    def _specs(self, now: Mapping[str, str]) -> Mapping[str, str]:
        wanted = {**({} if self.drops_specs else now), **self.api_specs}
        specs = {name: uri for name, uri in wanted.items() if uri is not None}
        if self.api_specs and sum(len(n) + len(u) for n, u in specs.items()) > MAX_MEMBER:
            raise InvalidArguments(Fault(pointer="/api_specs", message=_TOO_LONG))
        return specs


@dataclass(frozen=True, slots=True, kw_only=True)
class ContextDraft:
    """What a new context is to be; None leaves the choice to the gateway."""

    context_id: str | None = None
    agent_type: str | None = None
    patch: ContextPatch = field(default_factory=ContextPatch)


def read_patch(value: object) -> ContextPatch:
    """The patch that a JSON value is. Raises InvalidArguments with every fault, MAX_FAULTS most."""
    faults: list[Fault] = []
    patch = _patch(_members(value), faults)
    _refuse(faults)
    return patch


def read_draft(value: object) -> ContextDraft:
    """A patch that may have `context_id` and `agent_type` besides. Raises InvalidArguments."""
    faults: list[Fault] = []
    members = dict(_members(value))
    context_id, agent_type = (members.pop(name, None) for name in _DRAFTED)
    if context_id is not None and not (isinstance(context_id, str) and is_header_id(context_id)):
        message = f"is no text of {ID_RULE}"
        faults.append(Fault(pointer="/context_id", message=message))
    if agent_type is not None and not (isinstance(agent_type, str) and is_agent_type(agent_type)):
        message = "is no text of 1 to 128 letters, digits and _.-"
        faults.append(Fault(pointer="/agent_type", message=message))
    patch = _patch(members, faults)
    _refuse(faults)
    return ContextDraft(
        context_id=context_id if isinstance(context_id, str) else None,
        agent_type=agent_type if isinstance(agent_type, str) else None,
        patch=patch,
    )


def _members(value: object) -> Mapping[str, object]:
    if not isinstance(value, dict):
        raise InvalidArguments(Fault(pointer="", message="is no JSON object"))
    # A million unknown members are not worth a look at each.
    if len(value) > _MOST_MEMBERS:
        message = f"has more than {_MOST_MEMBERS} members; there are {', '.join(PATCHABLE)}"
        raise InvalidArguments(Fault(pointer="", message=message))
    return value


def _refuse(faults: list[Fault]) -> None:
    if faults:
        raise InvalidArguments(*faults[:MAX_FAULTS])


def _patch(members: Mapping[str, object], faults: list[Fault]) -> ContextPatch:
    texts: dict[str, str | None] = {}
    changes: tuple[str, ...] | None = None
    specs: dict[str, str | None] = {}
    for name, value in members.items():
        found = [
            Fault(pointer=f"{_pointer(name)}{at}", message=message)
            for at, message in islice(_faults(name, value), MAX_FAULTS)
        ]
        faults += found
        if found:
            continue
        if name in _TEXTS:
            texts[_TEXTS[name]] = None if value is None else str(value)
        elif isinstance(value, dict):
            specs = value
        elif name == "recent_changes":
            changes = tuple(value) if isinstance(value, list) else ()
    faults += _named_twice(members)
    drops = "api_specs" in members and members["api_specs"] is None
    return ContextPatch(texts=texts, recent_changes=changes, api_specs=specs, drops_specs=drops)


def _named_twice(members: Mapping[str, object]) -> Iterator[Fault]:
    for name in members.keys() & _TEXTS.keys():
        own = _TEXTS[name]
        if name != own and own in members:
            yield Fault(pointer=_pointer(name), message=f"is there as {own}, too")


def _faults(name: str, value: object) -> Iterator[tuple[str, str]]:
    """What is wrong with a member: where below it, and what."""
    if name not in PATCHABLE:
        yield "", "cannot be set; there are " + ", ".join(PATCHABLE)
    elif value is None:
        return
    elif name == "recent_changes":
        yield from _change_faults(value)
    elif name == "api_specs":
        yield from _spec_faults(value)
    elif reason := _text_fault(value):
        yield "", reason


def _change_faults(value: object) -> Iterator[tuple[str, str]]:
    if not isinstance(value, list):
        yield "", "is neither an array nor null"
    elif len(value) > MAX_RECENT_CHANGES:
        yield "", f"has more than {MAX_RECENT_CHANGES} items"
    else:
        reasons = [_text_fault(item) for item in value]
        yield from ((f"/{at}", reason) for at, reason in enumerate(reasons) if reason)
        if not any(reasons) and sum(map(len, value)) > MAX_MEMBER:
            yield "", _TOO_LONG


def _spec_faults(value: object) -> Iterator[tuple[str, str]]:
    if not isinstance(value, dict):
        yield "", "is neither an object nor null"
        return
    if excess := _specs_excess(value):
        yield "", excess
        return
    for name, uri in value.items():
        if not _SPEC_NAME.fullmatch(name):
            yield _pointer(name), "has a name with other than letters, digits, _ and -"
        elif uri is None:
            continue
        elif reason := _text_fault(uri):
            yield _pointer(name), reason
        elif not _URI.is_valid(uri):
            yield _pointer(name), "is no absolute URI"


def _specs_excess(specs: Mapping[str, object]) -> str | None:
    """What is too much of them, told before any is looked at: to judge a URI takes its time."""
    if len(specs) > MAX_SPECS:
        return f"has more than {MAX_SPECS} names"
    total = sum(len(n) + (len(u) if isinstance(u, str) else 0) for n, u in specs.items())
    return _TOO_LONG if total > MAX_MEMBER else None


def _text_fault(value: object) -> str | None:
    if not isinstance(value, str):
        return "is no text"
    if len(value) > MAX_MEMBER:
        return _TOO_LONG
    return "has half of a surrogate pair" if _SURROGATE.search(value) else None


def _pointer(name: str) -> str:
    """One token of a JSON Pointer (RFC 6901), cut where it is no member's by far."""
    return "/" + name[:200].replace("~", "~0").replace("/", "~1")
