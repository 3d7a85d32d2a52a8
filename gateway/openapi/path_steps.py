"""A JSONPath environment that counts: no expression works longer than it has been allowed to.

Nested queries multiply: `$..[?count($..*) > 0]` looks at everything once for each thing that there
is. So each node that a segment comes to is a step, and so is each value that is compared.
"""

from collections.abc import Iterable, Iterator, Mapping

import jsonpath
import jsonschema_rs
from jsonpath import JSONPathMatch
from jsonpath.exceptions import JSONPathRecursionError
from jsonpath.function_extensions import ExpressionType, FilterFunction
from jsonpath.parse import Parser
from jsonpath.segments import (
    JSONPathChildSegment,
    JSONPathRecursiveDescentSegment,
    JSONPathSegment,
)
from jsonpath.selectors import IndexSelector, JSONPathSelector, NameSelector
from jsonpath.stream import TokenStream

# In bytes of a compiled pattern: one of that size takes 2 ms to compile, as long as so many steps.
_PATTERN = jsonschema_rs.RegexOptions(size_limit=1_048_576)
_PATTERN_STEPS = 2_000
# Characters of a text that are looked at in the time of a step, or of a filter that are evaluated.
_TEXT = 64
_FILTER = 16
_MAX_PATTERNS = 64


class TooManySteps(ValueError):
    """The steps that were allowed are used up."""


class Steps:
    """What is left of the work that may be done."""

    def __init__(self, limit: int) -> None:
        self._left = limit

    def spend(self, count: int) -> None:
        """Raises TooManySteps where there are not as many left."""
        self._left -= count
        if self._left < 0:
            raise TooManySteps


