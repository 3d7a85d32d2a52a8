"""From a request's method and path to the operation it means, in O(length of the path)."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from urllib.parse import unquote

from gateway.catalog.tool import Tool
from gateway.errors import MethodNotAllowed, UnknownOperation
from gateway.openapi.parameters import PLACEHOLDER


@dataclass(slots=True)
class _Branch:
    """The routes that share their first segments."""

    literal: dict[str, "_Branch"] = field(default_factory=dict)
    mixed: list[tuple[str, re.Pattern[str], "_Branch"]] = field(default_factory=list)
    any: "_Branch | None" = None
    tools: dict[str, Tool] = field(default_factory=dict)


class Routes:
    """The paths of one API. A literal segment wins over a placeholder (OpenAPI 3.1, 4.8.8.1)."""

    def __init__(self, tools: Iterable[Tool]) -> None:
        self._root = _Branch()
        for tool in sorted(tools, key=lambda t: (t.path, t.method)):
            branch = self._root
            for segment in route_path(tool.path).split("/")[1:]:
                branch = _descend(branch, segment)
            branch.tools.setdefault(tool.method, tool)

    def match(self, method: str, path: str) -> Tool:
        """The tool that `method` on `path` (raw, no query) means.

        HEAD goes wherever GET does and OPTIONS to any known path. Raises UnknownOperation, or
        MethodNotAllowed with what the path does take.
        """
        segments = [unquote(segment) for segment in path.split("/")[1:]]
        found = list(_candidates(self._root, segments))
        for branch in found:
            if tool := branch.tools.get(method) or _stand_in(method, branch):
                return tool
        if not found:
            raise UnknownOperation(f"no operation has this path: {path[:200]}")
        allowed = {m for branch in found for m in branch.tools} | {"OPTIONS"}
        if "GET" in allowed:
            allowed.add("HEAD")
        raise MethodNotAllowed(f"{method} is not described here", allowed=tuple(sorted(allowed)))


def route_path(path: str) -> str:
    """The part of a path template that a request's path is compared with."""
    return re.split(r"[?#]", path, maxsplit=1)[0]


def _stand_in(method: str, branch: _Branch) -> Tool | None:
    if method == "HEAD":
        return branch.tools.get("GET")
    if method == "OPTIONS":
        return next(iter(branch.tools.values()), None)
    return None


def _descend(branch: _Branch, segment: str) -> _Branch:
    if "{" not in segment:
        return branch.literal.setdefault(unquote(segment), _Branch())
    if PLACEHOLDER.fullmatch(segment):
        branch.any = branch.any or _Branch()
        return branch.any
    for known, _, child in branch.mixed:
        if known == segment:
            return child
    literals = PLACEHOLDER.split(segment)[::2]
    pattern = re.compile("(.+)".join(re.escape(unquote(text)) for text in literals), re.DOTALL)
    child = _Branch()
    branch.mixed.append((segment, pattern, child))
    return child


def _candidates(branch: _Branch, segments: Sequence[str]) -> Iterator[_Branch]:
    """The ends of all matching routes, the most literal first."""
    if not segments:
        if branch.tools:
            yield branch
        return
    segment, rest = segments[0], segments[1:]
    if (child := branch.literal.get(segment)) is not None:
        yield from _candidates(child, rest)
    for _, pattern, child in branch.mixed:
        if pattern.fullmatch(segment):
            yield from _candidates(child, rest)
    if branch.any is not None and segment:
        yield from _candidates(branch.any, rest)
