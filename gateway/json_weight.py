"""How much there is in a JSON text, told before anything is made of it.

A parser holds the interpreter until it is done: ten megabytes of empty lists keep every other
caller waiting for two seconds, and no thread helps.
"""

from array import array
from collections.abc import Iterator
from itertools import accumulate

_CHUNK = 16_384
# All but what opens, closes and names: each member of an object has one colon.
_REST = bytes(byte for byte in range(256) if byte not in b"[]{}:")
# As signed bytes: one level up, one level down.
_STEPS = bytes.maketrans(b"[{]}", b"\x01\x01\xff\xff")


def weigh_json(data: bytes, most: int) -> tuple[int, int]:
    """The objects, arrays and members in a JSON text, and its levels of nesting.

    Of what is no JSON it is some two numbers; of what has more than `most` parts some more.
    """
    parts = depth = deepest = 0
    for chunk in outside_texts(data):
        structure = chunk.translate(None, _REST)
        parts += len(structure) - structure.count(b"]") - structure.count(b"}")
        if parts > most:
            break
        steps = array("b", structure.translate(_STEPS, b":"))
        peak = max(accumulate(steps, initial=depth))
        depth, deepest = depth + sum(steps), max(deepest, peak)
    return parts, deepest


def outside_texts(data: bytes) -> Iterator[bytes]:
    """What stands outside the strings of a JSON text, in pieces, between which others get on."""
    # Without its escapes a string ends at the next quotation mark.
    text = data.replace(rb"\\", b"").replace(rb"\"", b"")
    inside = 0
    for start in range(0, len(text), _CHUNK):
        pieces = text[start : start + _CHUNK].split(b'"')
        yield b"".join(pieces[inside::2])
        inside = (inside + len(pieces) - 1) % 2