class CountingEnvironment(jsonpath.JSONPathEnvironment):
    """The library's strict mode; work raises TooManySteps when `steps` are used up."""

    def __init__(self, steps: Steps) -> None:
        self.steps = steps
        super().__init__(strict=True)
        self.parser = _CountingParser(env=self, steps=steps)
        self.function_extensions["match"] = _Regex("^(?:{})$", steps)
        self.function_extensions["search"] = _Regex("{}", steps)

    def compare(self, left: object, operator: str, right: object) -> bool:
        """The library's comparison, which looks at all values within."""
        if isinstance(left, str) and isinstance(right, str):
            self.steps.spend(min(len(left), len(right)) // _TEXT)
        todo = [left] if isinstance(left, Mapping | list) and type(left) is type(right) else []
        for value in todo:
            self.steps.spend(1)
            if isinstance(value, Mapping):
                todo += value.values()
            elif isinstance(value, list):
                todo += value
        return super().compare(left, operator, right)


class _CountingParser(Parser):
    def __init__(self, *, env: CountingEnvironment, steps: Steps) -> None:
        super().__init__(env=env)
        self._steps = steps

    def parse_query(self, stream: TokenStream) -> Iterable[JSONPathSegment]:
        for segment in super().parse_query(stream):
            kind = _Descent if isinstance(segment, JSONPathRecursiveDescentSegment) else _Child
            yield kind(segment, self._steps)


class _Match(JSONPathMatch):
    """Without what nobody asks for, which takes most of the time: its path as text, its family."""

    __slots__ = ()

    def add_child(self, *children: JSONPathMatch) -> None:
        """Keeps nothing, so that a match is gone when it has been used."""

    def new_child(self, obj: object, key: int | str) -> JSONPathMatch:
        return _Match(
            filter_context=self._filter_context,
            obj=obj,
            parent=None,
            path="",
            parts=(*self.parts, key),
            root=self.root,
        )


def _light(node: JSONPathMatch) -> JSONPathMatch:
    if isinstance(node, _Match):
        return node
    context = node.filter_context()
    return _Match(
        filter_context=context, obj=node.obj, parent=None, path="", parts=node.parts, root=node.root
    )


class _Child(JSONPathChildSegment):
    __slots__ = ("_costs", "_steps")

    def __init__(self, segment: JSONPathSegment, steps: Steps) -> None:
        super().__init__(env=segment.env, token=segment.token, selectors=segment.selectors)
        self._steps = steps
        self._costs = _costs(segment)

    def resolve(self, nodes: Iterable[JSONPathMatch]) -> Iterator[JSONPathMatch]:
        for node in map(_light, nodes):
            yield from _select(node, self._costs, self._steps)


class _Descent(JSONPathRecursiveDescentSegment):
    __slots__ = ("_costs", "_steps")

    def __init__(self, segment: JSONPathSegment, steps: Steps) -> None:
        super().__init__(env=segment.env, token=segment.token, selectors=segment.selectors)
        self._steps = steps
        self._costs = _costs(segment)

    def resolve(self, nodes: Iterable[JSONPathMatch]) -> Iterator[JSONPathMatch]:
        for node in map(_light, nodes):
            for inner in self._within(node):
                yield from _select(inner, self._costs, self._steps)

    def _within(self, root: JSONPathMatch) -> Iterator[JSONPathMatch]:
        """`root` and all objects and arrays in it, outer ones first, in the document's order."""
        deepest = len(root.parts) + self.env.max_recursion_depth
        todo = [root]
        while todo:
            node = todo.pop()
            self._steps.spend(1)
            if len(node.parts) >= deepest:
                raise JSONPathRecursionError("recursion limit exceeded", token=self.token)
            yield node
            found = [
                node.new_child(value, key)
                for key, value in _members(node.obj)
                if isinstance(value, Mapping | list | tuple)
            ]
            todo += reversed(found)


_Costs = tuple[tuple[JSONPathSelector, int], ...]


def _costs(segment: JSONPathSegment) -> _Costs:
    """Its selectors with the steps that each child takes; 0: only one child is looked at."""
    return tuple(
        (
            each,
            0 if isinstance(each, NameSelector | IndexSelector) else 1 + len(str(each)) // _FILTER,
        )
        for each in segment.selectors
    )


def _select(node: JSONPathMatch, costs: _Costs, steps: Steps) -> Iterator[JSONPathMatch]:
    # The library would have slices of texts, too.
    if not isinstance(node.obj, Mapping | list | tuple):
        return
    for selector, cost in costs:
        steps.spend(1 + cost * (1 + len(node.obj)))
        yield from selector.resolve(node)


def _members(value: object) -> Iterable[tuple[str | int, object]]:
    if isinstance(value, Mapping):
        return value.items()
    return enumerate(value) if isinstance(value, list | tuple) else ()


class _Regex(FilterFunction):
    """`match` and `search` (RFC 9535 section 2.4.6), in linear time whatever the pattern.

    The library's own use Python's engine, which backtracks without bound. I-Regexp (RFC 9485) is a
    subset of what the compiled engine reads; another pattern matches nothing, as the RFC says.
    """

    arg_types = [ExpressionType.VALUE, ExpressionType.VALUE]  # noqa: RUF012  the library's shape
    return_type = ExpressionType.LOGICAL

    def __init__(self, frame: str, steps: Steps) -> None:
        self._frame = frame
        self._steps = steps
        self._known: dict[str, jsonschema_rs.Draft202012Validator | None] = {}

    def __call__(self, value: object, pattern: object) -> bool:
        if not isinstance(value, str) or not isinstance(pattern, str):
            return False
        self._steps.spend(1 + (len(value) + len(pattern)) // _TEXT)
        validator = self._compiled(pattern)
        try:
            return validator is not None and validator.is_valid(value)
        except ValueError:  # text that is no Unicode
            return False

    def _compiled(self, pattern: str) -> jsonschema_rs.Draft202012Validator | None:
        if pattern not in self._known:
            self._steps.spend(_PATTERN_STEPS)
            if len(self._known) >= _MAX_PATTERNS:
                self._known.clear()
            try:
                self._known[pattern] = jsonschema_rs.Draft202012Validator(
                    {"pattern": self._frame.format(pattern)},
                    pattern_options=_PATTERN,
                    offline=True,
                )
            except ValueError:  # no pattern of this engine
                self._known[pattern] = None
        return self._known[pattern]
