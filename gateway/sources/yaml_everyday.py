"""YAML as people write descriptions, by a parser that is many times faster than PyYAML's.

yaml-rs follows YAML 1.2 where PyYAML's libyaml follows 1.1, and neither resolves plain scalars
quite as we do. So it gets only what all read alike, which is decided line by line: block mappings
and sequences, scalars of every style, flow collections on one line. Whatever else a text holds
(anchors, tags, merge keys, `? ` keys, tabs, long flow collections, numbers that not everybody takes
for numbers) makes it `Unusual`, and the careful reader in `yaml_text` has the word.
"""

import re
from itertools import chain

import orjson
import yaml_rs

from gateway.sources.yaml_lines import is_everyday

# Levels that orjson writes; its documentation gives no number, a test does.
ORJSON_LEVELS = 254
# Beyond it the careful reader keeps some numbers as text, and Python may refuse to write them.
MAX_INTEGER = 10**200
_TEXT = {str}
_MIN, _MAX = -(2**63), 2**64 - 1
_USUAL = bytes(range(0x20, 0x7F)) + b"\n"
# YAML 1.1 breaks lines at the first three; the others may not stand in YAML at all.
_UNUSUAL = re.compile("[\x85\u2028\u2029\x00-\x1f\x7f-\x9f\ufeff\ufffe\uffff]")
# No alias is followed: who repeats or merges gets the careful reader, which counts.
_NO_ALIASES = yaml_rs.AliasLimits(max_replay_stack_depth=0)


class Unusual(Exception):
    """The text is unusual, or no YAML at all: only the careful reader may judge it."""


def read_everyday(data: bytes, *, max_depth: int) -> object:
    """The mapping or sequence that `data` (UTF-8) holds, as JSON values. Raises Unusual."""
    try:
        if _UNUSUAL.search(data.translate(None, _USUAL).decode()) or not is_everyday(data):
            raise Unusual
        value: object = yaml_rs.load(
            data, parse_datetime=False, encoder_errors="strict", alias_limits=_NO_ALIASES
        )
    except (ValueError, TypeError) as error:  # not UTF-8, not YAML, a list as key
        raise Unusual from error
    _check_end(value, data)
    return _as_json(value, max_depth)


def _check_end(value: object, data: bytes) -> None:
    """No scalar alone, and no line break of a last block scalar that the text does not have.

    The parsers differ in the breaks at the end of a text that ends within `|` or `>`.
    """
    if not isinstance(value, dict | list):
        raise Unusual
    last: object = value
    while last and isinstance(last, dict | list):
        last = last[-1] if isinstance(last, list) else last[next(reversed(last))]
    if not isinstance(last, str) or not last.endswith("\n"):
        return
    if not data.endswith(b"\n") or not last.strip("\n"):
        raise Unusual


def _as_json(value: object, max_depth: int) -> object:
    """`value` with text as keys and integers as orjson reads them, not too deep. Raises Unusual."""
    if _is_json(value, max_depth):
        return value
    _mend(value)
    if not _is_json(value, max_depth):
        raise Unusual
    return value


def _is_json(value: object, max_depth: int) -> bool:
    """Text as keys, 64 bits, not too deep: what orjson writes, and nothing is faster to look."""
    for _ in range(ORJSON_LEVELS - max_depth):
        value = [value]
    try:
        orjson.dumps(value)
    except TypeError:
        return False
    return True


def _mend(value: object) -> None:
    """Make text of integers as keys, in place, and floats of long ones.

    One level after the other, since most levels are seen to be sound without a look at each member.
    """
    level = [value]
    while level:
        dicts: list[dict[object, object]] = [part for part in level if type(part) is dict]
        lists: list[list[object]] = [part for part in level if type(part) is list]
        if not set(map(type, chain.from_iterable(dicts))) <= _TEXT:
            for mapping in dicts:
                _rename(mapping)
        level = [*chain(chain.from_iterable(map(dict.values, dicts)), chain.from_iterable(lists))]
        integers = [part for part in level if type(part) is int]
        if integers and (min(integers) < _MIN or max(integers) > _MAX):
            for mapping in dicts:
                mapping.update(
                    {k: _number(part) for k, part in mapping.items() if type(part) is int}
                )
            for sequence in lists:
                sequence[:] = [_number(part) if type(part) is int else part for part in sequence]


def _rename(mapping: dict[object, object]) -> None:
    if set(map(type, mapping)) <= _TEXT:
        return
    members = list(mapping.items())
    mapping.clear()
    for key, member in members:
        # Only an integer's text is known from its value.
        if type(key) not in (str, int) or str(key) in mapping:
            raise Unusual
        mapping[str(key)] = member


def _number(value: int) -> int | float:
    if _MIN <= value <= _MAX:
        return value
    if abs(value) > MAX_INTEGER:
        raise Unusual
    return float(value)
