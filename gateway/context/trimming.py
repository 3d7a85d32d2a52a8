"""How much of a history fits, found in two or three looks where halving would take ten.

Compression makes it a guess: its ratio is known only once it is done. Along a history it changes
slowly, though, so that one look tells nearly where the limit is.
"""

from bisect import bisect_right
from collections.abc import Callable, Sequence
from itertools import accumulate

_FIRST_LOOK = 24_576
_AIM = 0.98
_GOOD_ENOUGH = 0.95
_GUESSES = 4


def longest_history(
    entries: Sequence[bytes], write: Callable[[int], str], *, head: int, limit: int
) -> str | None:
    """`write(n)` for as many of the newest entries as fit: at most `limit` characters of text.

    Ends where 95 % of the limit are used or one entry more is too much; None where no number fits,
    0 included. `head` is what is written besides the entries, in bytes. The same arguments give
    the same text.
    """
    sizes = list(accumulate((len(entry) + 1 for entry in reversed(entries)), initial=head))
    fits, too_many, best = -1, len(sizes), None
    looks = [(0, 0)]
    count = max(0, bisect_right(sizes, _FIRST_LOOK) - 1)
    while count < too_many:
        text = write(count)
        if len(text) <= limit:
            fits, best = count, text
            if len(text) >= _GOOD_ENOUGH * limit:
                break
        else:
            too_many = count
        looks.append((sizes[count], len(text)))
        guess = _guess(sizes, looks, limit) if len(looks) <= _GUESSES else (fits + too_many) // 2
        count = max(fits + 1, min(guess, too_many - 1))
    return best


def _guess(sizes: Sequence[int], looks: Sequence[tuple[int, int]], limit: int) -> int:
    """How many entries make a little less than `limit`, on the line through the last two looks."""
    (size0, length0), (size, length) = sorted(looks[-2:])
    rise = max(1, length - length0) / max(1, size - size0)
    return bisect_right(sizes, size + (_AIM * limit - length) / rise) - 1
