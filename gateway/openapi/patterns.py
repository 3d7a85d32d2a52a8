"""The patterns of a description that can be matched: right syntax, nothing hidden, bounded size."""

from collections.abc import Iterator
from functools import cached_property, lru_cache

import jsonschema_rs

from gateway.openapi.document import Document
from gateway.openapi.hygiene import hides_something

# The engine's own bound lets seventeen characters (`(a{1,1400}){1,99}`) take 13 MB and 24 ms, and a
# description may have thousands of them. So there may be a few large ones, and any number of small
# ones. In bytes of a compiled pattern. Of 3,833 different patterns in 2,800 public descriptions 9
# are beyond the larger bound, such as `[\P{M}\p{M}]{1,5000}`; no description has more than 13
# beyond the smaller one, which are mostly lengths: `.{1,255}`.
_SMALL = jsonschema_rs.FancyRegexOptions(size_limit=262_144)
_LARGE = jsonschema_rs.FancyRegexOptions(size_limit=4_194_304)
MAX_LARGE = 32


class Patterns:
    """The patterns of one description."""

    def __init__(self, document: Document) -> None:
        self._document = document

    def admits(self, text: str) -> bool:
        """Whether `text` is matched; one with characters that nobody sees is not."""
        return _is_small(text) or (self._are_few_large and _is_large(text))

    @cached_property
    def _are_few_large(self) -> bool:
        """Otherwise none of them is matched, so that no order of the document decides."""
        large: set[str] = set()
        for text in _patterns(self._document.values):
            if not _is_small(text):
                large.add(text)
            if len(large) > MAX_LARGE:
                return False
        return True


def _patterns(values: tuple[object, ...]) -> Iterator[str]:
    """Everything that may be a pattern; what YAML aliases repeat is looked at once."""
    todo, seen = list(values), set[int]()
    while todo:
        value = todo.pop()
        if not isinstance(value, dict | list) or id(value) in seen:
            continue
        seen.add(id(value))
        if isinstance(value, list):
            todo += value
            continue
        todo += value.values()
        pattern, named = value.get("pattern"), value.get("patternProperties")
        if isinstance(pattern, str):
            yield pattern
        if isinstance(named, dict):
            yield from map(str, named)


@lru_cache(maxsize=4096)
def _is_small(text: str) -> bool:
    return not hides_something(text) and _compiles(text, _SMALL)


@lru_cache(maxsize=256)
def _is_large(text: str) -> bool:
    return not hides_something(text) and _compiles(text, _LARGE)


def _compiles(text: str, bound: jsonschema_rs.FancyRegexOptions) -> bool:
    try:
        jsonschema_rs.Draft202012Validator({"pattern": text}, pattern_options=bound, offline=True)
    except ValueError:
        return False
    return True
