"""From a request's method and path to the operation it means.

The work is bounded by the length of the path and the number of templates that its start fits.
"""

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
    mixed: dict[tuple[str, ...], "_Branch"] = field(default_factory=dict)
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
    if PLACEHOLDER.search(segment) is None:
        return branch.literal.setdefault(unquote(segment), _Branch())
    if PLACEHOLDER.fullmatch(segment):
        branch.any = branch.any or _Branch()
        return branch.any
    literals = tuple(unquote(text) for text in PLACEHOLDER.split(segment)[::2])
    return branch.mixed.setdefault(literals, _Branch())


def _fits(literals: Sequence[str], segment: str) -> bool:
    """Whether `segment` is the literals with something in each gap.

    The leftmost place for each is as good as any other: no backtracking, whatever is sent.
    """
    first, *middle, last = literals
    if not segment.startswith(first):
        return False
    at = len(first)
    for text in middle:
        at = segment.find(text, at + 1)
        if at < 0:
            return False
        at += len(text)
    return segment.endswith(last) and at < len(segment) - len(last)


def _candidates(root: _Branch, segments: Sequence[str]) -> Iterator[_Branch]:
    """The ends of all matching routes, the most literal first."""
    todo = [(root, 0)]
    while todo:
        branch, index = todo.pop()
        if index == len(segments):
            if branch.tools:
                yield branch
            continue
        todo.extend((child, index + 1) for child in reversed(_next(branch, segments[index])))


def _next(branch: _Branch, segment: str) -> list[_Branch]:
    found = [child for literals, child in branch.mixed.items() if _fits(literals, segment)]
    if (child := branch.literal.get(segment)) is not None:
        found.insert(0, child)
    if branch.any is not None and segment:
        found.append(branch.any)
    return found
