"""JSON objects in which a name stands twice: every parser keeps one of them, and says nothing."""

import json
from collections import Counter
from collections.abc import Mapping

from gateway.openapi import Code, Finding, finding, join

_BOM = b"\xef\xbb\xbf"
_Pairs = list[tuple[str, object]]


def find_duplicate_keys(data: bytes) -> tuple[Finding, ...]:
    """One for each name of a JSON text that its object has more than once, by pointer.

    A YAML text gives nothing: reading it has refused such names. Neither does what is no JSON, or
    deeper than Python's own parser goes. It takes several times as long as reading the text.
    """
    repeated: dict[int, Mapping[str, object]] = {}
    counts: dict[int, Counter[str]] = {}

    def keep(pairs: _Pairs) -> Mapping[str, object]:
        made = dict(pairs)
        if len(made) < len(pairs):
            repeated[id(made)] = made  # kept, so that no other object has its identity
            counts[id(made)] = Counter(name for name, _ in pairs)
        return made

    try:
        # An integer of many digits is none of our business here.
        text = data.removeprefix(_BOM)
        root = json.loads(text, object_pairs_hook=keep, parse_int=float)
    except (ValueError, RecursionError):
        return ()
    found = _places(root, counts) if repeated else {}
    return tuple(
        finding(Code.KEY_DUPLICATE, pointer, f"stands {count} times; the last one counts")
        for pointer, count in sorted(found.items())
    )


def _places(root: object, counts: Mapping[int, Counter[str]]) -> Mapping[str, int]:
    """How often a name stands, by its pointer."""
    found: dict[str, int] = {}
    todo = [("", root)]
    while todo:
        at, value = todo.pop()
        if isinstance(value, dict):
            for name, count in counts.get(id(value), {}).items():
                if count > 1:
                    found[join(at, name)] = count
            todo += [(join(at, name), part) for name, part in value.items()]
        elif isinstance(value, list):
            todo += [(f"{at}/{index}", part) for index, part in enumerate(value)]
    return found
