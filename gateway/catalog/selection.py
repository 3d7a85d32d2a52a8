"""Which operations are published, and what the configuration sets of a tool (docs/selection.md)."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import lru_cache
from typing import Literal, Protocol

import jsonschema_rs

from gateway.catalog.naming import RESERVED
from gateway.errors import Fault
from gateway.openapi import join

_TOOL_NAME = re.compile(r"[a-zA-Z][a-zA-Z0-9_-]{0,63}")
# `/**` at the end also stands for the path before it; elsewhere `**` is anything, `*` one segment.
_WILDCARD = re.compile(r"/\*{2,}$|\*+|\?")


class Selectable(Protocol):
    """What a Rule looks at: an Operation, or a Signature with its tags."""

    @property
    def method(self) -> str: ...
    @property
    def path(self) -> str: ...
    @property
    def operation_id(self) -> str | None: ...
    @property
    def tags(self) -> tuple[str, ...]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """Operations that have all of what is given. `path` and `operation_id` are globs.

    A rule that gives nothing names no operation.
    """

    method: str | None = None
    path: str | None = None
    tag: str | None = None
    operation_id: str | None = None

    def matches(self, operation: Selectable) -> bool:
        """Whether `operation` is one that this rule names."""
        answers = [
            wanted
            for wanted in (
                self.method and self.method.upper() == operation.method,
                self.path and matches_glob(self.path, operation.path),
                self.tag and self.tag in operation.tags,
                self.operation_id and matches_glob(self.operation_id, operation.operation_id or ""),
            )
            if wanted is not None
        ]
        return bool(answers) and all(answers)


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """`include` first (empty: everything), then `exclude`, which wins."""

    include: tuple[Rule, ...] = ()
    exclude: tuple[Rule, ...] = ()

    @property
    def takes_all(self) -> bool:
        """Whether it says nothing at all."""
        return not self.include and not self.exclude

    def takes(self, operation: Selectable) -> bool:
        """Whether `operation` stays. Names are given before, to all."""
        included = not self.include or any(rule.matches(operation) for rule in self.include)
        return included and not any(rule.matches(operation) for rule in self.exclude)

    def idle_rules(self, operations: Iterable[Selectable]) -> tuple[Fault, ...]:
        """Rules that name no operation, which is probably not meant."""
        known = tuple(operations)
        return tuple(
            Fault(pointer=f"/{name}/{index}", message="matches no operation")
            for name, rules in (("include", self.include), ("exclude", self.exclude))
            for index, rule in enumerate(rules)
            if not any(rule.matches(operation) for operation in known)
        )


def matches_glob(glob: str, text: str) -> bool:
    """Whether `glob` describes the whole of `text`, upper and lower case told apart.

    `*` is any run of characters without `/`, `**` any run, `?` one character but `/`; `/**` at the
    end is also nothing. Everything else, braces and brackets included, is itself.
    """
    return _compiled(_encodable(glob)).is_valid(_encodable(text))


def _encodable(text: str) -> str:
    """Lone surrogates, which JSON can spell, written out: the engine reads UTF-8."""
    return text if text.isascii() else text.encode(errors="backslashreplace").decode()


@lru_cache(maxsize=1024)
def _compiled(glob: str) -> jsonschema_rs.Draft202012Validator:
    # The compiled engine takes linear time; a description's paths may be long, on purpose.
    parts: list[str] = []
    end = 0
    for match in _WILDCARD.finditer(glob):
        parts += [re.escape(glob[end : match.start()]), _meaning(match[0])]
        end = match.end()
    pattern = f"(?s)^{''.join(parts)}{re.escape(glob[end:])}$"
    return jsonschema_rs.Draft202012Validator(
        {"pattern": pattern}, pattern_options=jsonschema_rs.RegexOptions(), offline=True
    )


def _meaning(wildcard: str) -> str:
    if wildcard.startswith("/"):
        return "(?:/.*)?"
    return {"?": "[^/]", "*": "[^/]*"}.get(wildcard, ".*")


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolOverride:
    """What the configuration says about one tool; None and empty: as the description says.

    `set` fixes arguments and hides them; `select` is a JMESPath for results; `confirm` asks the
    user before each call; `mcp_headers` maps arguments to names of `Mcp-Param-*` headers.
    """

    name: str | None = None
    description: str | None = None
    hidden: bool = False
    timeout_seconds: float | None = None
    select: str | None = None
    confirm: bool | None = None
    set: Mapping[str, object] = field(default_factory=dict)
    arguments: Literal["flat", "body"] | None = None
    mcp_headers: Mapping[str, str] = field(default_factory=dict)


NO_OVERRIDE = ToolOverride()


def check_overrides(
    tools: Iterable[str], overrides: Mapping[str, ToolOverride]
) -> tuple[Fault, ...]:
    """What is wrong with the overrides of one API, by pointer into them.

    `tools` are the generated names of all its tools, those left out by a Selection included.
    """
    generated = frozenset(tools)
    given = Counter(o.name for o in overrides.values() if o.name is not None)
    return tuple(
        fault
        for tool, override in overrides.items()
        for fault in (
            *_unknown_tool(tool, generated),
            *_unusable_name(tool, override, generated, given),
        )
    )


def _unknown_tool(tool: str, generated: frozenset[str]) -> Iterator[Fault]:
    if tool not in generated:
        close = get_close_matches(tool, sorted(generated), n=1)
        hint = f"; did you mean {close[0]}?" if close else ""
        yield Fault(pointer=join("", tool), message=f"there is no tool of this name{hint}")


def _unusable_name(
    tool: str, override: ToolOverride, generated: frozenset[str], given: Counter[str]
) -> Iterator[Fault]:
    name = override.name
    if name is None:
        return
    reason = name_fault(name)
    # Calls are accepted under both names, so a renamed tool does not free its old one.
    if name in generated and name != tool:
        reason = "is another tool's generated name"
    elif given[name] > 1:
        reason = reason or "is given to more than one tool"
    if reason:
        yield Fault(pointer=f"{join('', tool)}/name", message=f"{name!r} {reason}")


def name_fault(name: str) -> str | None:
    """Why no tool can be given this name, wherever it is; None for one that can."""
    if not _TOOL_NAME.fullmatch(name):
        return f"is no tool name: it must match ^{_TOOL_NAME.pattern}$"
    return "is the name of a tool of the gateway's own" if name in RESERVED else None
