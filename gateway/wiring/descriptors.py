"""File descriptors: how many this process may have, and how many of them are for clients."""

import resource
from contextlib import suppress
from typing import Final

MOST: Final = 65_536
"""Nobody has so many clients at one process; `unlimited` has to be some number."""
RESERVED: Final = 128
"""Descriptors, or a quarter of all if that is more, that are left for APIs, stores and files."""


def raise_descriptors() -> int:
    """Lift the soft limit to the hard one, as nginx and Go's programs do; what there is then."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST if hard == resource.RLIM_INFINITY else min(hard, MOST)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
            soft = wanted
    return MOST if soft == resource.RLIM_INFINITY else min(soft, MOST)


def connections_for(descriptors: int) -> int:
    """How many connections of clients there may be at once."""
    return max(8, descriptors - max(RESERVED, descriptors // 4))
