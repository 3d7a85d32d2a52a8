"""From a request's method and path to the operation it means.

The work is bounded by the length of the path and the number of templates that its start fits.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import takewhile
from urllib.parse import unquote

from gateway.catalog.tool import Tool
from gateway.errors import MethodNotAllowed, UnknownOperation
from gateway.openapi import PLACEHOLDER, Signature


@dataclass(slots=True)
class _Branch:
    """The routes that share their first segments.

    `closed` are the methods that are described here and reach nothing.
    """

    literal: dict[str, "_Branch"] = field(default_factory=dict)
    mixed: dict[tuple[str, ...], "_Branch"] = field(default_factory=dict)
    any: "_Branch | None" = None
    tools: dict[str, Tool] = field(default_factory=dict)
    closed: set[str] = field(default_factory=set)

    def meant(self, method: str) -> Tool | None:
        """HEAD is taken by whatever GET is, and OPTIONS by anything."""
        if method in self.closed:
            return None
        if tool := self.tools.get(method):
            return tool
        if method == "HEAD":
            return self.tools.get("GET")
        return next(iter(self.tools.values()), None) if method == "OPTIONS" else None

    def keeps(self, method: str) -> bool:
        """Whether less literal routes must not take the method, either."""
        return method in self.closed or (method == "HEAD" and "GET" in self.closed)


class Routes:
    """The paths of one API. A literal segment wins over a placeholder (OpenAPI 3.1, 4.8.8.1).

    `closed` are the operations that nothing may reach, under a less literal path neither. What
    requests cannot tell from one of the tools, because only names or queries differ, is open.
    """

    def __init__(self, tools: Iterable[Tool], closed: Iterable[Signature] = ()) -> None:
        self._root = _Branch()
        for tool in sorted(tools, key=lambda t: (t.path, t.method)):
            self._branch(tool.path).tools.setdefault(tool.method, tool)
        for signature in closed:
            branch = self._branch(signature.path)
            if signature.method not in branch.tools:
                branch.closed.add(signature.method)

    def _branch(self, path: str) -> _Branch:
        branch = self._root
        for segment in route_path(path).split("/")[1:]:
            branch = _descend(branch, segment)
        return branch

    def match(self, method: str, path: str) -> Tool:
        """The tool that `method` on `path` (raw, no query) means.

        HEAD goes wherever GET does and OPTIONS to any known path. Raises UnknownOperation, or
        MethodNotAllowed with what the path does take.
        """
        segments = [unquote(segment) for segment in path.split("/")[1:]]
        # A path of which nothing is open is closed to what less literal ones would take, too.
        found = list(takewhile(lambda b: b.tools, _candidates(self._root, segments)))
        if tool := _meant(method, found):
            return tool
        if not found:
            raise UnknownOperation(f"no operation has this path: {path[:200]}")
        known = {m for branch in found for m in branch.tools} | {"HEAD", "OPTIONS"}
        allowed = tuple(sorted(m for m in known if _meant(m, found)))
        raise MethodNotAllowed(f"{method} is not described here", allowed=allowed)


def route_path(path: str) -> str:
    """The part of a path template that a request's path is compared with."""
    return re.split(r"[?#]", path, maxsplit=1)[0]


def _meant(method: str, branches: Iterable[_Branch]) -> Tool | None:
    """The first that takes the method, unless one before keeps it."""
    for branch in branches:
        tool = branch.meant(method)
        if tool is not None or branch.keeps(method):
            return tool
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
            if branch.tools or branch.closed:
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
